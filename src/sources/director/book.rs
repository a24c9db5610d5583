//! What the director knows: rows, hubs, applications, answers of Git, and who has been told what. No I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::Entry;
use super::judge::{Done, Job};
use super::wish::Wish;
use crate::desired::Served;
use crate::domain::join::Directory;
use crate::domain::{
    Alias, AppRef, Application, ClusterId, Destination, Fact, HubCluster, JoinCandidate, Name,
    Source, Tracking,
};
use crate::sources::assignment::{ClusterAssignments, DirectorInput};

/// The director's state.
#[derive(Debug, Default)]
pub(super) struct Book {
    aliases: Vec<Alias>,
    rows: BTreeMap<ClusterId, JoinCandidate>,
    served: HashMap<ClusterId, Served>,
    hubs: HashMap<ClusterId, Hub>,
    /// Boxed: a node of the map has room for eleven, and an entry is two kilobytes.
    apps: BTreeMap<AppRef, Box<Entry>>,
    by_cluster: HashMap<ClusterId, BTreeSet<AppRef>>,
    /// The rows as of the last time that every destination was looked up.
    directory: Directory,
    /// Rows changed: every destination is looked up again.
    rejoin: bool,
    /// Applications whose question to Git may have changed.
    restless: BTreeSet<AppRef>,
    /// Applications whose last answer may be out of date.
    moved: BTreeSet<AppRef>,
    /// Applications of which something may have to be told.
    untold: BTreeSet<AppRef>,
    /// Clusters whose assignments may have changed.
    stale: BTreeSet<ClusterId>,
    /// Commits that hubs named and that answers do not show.
    hints: Vec<(Source, Name)>,
    turn: u64,
}

#[derive(Debug, Default)]
struct Hub {
    generation: u64,
    tracking: Tracking,
    clusters: Vec<HubCluster>,
}

impl Book {
    pub(super) fn new(aliases: Vec<Alias>) -> Self {
        Self {
            aliases,
            ..Self::default()
        }
    }

    /// Folds one input.
    pub(super) fn take(&mut self, input: DirectorInput) {
        match input {
            DirectorInput::Row(row) => self.take_row(row),
            DirectorInput::RowGone(cluster) => {
                self.rejoin |= self.rows.remove(&cluster).is_some();
            }
            DirectorInput::Served { cluster, served } => self.take_served(cluster, served),
            DirectorInput::HubClusters { hub, clusters } => {
                let of = hub.clone();
                let known = &mut self.hubs.entry(hub).or_default().clusters;
                let changed = *known != clusters;
                *known = clusters;
                if changed {
                    let ids = self.of_hub(&of);
                    self.restless.extend(ids.iter().cloned());
                    self.untold.extend(ids);
                }
            }
            DirectorInput::Tracking { hub, tracking } => self.take_tracking(&hub, tracking),
            DirectorInput::Apps {
                hub,
                generation,
                apps,
            } => self.take_apps(&hub, generation, apps),
            DirectorInput::App { generation, app } => {
                self.take_generation(&app.id.hub.clone(), generation);
                self.take_app(*app);
            }
            DirectorInput::AppGone(app) => self.drop_app(&app),
            // The renderer keeps it; the application's next word names it.
            DirectorInput::Given { .. } => {}
        }
    }

    fn take_row(&mut self, row: JoinCandidate) {
        let Some(cluster) = row.cluster.clone() else {
            return;
        };
        if self.rows.get(&cluster) != Some(&row) {
            self.rows.insert(cluster, row);
            self.rejoin = true;
        }
    }

    /// Charts of the cluster's applications are rendered for what it serves.
    fn take_served(&mut self, cluster: ClusterId, served: Served) {
        if self.served.get(&cluster) != Some(&served) {
            let ids = self.by_cluster.get(&cluster).into_iter().flatten();
            self.restless.extend(ids.cloned());
            self.served.insert(cluster, served);
        }
    }

    fn take_tracking(&mut self, hub: &ClusterId, tracking: Tracking) {
        let known = &mut self.hubs.entry(hub.clone()).or_default().tracking;
        if *known != tracking {
            *known = tracking;
            let ids = self.of_hub(hub);
            self.restless.extend(ids);
        }
    }

