//! The key of a rendering: a digest of everything that its content depends on, and of nothing else.

use git2::Oid;
use sha2::{Digest, Sha256};

/// What a rendering's content depends on: equal keys, equal content, whatever commit or application asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ContentKey([u8; 32]);

/// A key in the making; every part is told from its neighbours by its length.
#[derive(Clone, Debug)]
pub(super) struct KeyMaker(Sha256);

impl KeyMaker {
    /// A key of this kind of rendering.
    pub(super) fn new(kind: &str) -> Self {
        Self(Sha256::new()).text(kind)
    }

    pub(super) fn bytes(mut self, part: &[u8]) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    pub(super) fn text(self, part: &str) -> Self {
        self.bytes(part.as_bytes())
    }

    pub(super) fn id(self, part: Oid) -> Self {
        self.bytes(part.as_bytes())
    }

    pub(super) fn make(self) -> ContentKey {
        ContentKey(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let of = |parts: &[&str]| {
            let key = parts.iter().fold(KeyMaker::new("plain"), |k, p| k.text(p));
            key.make()
        };
        assert_eq!(of(&["a", "b"]), of(&["a", "b"]));
        assert_ne!(of(&["ab", ""]), of(&["a", "b"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }
}
