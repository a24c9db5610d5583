//! One kubeconfig file: its text, its lists, its entries. A broken entry costs only itself.

use std::path::Path;

use kube::config::{AuthInfo, Cluster, Context};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::entries::{self, Entries, Entry, Place};
use super::shown;

/// A kubeconfig beyond this is refused: it is no kubeconfig.
const MAX_BYTES: u64 = 64 << 20;

/// Reads a file and adds what it defines; whatever is wrong is noted and the rest is kept.
pub(super) fn read_into(path: &Path, into: &mut Entries) {
    match text_of(path) {
        Ok(text) => parse_into(path, &text, into),
        Err(sentence) => into.problem(path, None, &sentence),
    }
}

fn text_of(path: &Path) -> Result<String, String> {
    let unreadable = |e: std::io::Error| {
        format!(
            "The kubeconfig {} cannot be read: {e}. Check the path and your right to read it.",
            shown(path)
        )
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > MAX_BYTES {
        return Err(format!(
            "The kubeconfig {} has {size} bytes, more than the {MAX_BYTES} that are read; name the right file.",
            shown(path)
        ));
    }
    std::fs::read(path).map(|b| decode(&b)).map_err(unreadable)
}

/// Text of any of the encodings that editors leave behind; bytes that fit none become U+FFFD, which spoils only their entry.
fn decode(bytes: &[u8]) -> String {
    let wide = |rest: &[u8], join: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest
            .chunks_exact(2)
            .map(|pair| join([pair[0], pair[1]]))
            .collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        all => String::from_utf8_lossy(all).into_owned(),
    }
}

fn parse_into(path: &Path, text: &str, into: &mut Entries) {
    match documents(text) {
        Ok(documents) => {
            for document in documents {
                document_into(path, text, document, into);
            }
        }
        Err((line, problem)) => into.problem(
            path,
            Some(line),
            &format!(
                "The kubeconfig {}:{line} is not YAML: {problem}. Correct that line; the other files are used.",
                shown(path)
            ),
        ),
    }
}

fn documents(text: &str) -> Result<Vec<Value>, (u64, String)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: 64,
            max_documents: 64,
            max_nodes: 4_000_000,
            max_events: 12_000_000,
            max_aliases: 1_000,
            max_total_scalar_bytes: 256 << 20,
        },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: 200_000 },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options).map_err(|error| {
        let line = error.location().map_or(1, |l| l.line());
        (line, without_content(&error.without_snippet().to_string()))
    })
}

/// The parser's words without what it quotes: a kubeconfig's content may be a credential.
fn without_content(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let first = first.split(" at line ").next().unwrap_or(first);
    let parts: Vec<&str> = first.split(['`', '"', '\'']).step_by(2).collect();
    parts.join("…").trim_end_matches('.').to_owned()
}

fn document_into(path: &Path, text: &str, document: Value, into: &mut Entries) {
    let Value::Object(mut root) = document else {
        let sentence = format!(
            "The kubeconfig {} is not a map with contexts, clusters and users; name the right file.",
            shown(path)
        );
        return into.problem(path, Some(1), &sentence);
    };
    let file = File { path, text };
    for (name, entry) in file.list::<Cluster>(&mut root, &CLUSTERS, into) {
        let entry = entry.map(|cluster| file.absolute_cluster(cluster));
        entries::add(&mut into.clusters, name, entry);
    }
    for (name, entry) in file.list::<AuthInfo>(&mut root, &USERS, into) {
        let entry = entry.map(|user| file.absolute_user(user));
        entries::add(&mut into.users, name, entry);
    }
    for (name, entry) in file.list::<Context>(&mut root, &CONTEXTS, into) {
        entries::add(&mut into.contexts, name, entry);
    }
}

impl<T> Entry<T> {
    fn map(self, change: impl FnOnce(T) -> T) -> Self {
        Self {
            value: self.value.map(change),
            place: self.place,
        }
    }
}

/// The names of one list: its key, and the key inside each entry.
struct List {
    many: &'static str,
    one: &'static str,
}

