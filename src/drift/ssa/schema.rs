//! One view on the three ways in which a type is known: built in, read from the cluster's OpenAPI, or deduced from the values.

use serde_json::Value;

use crate::drift::openapi::{CustomSchema, ListBy};
use crate::drift::schema::{Elements, Kind, Shape};

/// Where a walk stands in the schema of an object. Small and cheap to copy.
#[derive(Clone, Copy, Debug)]
pub enum Schema<'s> {
    /// A built-in type.
    Known(Shape),
    /// A custom resource's type.
    Custom {
        /// What is known here.
        schema: &'s CustomSchema,
        /// Whether this is the whole object, whose metadata is built in.
        root: bool,
    },
    /// Nothing is known: maps are merged key by key, lists are single values.
    Deduced {
        /// Whether this is the whole object, whose metadata is built in.
        root: bool,
    },
}

/// How the elements of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum By<'s> {
    Atomic,
    Set,
    Keyed(Vec<&'s str>),
}

const DEDUCED: Schema<'static> = Schema::Deduced { root: false };

impl<'s> Schema<'s> {
    /// A field of an object, or a value of a map.
    pub(super) fn field(self, name: &str) -> Self {
        let metadata = || Schema::Known(Shape::of_type("apis/meta/v1.ObjectMeta"));
        match self {
            Self::Known(shape) => known(shape.field(name)),
            Self::Custom { root: true, .. } | Self::Deduced { root: true }
                if name == "metadata" =>
            {
                metadata()
            }
            Self::Custom { schema, .. } => schema.field(name).map_or(DEDUCED, custom),
            Self::Deduced { .. } => DEDUCED,
        }
    }

    /// An element of a list.
    pub(super) fn item(self) -> Self {
        match self {
            Self::Known(shape) => known(shape.item()),
            Self::Custom { schema, .. } => schema.item().map_or(DEDUCED, custom),
            Self::Deduced { .. } => DEDUCED,
        }
    }

    /// How the list here is keyed.
    pub(super) fn list(self) -> By<'s> {
        match self {
            Self::Known(shape) => match shape.list().map(|l| &l.by) {
                Some(Elements::Keyed(keys)) => By::Keyed(keys.clone()),
                Some(Elements::Set) => By::Set,
                _ => By::Atomic,
            },
            Self::Custom { schema, .. } => match schema.list() {
                Some(ListBy::Keyed(keys)) => By::Keyed(keys.iter().map(String::as_str).collect()),
                Some(ListBy::Set) => By::Set,
                _ => By::Atomic,
            },
            Self::Deduced { .. } => By::Atomic,
        }
    }

    /// Whether an object here is one value.
    pub(super) fn is_atomic(self) -> bool {
        match self {
            Self::Known(shape) => shape.is_atomic(),
            Self::Custom { schema, .. } => schema.is_atomic(),
            Self::Deduced { .. } => false,
        }
    }

    /// Whether the name is a field of a struct here, as against a key of a map.
    pub(super) fn names(self, name: &str) -> bool {
        match self {
            Self::Known(shape) => shape.structure().is_some_and(|s| s.field(name).is_some()),
            Self::Custom { schema, root } => schema.names(name) || (root && name == "metadata"),
            Self::Deduced { .. } => false,
        }
    }

    /// Whether the type is known and lacks the field.
    pub(super) fn lacks(self, name: &str) -> bool {
        matches!(self, Self::Known(shape) if shape.lacks(name))
    }

    /// What a key field is when an element leaves it out.
    pub(super) fn default_of(self, key: &str) -> Option<Value> {
        match self {
            Self::Known(shape) => {
                let text = shape.field(key).as_field()?.default?;
                Some(Value::String(text.to_owned()))
            }
            Self::Custom { schema, .. } => schema.field(key)?.default_value().cloned(),
            Self::Deduced { .. } => None,
        }
    }
}

/// Types that hold any JSON are deduced.
fn known<'s>(shape: Shape) -> Schema<'s> {
    match shape.kind() {
        None | Some(Kind::Any) => DEDUCED,
        Some(_) => Schema::Known(shape),
    }
}

fn custom(schema: &CustomSchema) -> Schema<'_> {
    Schema::Custom {
        schema,
        root: false,
    }
}
