//! The words of the field as types: clusters, applications, objects, states, verdicts, events. No I/O, no clock.

pub mod app;
pub mod cluster;
pub mod controller;
pub mod desired;
pub mod event;
pub mod id;
pub mod join;
pub mod kind;
pub mod link;
pub mod notice;
pub mod report;
pub mod safe;
pub mod selector;
pub mod verdict;
pub mod windows;

pub use app::{
    Application, AutoSync, Destination, HistoryEntry, ManagedResource, Operation, OperationPhase,
    Source, Verbatim, managed_kinds,
};
pub use cluster::{
    ClusterMetrics, ConnectionFacts, Engine, LinkState, MetricFigure, Permission, Role,
};
pub use controller::ControllerReading;
pub use desired::{
    Commit, DesiredBody, DesiredObject, Mark, MarkPlace, Newest, Tracking, TrackingMethod,
    Unjudged, UnjudgedReason,
};
pub use event::{ClusterEvent, Fact, Resource};
pub use id::{AppRef, ClusterId, Gvk, Name, ObjectRef};
pub use join::{Alias, HubCluster, JoinCandidate};
pub use kind::AppKind;
pub use notice::{Notice, NoticeKind};
pub use report::{Condition, EngineReport, Hydration, Project, ReconcilePace, SetStep, Warning};
pub use safe::Safe;
pub use selector::Selector;
pub use verdict::{
    Change, ChangeOp, CompareMode, DriftState, FieldOwner, Fingerprint, Handling, Health, Ignored,
    SyncState, Verdict, VerdictSource, WHOLE,
};
