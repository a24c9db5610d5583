//! `index.yaml` of a chart repository: which versions of which charts it has, and where. Pure.
//!
//! The format is Helm's: <https://helm.sh/docs/topics/chart_repository/#the-index-file>.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

/// Bytes of an index; the largest public ones have some 25 million.
pub(super) const BYTES: usize = 64 << 20;
/// Scalars, lists and maps of an index.
const NODES: usize = 8_000_000;

/// A chart repository's table of contents.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Index {
    entries: HashMap<String, Vec<Entry>>,
}

/// One version of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    #[serde(deserialize_with = "or_default")]
    pub(super) version: String,
    /// Where its archive lies, absolute or relative to the index.
    #[serde(deserialize_with = "or_default")]
    pub(super) urls: Vec<String>,
    /// SHA-256 of the archive in hexadecimal digits; old indexes have none.
    #[serde(deserialize_with = "or_default")]
    pub(super) digest: String,
}

/// A field that is there and says nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl Index {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence, without the content.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|_| "it is no text".to_owned())?;
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|e| format!("line {}", e.line()));
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: 32,
                max_documents: 1,
                max_nodes: NODES,
                max_aliases: 1_000,
                max_events: NODES * 3,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: NODES,
            },
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| match error.location() {
            Some(place) => format!("line {}", place.line()),
            None => "it has not the form of an index".to_owned(),
        })
    }

    /// The versions of a chart; `None` when the repository does not have it.
    pub(super) fn of(&self, chart: &str) -> Option<&[Entry]> {
        self.entries.get(chart).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
apiVersion: v1
entries:
  redis:
  - {version: 18.1.2, urls: ['redis-18.1.2.tgz'], digest: 0a1b, created: '2026-01-01T00:00:00Z', keywords: [a]}
  - {version: '18.1', urls: ['https://other.example/redis-18.1.tgz'], dependencies: [{name: common, version: 2.x}]}
  empty: []
  odd:
  - {version: 1.2.3, urls: null, digest: 123456}
generated: '2026-01-01T00:00:00Z'
";

    #[test]
    fn versions_are_found_by_chart() {
        let index = Index::read(TEXT.as_bytes()).unwrap();
        let redis = index.of("redis").unwrap();
        let versions: Vec<&str> = redis.iter().map(|e| e.version.as_str()).collect();
        assert_eq!(versions, ["18.1.2", "18.1"]);
        assert_eq!(redis[0].urls, ["redis-18.1.2.tgz"]);
        assert_eq!(
            (redis[0].digest.as_str(), redis[1].digest.as_str()),
            ("0a1b", "")
        );
        assert_eq!(index.of("odd").unwrap()[0].digest, "123456");
        assert_eq!(index.of("nginx"), None);
    }

    #[test]
    fn json_is_an_index_too() {
        let index = Index::read(br#"{"entries":{"redis":[{"version":"1.0.0","urls":["a.tgz"]}]}}"#);
        assert_eq!(index.unwrap().of("redis").unwrap().len(), 1);
    }

    #[test]
    fn what_is_no_index_is_told_without_its_content() {
        for text in [
            "entries: [hunter2",
            "<html>hunter2</html>",
            "entries: hunter2",
            "{\"entries\": \"hunter2\"}",
        ] {
            let why = Index::read(text.as_bytes()).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
        assert!(Index::read(&[0xff, 0xfe]).is_err());
    }

    #[test]
    fn an_alias_bomb_ends_quickly() {
        use std::fmt::Write as _;
        let mut bomb = "a0: &a0 [x]\n".to_owned();
        for level in 1..40 {
            let _ = writeln!(
                bomb,
                "a{level}: &a{level} [{}]",
                vec![format!("*a{}", level - 1); 9].join(",")
            );
        }
        assert!(Index::read(format!("{bomb}entries: *a39\n").as_bytes()).is_err());
    }
}
