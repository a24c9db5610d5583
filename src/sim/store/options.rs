//! How a write is meant: by whom, when, through which subresource, and whether it counts.

use jiff::Timestamp;
use serde_json::Value;

/// What happens to fields the kind does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValidation {
    /// They are dropped without a word.
    Ignore,
    /// They are dropped and a warning is sent.
    #[default]
    Warn,
    /// The request fails.
    Strict,
}

/// Which door of the object a request uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subresource {
    /// The object itself.
    #[default]
    None,
    /// Its status.
    Status,
    /// Its scale.
    Scale,
}

impl Subresource {
    /// The word of the URL and of managedFields, empty for the object itself.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Status => "status",
            Self::Scale => "scale",
        }
    }
}

/// How a create, update or patch is meant.
#[derive(Clone, Debug)]
pub struct WriteOptions {
    /// Field manager.
    pub manager: String,
    /// Now, by the simulation's clock.
    pub now: Timestamp,
    /// Whether the result is only shown.
    pub dry_run: bool,
    /// Apply only: take fields from other managers.
    pub force: bool,
    /// Through which door.
    pub subresource: Subresource,
    /// What happens to unknown fields.
    pub field_validation: FieldValidation,
}

impl WriteOptions {
    /// A plain write by a manager.
    pub fn new(manager: &str, now: Timestamp) -> Self {
        Self {
            manager: manager.to_owned(),
            now,
            dry_run: false,
            force: false,
            subresource: Subresource::None,
            field_validation: FieldValidation::Warn,
        }
    }

    /// The same through the status subresource.
    #[must_use]
    pub fn status(mut self) -> Self {
        self.subresource = Subresource::Status;
        self
    }

    /// The same as a forced apply.
    #[must_use]
    pub fn forced(mut self) -> Self {
        self.force = true;
        self
    }

    /// The same as a dry run.
    #[must_use]
    pub fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}

/// A change to an object, by the four media types of PATCH.
#[derive(Clone, Debug)]
pub enum Patch {
    /// RFC 6902.
    Json(Value),
    /// RFC 7386.
    Merge(Value),
    /// Strategic merge; built-in kinds only.
    Strategic(Value),
    /// Server-side apply.
    Apply(Value),
}

/// What happens to the objects an object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They are deleted after it.
    #[default]
    Background,
    /// They are deleted before it.
    Foreground,
    /// They stay and lose their owner.
    Orphan,
}

/// How a delete is meant.
#[derive(Clone, Debug)]
pub struct DeleteOptions {
    /// Now, by the simulation's clock.
    pub now: Timestamp,
    /// Whether it is only checked.
    pub dry_run: bool,
    /// `preconditions.uid`.
    pub uid: Option<String>,
    /// `preconditions.resourceVersion`.
    pub resource_version: Option<String>,
    /// What happens to dependants.
    pub propagation: Propagation,
}

impl DeleteOptions {
    /// A plain delete.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            dry_run: false,
            uid: None,
            resource_version: None,
            propagation: Propagation::Background,
        }
    }
}
