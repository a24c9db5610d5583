//! Reads `builtin.txt`. A line that does not parse is left out: its field then reads as unknown, never as something else.

use std::collections::HashMap;

use super::{Elements, Field, Kind, ListKind, MapKind, PatchRule, StructKind, Versions};
use crate::domain::Gvk;

/// The parsed table.
pub(super) struct Table {
    structs: Vec<StructKind>,
    /// One `Kind::Struct` a struct, so that shapes can borrow them.
    kinds: Vec<Kind>,
    by_name: HashMap<&'static str, u16>,
    versions: Versions,
    /// Kinds that client-go does not register as Go types.
    foreign: Vec<(&'static str, &'static str)>,
}

impl Table {
    pub(super) fn parse(text: &'static str) -> Self {
        let mut table = Self {
            structs: Vec::new(),
            kinds: Vec::new(),
            by_name: HashMap::new(),
            versions: HashMap::new(),
            foreign: Vec::new(),
        };
        for line in text.lines() {
            table.line(line);
        }
        for kind in &mut table.structs {
            kind.fields.sort_by_key(|f| f.name);
        }
        for versions in table.versions.values_mut().flat_map(HashMap::values_mut) {
            versions.sort_by_key(|(version, _)| std::cmp::Reverse(maturity(version)));
        }
        table
    }

    fn line(&mut self, line: &'static str) {
        let mut words = line.split(' ');
        match words.next() {
            Some("=type") => self.start_type(words.nth(1).unwrap_or_default(), words.next()),
            Some("=kind") => {
                self.add_kind(words);
            }
            Some("=foreign") => {
                if let Some(group_kind) = self.add_kind(words) {
                    self.foreign.push(group_kind);
                }
            }
            Some(name) if !name.starts_with('#') => {
                if let (Some(field), Some(last)) = (field(name, words), self.structs.last_mut()) {
                    last.fields.push(field);
                }
            }
            _ => {}
        }
    }

    fn start_type(&mut self, name: &'static str, atomic: Option<&str>) {
        let Ok(id) = u16::try_from(self.structs.len()) else {
            return;
        };
        self.by_name.insert(name, id);
        self.kinds.push(Kind::Struct(id));
        self.structs.push(StructKind {
            name,
            atomic: atomic == Some("atomic"),
            fields: Vec::new(),
        });
    }

    fn add_kind(
        &mut self,
        mut words: std::str::Split<'static, char>,
    ) -> Option<(&'static str, &'static str)> {
        let api_version = words.next()?;
        let kind = words.next()?;
        let id = words.next()?.parse().ok()?;
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.versions
            .entry(group)
            .or_default()
            .entry(kind)
            .or_default()
            .push((version, id));
        Some((group, kind))
    }

    pub(super) fn structure(&self, id: u16) -> Option<&StructKind> {
        self.structs.get(usize::from(id))
    }

    pub(super) fn kind(&self, group: &str, version: &str, kind: &str) -> Option<&Kind> {
        let versions = self.group_kind(group, kind)?;
        let (_, id) = versions
            .iter()
            .find(|(v, _)| *v == version)
            .or_else(|| versions.first())?;
        self.kinds.get(usize::from(*id))
    }

    fn group_kind(&self, group: &str, kind: &str) -> Option<&Vec<(&'static str, u16)>> {
        self.versions.get(group)?.get(kind)
    }

    pub(super) fn has_group_kind(&self, group: &str, kind: &str) -> bool {
        self.group_kind(group, kind).is_some()
    }

    pub(super) fn is_scheme_kind(&self, gvk: &Gvk) -> bool {
        let foreign = self
            .foreign
            .iter()
            .any(|(group, kind)| *group == &*gvk.group && *kind == &*gvk.kind);
        !foreign
            && self
                .group_kind(&gvk.group, &gvk.kind)
                .is_some_and(|versions| versions.iter().any(|(v, _)| *v == &*gvk.version))
    }

    pub(super) fn type_named(&self, name: &str) -> Option<&Kind> {
        let id = self.by_name.get(name)?;
        self.kinds.get(usize::from(*id))
    }
}

/// `v2` before `v1` before `v2beta1` before `v1alpha3`.
fn maturity(version: &str) -> (u8, String) {
    let rank = if version.contains("alpha") {
        0
    } else if version.contains("beta") {
        1
    } else {
        2
    };
    (rank, version.to_owned())
}

/// `ports ? [containerPort,protocol:@80 strategy=merge merge=containerPort`
fn field(name: &'static str, mut words: std::str::Split<'static, char>) -> Option<Field> {
    let flags = words.next()?;
    let text = words.next()?;
    let kind = kind(text)?;
    let mut field = Field {
        name,
        kind,
        pointer: flags.contains('*'),
        always: flags.contains('!'),
        granular: text.starts_with('@'),
        default: None,
        patch: PatchRule::default(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("default", value)) => field.default = Some(value),
            Some(("merge", key)) => field.patch.merge_key = Some(key),
            Some(("strategy", names)) => strategy(&mut field.patch, names),
            _ => {}
        }
    }
    Some(field)
}

fn strategy(rule: &mut PatchRule, names: &str) {
    for name in names.split(',') {
        match name {
            "merge" => rule.merge = true,
            "retainKeys" => rule.retain_keys = true,
            "replace" => rule.replace = true,
            _ => {}
        }
    }
}

fn kind(text: &'static str) -> Option<Kind> {
    let rest = text.get(1..)?;
    Some(match text.as_bytes().first()? {
        b's' => Kind::Text,
        b'b' => Kind::Flag,
        b'i' => Kind::Integer,
        b'f' => Kind::Float,
        b'q' => Kind::Quantity,
        b'x' => Kind::IntOrString,
        b't' => Kind::Time,
        b'u' => Kind::MicroTime,
        b'd' => Kind::Duration,
        b'y' => Kind::Bytes,
        b'j' => Kind::Any,
        b'@' => Kind::Struct(rest.parse().ok()?),
        b'&' => kind(rest)?,
        b'[' => list(rest)?,
        b'{' => map(rest)?,
        _ => return None,
    })
}

fn list(text: &'static str) -> Option<Kind> {
    let (by, item) = match text.split_once(':') {
        Some(("set", item)) => (Elements::Set, item),
        Some((keys, item)) if !keys.contains(['[', '{']) => {
            (Elements::Keyed(keys.split(',').collect()), item)
        }
        _ => (Elements::Atomic, text),
    };
    Some(Kind::List(Box::new(ListKind {
        by,
        item: kind(item)?,
    })))
}

fn map(text: &'static str) -> Option<Kind> {
    let (atomic, item) = match text.strip_prefix("atomic:") {
        Some(item) => (true, item),
        None => (false, text),
    };
    Some(Kind::Map(Box::new(MapKind {
        atomic,
        item: kind(item)?,
    })))
}
