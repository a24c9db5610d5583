//! The gate: the only maker of [`Approved`]. It checks the mode, the confirmation of exactly this plan, what was typed, the links, the dry runs and
//! the permissions, and lets through what passes all of them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use sha2::{Digest, Sha256};

use super::catalog::Place;
use super::clusters::api;
use super::{Clusters, DryRun, Effect, Order, Plan, PlanTarget, Route, argo, flux, permission};
use crate::domain::{ClusterId, Safe};

/// Clusters asked at a time whether they permit it.
const ASKED_AT_A_TIME: usize = 16;

/// Whether changes are allowed at all: `--write`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WriteMode {
    /// Nothing is ever sent.
    #[default]
    ReadOnly,
    /// Approved plans are sent.
    Write,
}

/// A yes to exactly one plan.
#[derive(Clone)]
pub struct Confirmation {
    binding: [u8; 32],
    typed: Option<String>,
}

impl Confirmation {
    /// Says yes to the plan as it is now; `typed` is what the operator typed where the plan asks for it.
    pub fn of(plan: &Plan, typed: Option<&str>) -> Self {
        Self {
            binding: binding(plan),
            typed: typed.map(str::to_owned),
        }
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The binding covers Secret values.
        f.debug_struct("Confirmation")
            .field("typed", &self.typed)
            .finish_non_exhaustive()
    }
}

/// Hash over everything that a plan does: its id and targets, and each write with its preconditions and body.
fn binding(plan: &Plan) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut feed = |part: &[u8]| {
        // The length keeps neighbouring parts apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    };
    feed(plan.id.as_bytes());
    feed(plan.verb.to_string().as_bytes());
    // Shown rows, waves and guardrail; a Plan always serialises.
    feed(&serde_json::to_vec(plan).unwrap_or_default());
    for order in &plan.orders {
        order.targets.iter().for_each(|t| feed(&t.to_be_bytes()));
        order.effect.bind(&mut feed);
    }
    hash.finalize().into()
}

/// Proof that a value passed the gate. Nothing else makes one, and whatever writes to a cluster takes one:
///
/// ```compile_fail,E0451
/// # use driftdeck::ops::{Approved, Effect};
/// fn sneak(effect: Effect) -> Approved<Effect> {
///     Approved { value: effect, seal: todo!() }
/// }
/// ```
#[derive(Debug)]
pub struct Approved<T> {
    value: T,
    seal: Seal,
}

/// Made here and nowhere else.
#[derive(Debug)]
struct Seal;

impl<T> Approved<T> {
    /// The approved value.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The right to send it.
    pub(super) fn permit(&self) -> Permit<'_> {
        Permit(&self.seal)
    }
}

/// The right to send one write for real; lives no longer than the approval it comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit<'a>(#[expect(dead_code, reason = "held as proof, never read")] &'a Seal);

/// A plan of which everything that will be sent has passed the gate.
#[derive(Debug)]
pub struct ApprovedPlan {
    /// The plan; targets that the gate held back are skipped, with the reason.
    pub(super) plan: Plan,
    /// The approved writes with their targets.
    pub(super) orders: Vec<ApprovedOrder>,
}

impl ApprovedPlan {
    /// The plan as it passed: targets that the gate held back are skipped, with the reason.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

/// One approved write.
#[derive(Debug)]
pub(super) struct ApprovedOrder {
    pub(super) targets: Vec<usize>,
    pub(super) effect: Approved<Effect>,
}

/// Why nothing of a plan passes. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not in write mode.
    #[error("Nothing was sent: driftdeck is read-only. Start it with --write to change clusters.")]
    ReadOnly,
    /// Nobody said yes, or to another plan.
    #[error(
        "Nothing was sent: what was confirmed is not this plan. Look at the plan as it is now and confirm it again."
    )]
    NotConfirmed,
    /// The name that the guardrail asks for was not typed.
    #[error(
        "Nothing was sent: {name} asks for its name. Type {confirm} exactly (on the command line: --confirm '{confirm}')."
    )]
    NotTyped {
        /// The guardrail.
        name: Safe,
        /// What has to be typed.
        confirm: Safe,
    },
}