    fn take_apps(&mut self, hub: &ClusterId, generation: u64, apps: Vec<Application>) {
        self.take_generation(hub, generation);
        let keep: BTreeSet<&AppRef> = apps.iter().map(|a| &a.id).collect();
        let gone: Vec<AppRef> = self
            .of_hub(hub)
            .into_iter()
            .filter(|id| id.kind.is_application() && !keep.contains(id))
            .collect();
        for id in &gone {
            self.drop_app(id);
        }
        for app in apps {
            self.take_app(app);
        }
    }

    /// What was told under an older generation may have come too late to be believed: it is told again.
    fn take_generation(&mut self, hub: &ClusterId, generation: u64) {
        let known = self.hubs.entry(hub.clone()).or_default();
        if known.generation == generation {
            return;
        }
        known.generation = generation;
        for id in self.of_hub(hub) {
            if let Some(entry) = self.apps.get_mut(&id) {
                entry.tell_again();
                self.untold.insert(id);
            }
        }
    }

    fn take_app(&mut self, app: Application) {
        let id = app.id.clone();
        self.restless.insert(id.clone());
        match self.apps.get_mut(&id) {
            Some(entry) => {
                let seen = entry.app.compared_revision == app.compared_revision;
                entry.app = app;
                if !seen {
                    self.hint(&id);
                }
            }
            None => {
                self.apps.insert(id, Box::new(Entry::new(app)));
            }
        }
    }

    /// The hub compared with a commit that our last answer did not show: Git moved on.
    fn hint(&mut self, id: &AppRef) {
        let Some(entry) = self.apps.get(id) else {
            return;
        };
        let commit = &entry.app.compared_revision;
        let shown = matches!(&entry.answer, Some(Ok(answer)) if answer.aims_at(commit));
        // Of several sources the engine names the first one's revision.
        let source = entry.app.sources.first().filter(|s| s.chart.is_empty());
        if let (Some(Ok(_)), Some(source)) = (&entry.wish, source)
            && !commit.is_empty()
            && !shown
        {
            self.hints.push((source.clone(), commit.clone()));
        }
    }

    fn drop_app(&mut self, id: &AppRef) {
        if let Some(entry) = self.apps.remove(id) {
            self.move_to(id, entry.cluster.as_ref(), None);
        }
    }

    fn of_hub(&self, hub: &ClusterId) -> Vec<AppRef> {
        let of_it = self.apps.keys().filter(|id| id.hub == *hub);
        of_it.cloned().collect()
    }

    /// A repository moved: all applications with such a source are asked for again.
    pub(super) fn repo_changed(&mut self, is_meant: impl Fn(&Source) -> bool) {
        for (id, entry) in &self.apps {
            if let Some(Ok(wish)) = &entry.wish
                && wish.sources().any(&is_meant)
            {
                self.moved.insert(id.clone());
            }
        }
    }

    /// Takes an answer of Git, unless a newer question is under way.
    pub(super) fn done(&mut self, done: Done) {
        let Some(entry) = self.apps.get_mut(&done.app) else {
            return;
        };
        if entry.turn != done.turn {
            return;
        }
        entry.answer = Some(done.answer);
        entry.leases = done.leases;
        self.untold.insert(done.app);
    }

    /// Whether a round would do anything.
    pub(super) fn has_work(&self) -> bool {
        self.rejoin
            || !self.restless.is_empty()
            || !self.moved.is_empty()
            || !self.untold.is_empty()
            || !self.stale.is_empty()
            || !self.hints.is_empty()
    }

    /// What must be asked of Git now.
    pub(super) fn jobs(&mut self) -> Vec<Job> {
        self.look_up_destinations();
        let mut jobs = Vec::new();
        let moved = std::mem::take(&mut self.moved);
        let mut ids = std::mem::take(&mut self.restless);
        ids.extend(moved.iter().cloned());
        for id in ids {
            jobs.extend(self.job(&id, moved.contains(&id)));
            self.untold.insert(id);
        }
        jobs
    }

