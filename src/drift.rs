//! Desired and live in, verdict out: normalise, compare, ownership, fingerprint, mask. Pure.
//!
//! # What counts as drift
//!
//! **Git's word is what Git sets.** A field that the deployed revision sets and whose live value differs is drift, whoever owns it now.
//! A field of which Git says nothing is not: the server defaulted it, or a controller, a webhook or a person added it; it is listed
//! as ignored, with the tool that set it. Spelling is never drift: quantities, times, base64, empty against absent are compared by meaning,
//! in the fields that the API gives these types.
//!
//! **Lists and atomic values.** A list that Git sets is Git's: an element missing from it is drift, and so is an element somebody added,
//! although Git never named that element: `env` with one entry more is not the `env` that Git says. The same holds inside values
//! that the API treats as one (a selector, the rules of a Role, `nodeSelector`). Three kinds of additions do not count there: what the
//! server fills in by itself (defaults, the service account's volume, an allocated address), what belongs to the engine or
//! to nobody in the field sets (which is how defaults and admission at the engine's own write look), and what a Kubernetes controller,
//! an autoscaler, an operator or a webhook owns. A list or map that Git does not set at all is not Git's, and maps (labels, annotations,
//! `data`) are Git's key by key.
//!
//! **Removed fields** have no owner of record. The newest human tool that wrote after the engine is named, marked as inferred.

pub mod argo;
pub mod defaults;
pub mod diff_text;
pub mod fingerprint;
pub mod flux;
pub mod go_duration;
pub mod hooks;
pub mod ignore;
pub mod jq;
pub mod judge;
pub mod known;
pub mod managers;
pub mod merge;
pub mod openapi;
pub mod owners;
pub mod path;
pub mod quantity;
pub mod respect;
pub mod schema;
pub mod seal;
pub mod sops;
pub mod ssa;
pub mod typed;
pub mod yaml;

mod compare;
mod scalar;

pub use ignore::IgnoreRules;
pub use judge::{Comparison, judge};
pub(crate) use scalar::decode_base64;
pub use seal::{Marks, SealKey, seal};
