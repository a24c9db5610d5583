//! What an engine did about drift by itself, as its controllers told it in events.

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::Fleet;
use super::chronicle::{News, StoryKind, Tenor};
use crate::domain::{AppKind, AppRef, Application, ClusterId, Notice, NoticeKind};

/// The engine's part in the drift of one application.
#[derive(Debug)]
pub(super) struct Corrections<'n> {
    /// What was found or could not be put back, and nothing has ended since.
    pub(super) open: Option<&'n Notice>,
    /// What was put back, oldest first.
    pub(super) done: Vec<&'n Notice>,
}

impl<'n> Corrections<'n> {
    /// Reads the notices of an application, oldest first.
    pub(super) fn of(app: &Application, notices: &'n [Notice]) -> Self {
        let troubles = [NoticeKind::DriftFound, NoticeKind::CorrectionFailed];
        let newest = notices.iter().rev().find(|n| troubles.contains(&n.kind));
        let corrects = |n: &&Notice| match n.kind {
            NoticeKind::DriftCorrected => true,
            NoticeKind::Applied => took_nothing_new(app, notices, n),
            _ => false,
        };
        Self {
            open: newest.filter(|n| !has_ended(app, notices, n.last)),
            done: notices.iter().filter(corrects).collect(),
        }
    }
}

/// Whether something since tells that the cluster is as it was deployed.
fn has_ended(app: &Application, notices: &[Notice], found: Timestamp) -> bool {
    let ends = [NoticeKind::DriftCorrected, NoticeKind::Deployed];
    let told = notices
        .iter()
        .any(|n| n.last >= found && ends.contains(&n.kind));
    let drifted = app.report.condition("Drifted");
    told || drifted
        .is_some_and(|c| &*c.status == "False" && c.since.is_some_and(|since| since >= found))
}

/// An apply that changed objects while the same build stood put back what somebody else had changed.
///
/// The event comes before the status that counts its reconciliation, so one that no status covers yet may still be of a new build.
fn took_nothing_new(app: &Application, notices: &[Notice], apply: &Notice) -> bool {
    let mut standing = app.report.standing.iter();
    if !app.report.standing.is_empty() {
        return standing.any(|(from, until)| *from < apply.last && apply.last <= *until);
    }
    // Before Flux 2.7 the status keeps no times. An event repeated under the name of the revision that it was first told of says nothing.
    let deployed = notices.iter().find(|n| {
        n.kind == NoticeKind::Deployed && !n.revision.is_empty() && n.revision == apply.revision
    });
    apply.count == 1 && deployed.is_some_and(|d| d.count == 1 && d.last < apply.last)
}

impl Fleet {
    /// What controllers told about an application, oldest first.
    pub(super) fn notices(&self, id: &AppRef) -> &[Notice] {
        self.notices.get(id).map_or(&[][..], Vec::as_slice)
    }

    /// Takes what controllers told about an application; `true` when it is news.
    pub(super) fn fold_notices(&mut self, id: AppRef, notices: Vec<Notice>, at: Timestamp) -> bool {
        if self.notices(&id) == notices {
            return false;
        }
        let before = self.told_of_drift(&id);
        if notices.is_empty() {
            self.notices.remove(&id);
        } else {
            self.notices.insert(id.clone(), notices);
        }
        self.tell_corrections(&id, &before, at);
        true
    }

    /// Takes everything that controllers told about the documents of a kind; `true` when any of it is news.
    pub(super) fn fold_all_notices(
        &mut self,
        hub: &ClusterId,
        kind: AppKind,
        all: Vec<(AppRef, Vec<Notice>)>,
        at: Timestamp,
    ) -> bool {
        let of_it = |id: &&AppRef| id.hub == *hub && id.kind == kind;
        let known = self.notices.keys().filter(of_it);
        let is_gone = |id: &&AppRef| all.iter().all(|(named, _)| named != *id);
        let gone: Vec<AppRef> = known.filter(is_gone).cloned().collect();
        let gone = gone.into_iter().map(|id| (id, Vec::new()));
        let mut news = false;
        for (id, notices) in gone.chain(all) {
            news |= self.fold_notices(id, notices, at);
        }
        news
    }

    /// What is already told of an application's drift.
    pub(super) fn told_of_drift(&self, id: &AppRef) -> Vec<Line> {
        let (Some(app), false) = (self.app(id), self.notices(id).is_empty()) else {
            return Vec::new();
        };
        let corrections = Corrections::of(app, self.notices(id));
        let told = corrections.open.into_iter().chain(corrections.done);
        told.map(|notice| line(id, notice)).collect()
    }

    /// Tells what is new since `before`.
    pub(super) fn tell_corrections(&mut self, id: &AppRef, before: &[Line], at: Timestamp) {
        let cluster = self.cluster_of(id).unwrap_or(&id.hub).clone();
        for line in self.told_of_drift(id) {
            if before.contains(&line) {
                continue;
            }
            let (when, tenor, what) = line;
            self.chronicle.tell(News {
                kind: StoryKind::Sync,
                tenor,
                at: when,
                heard: at,
                clusters: [cluster.clone()].into(),
                what: what.into(),
                app: Some(id.clone()),
                object: None,
                fingerprint: None,
            });
        }
    }
}

/// When, whether it is good news, and what.
pub(super) type Line = (Timestamp, Tenor, String);

fn line(id: &AppRef, notice: &Notice) -> Line {
    let (tenor, word) = match notice.kind {
        NoticeKind::DriftFound => (Tenor::Bad, "Flux found drift"),
        NoticeKind::CorrectionFailed => (Tenor::Bad, "Flux could not correct drift"),
        _ => (Tenor::Good, "Flux corrected drift"),
    };
    let what = format!("{}: {word}: {}", id.name, notice.list());
    (notice.last, tenor, what)
}
