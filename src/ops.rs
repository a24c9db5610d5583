//! Whatever changes a cluster: plan, gate, journal, run, verify.
//!
//! A change is a value long before it is a request. [`RevertRequest`] is the wish; a [`Plan`] is the exact effect on every target, with the
//! server's own dry run; the operator confirms exactly that value; the gate turns it into approved effects, which nothing else can make; the
//! journal holds the intent on disk before the first byte is sent and the outcome after; the run sends each write once and then looks at what
//! the cluster shows.
//!
//! # How a newcomer adds an effect
//! 1. A variant of [`Effect`] with everything the write needs and nothing it has to look up later: `effect.rs`.
//! 2. A pure function that makes it from a target, or says in one sentence why not: beside `planner/route.rs`.
//! 3. One arm each in `Effect::bind` (what the confirmation covers), in `gate.rs` (which permission to ask for) and in `run/carry.rs` (which
//!    request, and when the plan is void). The compiler names them all. What the cluster must show afterwards is the effect's [`Yardstick`].
//! 4. A fake-server test that asserts the request byte for byte, and one for every refusal.

mod api;
mod argo;
mod catalog;
mod clusters;
mod content;
mod difference;
mod direct;
mod effect;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fixtures;
mod flux;
mod gate;
pub mod journal;
mod judge;
mod outcome;
mod owners;
mod permission;
mod plan;
mod planner;
mod private;
mod request;
mod run;
mod strip;
mod survey;
pub mod undo;
mod waves;
mod windows;

pub use catalog::Place;
pub use clusters::Clusters;
pub use content::ContentHash;
pub use effect::{Apply, ArgoSync, Create, Delete, Effect, FluxReconcile, Member, Merge};
pub use gate::{Approved, ApprovedPlan, Confirmation, Refusal, WriteMode, approve};
pub use judge::Yardstick;
pub use outcome::{Outcome, Run, RunEvent, Seen, TargetName, TargetOutcome, exit_status};
pub use plan::{DryRun, Guardrail, Loser, Order, Plan, PlanTarget, Route, Verb};
pub use planner::{PlanContext, plan_id};
pub use request::{RevertRequest, RevertTarget, Unsealed};
pub use run::{Patience, RunContext, run};
pub use survey::{Opinion, ServerWord, ask, plan};
pub use waves::{Wave, WaveError, WaveSpec};
