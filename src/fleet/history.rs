//! What drift was seen before: for each fingerprint when first and last, how often it came and how often it went away again. Pure.
//!
//! It is fed with the fleet as it stands ([`History::observe`]) and written as JSON between sittings. It holds names of clusters and
//! objects, fingerprints and times; no values. It is bounded: the groups and objects not seen for the longest time are forgotten first.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Fleet;
use crate::domain::{ClusterId, Fingerprint, Selector};

/// Groups that are remembered.
const GROUPS: usize = 5_000;
/// Objects that are remembered as drifted now or before.
const OBJECTS: usize = 20_000;

/// The memory of one operator's sittings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// The form of the file.
    version: u8,
    /// By fingerprint, in hexadecimal.
    groups: BTreeMap<String, GroupHistory>,
    /// By cluster, object and fingerprint.
    objects: BTreeMap<String, ObjectHistory>,
}

/// What is remembered of one fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupHistory {
    /// When it was first seen anywhere.
    pub first_seen: Timestamp,
    /// When it was last seen anywhere.
    pub last_seen: Timestamp,
    /// How often an object came to drift so.
    pub seen: u64,
    /// How often an object that had drifted so was seen as it should be again.
    pub healed: u64,
    /// How often it came back to an object on which it had healed.
    pub recurred: u64,
}

