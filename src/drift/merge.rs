//! The merge patches of Kubernetes: JSON merge patches for kinds nobody knows, strategic ones for kinds with a schema; made from two or
//! three versions of an object and applied to one.

pub mod json;
pub mod strategic;

use super::schema::{PatchRule, Shape};

/// Why a patch could not be made or applied.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MergeError {
    /// The schema has no such field, and the two sides differ in it.
    #[error("the schema has no field `{0}`")]
    UnknownField(String),
    /// Elements of a list are not of one type, or are lists.
    #[error("a list mixes elements of different types or holds lists")]
    MixedList,
    /// An element of a merged list lacks its key.
    #[error("an element of a list lacks its merge key `{0}`")]
    NoMergeKey(String),
    /// Two elements of a list have the same keys.
    #[error("a list holds two elements with the same keys `{0}`")]
    SameKeys(String),
    /// A dry run's answer does not say what the manager owns.
    #[error("the dry run's answer lists no fields of the manager {0}")]
    NotApplied(&'static str),
    /// A directive in the patch has no meaning there.
    #[error("the patch directive `{0}` cannot be used there")]
    BadDirective(String),
    /// The patch and the live object changed the same field differently, and overwriting was not allowed.
    #[error("the object was changed in the same fields since it was last applied")]
    Conflict,
}

/// What a strategic merge needs to know of a type. Small and cheap to copy.
pub trait PatchSchema: Copy {
    /// The rule of a field and the schema below it: of the struct or map itself, of a list's elements.
    fn lookup(self, field: &str) -> Option<(PatchRule, Self)>;
}

impl PatchSchema for Shape {
    fn lookup(self, field: &str) -> Option<(PatchRule, Self)> {
        let below = self.field(field);
        below.kind()?;
        let rule = below.as_field().map(|f| f.patch).unwrap_or_default();
        let inner = if below.list().is_some() {
            below.item()
        } else {
            below
        };
        Some((rule, inner))
    }
}
