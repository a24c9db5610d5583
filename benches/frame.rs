//! What a frame, a fact and a typed letter cost with 100, 1,000 and 10,000 rows: the first must not depend on how many there are.
//!
//! The ratios are printed, so that they can be read whatever the machine is.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measuring program: criterion makes its functions, and it prints what it counted"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use driftdeck::app::shape::Size;
use driftdeck::app::{Model, Msg, Start, update};
use driftdeck::domain::{
    AppKind, AppRef, Application, AutoSync, ClusterEvent, ClusterId, Destination, Engine,
    EngineReport, Fact, Health, JoinCandidate, LinkState, SyncState,
};
use driftdeck::fleet::{Fleet, RowSeed};
use driftdeck::keymap::Keymap;
use driftdeck::runtime::console::frame;
use driftdeck::theme::{Depth, Looks, Theme};
use jiff::Timestamp;

/// Rows of the fleets that are compared.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

fn now() -> Timestamp {
    Timestamp::from_second(1_795_227_240).unwrap()
}

fn edge(n: usize) -> ClusterId {
    format!("edge-oslo-{n:05}").as_str().into()
}

fn event(cluster: ClusterId, fact: Fact) -> ClusterEvent {
    ClusterEvent {
        cluster,
        generation: 1,
        at: now(),
        fact,
    }
}

fn live(cluster: ClusterId) -> ClusterEvent {
    let fact = Fact::Link {
        state: LinkState::Live,
        message: None,
    };
    event(cluster, fact)
}

fn application(n: usize) -> Application {
    Application {
        id: AppRef {
            kind: AppKind::Application,
            hub: "hub-1".into(),
            namespace: "argocd".into(),
            name: format!("ingress-oslo-{n:05}").into(),
        },
        engine: Engine::Argo,
        uid: "7c1d".into(),
        resource_version: "100".into(),
        created: None,
        project: "default".into(),
        destination: Destination {
            name: edge(n).as_str().into(),
            namespace: "ingress".into(),
            ..Destination::default()
        },
        sources: Vec::new(),
        sync: SyncState::Synced,
        compared_revision: "9f31c02aa".into(),
        health: Health::Healthy,
        message: None,
        history: Vec::new(),
        auto_sync: AutoSync::default(),
        sync_options: Vec::new(),
        retry: None,
        ignore_differences: None,
        compare_options: "".into(),
        resources: Vec::new(),
        operation: None,
        operation_requested: false,
        skip_reconcile: false,
        owned_by_set: false,
        deleting: false,
        reconciled_at: Some(now()),
        controller_namespace: "argocd".into(),
        images: Vec::new(),
        labels: Vec::new(),
        report: EngineReport::default(),
    }
}

/// A console on so many clusters with an application each.
fn console(rows: usize) -> Model {
    let seed = |id: ClusterId| RowSeed {
        candidate: JoinCandidate {
            contexts: vec![id.as_str().into()],
            cluster: Some(id),
            ..JoinCandidate::default()
        },
        ..RowSeed::default()
    };
    let seeds = (0..rows).map(edge).chain(["hub-1".into()]).map(seed);
    let mut fleet = Fleet::new(seeds.collect(), Vec::new());
    fleet.fold(live("hub-1".into()));
    for n in 0..rows {
        fleet.fold(live(edge(n)));
    }
    let apps = (0..rows).map(application).collect();
    fleet.fold(event("hub-1".into(), Fact::Apps(apps)));
    Model::new(Start {
        fleet,
        keymap: Keymap::load("default", None).unwrap(),
        write: false,
        themes: Vec::new(),
        keymaps: Vec::new(),
        size: Size {
            cols: 200,
            rows: 50,
        },
        now: now(),
        kept: driftdeck::app::kept::Kept::default(),
        links: Vec::new(),
        layouts: std::collections::BTreeMap::default(),
    })
}

fn press(model: &mut Model, code: KeyCode) {
    update(
        model,
        Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)),
        now(),
    );
}

fn theme() -> Theme {
    let looks = Looks {
        depth: Depth::True,
        ascii: false,
        folder: None,
    };
    Theme::load("dark", &looks).unwrap()
}

/// Measures a step at each size, and prints how the larger ones compare with the smallest.
fn compare(criterion: &mut Criterion, name: &str, mut step: impl FnMut(&mut Model, usize)) {
    let mut first = Duration::ZERO;
    for rows in SIZES {
        let mut model = console(rows);
        let mut turn = 0;
        let mut once = || {
            turn += 1;
            step(&mut model, turn);
        };
        let begun = Instant::now();
        (0..20).for_each(|_| once());
        let took = begun.elapsed() / 20;
        if first.is_zero() {
            first = took;
        }
        let ratio = took.as_secs_f64() / first.as_secs_f64();
        println!(
            "{name}, {rows} rows: {ratio:.2} times the time of {} rows",
            SIZES[0]
        );
        criterion.bench_function(&format!("{name}/{rows}"), |b| b.iter(&mut once));
    }
}

fn frames(criterion: &mut Criterion) {
    let theme = theme();
    compare(criterion, "frame", |model, _| {
        black_box(frame(model, &theme));
    });
    compare(criterion, "moved cursor and frame", |model, turn| {
        let key = if turn % 2 == 0 { 'j' } else { 'k' };
        press(model, KeyCode::Char(key));
        black_box(frame(model, &theme));
    });
}

fn facts(criterion: &mut Criterion) {
    compare(criterion, "one fact, rows and frame", |model, turn| {
        let state = [LinkState::Live, LinkState::Slow][turn % 2];
        let fact = Fact::Link {
            state,
            message: None,
        };
        let later = now() + jiff::SignedDuration::from_millis(100 * i64::try_from(turn).unwrap());
        update(model, Msg::Facts(vec![event(edge(7), fact)]), later);
    });
}

fn typing(criterion: &mut Criterion) {
    for (name, screen) in [("clusters", '1'), ("applications", '3')] {
        compare(
            criterion,
            &format!("a letter of the filter over {name}"),
            |model, turn| {
                if turn % 4 == 1 {
                    press(model, KeyCode::Esc);
                    press(model, KeyCode::Char(screen));
                    press(model, KeyCode::Char('/'));
                }
                press(model, KeyCode::Char(['o', 's', 'l', '-'][turn % 4]));
            },
        );
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = frames, facts, typing
}
criterion_main!(all);
