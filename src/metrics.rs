//! Exposition text in, the few figures shown out. Pure.
//!
//! The text is read with `openmetrics-parser`, which is strict: one bad line fails its whole document, and so do label sets that differ
//! within a family, which Prometheus itself accepts. So every family is a document of its own (one that does not parse is dropped, counted
//! and named), and a family that only mixes label sets is read line by line.
//!
//! `prometheus-parse` is the peer in the tests, never a fallback, because it loses data without a word: names with a colon (every recorded
//! series), label values that hold `}`, UTF-8 names; it splits label values at commas and does not undo escapes.

pub mod controllers;
pub mod family;
pub mod figures;
pub mod parse;
pub mod rate;

pub use controllers::{Controllers, Told};
pub use figures::{Figures, Scrape, WANTED};
pub use parse::{Dropped, Filter, Parsed, Sample, parse};
pub use rate::{increase, quantile};
