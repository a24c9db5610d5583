//! What a cluster actor tells the loop: past facts, each with the cluster and the generation of its connection.

use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AppKind, AppRef, Application, ClusterId, ClusterMetrics, ConnectionFacts, Engine, Gvk, Health,
    HubCluster, LinkState, Name, Newest, Notice, ObjectRef, Permission, Project, ReconcilePace,
    Safe, Tracking, Unjudged, Verdict,
};

/// One fact from one cluster.
///
/// Within one cluster events arrive in the order in which they were true; between clusters there is no order.
/// An event of an older generation than the row's is dropped in `fleet::fold`, nowhere else.
#[derive(Clone, Debug)]
pub struct ClusterEvent {
    /// Whose fact it is.
    pub cluster: ClusterId,
    /// Which life of the actor sent it; grows with each restart of the actor.
    pub generation: u64,
    /// When it was true, by our clock.
    pub at: Timestamp,
    /// The fact.
    pub fact: Fact,
}

/// The fact itself.
#[derive(Clone, Debug)]
pub enum Fact {
    /// The link changed state. `message` says why, in one sentence with the next step.
    Link {
        /// The new state.
        state: LinkState,
        /// Why.
        message: Option<Safe>,
    },
    /// Something answered; at most one a second is sent.
    Seen,
    /// Who the cluster is and what it serves.
    Facts(Box<ConnectionFacts>),
    /// What this row's identity may do.
    Permissions(Vec<Permission>),
    /// How the hub's Argo CD marks what it manages.
    Tracking(Tracking),
    /// The cluster Secrets of this hub that may be read, without credentials.
    HubClusters(Vec<HubCluster>),
    /// This row turned out to be the same cluster and scope as another, which now carries its contexts.
    MergedInto(ClusterId),
    /// The complete list of Argo CD Applications this cluster holds; replaces what was known.
    Apps(Vec<Application>),
    /// The complete list of another kind of document that an engine keeps here; replaces what was known of the kind.
    AppsOf {
        /// The kind.
        kind: AppKind,
        /// Its objects.
        apps: Vec<Application>,
    },
    /// Every kind of an engine but Argo CD's Applications has been listed once, or cannot be.
    EngineListed(Engine),
    /// Everything that controllers told about documents of a kind here; replaces what was known of the kind.
    NoticesOf {
        /// The kind.
        kind: AppKind,
        /// By document, oldest first.
        all: Vec<(AppRef, Vec<Notice>)>,
    },
    /// Everything that controllers told about one document, oldest first.
    Notices {
        /// The document.
        app: AppRef,
        /// What they told.
        notices: Vec<Notice>,
    },
    /// The AppProjects of this hub; replaces what was known.
    Projects(Vec<Project>),
    /// How often this hub compares with Git.
    Pace(ReconcilePace),
    /// One application appeared or changed.
    App(Box<Application>),
    /// One application is gone.
    AppGone(AppRef),
    /// All verdicts of one kind on this cluster; replaces what was known of the kind.
    Kind {
        /// The kind.
        gvk: Gvk,
        /// Every object of it that an application manages or claims.
        resources: Vec<Resource>,
    },
    /// A kind cannot be watched here; its objects read as unknown.
    KindUnread {
        /// The kind.
        gvk: Gvk,
        /// Why, with the next step.
        message: Safe,
    },
    /// One object's verdict.
    Resource(Box<Resource>),
    /// One object is no longer managed or claimed by anything.
    ResourceGone(ObjectRef),
    /// An application that deploys to this cluster cannot be judged by us (`Some`), or can again (`None`).
    AppUnjudged {
        /// The application.
        app: AppRef,
        /// Why not.
        reason: Option<Unjudged>,
    },
    /// The application is judged with what Argo CD's API says is wanted (`Some`: why Git was not rendered), or with Git (again).
    AppStandIn {
        /// The application.
        app: AppRef,
        /// Why Git could not be rendered.
        because: Option<Unjudged>,
    },
    /// What an application's target revision means now; `None` while that is not known.
    AppNewest {
        /// The application.
        app: AppRef,
        /// The newest revision, and what lies between it and the deployed one.
        newest: Option<Arc<Newest>>,
    },
    /// Every object of the application on this cluster has been judged at least once with the named revisions, or, without a desired state, heard of.
    AppJudged {
        /// The application.
        app: AppRef,
        /// The deployed commit.
        deployed: Name,
        /// The target commit.
        target: Name,
        /// Why there was no desired state to judge by, as the edge was told: it may say so before the director does.
        hindered: Option<Unjudged>,
    },
    /// A round of metrics.
    Metrics(Box<ClusterMetrics>),
    /// Events were dropped because the loop was slower than the cluster.
    Dropped(u64),
    /// The actor ended and will send nothing more in this generation.
    Gone,
}

/// One managed object of one cluster, slim: the verdict, not the document.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The object.
    pub object: ObjectRef,
    /// The application that manages or claims it.
    pub app: AppRef,
    /// `metadata.uid`, empty while missing.
    pub uid: Name,
    /// `metadata.resourceVersion`, empty while missing.
    pub resource_version: Name,
    /// Our verdict.
    pub verdict: Arc<Verdict>,
    /// Our health of the live object, `None` for kinds that have none.
    pub health: Option<(Health, Safe)>,
    /// Which rule told that health, in words; none for Argo CD's own checks.
    pub health_by: Option<Safe>,
    /// Whether an annotation keeps its health from its application's.
    pub health_apart: bool,
    /// Where the desired state came from: repository, commit, file. Empty for extra objects.
    pub desired: (Name, Name, Name),
    /// The bodies, kept only while drifted: what Git wants and what is live, Secrets masked.
    pub bodies: Option<Arc<Bodies>>,
}

/// Desired and live documents of a drifted object, as compact JSON with Secret values masked and managedFields removed.
#[derive(Clone, Debug, PartialEq)]
pub struct Bodies {
    /// What the deployed revision wants, `None` for extra objects.
    pub desired: Option<serde_json::Value>,
    /// What is live, `None` for missing objects.
    pub live: Option<serde_json::Value>,
}
