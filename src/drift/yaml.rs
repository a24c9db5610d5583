//! Reading manifests the way Kubernetes reads them: YAML 1.1 scalars, several documents, JSON, `List` kinds; with limits on what one file may cost.
//!
//! Kubernetes' tools read YAML with go-yaml 2: `0644` is the number 420, `yes` and `on` are true, the last of two equal keys wins.
//! A YAML 1.2 reader disagrees on all three, and each disagreement would be drift that nobody made.

mod emit;
mod value;

pub use emit::to_canonical;

use serde_json::Value;
use value::Tree;

/// What one file may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub bytes: usize,
    /// Nesting of maps and lists.
    pub depth: usize,
    /// Documents, and objects after `List` kinds are opened.
    pub documents: usize,
    /// Maps, lists and scalars, aliases counted each time they are used.
    pub nodes: usize,
    /// Uses of aliases.
    pub aliases: usize,
}

impl Default for Limits {
    /// 8 MiB, 64 deep, 5,000 objects, 500,000 nodes, 1,000 aliases: well above what an API server takes.
    fn default() -> Self {
        Self {
            bytes: 8 << 20,
            depth: 64,
            documents: 5_000,
            nodes: 500_000,
            aliases: 1_000,
        }
    }
}

/// Why a file could not be read. No message repeats the file's content: it may hold a Secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum YamlError {
    /// Larger than allowed.
    #[error("the file has {bytes} bytes, more than the {limit} that are read; split it")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Not UTF-8.
    #[error("the file is not UTF-8 text (first bad byte at offset {offset}); save it as UTF-8")]
    NotText {
        /// Where the first bad byte stands.
        offset: usize,
    },
    /// Neither YAML nor JSON.
    #[error("line {line}, column {column}: {problem}")]
    Syntax {
        /// Line, from 1.
        line: u64,
        /// Column, from 1.
        column: u64,
        /// What is wrong, in the parser's words, without the content.
        problem: String,
    },
    /// A limit was passed.
    #[error("the file passes a limit on {what} ({limit}); it is not read further")]
    Limit {
        /// Which limit.
        what: &'static str,
        /// Its value.
        limit: usize,
    },
    /// A document is a scalar or a list.
    #[error("document {document} is not an object with apiVersion and kind")]
    NotAnObject {
        /// Which document, from 1, empty ones not counted.
        document: usize,
    },
}

/// Reads all objects of a file, in order. Empty documents are left out, `List` kinds are opened into their items.
///
/// # Errors
/// [`YamlError`]: the whole file is refused when one document of it cannot be read.
pub fn parse_documents(bytes: &[u8], limits: &Limits) -> Result<Vec<Value>, YamlError> {
    let documents = parse_values(bytes, limits)?;
    let mut objects = Vec::with_capacity(documents.len());
    for (index, document) in documents.into_iter().enumerate() {
        match document {
            Value::Null => {}
            Value::Object(_) => open_list(document, &mut objects),
            _ => {
                return Err(YamlError::NotAnObject {
                    document: index + 1,
                });
            }
        }
    }
    if objects.len() > limits.documents {
        return Err(YamlError::Limit {
            what: "objects",
            limit: limits.documents,
        });
    }
    Ok(objects)
}

/// Reads all documents of a file as values, whatever they are: a list of ignore rules, for example.
///
/// # Errors
/// As [`parse_documents`], but for the shape of the documents.
pub fn parse_values(bytes: &[u8], limits: &Limits) -> Result<Vec<Value>, YamlError> {
    let text = text_of(bytes, limits)?;
    if looks_like_json(text)
        && let Ok(values) = parse_json(text)
    {
        return within(values, limits);
    }
    let values = parse_yaml(text, limits)?;
    within(open_ended(text, limits).unwrap_or(values), limits)
}

/// A mark that no manifest holds.
const END: &str = "\u{f8ff}driftdeck-end\u{f8ff}";

/// A file whose last line is in a block scalar and has no line break: go-yaml gives that scalar none, our parser ends every block with one.
///
/// A mark behind the last character tells whether it belongs to such a scalar: only there it comes back with a line break behind it.
fn open_ended(text: &str, limits: &Limits) -> Option<Vec<Value>> {
    if text.ends_with('\n') || !text.contains(['|', '>']) {
        return None;
    }
    let mut values = parse_yaml(&format!("{text}{END}"), limits).ok()?;
    values.last_mut().is_some_and(cut_end).then_some(values)
}

/// Cuts the mark and the line break off the scalar that ends in both.
fn cut_end(value: &mut Value) -> bool {
    match value {
        Value::String(text) => {
            let cut = text.strip_suffix('\n').and_then(|t| t.strip_suffix(END));
            let Some(cut) = cut.map(str::to_owned) else {
                return false;
            };
            *text = cut;
            true
        }
        Value::Array(items) => items.iter_mut().any(cut_end),
        Value::Object(map) => map.values_mut().any(cut_end),
        _ => false,
    }
}

