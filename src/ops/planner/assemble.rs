//! Puts decided rows together to a plan: dangerous ones out of bulk, one order a write, waves over the orders, the guardrail.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{AppReading, Decision, Part, PlanContext};
use crate::domain::{AppRef, Engine, ObjectRef, Safe};
use crate::ops::argo::{self, Operation};
use crate::ops::content::text;
use crate::ops::effect::{ArgoSync, Effect, FluxReconcile, Member};
use crate::ops::flux;
use crate::ops::{Guardrail, Order, Plan, PlanTarget, Verb, WaveSpec};

pub(in crate::ops) fn plan(
    frame: &Frame<'_>,
    context: &PlanContext,
    mut decisions: Vec<Decision>,
    apps: &BTreeMap<AppRef, AppReading>,
) -> Plan {
    keep_danger_out_of_bulk(&mut decisions);
    let (mut targets, parts): (Vec<_>, Vec<_>) =
        decisions.into_iter().map(|d| (d.row, d.part)).unzip();
    let orders = orders(
        &Making {
            frame,
            context,
            apps,
        },
        &mut targets,
        parts,
    );
    let indexes: Vec<usize> = (0..orders.len()).collect();
    let mut waves = frame.waves.split(&indexes);
    for wave in &mut waves {
        wave.targets = wave
            .targets
            .iter()
            .filter_map(|o| orders.get(*o))
            .flat_map(|o| o.targets.clone())
            .collect();
    }
    Plan {
        id: context.id.clone(),
        verb: frame.verb,
        made_at: context.now,
        reason: frame.reason.clone(),
        note: frame.note.cloned(),
        guardrail: guardrail(frame.guardrail, &targets),
        targets,
        waves,
        orders,
    }
}

fn keep_danger_out_of_bulk(decisions: &mut [Decision]) {
    let sendable = decisions.iter().filter(|d| d.part.is_some()).count();
    for decision in decisions
        .iter_mut()
        .filter(|d| sendable > 1 && d.part.is_some())
    {
        if let Some(danger) = &decision.row.danger {
            let why = format!("{danger}: it is never part of a bulk change; plan it alone");
            decision.part = None;
            decision.row.skip(why);
        }
    }
}

fn orders(making: &Making<'_>, targets: &mut [PlanTarget], parts: Vec<Option<Part>>) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    let mut by_app: BTreeMap<AppRef, usize> = BTreeMap::new();
    for (index, (row, part)) in targets.iter_mut().zip(parts).enumerate() {
        let order = match part {
            None => continue,
            Some(Part::Direct(effect)) => push(&mut orders, effect),
            Some(Part::Engine(member)) => {
                let order = *by_app
                    .entry(row.app.clone())
                    .or_insert_with(|| push(&mut orders, making.request(&row.app)));
                join(&mut orders, order, *member);
                order
            }
        };
        row.order = Some(order);
        if let Some(order) = orders.get_mut(order) {
            order.targets.push(index);
        }
    }
    for order in &mut orders {
        let revision = order
            .targets
            .first()
            .and_then(|t| targets.get(*t))
            .map(|t| t.revision.clone())
            .unwrap_or_default();
        if let Effect::ArgoSync(sync) = &mut order.effect {
            sync.operation = making.operation(sync, &revision);
        }
    }
    orders
}

fn push(orders: &mut Vec<Order>, effect: Effect) -> usize {
    orders.push(Order {
        targets: Vec::new(),
        effect,
    });
    orders.len() - 1
}

fn join(orders: &mut [Order], order: usize, member: Member) {
    match orders.get_mut(order).map(|order| &mut order.effect) {
        Some(Effect::ArgoSync(sync)) => sync.members.push(member),
        Some(Effect::FluxReconcile(reconcile)) => reconcile.members.push(member),
        _ => {}
    }
}

/// What a plan says as a whole.
#[derive(Clone, Copy, Debug)]
pub(in crate::ops) struct Frame<'a> {
    pub(in crate::ops) verb: Verb,
    pub(in crate::ops) reason: &'a Safe,
    pub(in crate::ops) note: Option<&'a Safe>,
    pub(in crate::ops) waves: &'a WaveSpec,
    pub(in crate::ops) guardrail: Option<&'a Guardrail>,
}

/// What the operations are made from.
struct Making<'a> {
    frame: &'a Frame<'a>,
    context: &'a PlanContext,
    apps: &'a BTreeMap<AppRef, AppReading>,
}

impl Making<'_> {
    fn fresh(&self, app: &AppRef) -> &Value {
        self.apps
            .get(app)
            .and_then(|a| a.fresh.as_ref().ok())
            .unwrap_or(&Value::Null)
    }

    /// What is asked of the engine, without members yet.
    fn request(&self, app: &AppRef) -> Effect {
        match app.kind.engine() {
            Engine::Argo => self.sync(app),
            Engine::Flux => self.reconcile(app),
        }
    }

    fn reconcile(&self, app: &AppRef) -> Effect {
        let fresh = self.fresh(app);
        // Flux compares it as text; the time of the plan is unlike that of any other.
        let value = self.context.now.to_string();
        Effect::FluxReconcile(Box::new(FluxReconcile {
            app: app.clone(),
            app_uid: text(fresh, "/metadata/uid").into(),
            spec_hash: argo::spec_hash(fresh),
            annotations: flux::annotations(fresh, app, &value),
            members: Vec::new(),
        }))
    }

    /// A sync without members yet; its operation is made once they are all known.
    fn sync(&self, app: &AppRef) -> Effect {
        let fresh = self.fresh(app);
        Effect::ArgoSync(Box::new(ArgoSync {
            app: app.clone(),
            app_uid: text(fresh, "/metadata/uid").into(),
            spec_hash: argo::spec_hash(fresh),
            operation: Value::Null,
            members: Vec::new(),
        }))
    }

    fn operation(&self, sync: &ArgoSync, revision: &str) -> Value {
        let objects: Vec<ObjectRef> = sync.members.iter().map(|m| m.object.clone()).collect();
        let revert = format!("revert {}", self.frame.reason);
        let reason = self
            .frame
            .note
            .as_ref()
            .map_or(revert.clone(), |note| format!("{note} {revert}"));
        argo::operation(
            self.fresh(&sync.app),
            &Operation {
                username: &self.context.operator,
                reason: &reason,
                run: &self.context.id,
                revision,
                prune: sync.members.iter().any(|m| m.yardstick.wants_it_gone()),
                objects: &objects,
            },
        )
    }
}

fn guardrail(group: Option<&Guardrail>, targets: &[PlanTarget]) -> Option<Guardrail> {
    let danger = targets
        .iter()
        .find(|t| t.order.is_some() && t.danger.is_some());
    match (danger, group) {
        (None, group) => group.cloned(),
        (Some(target), None) => Some(Guardrail {
            name: Safe::new(&target.object.to_string()),
            confirm: Safe::new(&target.object.name),
        }),
        (Some(target), Some(group)) => Some(Guardrail {
            name: format!("{} · {}", group.name, target.object).into(),
            confirm: format!("{} {}", group.confirm, target.object.name).into(),
        }),
    }
}
