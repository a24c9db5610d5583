//! The screens by name, and sets of them: where an action works and which layer of the keymap is asked.

/// A kind of screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// One row a cluster.
    Fleet,
    /// Equal changes as one row.
    Drift,
    /// One row an application.
    Apps,
    /// One application: its objects and their detail.
    App,
    /// Git against the cluster, one object.
    Diff,
    /// What a revert would do.
    Plan,
    /// What a revert is doing or did.
    Run,
    /// One row an application, one column a group of clusters.
    Matrix,
    /// What happened, in one stream.
    Activity,
    /// One cluster.
    Cluster,
}

impl Place {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 10] = [
        Self::Fleet,
        Self::Drift,
        Self::Apps,
        Self::App,
        Self::Diff,
        Self::Plan,
        Self::Run,
        Self::Matrix,
        Self::Activity,
        Self::Cluster,
    ];

    /// Its name in keymap files and on the command line.
    pub fn id(self) -> &'static str {
        match self {
            Self::Fleet => "fleet",
            Self::Drift => "drift",
            Self::Apps => "apps",
            Self::App => "app",
            Self::Diff => "diff",
            Self::Plan => "plan",
            Self::Run => "run",
            Self::Matrix => "matrix",
            Self::Activity => "activity",
            Self::Cluster => "cluster",
        }
    }

    /// The screen of this name.
    pub fn by_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.id() == id)
    }

    /// Its title in the header.
    pub fn title(self) -> &'static str {
        match self {
            Self::Fleet => "FLEET",
            Self::Drift => "DRIFT",
            Self::Apps => "APPS",
            Self::App => "APP",
            Self::Diff => "DIFF",
            Self::Plan => "PLAN",
            Self::Run => "RUN",
            Self::Matrix => "MATRIX",
            Self::Activity => "ACTIVITY",
            Self::Cluster => "CLUSTER",
        }
    }
}

/// A set of screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places(u16);

impl Places {
    /// Every screen.
    pub const ALL: Self = Self::of(&Place::ALL);

    /// The named screens.
    pub const fn of(places: &[Place]) -> Self {
        let mut bits = 0;
        let mut i = 0;
        while i < places.len() {
            bits |= 1 << places[i] as u16;
            i += 1;
        }
        Self(bits)
    }

    /// Both sets together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the screen is one of them.
    pub fn has(self, place: Place) -> bool {
        self.0 & (1 << place as u16) != 0
    }

    /// The screens, in order.
    pub fn list(self) -> impl Iterator<Item = Place> {
        Place::ALL.into_iter().filter(move |p| self.has(*p))
    }
}
