//! What a person writes in config.toml: parse, validate, explain.
