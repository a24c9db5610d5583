//! Decides: messages in, model and effects out.

pub mod action;
pub mod place;

pub use action::{ACTIONS, Action, ActionInfo, Danger};
pub use place::{Place, Places};