fn text_of<'a>(bytes: &'a [u8], limits: &Limits) -> Result<&'a str, YamlError> {
    if bytes.len() > limits.bytes {
        return Err(YamlError::TooLarge {
            bytes: bytes.len(),
            limit: limits.bytes,
        });
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|e| YamlError::NotText {
        offset: e.valid_up_to(),
    })
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with(['{', '['])
}

/// One or more JSON documents after each other.
fn parse_json(text: &str) -> Result<Vec<Value>, serde_json::Error> {
    serde_json::Deserializer::from_str(text)
        .into_iter::<Tree>()
        .map(|tree| tree.map(|t| t.0))
        .collect()
}

fn parse_yaml(text: &str, limits: &Limits) -> Result<Vec<Value>, YamlError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: limits.depth,
            max_documents: limits.documents,
            max_nodes: limits.nodes,
            max_aliases: limits.aliases,
            max_events: limits.nodes.saturating_mul(3),
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: limits.nodes,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        legacy_octal_numbers: true,
        with_snippet: false,
    };
    let trees: Vec<Tree> = serde_saphyr::from_multiple_with_options(text, options)
        .map_err(|error| explain(&error, limits))?;
    Ok(trees.into_iter().map(|t| t.0).collect())
}

/// Turns the parser's error into ours, leaving out whatever it quotes from the file.
fn explain(error: &serde_saphyr::Error, limits: &Limits) -> YamlError {
    let place = error.location();
    let problem = without_quotes(&error.without_snippet().to_string());
    if problem.contains("budget") || problem.contains("limit") {
        return YamlError::Limit {
            what: "nesting, nodes or aliases",
            limit: limits.nodes,
        };
    }
    YamlError::Syntax {
        line: place.map_or(1, |l| l.line()),
        column: place.map_or(1, |l| l.column()),
        problem,
    }
}

/// Drops the text between quotes and backticks, and the parser's own mention of the place.
fn without_quotes(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let first = first.split(" at line ").next().unwrap_or(first);
    let mut out = String::with_capacity(first.len());
    let mut open: Option<char> = None;
    for c in first.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => continue,
            None if matches!(c, '`' | '"') => {
                open = Some(c);
                out.push('…');
                continue;
            }
            None => {}
        }
        if !matches!(c, '`' | '"') {
            out.push(c);
        }
    }
    out
}

/// Depth and size of what was read; JSON passes here only.
fn within(values: Vec<Value>, limits: &Limits) -> Result<Vec<Value>, YamlError> {
    let mut nodes = 0_usize;
    for value in &values {
        measure(value, 1, &mut nodes, limits)?;
    }
    Ok(values)
}

fn measure(
    value: &Value,
    depth: usize,
    nodes: &mut usize,
    limits: &Limits,
) -> Result<(), YamlError> {
    *nodes += 1;
    if *nodes > limits.nodes {
        return Err(YamlError::Limit {
            what: "nodes",
            limit: limits.nodes,
        });
    }
    if depth > limits.depth {
        return Err(YamlError::Limit {
            what: "nesting",
            limit: limits.depth,
        });
    }
    match value {
        Value::Array(items) => items
            .iter()
            .try_for_each(|item| measure(item, depth + 1, nodes, limits)),
        Value::Object(map) => map
            .values()
            .try_for_each(|item| measure(item, depth + 1, nodes, limits)),
        _ => Ok(()),
    }
}

/// Opens `List`, `ConfigMapList` and the like; items of a typed list take their kind from it when they state none.
fn open_list(document: Value, objects: &mut Vec<Value>) {
    let Some(item_kind) = list_item_kind(&document) else {
        objects.push(document);
        return;
    };
    let api_version = document.get("apiVersion").cloned();
    let Value::Object(mut list) = document else {
        return;
    };
    let Some(Value::Array(items)) = list.remove("items") else {
        return;
    };
    for mut item in items {
        if let Value::Object(map) = &mut item {
            if !item_kind.is_empty() && !map.contains_key("kind") {
                map.insert("kind".into(), Value::String(item_kind.clone()));
                if let Some(version) = &api_version {
                    map.entry("apiVersion").or_insert_with(|| version.clone());
                }
            }
            open_list(item, objects);
        }
    }
}

/// The kind of the items when the document is a list, empty when the list does not tell.
fn list_item_kind(document: &Value) -> Option<String> {
    let kind = document.get("kind")?.as_str()?;
    document.get("items")?.as_array()?;
    kind.strip_suffix("List").map(str::to_owned)
}

#[cfg(test)]
mod tests;
