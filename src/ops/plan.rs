//! The plan: the exact effect on every target, as it is shown, printed and confirmed.

use std::fmt;

use jiff::Timestamp;
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::{Effect, TargetName, Wave};
use crate::domain::{AppRef, ClusterId, LinkState, Name, ObjectRef, Safe};

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Put objects back to the revision shown.
    Revert,
    /// Put objects back to what they were before a run.
    Undo,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Revert => "revert",
            Self::Undo => "undo",
        })
    }
}

/// Who carries the change out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Route {
    /// Argo CD, asked for a selective sync through the Application on the hub.
    Argo,
    /// Flux, asked to reconcile the Kustomization or HelmRelease.
    Flux,
    /// We ourselves, on the edge, under the engine's field manager.
    Direct,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argo => "argo",
            Self::Flux => "flux",
            Self::Direct => "direct",
        })
    }
}

/// What the server's dry run of one target said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DryRun {
    /// It would accept the change; the text says what it would alter.
    Accepted(Safe),
    /// We may not ask; our own verdict stands.
    NotPermitted(Safe),
    /// It would refuse the change, and why.
    Rejected(Safe),
    /// Nobody asked, and why.
    NotRun(Safe),
}

impl DryRun {
    /// Whether the server would accept the change.
    pub fn ok(&self) -> bool {
        matches!(self, Self::Accepted(_))
    }

    /// What the row says.
    pub fn message(&self) -> &Safe {
        match self {
            Self::Accepted(m) | Self::NotPermitted(m) | Self::Rejected(m) | Self::NotRun(m) => m,
        }
    }
}

impl Serialize for DryRun {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("DryRun", 2)?;
        out.serialize_field("ok", &self.ok())?;
        out.serialize_field("message", self.message())?;
        out.end()
    }
}

/// A field manager that no longer owns fields once the change is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Loser {
    /// The manager, such as `kubectl-edit`. A tool, not a person.
    pub manager: Safe,
    /// `Apply` or `Update`.
    pub operation: Safe,
    /// When it last wrote.
    pub time: Option<Timestamp>,
    /// Readable paths of the fields it loses.
    pub fields: Vec<Safe>,
}

/// A name that must be typed before the plan runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Guardrail {
    /// The group, or the object of a dangerous effect.
    pub name: Safe,
    /// What has to be typed, exactly.
    pub confirm: Safe,
}

/// One target of a plan: what will happen to one object, or why nothing will.
#[derive(Clone, Debug)]
pub struct PlanTarget {
    /// The fleet row of the cluster that holds the object.
    pub cluster: ClusterId,
    /// The application that manages it.
    pub app: AppRef,
    /// The object.
    pub object: ObjectRef,
    /// Who carries it out.
    pub route: Route,
    /// The link to the cluster when the plan was made.
    pub link: LinkState,
    /// What will change, in one line: `spec.replicas 1→3`.
    pub effect: Safe,
    /// The commit whose desired state is put back.
    pub revision: Name,
    /// `metadata.resourceVersion` of the live object that the plan was made on, empty while missing.
    pub resource_version: Name,
    /// What the server's dry run said.
    pub dry_run: DryRun,
    /// Why nothing will be sent for this target.
    pub skipped: Option<Safe>,
    /// Whether it is skipped because there is nothing to change; such a target ends as `unchanged`, any other skipped one as `refused`.
    pub unchanged: bool,
    /// Pods that the change restarts, as far as the live object tells.
    pub restarts: u32,
    /// Objects that are deleted.
    pub prunes: Vec<ObjectRef>,
    /// Managers that lose fields.
    pub losers: Vec<Loser>,
    /// What the operator should know before saying yes.
    pub warnings: Vec<Safe>,
    /// Why the effect can destroy data; such a plan asks for the object's name.
    pub danger: Option<Safe>,
    /// Index into the plan's orders, absent exactly when skipped.
    pub order: Option<usize>,
}

impl PlanTarget {
    /// The target's name as documents give it.
    pub fn name(&self) -> TargetName {
        TargetName {
            cluster: self.cluster.clone(),
            app: self.app.clone(),
            object: self.object.clone(),
        }
    }

    /// Turns the target into one for which nothing is sent.
    pub(super) fn skip(&mut self, why: impl Into<Safe>) {
        self.order = None;
        self.skipped = Some(why.into());
    }

    /// Turns the target into one for which nothing needs to be sent.
    pub(super) fn skip_unchanged(&mut self, why: impl Into<Safe>) {
        self.unchanged = true;
        self.skip(why);
    }
}

impl Serialize for PlanTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Row<'a> {
            #[serde(flatten)]
            name: TargetName,
            route: Route,
            state: &'static str,
            effect: &'a Safe,
            revision: Safe,
            resource_version: Safe,
            dry_run: &'a DryRun,
            skipped: &'a Option<Safe>,
            restarts: u32,
            prunes: &'a [ObjectRef],
            losers: &'a [Loser],
            warnings: &'a [Safe],
            danger: &'a Option<Safe>,
        }
        Row {
            name: self.name(),
            route: self.route,
            state: self.link.word(),
            effect: &self.effect,
            revision: Safe::new(&self.revision),
            resource_version: Safe::new(&self.resource_version),
            dry_run: &self.dry_run,
            skipped: &self.skipped,
            restarts: self.restarts,
            prunes: &self.prunes,
            losers: &self.losers,
            warnings: &self.warnings,
            danger: &self.danger,
        }
        .serialize(serializer)
    }
}

/// One write, and the targets that it serves: one, or several objects of one application in one Argo CD operation.
#[derive(Clone, Debug)]
pub struct Order {
    /// Indexes into the plan's targets.
    pub targets: Vec<usize>,
    /// The exact effect. May hold Secret values, so it is never serialised and its `Debug` leaves them out.
    pub effect: Effect,
}

/// Everything one confirmation covers.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Names the plan, its run, its journal lines and its saved objects.
    pub id: String,
    /// What is done.
    pub verb: Verb,
    /// When the plan was made.
    pub made_at: Timestamp,
    /// The change in the words of the screen.
    pub reason: Safe,
    /// The operator's note.
    pub note: Option<Safe>,
    /// One entry a target, in the order they were asked for.
    pub targets: Vec<PlanTarget>,
    /// The targets that will be sent, in the order and groups in which they are sent; numbers index `targets`.
    pub waves: Vec<Wave>,
    /// What must be typed, when something must.
    pub guardrail: Option<Guardrail>,
    /// The exact writes. Never serialised.
    #[serde(skip)]
    pub orders: Vec<Order>,
}

impl Plan {
    /// How many targets will be sent.
    pub fn sendable(&self) -> usize {
        self.targets.iter().filter(|t| t.order.is_some()).count()
    }

    /// Pods restarted in all.
    pub fn restarts(&self) -> u64 {
        self.targets.iter().map(|t| u64::from(t.restarts)).sum()
    }
}
