//! Which group a row stands in.

use super::grouped::Bucket;
use super::rows::Rows;
use crate::domain::{ClusterId, Engine, Health, LinkState, Safe, SyncState};
use crate::fleet::{AppRow, ClusterRow, DriftRow, family};
use crate::view::grouping::Grouping;

/// The group of a cluster.
pub fn of_cluster(by: &Grouping, row: &ClusterRow) -> Bucket {
    let way = match by {
        Grouping::By(way) => way.id,
        Grouping::Label(label) => {
            let value = row.labels.get(&Safe::new(label));
            return Bucket::named(value.cloned().unwrap_or_default());
        }
    };
    match way {
        "region" => Bucket::named(row.region().clone()),
        "hub" => Bucket::named(joined(row.hubs.iter().map(ClusterId::as_str))),
        "version" => Bucket::named(row.version.clone()),
        "engine" => Bucket::named(joined(row.engines.iter().map(|engine| match engine {
            Engine::Argo => "argo",
            Engine::Flux => "flux",
        }))),
        "health" if !row.state.is_current() => silent(row.state),
        "health" => health(row.health.worst()),
        _ => Bucket::named(row.group.clone()),
    }
}

/// The group of an application.
pub fn of_app(by: &Grouping, row: &AppRow, rows: &Rows) -> Bucket {
    let app = &row.app;
    let way = match by {
        Grouping::By(way) => way.id,
        Grouping::Label(label) => {
            let found = app.labels.iter().find(|(name, _)| **name == **label);
            return Bucket::named(found.map(|(_, value)| Safe::new(value)).unwrap_or_default());
        }
    };
    let cluster = row.cluster.as_ref();
    match way {
        "cluster" => Bucket::named(cluster.map(|id| Safe::new(id.as_str())).unwrap_or_default()),
        "site" => {
            let group = cluster.and_then(|id| rows.cluster(id));
            Bucket::named(group.map(|row| row.group.clone()).unwrap_or_default())
        }
        "hub" => Bucket::named(Safe::new(app.id.hub.as_str())),
        "kind" => Bucket::named(Safe::fixed(app.id.kind.word())),
        "sync" => sync(row.verdict.state),
        "health" if !row.current => ranked(4, "not read"),
        "health" => health(Some(row.health)),
        _ => Bucket::named(Safe::new(&app.project)),
    }
}

/// The group of a drifted object.
pub fn of_drift(by: &Grouping, row: &DriftRow) -> Bucket {
    let resource = &row.resource;
    let way = match by {
        Grouping::By(way) => way.id,
        Grouping::Label(_) => return Bucket::default(),
    };
    Bucket::named(match way {
        "cluster" => Safe::new(row.cluster.as_str()),
        "app" => Safe::new(family(&resource.app.name, row.cluster.as_str())),
        "kind" => Safe::new(&resource.object.gvk.kind),
        _ => {
            let mut changes = resource.verdict.changes.iter();
            let first = changes.find_map(|change| change.owner.as_ref());
            first.map(|owner| owner.manager.clone()).unwrap_or_default()
        }
    })
}

fn joined<'w>(words: impl Iterator<Item = &'w str>) -> Safe {
    words.collect::<Vec<_>>().join("+").into()
}

fn ranked(rank: u8, name: &'static str) -> Bucket {
    Bucket {
        rank,
        name: Safe::fixed(name),
    }
}

/// Bad comes first; what nobody knows stands before what is good.
fn health(worst: Option<Health>) -> Bucket {
    match worst {
        Some(Health::Degraded) => ranked(0, "Degraded"),
        Some(Health::Missing) => ranked(1, "Missing"),
        Some(Health::Unknown) => ranked(2, "Unknown"),
        Some(Health::Progressing) => ranked(3, "Progressing"),
        Some(Health::Suspended) => ranked(5, "Suspended"),
        Some(Health::Healthy) => ranked(6, "Healthy"),
        None => ranked(7, "nothing managed"),
    }
}

fn silent(state: LinkState) -> Bucket {
    ranked(4, super::asked::link_word(state))
}

fn sync(state: SyncState) -> Bucket {
    match state {
        SyncState::OutOfSync => ranked(0, "OutOfSync"),
        SyncState::Unknown => ranked(1, "Unknown"),
        SyncState::Synced => ranked(2, "Synced"),
    }
}
