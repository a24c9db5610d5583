//! Decides: messages in, model and effects out.
//!
//! ```text
//! key ──► keymap ──► Action ──► acts ──► the screen ──► Next ──► Model, Effects
//! facts ──► Fleet::fold ──► rows ──► the screen follows
//! ```

pub mod action;
mod acts;
pub mod age;
mod alert;
pub mod asked;
pub mod buckets;
pub mod complete;
mod deeds;
pub mod diff;
mod explain;
pub mod field;
mod figures;
pub mod grouped;
pub mod help;
pub mod inquiry;
pub mod kept;
mod keys;
mod laying;
pub mod links;
pub mod list;
mod looks;
pub mod menu;
pub mod modal;
pub mod model;
pub mod mouse;
pub mod msg;
pub mod palette;
pub mod pick;
pub mod rows;
pub mod screens;
pub mod shape;
pub mod sheet;
pub mod sieve;
mod tell;
#[cfg(test)]
pub(crate) mod testkit;
#[cfg(test)]
mod tests;
pub mod tree;
mod triage;
mod update;
pub mod window;
pub mod words;
mod yaml;

pub use crate::view::{Place, Places};
pub use action::{ACTIONS, Action, ActionInfo, Danger};
pub use model::{Model, Start};
pub use msg::{Done, Effect, Msg, Notice, PlanWish, Weight, WishTarget};
pub use update::update;
