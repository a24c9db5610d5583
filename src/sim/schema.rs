//! The shapes of the served kinds: field types, list keys, merge strategies. One table for validation, patches, apply and OpenAPI.

mod decode;
mod parse;
pub(crate) mod protobuf;
mod quantity;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde_json::Value;

pub(crate) use decode::{Decoded, Fault, Wrong, decode};

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Base {
    /// Text.
    Text,
    /// A whole number of 32 bits.
    Int32,
    /// A whole number of 64 bits.
    Int64,
    /// Any number.
    Number,
    /// True or false.
    Bool,
    /// A time in whole seconds.
    Time,
    /// A time with microseconds.
    MicroTime,
    /// Base64 text.
    Bytes,
    /// `500m`, `1Gi`, or a number.
    Quantity,
    /// A whole number or text.
    IntOrText,
    /// Anything: maps merge, lists are replaced.
    Any,
    /// Known fields.
    Struct(StructId),
    /// Text to values of one type.
    Map(Box<Type>),
    /// Values of one type.
    List(Box<Type>, Topology),
}

/// How the elements of a list are told apart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Topology {
    /// They are not: the list is one value.
    Atomic,
    /// By their value.
    Set,
    /// By these fields, each with the value a missing one counts as.
    Keyed(Vec<(String, Option<Value>)>),
}

/// A type, and whether its value is owned as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Type {
    pub(crate) base: Base,
    pub(crate) atomic: bool,
}

/// How a strategic merge patch treats a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MergeBy {
    /// Elements are merged by this field.
    Field(String),
    /// Plain values are united.
    Value,
}

/// How an absent field of a built-in kind is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Not at all.
    #[default]
    Left,
    /// As the empty value of its type.
    Empty,
    /// As null.
    Null,
}

/// One field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Protobuf field numbers, outermost first; empty for custom kinds.
    pub(crate) tag: Vec<u32>,
    pub(crate) ty: Type,
    /// Whether it must be given.
    pub(crate) required: bool,
    /// How it is written when it is absent.
    pub(crate) absent: Absent,
    /// Whether an empty value is told from an absent one.
    pub(crate) pointer: bool,
    pub(crate) merge_by: Option<MergeBy>,
    pub(crate) retain_keys: bool,
    /// The allowed texts; empty for any.
    pub(crate) choices: Vec<String>,
    /// What an absent field gets (custom kinds).
    pub(crate) default: Option<Value>,
}

/// A struct's place in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StructId(usize);

/// Named fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Struct {
    pub(crate) name: String,
    pub(crate) fields: BTreeMap<String, Field>,
    /// Whether unknown fields are kept.
    pub(crate) open: bool,
}

/// Every struct of every kind.
#[derive(Debug, Default)]
pub(crate) struct Schema {
    structs: Vec<Struct>,
    names: HashMap<String, StructId>,
}

static FILES: &[&str] = &[
    include_str!("schema/meta.txt"),
    include_str!("schema/core.txt"),
    include_str!("schema/pods.txt"),
    include_str!("schema/pod_status.txt"),
    include_str!("schema/volumes.txt"),
    include_str!("schema/apps.txt"),
    include_str!("schema/batch.txt"),
    include_str!("schema/autoscaling.txt"),
    include_str!("schema/policy.txt"),
    include_str!("schema/reviews.txt"),
    include_str!("schema/apiextensions.txt"),
    include_str!("schema/argo.txt"),
    include_str!("schema/monitoring.txt"),
    include_str!("schema/flux.txt"),
    include_str!("schema/flux_source.txt"),
];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    // The tables are part of the program and a test reads them all; a broken line would only be left out.
    let mut schema = Schema::default();
    for file in FILES {
        schema.declare(file);
    }
    for file in FILES {
        let _ = schema.read(file);
    }
    schema
});

/// A value that can be anything.
pub(crate) static ANY: Type = Type {
    base: Base::Any,
    atomic: false,
};

/// The type of a kind's documents; anything for a kind the table does not have.
pub(crate) fn of_kind(kind: &str) -> Type {
    SCHEMA.names.get(kind).map_or_else(
        || ANY.clone(),
        |id| Type {
            base: Base::Struct(*id),
            atomic: false,
        },
    )
}

/// A struct by its place.
pub(crate) fn structure(id: StructId) -> &'static Struct {
    static EMPTY: LazyLock<Struct> = LazyLock::new(Struct::default);
    SCHEMA.structs.get(id.0).unwrap_or(&EMPTY)
}

impl Type {
    /// The field of a member, when this is a struct.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        match &self.base {
            Base::Struct(id) => structure(*id).fields.get(name),
            _ => None,
        }
    }
}
