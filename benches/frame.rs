//! What a frame, a fact and a typed letter cost with 100, 1,000 and 10,000 clusters of an application and twenty objects each, the last being
//! 200,000 objects: the first must not depend on how many there are.
//!
//! `cargo bench --bench frame`
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
use driftdeck::domain::{ClusterEvent, ClusterId, Engine, Fact, Gvk, LinkState, Resource};
use driftdeck::fleet::Fleet;
use driftdeck::fleet::testkit::{app, at, deployment, fleet, in_sync, judged, live, scaled, tell};
use driftdeck::keymap::Keymap;
use driftdeck::runtime::console::frame;
use driftdeck::terminal::encode::encode;
use driftdeck::theme::{Depth, Looks, Theme};

/// Rows of the fleets that are compared.
const SIZES: [usize; 3] = [100, 1_000, 10_000];

/// Objects of each application. On every tenth cluster one of them has drifted.
const OBJECTS: usize = 20;

fn edge(n: usize) -> String {
    format!("edge-oslo-{n:05}")
}

fn objects(n: usize, app: &str) -> Vec<Resource> {
    let object = |k: usize| deployment(&format!("ingress-{k:02}"));
    let mut all: Vec<Resource> = (0..OBJECTS).map(|k| in_sync(app, object(k))).collect();
    if n.is_multiple_of(10) {
        let replicas = i64::try_from(n / 10 % 7).unwrap() + 3;
        all[0] = scaled(app, object(0), replicas, "kubectl-scale");
    }
    all
}

fn of_many(rows: usize) -> Fleet {
    let names: Vec<String> = (0..rows).map(edge).chain(["hub-1".to_owned()]).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fleet = fleet(&names);
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    let name = |n: usize| format!("ingress-oslo-{n:05}");
    let apps = (0..rows).map(|n| app(&name(n), &edge(n))).collect();
    tell(&mut fleet, "hub-1", 1, Fact::Apps(apps));
    for n in 0..rows {
        live(&mut fleet, &edge(n), &[]);
        let kind = Fact::Kind {
            gvk: Gvk::new("apps", "v1", "Deployment"),
            resources: objects(n, &name(n)),
        };
        tell(&mut fleet, &edge(n), 2, kind);
        judged(&mut fleet, &edge(n), &name(n));
    }
    fleet
}

/// A console on so many clusters.
fn console(rows: usize) -> Model {
    let fleet = of_many(rows);
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
        now: at(0),
        kept: driftdeck::app::kept::Kept::default(),
        links: Vec::new(),
        layouts: std::collections::BTreeMap::default(),
    })
}

fn press(model: &mut Model, code: KeyCode) {
    update(
        model,
        Msg::Key(KeyEvent::new(code, KeyModifiers::NONE)),
        at(0),
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
    compare(criterion, "drift and its frame", |model, turn| {
        if turn == 1 {
            press(model, KeyCode::Char('2'));
        }
        black_box(frame(model, &theme));
    });
    compare(criterion, "moved cursor and frame", |model, turn| {
        let key = if turn % 2 == 0 { 'j' } else { 'k' };
        press(model, KeyCode::Char(key));
        black_box(frame(model, &theme));
    });
}

fn facts(criterion: &mut Criterion) {
    let theme = theme();
    compare(criterion, "one fact, rows and frame", |model, turn| {
        let state = [LinkState::Live, LinkState::Slow][turn % 2];
        let fact = Fact::Link {
            state,
            message: None,
        };
        let later = at(i64::try_from(turn).unwrap());
        let event = ClusterEvent {
            cluster: ClusterId::from(edge(7).as_str()),
            generation: 1,
            at: later,
            fact,
        };
        update(model, Msg::Facts(vec![event]), later);
        black_box(frame(model, &theme));
    });
}

fn typing(criterion: &mut Criterion) {
    for (name, screen) in [("clusters", '1'), ("groups", '2'), ("applications", '3')] {
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

/// The bytes from one frame to the next: of a list that moved a line and of one that moved a page, with the detail beside it.
fn painting(criterion: &mut Criterion) {
    let theme = theme();
    let mut model = console(1_000);
    press(&mut model, KeyCode::End);
    let last = frame(&model, &theme);
    press(&mut model, KeyCode::PageUp);
    let page = frame(&model, &theme);
    (0..60).for_each(|_| press(&mut model, KeyCode::Up));
    let before = frame(&model, &theme);
    press(&mut model, KeyCode::Up);
    let after = frame(&model, &theme);
    for (name, one, other) in [
        ("a line", &before, &after),
        ("a page", &last, &page),
        ("nothing", &last, &last),
    ] {
        println!("painting {name}: {} bytes", encode(Some(one), other).len());
        criterion.bench_function(&format!("painting {name}"), |b| {
            b.iter(|| encode(Some(black_box(one)), black_box(other)));
        });
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(20).measurement_time(Duration::from_secs(2));
    targets = frames, painting, facts, typing
}
criterion_main!(all);
