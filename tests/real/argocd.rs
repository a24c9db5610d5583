//! driftdeck beside the real Argo CD: its application controller and repo-server, on a hub and two edges of the test bed.

mod app;
mod changes;
mod engine;
mod operations;
mod random;
mod verdicts;
