//! What a fold is worth telling: compares what was known with what is known now.

use jiff::Timestamp;

use super::chronicle::{News, Story, StoryKind, Tenor};
use super::{Cluster, Fleet};
use crate::domain::{
    Application, ClusterId, Health, LinkState, OperationPhase, Resource, Safe, SyncState,
};

impl Fleet {
    /// What happened, in the order in which it was first heard.
    pub fn stories(&self) -> impl DoubleEndedIterator<Item = &Story> {
        self.chronicle.stories()
    }

    /// One story.
    pub fn story(&self, id: u64) -> Option<&Story> {
        self.chronicle.story(id)
    }

    /// Adds what was done from this console; everything else is told by [`Fleet::fold`].
    pub fn tell_own(&mut self, at: Timestamp, clusters: Vec<ClusterId>, tenor: Tenor, what: Safe) {
        self.chronicle.tell(News {
            kind: StoryKind::Own,
            tenor,
            at,
            heard: at,
            clusters: clusters.into_iter().collect(),
            what,
            app: None,
            object: None,
            fingerprint: None,
        });
        self.touch();
    }

    /// Tells of a drift that began or changed.
    pub(super) fn tell_drift(
        &mut self,
        id: &ClusterId,
        resource: &Resource,
        began: Timestamp,
        at: Timestamp,
    ) {
        let mut news = of(id, resource, began, at);
        news.kind = StoryKind::DriftBegan;
        let summary = &resource.verdict.summary;
        let owners = resource.verdict.changes.iter();
        let owner = owners
            .filter_map(|c| c.owner.as_ref())
            .max_by_key(|o| o.time);
        let by = owner.map_or(String::new(), |o| format!(" by {}", o.manager));
        news.what = format!("{} {summary}{by}", resource.object).into();
        self.chronicle.tell(news);
    }

    /// Tells of a drift that ended.
    pub(super) fn tell_mended(&mut self, id: &ClusterId, resource: &Resource, at: Timestamp) {
        let mut news = of(id, resource, at, at);
        news.kind = StoryKind::DriftEnded;
        news.tenor = Tenor::Good;
        news.what = format!(
            "{} is as Git wants it again: {}",
            resource.object, resource.verdict.summary
        )
        .into();
        self.chronicle.tell(news);
    }

    /// Tells of health that changed; the first health heard is told only when something has failed.
    pub(super) fn tell_health(
        &mut self,
        id: &ClusterId,
        old: Option<&Resource>,
        new: &Resource,
        at: Timestamp,
    ) {
        let Some((now, words)) = &new.health else {
            return;
        };
        let before = old.and_then(|o| o.health.as_ref()).map(|(h, _)| *h);
        let tenor = match (before, *now) {
            (Some(before), now) if before == now => return,
            (_, Health::Degraded | Health::Missing) => Tenor::Bad,
            (None, _) => return,
            (Some(_), Health::Healthy) => Tenor::Good,
            (Some(_), _) => Tenor::Plain,
        };
        // An object that is missing from the start is told as drift.
        if before.is_none() && *now == Health::Missing {
            return;
        }
        let change = match before {
            Some(before) => format!("{before:?} → {now:?}"),
            None => format!("is {now:?}"),
        };
        let colon = if words.is_empty() { "" } else { ": " };
        let mut news = of(id, new, at, at);
        news.kind = StoryKind::Health;
        news.tenor = tenor;
        news.what = format!("{} {change}{colon}{words}", new.object).into();
        self.chronicle.tell(news);
    }

