//! What a person writes in config.toml: parse, validate, explain.

pub mod fault;
pub mod file;
pub mod folders;
mod health;
pub mod shelf;
mod values;
mod view;

pub use file::{Config, ConfigError, HubLine, RepositoryLine};
pub use folders::Folders;
pub use health::health_rules;
