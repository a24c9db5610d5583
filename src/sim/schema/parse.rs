//! Reads the tables. A struct is its name at the start of a line; each indented line below is a field: `name[*][+|-] [NUMBER] TYPE [enum=A,B] [default=JSON]`.
//!
//! `*` it must be given; `+` it is written even when empty, `-` then as null; `...` keeps unknown fields. Types: `s` text, `i` and `l` whole numbers of 32 and 64 bits, `n` number,
//! `b` bool, `t` time, `u` time with microseconds, `y` bytes, `q` quantity, `x` number or text, `*` anything, `{T}` map, `[T]` list owned as a whole,
//! `[T|set]` set, `[T|a,b=D]` list whose elements are told apart by `a` and `b` (D where missing), else the name of a struct.
//! After a type: `!` owned as a whole, `~k` merged by `k` in strategic patches (`~.` by value), `^` retainKeys, `=` replaced, `&` an empty value is told from an absent one.

use serde_json::Value;

use super::{Absent, Base, Field, MergeBy, Schema, Struct, StructId, Topology, Type};

/// A line that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("The schema table has a line that cannot be read: `{0}`.")]
pub(crate) struct BadLine(String);

/// What a line of a struct says.
enum Line {
    /// It has this field.
    Field(Box<Field>),
    /// It keeps unknown fields.
    Open,
}

impl Schema {
    /// Takes up the names of a table's structs, so that fields can speak of them.
    pub(crate) fn declare(&mut self, table: &str) {
        for name in table.lines().filter(|l| is_head(l)) {
            let id = StructId(self.structs.len());
            self.names.insert(name.to_owned(), id);
            self.structs.push(Struct {
                name: name.to_owned(),
                ..Struct::default()
            });
        }
    }

    /// Reads the fields of a declared table; goes on after a bad line and reports the first.
    pub(crate) fn read(&mut self, table: &str) -> Result<(), BadLine> {
        let mut current = None;
        let mut first = Ok(());
        for line in table.lines() {
            if is_head(line) {
                current = self.names.get(line).copied();
            } else if let (Some(id), Some(text)) = (current, line.strip_prefix("  ")) {
                let read = self.line(text);
                match (read, self.structs.get_mut(id.0)) {
                    (Some(Line::Open), Some(owner)) => owner.open = true,
                    (Some(Line::Field(field)), Some(owner)) => {
                        owner.fields.insert(field.name.clone(), *field);
                    }
                    _ if first.is_ok() => first = Err(BadLine(text.to_owned())),
                    _ => {}
                }
            }
        }
        first
    }

    /// One line of a struct.
    fn line(&self, line: &str) -> Option<Line> {
        let mut words = line.split(' ').peekable();
        let head = words.next()?;
        if head == "..." {
            return Some(Line::Open);
        }
        let (head, empty) = strip(head, '+');
        let (head, null) = strip(head, '-');
        let (name, required) = strip(head, '*');
        let mut tag = Vec::new();
        if words.peek()?.starts_with(|c: char| c.is_ascii_digit()) {
            let numbers = words.next()?.split('.');
            tag = numbers.map(|n| n.parse().ok()).collect::<Option<_>>()?;
        }
        let (ty, rest) = self.ty(words.next()?)?;
        let mut field = Field {
            name: name.to_owned(),
            tag,
            ty,
            required,
            absent: match (empty, null) {
                (true, _) => Absent::Empty,
                (false, true) => Absent::Null,
                _ => Absent::Left,
            },
            pointer: rest.ends_with('&'),
            merge_by: None,
            retain_keys: false,
            choices: Vec::new(),
            default: None,
        };
        strategies(&mut field, rest);
        for word in words {
            if let Some(choices) = word.strip_prefix("enum=") {
                field.choices = choices.split(',').map(str::to_owned).collect();
            } else {
                let default = word.strip_prefix("default=")?;
                field.default = Some(serde_json::from_str(default).ok()?);
            }
        }
        Some(Line::Field(Box::new(field)))
    }

