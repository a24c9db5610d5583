//! What is known of the value at a place: from the table of built-in kinds, or from the schema that the cluster publishes for a custom kind.

use serde_json::Value;

use crate::domain::Gvk;
use crate::drift::openapi::{CustomSchema, ListBy};
use crate::drift::schema::{Elements, Shape};

/// The type of a value. Small and cheap to copy.
#[derive(Clone, Copy, Debug)]
pub(in crate::drift) struct Type<'s> {
    /// What the table of built-in kinds says.
    pub(in crate::drift) shape: Shape,
    /// What the cluster says of a custom kind.
    pub(in crate::drift) custom: Option<&'s CustomSchema>,
}

/// How the elements of a list are told apart.
pub(super) enum By {
    Atomic,
    Set,
    Keyed(Vec<String>),
}

impl<'s> Type<'s> {
    /// The type of a kind's objects; the cluster's word is asked only where the table has none.
    pub(in crate::drift) fn of(gvk: &Gvk, custom: Option<&'s CustomSchema>) -> Self {
        let shape = Shape::of(gvk);
        Self {
            shape,
            custom: custom.filter(|_| !shape.is_known()),
        }
    }

    pub(super) fn built_in(shape: Shape) -> Self {
        Self {
            shape,
            custom: None,
        }
    }

    fn custom(schema: Option<&'s CustomSchema>) -> Self {
        Self {
            shape: schema.map_or(Shape::UNKNOWN, CustomSchema::shape),
            custom: schema,
        }
    }

    /// The type of a field, or of a value of a map.
    pub(super) fn field(self, name: &str) -> Self {
        match self.custom {
            Some(custom) => Self::custom(custom.field(name)),
            None => Self::built_in(self.shape.field(name)),
        }
    }

    /// The type of a list's elements.
    pub(super) fn item(self) -> Self {
        match self.custom {
            Some(custom) => Self::custom(custom.item()),
            None => Self::built_in(self.shape.item()),
        }
    }

    /// Whether anything is known.
    pub(super) fn is_known(self) -> bool {
        self.shape.is_known() || self.custom.is_some()
    }

    /// Whether changes inside are changes of the whole.
    pub(super) fn is_atomic(self) -> bool {
        self.shape.is_atomic() || self.custom.is_some_and(CustomSchema::is_atomic)
    }

    /// How the list here is keyed; `None` when nobody says that there is one.
    pub(super) fn list(self) -> Option<By> {
        match self.custom {
            Some(custom) => custom.list().map(|by| match by {
                ListBy::Atomic => By::Atomic,
                ListBy::Set => By::Set,
                ListBy::Keyed(keys) => By::Keyed(keys.clone()),
            }),
            None => self.shape.list().map(|list| match &list.by {
                Elements::Atomic => By::Atomic,
                Elements::Set => By::Set,
                Elements::Keyed(keys) => By::Keyed(keys.iter().map(|k| (*k).to_owned()).collect()),
            }),
        }
    }

    /// What the server puts into a field that is left out.
    pub(super) fn default_of(self, field: &str) -> Option<Value> {
        match self.custom {
            Some(custom) => custom.field(field)?.default_value().cloned(),
            None => {
                let text = self.shape.field(field).as_field()?.default?;
                Some(Value::String(text.to_owned()))
            }
        }
    }
}