    fn job(&mut self, id: &AppRef, moved: bool) -> Option<Job> {
        let entry = self.apps.get_mut(id)?;
        let tracking = self.hubs.get(&id.hub).map(|h| h.tracking.clone());
        let wish = Wish::of(
            &entry.app,
            entry.cluster.as_ref(),
            &tracking.unwrap_or_default(),
            entry
                .cluster
                .as_ref()
                .and_then(|c| self.served.get(c))
                .cloned(),
        );
        let asked = entry.asked();
        let compared = entry.last_asked.as_ref() == Some(&asked) || !entry.is_second_hand();
        let same = entry.wish.as_ref() == Some(&wish) && compared;
        if same && !moved {
            return None;
        }
        self.turn += 1;
        entry.turn = self.turn;
        entry.wish = Some(wish.clone());
        entry.last_asked = Some(asked.clone());
        if wish.is_err() {
            entry.leases.clear();
        }
        let has_hope = !wish.as_ref().is_err_and(|why| !entry.may_stand_in(why));
        // The old answer stays until the new one is there; an old refusal is no answer to a new question.
        entry.answer = entry
            .answer
            .take()
            .filter(|answer| has_hope && (same || answer.is_ok()));
        let last = entry.answer.as_ref().and_then(|a| a.as_ref().ok());
        has_hope.then(|| Job {
            app: id.clone(),
            turn: entry.turn,
            last: last.cloned(),
            asked,
            wish,
        })
    }

    /// Looks up the cluster of each application that has none yet or whose destination may mean another now.
    fn look_up_destinations(&mut self) {
        let all = std::mem::take(&mut self.rejoin);
        let ids: Vec<AppRef> = if all {
            self.apps.keys().cloned().collect()
        } else {
            self.restless.iter().cloned().collect()
        };
        if all {
            self.directory = self.rows.values().cloned().collect();
        }
        let mut found: HashMap<(ClusterId, Destination), Option<ClusterId>> = HashMap::new();
        for id in ids {
            let Some(entry) = self.apps.get(&id) else {
                continue;
            };
            let key = (id.hub.clone(), entry.app.destination.clone());
            let cluster = found.entry(key).or_insert_with_key(|(hub, destination)| {
                let secrets = self.hubs.get(hub).map_or(&[][..], |h| &h.clusters);
                self.directory
                    .join(destination, hub, secrets, &self.aliases)
            });
            let (new, old) = (cluster.clone(), entry.cluster.clone());
            if new != old {
                self.move_to(&id, old.as_ref(), new.as_ref());
                self.restless.insert(id.clone());
                if let Some(entry) = self.apps.get_mut(&id) {
                    entry.cluster = new;
                }
            }
        }
    }

    fn move_to(&mut self, id: &AppRef, old: Option<&ClusterId>, new: Option<&ClusterId>) {
        if let Some(old) = old {
            self.by_cluster.entry(old.clone()).or_default().remove(id);
            self.stale.insert(old.clone());
        }
        if let Some(new) = new {
            self.by_cluster
                .entry(new.clone())
                .or_default()
                .insert(id.clone());
            self.stale.insert(new.clone());
        }
    }

    /// Commits to expect in the mirrors.
    pub(super) fn hints(&mut self) -> Vec<(Source, Name)> {
        std::mem::take(&mut self.hints)
    }

    /// What the loop must hear: which applications cannot be judged, and which can again. Call it before [`Book::assignments`].
    pub(super) fn facts(&mut self) -> Vec<(ClusterId, u64, Fact)> {
        let mut facts = Vec::new();
        for id in std::mem::take(&mut self.untold) {
            let Some(entry) = self.apps.get_mut(&id) else {
                continue;
            };
            let hub = self.hubs.entry(id.hub.clone()).or_default();
            if entry.refresh(&hub.tracking, &hub.clusters) {
                self.stale.extend(entry.cluster.clone());
            }
            let generation = hub.generation;
            facts.extend(entry.news().map(|fact| (id.hub.clone(), generation, fact)));
        }
        facts
    }

    /// The assignments of the clusters for which they changed.
    pub(super) fn assignments(&mut self) -> Vec<(ClusterId, ClusterAssignments)> {
        let stale = std::mem::take(&mut self.stale);
        stale
            .into_iter()
            .map(|cluster| {
                let ids = self.by_cluster.get(&cluster).into_iter().flatten();
                let apps = ids
                    .filter_map(|id| self.apps.get(id)?.assignment.clone())
                    .collect();
                (cluster, ClusterAssignments { apps })
            })
            .collect()
    }
}