    /// Tells of a link that changed.
    pub(super) fn tell_link(
        &mut self,
        id: &ClusterId,
        new: LinkState,
        message: Option<&Safe>,
        at: Timestamp,
    ) {
        let Some(old) = self.cluster(id).map(|c: &Cluster| c.state) else {
            return;
        };
        let answers = |s: LinkState| s.is_current();
        let tenor = match (answers(old), answers(new)) {
            _ if old == new || new == LinkState::Connecting => return,
            (_, false) => Tenor::Bad,
            (false, true) => Tenor::Good,
            (true, true) => Tenor::Plain,
        };
        let words = message.map_or(String::new(), |m| format!(": {m}"));
        let what = match old {
            LinkState::Connecting => format!("connecting → {}{words}", new.word()),
            old => format!("{} → {}{words}", old.word(), new.word()),
        };
        self.chronicle.tell(News {
            kind: StoryKind::Link,
            tenor,
            at,
            heard: at,
            clusters: [id.clone()].into(),
            what: what.into(),
            app: None,
            object: None,
            fingerprint: None,
        });
    }

    /// Tells what the engine did or said since the last state of an application.
    pub(super) fn tell_app(
        &mut self,
        old: Option<&Application>,
        new: &Application,
        cluster: Option<&ClusterId>,
        at: Timestamp,
    ) {
        let place = cluster.unwrap_or(&new.id.hub).clone();
        for (when, tenor, what) in app_news(old, new, at) {
            self.chronicle.tell(News {
                kind: StoryKind::Sync,
                tenor,
                at: when,
                heard: at,
                clusters: [place.clone()].into(),
                what: what.into(),
                app: Some(new.id.clone()),
                object: None,
                fingerprint: None,
            });
        }
    }
}

fn of(id: &ClusterId, resource: &Resource, at: Timestamp, heard: Timestamp) -> News {
    News {
        kind: StoryKind::DriftBegan,
        tenor: Tenor::Bad,
        at,
        heard,
        clusters: [id.clone()].into(),
        what: Safe::default(),
        app: Some(resource.app.clone()),
        object: Some(resource.object.clone()),
        fingerprint: resource.verdict.fingerprint,
    }
}

type Line = (Timestamp, Tenor, String);

fn app_news(old: Option<&Application>, new: &Application, at: Timestamp) -> Vec<Line> {
    let mut lines = Vec::new();
    lines.extend(operation(old, new, at));
    let Some(old) = old else {
        return lines;
    };
    let name = &new.id.name;
    if old.sync != new.sync {
        let tenor = match new.sync {
            SyncState::Synced => Tenor::Good,
            SyncState::OutOfSync => Tenor::Bad,
            SyncState::Unknown => Tenor::Plain,
        };
        let word = match new.sync {
            SyncState::Synced => "Synced",
            SyncState::OutOfSync => "OutOfSync",
            SyncState::Unknown => "Unknown",
        };
        lines.push((at, tenor, format!("{name}: the hub says {word}")));
    }
    if old.auto_sync != new.auto_sync {
        let word = match (new.auto_sync.enabled, new.auto_sync.self_heal) {
            (false, _) => "off",
            (true, false) => "on, without self-heal",
            (true, true) => "on, with self-heal",
        };
        lines.push((at, Tenor::Plain, format!("{name}: auto-sync is {word}")));
    }
    lines
}

/// The operation, when it is another one than before or stands elsewhere.
fn operation(old: Option<&Application>, new: &Application, at: Timestamp) -> Option<Line> {
    let operation = new.operation.as_ref()?;
    let key = |app: &Application| app.operation.as_ref().map(|o| (o.phase, o.started_at));
    if old.and_then(key) == key(new) {
        return None;
    }
    let (tenor, word, when) = match operation.phase {
        OperationPhase::Running => (Tenor::Plain, "began", operation.started_at),
        OperationPhase::Terminating => (Tenor::Plain, "is being stopped", operation.started_at),
        OperationPhase::Succeeded => (Tenor::Good, "done", operation.finished_at),
        OperationPhase::Failed | OperationPhase::Error => {
            (Tenor::Bad, "failed", operation.finished_at)
        }
    };
    let by = match operation.initiated_by.as_str() {
        "" => String::new(),
        who => format!(" by {who}"),
    };
    let why = match tenor {
        Tenor::Bad if !operation.message.is_empty() => format!(": {}", operation.message),
        _ => String::new(),
    };
    let what = format!("{} sync {word}{by}{why}", new.id.name);
    Some((when.unwrap_or(at), tenor, what))
}
