//! What a person writes in config.toml: parse, validate, explain.

pub mod fault;
pub mod shelf;