/// Lets a plan through, or says why not. Targets that fail a check of their own are held back; the rest passes.
///
/// # Errors
/// [`Refusal`] when nothing may pass.
pub async fn approve(
    plan: Plan,
    confirmation: Option<&Confirmation>,
    mode: WriteMode,
    clusters: &dyn Clusters,
    timeout: Duration,
) -> Result<ApprovedPlan, Refusal> {
    check(&plan, confirmation, mode)?;
    let answers: Vec<BoxFuture<'_, (usize, Option<Safe>)>> = plan
        .orders
        .iter()
        .enumerate()
        .map(|(index, order)| {
            hold_back(&plan, order, clusters, timeout)
                .map(move |why| (index, why))
                .boxed()
        })
        .collect();
    let held: BTreeMap<usize, Option<Safe>> = stream::iter(answers)
        .buffer_unordered(ASKED_AT_A_TIME)
        .collect()
        .await;
    Ok(pass(plan, &held))
}

/// The checks that concern the plan as a whole.
fn check(plan: &Plan, confirmation: Option<&Confirmation>, mode: WriteMode) -> Result<(), Refusal> {
    if mode == WriteMode::ReadOnly {
        return Err(Refusal::ReadOnly);
    }
    let confirmation = confirmation
        .filter(|c| c.binding == binding(plan))
        .ok_or(Refusal::NotConfirmed)?;
    match &plan.guardrail {
        Some(guardrail) if confirmation.typed.as_deref() != Some(guardrail.confirm.as_str()) => {
            Err(Refusal::NotTyped {
                name: guardrail.name.clone(),
                confirm: guardrail.confirm.clone(),
            })
        }
        _ => Ok(()),
    }
}

/// Why a write is held back, if it is.
async fn hold_back(
    plan: &Plan,
    order: &Order,
    clusters: &dyn Clusters,
    timeout: Duration,
) -> Option<Safe> {
    let rows = || order.targets.iter().filter_map(|t| plan.targets.get(*t));
    if let Some(why) = rows().find_map(|row| unfit(row, order, clusters)) {
        return Some(why);
    }
    let (cluster, verb, place) = question(&order.effect);
    let Some(api) = api(clusters, &cluster, timeout) else {
        return Some(format!("there is no connection to {cluster}").into());
    };
    match permission::may(&api, verb, &place).await {
        Ok(false) => Some(format!("not permitted: {verb} {} on {cluster}", place.resource).into()),
        // A server that does not say now will say when it is asked to do it.
        Ok(true) | Err(_) => None,
    }
}

/// What makes a row unfit whatever the server permits.
fn unfit(row: &PlanTarget, order: &Order, clusters: &dyn Clusters) -> Option<Safe> {
    for cluster in [&row.cluster, order.effect.receiver()] {
        let link = clusters.link(cluster);
        if !link.is_current() {
            return Some(format!("{cluster} is {} now", link.word()).into());
        }
    }
    match (&row.dry_run, row.route) {
        (DryRun::Accepted(_), _) | (DryRun::NotPermitted(_), Route::Argo | Route::Flux) => None,
        (other, _) => Some(format!("its dry run did not succeed: {}", other.message()).into()),
    }
}

/// Who is asked whether what may be done where.
fn question(effect: &Effect) -> (ClusterId, &'static str, Place) {
    match effect {
        Effect::ArgoSync(e) => (e.app.hub.clone(), "patch", argo::place(&e.app)),
        Effect::FluxReconcile(e) => (e.app.hub.clone(), "patch", flux::place(&e.app)),
        Effect::Apply(e) => (e.cluster.clone(), "patch", e.place.clone()),
        Effect::Merge(e) => (e.cluster.clone(), "patch", e.place.clone()),
        Effect::Create(e) => (e.cluster.clone(), "create", e.place.clone()),
        Effect::Delete(e) => (e.cluster.clone(), "delete", e.place.clone()),
    }
}

fn pass(mut plan: Plan, held: &BTreeMap<usize, Option<Safe>>) -> ApprovedPlan {
    let mut approved = Vec::new();
    for (index, order) in std::mem::take(&mut plan.orders).into_iter().enumerate() {
        match held.get(&index) {
            Some(None) => approved.push(ApprovedOrder {
                targets: order.targets,
                effect: Approved {
                    value: order.effect,
                    seal: Seal,
                },
            }),
            Some(Some(why)) => skip_all(&mut plan, &order.targets, why),
            None => skip_all(
                &mut plan,
                &order.targets,
                &Safe::fixed("it was not checked"),
            ),
        }
    }
    ApprovedPlan {
        plan,
        orders: approved,
    }
}

fn skip_all(plan: &mut Plan, targets: &[usize], why: &Safe) {
    for index in targets {
        if let Some(row) = plan.targets.get_mut(*index) {
            row.skip(why.clone());
        }
    }
}

#[cfg(test)]
mod tests;