const CLUSTERS: List = List {
    many: "clusters",
    one: "cluster",
};
const USERS: List = List {
    many: "users",
    one: "user",
};
const CONTEXTS: List = List {
    many: "contexts",
    one: "context",
};

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn list<T: DeserializeOwned>(
        &self,
        root: &mut Map<String, Value>,
        list: &List,
        into: &mut Entries,
    ) -> Vec<(String, Entry<T>)> {
        let items = match root.remove(list.many) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                let sentence = format!(
                    "In the kubeconfig {} `{}` is not a list; correct it or take the file out.",
                    shown(self.path),
                    list.many
                );
                into.problem(self.path, self.line_of_key(list.many), &sentence);
                return Vec::new();
            }
        };
        let numbered = items.into_iter().enumerate();
        numbered
            .filter_map(|(at, item)| self.entry(at, item, list, into))
            .collect()
    }

    fn entry<T: DeserializeOwned>(
        &self,
        at: usize,
        item: Value,
        list: &List,
        into: &mut Entries,
    ) -> Option<(String, Entry<T>)> {
        let name = item.get("name").and_then(Value::as_str).map(str::to_owned);
        let Some(name) = name.filter(|n| !n.is_empty()) else {
            let sentence = format!(
                "In the kubeconfig {} entry {} of `{}` has no name; give it one.",
                shown(self.path),
                at + 1,
                list.many
            );
            into.problem(self.path, self.line_of_key(list.many), &sentence);
            return None;
        };
        let place = Place::of(self.path, self.line_of_name(list.many, &name));
        let value = value(&name, item, list, &place);
        Some((name, Entry { value, place }))
    }

    /// The line of `key:` at the left edge.
    fn line_of_key(&self, key: &str) -> Option<u64> {
        self.numbered()
            .find(|(_, line)| line.strip_prefix(key).is_some_and(|r| r.starts_with(':')))
            .map(|(number, _)| number)
    }

    /// The first line after `list:` that gives an entry this name; a good guess, for the eye only.
    fn line_of_name(&self, list: &str, name: &str) -> Option<u64> {
        let from = self.line_of_key(list)?;
        self.numbered()
            .skip_while(|(number, _)| *number <= from)
            .take_while(|(_, line)| line.starts_with([' ', '-', '#']) || line.trim().is_empty())
            .find(|(_, line)| named(line) == Some(name))
            .map(|(number, _)| number)
    }

    fn numbered(&self) -> impl Iterator<Item = (u64, &str)> {
        (1_u64..).zip(self.text.lines())
    }

    fn absolute(&self, file: Option<String>) -> Option<String> {
        let file = file?;
        let base = self.path.parent().unwrap_or(Path::new("."));
        Some(base.join(&file).to_str().map_or(file, str::to_owned))
    }

    fn absolute_cluster(&self, mut cluster: Cluster) -> Cluster {
        cluster.certificate_authority = self.absolute(cluster.certificate_authority.take());
        cluster
    }

    fn absolute_user(&self, mut user: AuthInfo) -> AuthInfo {
        user.client_certificate = self.absolute(user.client_certificate.take());
        user.client_key = self.absolute(user.client_key.take());
        user.token_file = self.absolute(user.token_file.take());
        if let Some(exec) = &mut user.exec
            && exec
                .command
                .as_ref()
                .is_some_and(|c| c.contains(std::path::MAIN_SEPARATOR))
        {
            exec.command = self.absolute(exec.command.take());
        }
        user
    }
}

fn value<T: DeserializeOwned>(
    name: &str,
    mut item: Value,
    list: &List,
    place: &Place,
) -> Result<T, String> {
    let what = list.one;
    if spoiled(&item) {
        return Err(format!(
            "The {what} `{name}` ({}) holds bytes that are not UTF-8; write it again.",
            place.text()
        ));
    }
    let body = item.get_mut(what).map_or(Value::Null, Value::take);
    let body = if body.is_null() && what == "user" {
        Value::Object(Map::new())
    } else {
        body
    };
    serde_path_to_error::deserialize(body).map_err(|e| {
        let field = e.path().to_string();
        let field = if field == "." {
            String::new()
        } else {
            format!(" at `{field}`")
        };
        format!(
            "The {what} `{name}` ({}) cannot be read{field}: {}. Correct the entry.",
            place.text(),
            without_content(&e.inner().to_string())
        )
    })
}

/// `edge-oslo-003` of `- name: "edge-oslo-003"`.
fn named(line: &str) -> Option<&str> {
    let rest = line.trim().trim_start_matches("- ").trim_start();
    let name = rest.strip_prefix("name:")?.trim();
    Some(name.trim_matches(['"', '\'']))
}

/// Whether any text of it lost bytes on the way in.
fn spoiled(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\u{fffd}'),
        Value::Array(items) => items.iter().any(spoiled),
        Value::Object(map) => map
            .iter()
            .any(|(k, v)| k.contains('\u{fffd}') || spoiled(v)),
        _ => false,
    }
}
