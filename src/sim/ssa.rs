//! Field management: who owns which field, what an apply changes, and when it conflicts. The rules of the real server's structured merge.

mod apply;
mod atom;
mod compare;
mod config;
mod conflict;
mod managers;
mod merge;
mod ownership;
mod set;

pub(crate) use apply::{ApplyRequest, apply};
pub(crate) use config::check_config;
pub(crate) use managers::Managers;
pub(crate) use ownership::{Author, track};

#[cfg(test)]
mod tests;
