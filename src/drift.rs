//! Desired and live in, verdict out: normalise, compare, ownership, fingerprint, mask. Pure.

pub mod yaml;