impl GroupHistory {
    /// The share of the drift that went away again, from 0 to 1.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of drift stay far below 2^52"
    )]
    pub fn heal_rate(&self) -> f64 {
        if self.seen == 0 {
            return 0.0;
        }
        self.healed as f64 / self.seen as f64
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ObjectHistory {
    since: Timestamp,
    last: Timestamp,
    /// Whether it drifts now, as far as is known.
    open: bool,
}

/// Reads a history as it was written.
///
/// # Errors
/// It is no history of this program, or of a form that this version does not know.
pub fn read(text: &str) -> Result<History, String> {
    let history: History = serde_json::from_str(text).map_err(|e| e.to_string())?;
    if history.version == VERSION {
        Ok(history)
    } else {
        Err(format!("its form {} is not known", history.version))
    }
}

const VERSION: u8 = 1;

impl History {
    /// Nothing was seen yet.
    pub fn new() -> Self {
        Self {
            version: VERSION,
            ..Self::default()
        }
    }

    /// The text to keep.
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What is remembered of a fingerprint.
    pub fn group(&self, print: Fingerprint) -> Option<&GroupHistory> {
        self.groups.get(&print.to_string())
    }

    /// Since when an object has drifted so, across restarts.
    pub fn since(
        &self,
        cluster: &ClusterId,
        object: &str,
        print: Fingerprint,
    ) -> Option<Timestamp> {
        let known = self.objects.get(&key(cluster, object, print))?;
        known.open.then_some(known.since)
    }

    /// Takes the fleet as it stands: drift that is new, goes on, or went away. Only clusters that are current speak; an object that was not
    /// judged yet says nothing. Says whether anything but times changed.
    pub fn observe(&mut self, fleet: &Fleet, now: Timestamp) -> bool {
        let mut drifting = BTreeSet::new();
        let mut changed = false;
        for row in fleet.drift(&Selector::default()) {
            let Some(print) = row.resource.verdict.fingerprint.filter(|_| row.current) else {
                continue;
            };
            let key = key(&row.cluster, &row.resource.object.to_string(), print);
            changed |= self.drifts(&key, print, row.first_seen.min(now), now);
            drifting.insert(key);
        }
        changed |= self.heal(fleet, &drifting);
        self.bound();
        changed
    }

    fn drifts(&mut self, key: &str, print: Fingerprint, since: Timestamp, now: Timestamp) -> bool {
        let known = self.objects.get(key).copied();
        let (began, came_back) = (
            known.is_none_or(|k| !k.open),
            known.is_some_and(|k| !k.open),
        );
        let kept = known.filter(|k| k.open).map_or(since, |k| k.since);
        self.objects.insert(
            key.to_owned(),
            ObjectHistory {
                since: kept,
                last: now,
                open: true,
            },
        );
        let group = self
            .groups
            .entry(print.to_string())
            .or_insert(GroupHistory {
                first_seen: since,
                last_seen: now,
                seen: 0,
                healed: 0,
                recurred: 0,
            });
        group.first_seen = group.first_seen.min(since);
        group.last_seen = now;
        group.seen += u64::from(began);
        group.recurred += u64::from(came_back);
        began
    }

    /// Closes what was judged on a current cluster and drifts so no more.
    fn heal(&mut self, fleet: &Fleet, drifting: &BTreeSet<String>) -> bool {
        let gone = |key: &String, object: &ObjectHistory| object.open && !drifting.contains(key);
        let candidates = self
            .objects
            .iter()
            .filter(|(key, object)| gone(key, object));
        let clusters: BTreeSet<&str> = candidates.filter_map(|(key, _)| cluster_of(key)).collect();
        // A fleet holds far more objects than drift: only the clusters in question are gone through.
        let judged = judged(fleet, &clusters);
        let mut changed = false;
        for (key, object) in &mut self.objects {
            let Some((place, print)) = key.rsplit_once(SEPARATOR) else {
                continue;
            };
            if gone(key, object) && judged.contains(place) {
                object.open = false;
                changed = true;
                if let Some(group) = self.groups.get_mut(print) {
                    group.healed += 1;
                }
            }
        }
        changed
    }

    /// Forgets what was not seen for the longest time.
    fn bound(&mut self) {
        forget(&mut self.objects, OBJECTS, |object| object.last);
        forget(&mut self.groups, GROUPS, |group| group.last_seen);
    }
}

/// No name of a cluster or an object holds it.
const SEPARATOR: char = '\u{1f}';

fn key(cluster: &ClusterId, object: &str, print: Fingerprint) -> String {
    format!("{}{SEPARATOR}{object}{SEPARATOR}{print}", cluster.as_str())
}

fn cluster_of(key: &str) -> Option<&str> {
    key.split_once(SEPARATOR).map(|(cluster, _)| cluster)
}

/// Cluster and name of every object that was judged on those of the clusters that are current.
fn judged(fleet: &Fleet, clusters: &BTreeSet<&str>) -> BTreeSet<String> {
    let current = fleet.clusters.values();
    let current = current.filter(|c| c.state.is_current() && clusters.contains(c.id.as_str()));
    let places = current.flat_map(|cluster| {
        let known = cluster.resources.values();
        let known = known.filter(|r| r.verdict.states != [crate::domain::DriftState::Unknown]);
        known.map(|r| format!("{}{SEPARATOR}{}", cluster.id.as_str(), r.object))
    });
    places.collect()
}

fn forget<T>(all: &mut BTreeMap<String, T>, limit: usize, last: impl Fn(&T) -> Timestamp) {
    if all.len() <= limit {
        return;
    }
    let mut times: Vec<Timestamp> = all.values().map(&last).collect();
    times.sort_unstable();
    if let Some(oldest) = times.get(all.len() - limit).copied() {
        all.retain(|_, one| last(one) >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fact;
    use crate::fleet::testkit::{at, deployment, in_sync, one_edge, scaled, tell};

    const APP: &str = "edge-microservice";

    fn drifting() -> Fleet {
        one_edge(scaled(APP, deployment(APP), 5, "kubectl-scale"))
    }

    fn print() -> Fingerprint {
        Fingerprint(5)
    }

    fn judge(fleet: &mut Fleet, seconds: i64, drifts: bool) {
        let resource = if drifts {
            scaled(APP, deployment(APP), 5, "kubectl-scale")
        } else {
            in_sync(APP, deployment(APP))
        };
        let fact = Fact::Resource(Box::new(resource));
        tell(fleet, "edge-oslo-001", seconds, fact);
    }

    #[test]
    fn drift_is_counted_once_until_it_heals_and_again_when_it_comes_back() {
        let mut history = History::new();
        let mut fleet = drifting();
        assert!(history.observe(&fleet, at(100)));
        assert!(!history.observe(&fleet, at(130)));
        judge(&mut fleet, 140, false);
        assert!(history.observe(&fleet, at(150)));
        judge(&mut fleet, 160, true);
        assert!(history.observe(&fleet, at(170)));
        let group = *history.group(print()).unwrap();
        assert_eq!((group.seen, group.healed, group.recurred), (2, 1, 1));
        assert_eq!((group.first_seen, group.last_seen), (at(-2460), at(170)));
        assert!((group.heal_rate() - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_restart_neither_counts_again_nor_forgets_what_healed_meanwhile() {
        let mut history = History::new();
        history.observe(&drifting(), at(100));
        let mut again = read(&history.written()).unwrap();
        assert_eq!(again, history);
        assert!(!again.observe(&drifting(), at(500)));
        let since = again.since(
            &"edge-oslo-001".into(),
            &deployment(APP).to_string(),
            print(),
        );
        assert_eq!(since, Some(at(-2460)));
        let clean = one_edge(in_sync(APP, deployment(APP)));
        assert!(again.observe(&clean, at(600)));
        assert_eq!(again.group(print()).unwrap().healed, 1);
    }

    #[test]
    fn an_unreachable_cluster_heals_nothing() {
        let mut history = History::new();
        history.observe(&drifting(), at(100));
        let mut fleet = one_edge(in_sync(APP, deployment(APP)));
        let fact = Fact::Link {
            state: crate::domain::LinkState::Unreachable,
            message: None,
        };
        tell(&mut fleet, "edge-oslo-001", 120, fact);
        assert!(!history.observe(&fleet, at(130)));
        assert_eq!(history.group(print()).unwrap().healed, 0);
    }

    #[test]
    fn what_is_no_history_is_refused_and_the_oldest_is_forgotten() {
        assert!(read("{}").is_err());
        assert!(read("{\"version\":9,\"groups\":{},\"objects\":{}}").is_err());
        let mut all: BTreeMap<String, Timestamp> =
            (0..10).map(|n| (format!("{n}"), at(n))).collect();
        forget(&mut all, 4, |t| *t);
        assert_eq!(all.keys().collect::<Vec<_>>(), ["6", "7", "8", "9"]);
    }
}