    /// A type and what follows it.
    fn ty<'a>(&self, text: &'a str) -> Option<(Type, &'a str)> {
        let (base, rest) = if let Some(inner) = text.strip_prefix('{') {
            let (item, rest) = self.ty(inner)?;
            (Base::Map(Box::new(item)), rest.strip_prefix('}')?)
        } else if let Some(inner) = text.strip_prefix('[') {
            let (item, rest) = self.ty(inner)?;
            let (topology, rest) = rest.split_once(']')?;
            (Base::List(Box::new(item), topology_of(topology)?), rest)
        } else {
            let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '*');
            let (name, rest) = text.split_at(end.unwrap_or(text.len()));
            (self.named(name)?, rest)
        };
        let atomic = rest.starts_with('!');
        let rest = rest.strip_prefix('!').unwrap_or(rest);
        Some((Type { base, atomic }, rest))
    }

    fn named(&self, name: &str) -> Option<Base> {
        Some(match name {
            "s" => Base::Text,
            "i" => Base::Int32,
            "l" => Base::Int64,
            "n" => Base::Number,
            "b" => Base::Bool,
            "t" => Base::Time,
            "u" => Base::MicroTime,
            "y" => Base::Bytes,
            "q" => Base::Quantity,
            "x" => Base::IntOrText,
            "*" => Base::Any,
            name => Base::Struct(*self.names.get(name)?),
        })
    }
}

fn is_head(line: &str) -> bool {
    line.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn strip(text: &str, mark: char) -> (&str, bool) {
    text.strip_suffix(mark).map_or((text, false), |t| (t, true))
}

/// What stands between the element type and the closing bracket.
fn topology_of(text: &str) -> Option<Topology> {
    match text {
        "" => Some(Topology::Atomic),
        "|set" => Some(Topology::Set),
        keys => {
            let keys = keys.strip_prefix('|')?.split(',');
            let key = |k: &str| match k.split_once('=') {
                Some((name, default)) => (name.to_owned(), Some(Value::from(default))),
                None => (k.to_owned(), None),
            };
            Some(Topology::Keyed(keys.map(key).collect()))
        }
    }
}

/// Reads `~k`, `^` and `=`.
fn strategies(field: &mut Field, text: &str) {
    field.retain_keys = text.contains('^');
    if let Some(key) = text.trim_end_matches(['^', '=', '&']).strip_prefix('~') {
        field.merge_by = Some(match key {
            "." => MergeBy::Value,
            key => MergeBy::Field(key.to_owned()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{FILES, of_kind};
    use super::*;

    #[test]
    fn every_line_of_every_table_is_read() {
        let mut schema = Schema::default();
        for file in FILES {
            schema.declare(file);
        }
        for file in FILES {
            assert_eq!(schema.read(file), Ok(()));
        }
        assert_eq!(
            schema.names.len(),
            schema.structs.len(),
            "a name is used twice"
        );
    }

    #[test]
    fn container_ports_are_told_apart_by_port_and_protocol_but_patched_by_port() {
        let mut ty = of_kind("Deployment");
        for name in ["spec", "template", "spec"] {
            ty = ty.field(name).unwrap().ty.clone();
        }
        let containers = ty.field("containers").unwrap();
        assert_eq!(containers.merge_by, Some(MergeBy::Field("name".into())));
        let Base::List(container, _) = &containers.ty.base else {
            panic!("no list");
        };
        let ports = container.field("ports").unwrap();
        assert_eq!(ports.merge_by, Some(MergeBy::Field("containerPort".into())));
        let Base::List(_, Topology::Keyed(keys)) = &ports.ty.base else {
            panic!("not keyed");
        };
        assert_eq!(keys[1], ("protocol".into(), Some("TCP".into())));
    }

    #[test]
    fn a_selector_is_owned_as_a_whole() {
        let spec = of_kind("Deployment").field("spec").unwrap().ty.clone();
        assert!(spec.field("selector").unwrap().ty.atomic);
    }
}
