//! Documents that many servers have alike, made once: what a server serves decides them, and a fleet's servers serve the same.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use crate::sim::store::KindSet;

/// Every document made so far, by what it is and by the kinds that it speaks of.
static MADE: LazyLock<Mutex<HashMap<String, Bytes>>> = LazyLock::new(Mutex::default);

/// The document of a name for servers of these kinds, as JSON; `make` makes it when nobody has asked before.
pub(crate) fn once(
    kinds: &KindSet,
    name: &str,
    make: impl FnOnce(&KindSet) -> Option<Value>,
) -> Option<Bytes> {
    let key = key(kinds, name);
    if let Some(made) = MADE.lock().get(&key) {
        return Some(made.clone());
    }
    let document = Bytes::from(make(kinds)?.to_string());
    MADE.lock().insert(key, document.clone());
    Some(document)
}

fn key(kinds: &KindSet, name: &str) -> String {
    let mut key = name.to_owned();
    for kind in kinds.iter() {
        // Writing to a String cannot fail.
        let _ = write!(key, " {}.{}", kind.plural, kind.group);
    }
    key
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_made_once_for_equal_kinds_and_anew_for_others() {
        let make = |made: Value| move |_: &KindSet| Some(made);
        let bare = KindSet::bare();
        let first = once(&bare, "of a test", make(json!(1))).unwrap();
        assert_eq!(once(&bare, "of a test", make(json!(2))).unwrap(), first);
        let more = once(&bare.clone().with_flux(), "of a test", make(json!(3)));
        assert_eq!(more.unwrap(), "3");
        assert_eq!(once(&bare, "of another", make(json!(4))).unwrap(), "4");
        assert!(once(&bare, "of nothing", |_| None).is_none());
    }
}
