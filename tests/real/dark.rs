//! Fifty clusters, five of which never answer: the others are there at once.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use driftdeck::config::{Config, Folders};
use driftdeck::domain::LinkState;
use driftdeck::fleet::Fleet;
use driftdeck::runtime::session::{self, SessionOptions};
use serde_json::{Value, json};

use crate::bed::{Bed, bed, blocking};
use crate::kubeconfig::{self, Entry};
use crate::program::Driftdeck;
use crate::servers::User;

const CLUSTERS: usize = 50;
const DARK: usize = 5;

/// A listener: connections are accepted, by the kernel alone, and no byte ever comes.
fn mute() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).unwrap()
}

/// A listener whose queue is full: not even the connection is accepted, as if every packet were dropped on the way.
struct BlackHole {
    listener: TcpListener,
    _queue: Vec<TcpStream>,
}

impl BlackHole {
    fn dig() -> Self {
        let listener = mute();
        let address = listener.local_addr().unwrap();
        let mut queue = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            queue.push(stream);
            assert!(queue.len() < 10_000, "the queue of a listener has no end");
        }
        Self {
            listener,
            _queue: queue,
        }
    }
}

/// Forty-five namespaces of real clusters, each an edge of its own, and five contexts that lead nowhere.
fn document(bed: &Bed, dark: &[SocketAddr]) -> Value {
    let entries: Vec<Entry<'_>> = (0..CLUSTERS - DARK)
        .map(|n| {
            let edge = &bed.edges[n % bed.edges.len()];
            Entry::of(edge, User::Viewer)
                .alias(&format!("node-{n:03}"))
                .in_namespace(&format!("node-{n:03}"))
        })
        .collect();
    let mut document = kubeconfig::document(&entries);
    let user = document["users"][0]["name"].clone();
    let push = |list: &mut Value, item: Value| list.as_array_mut().unwrap().push(item);
    for (n, address) in dark.iter().enumerate() {
        let name = format!("dark-{n}");
        let mut cluster = document["clusters"][0].clone();
        cluster["name"] = json!(name);
        cluster["cluster"]["server"] = json!(format!("https://{address}"));
        push(&mut document["clusters"], cluster);
        let context = json!({ "name": name, "context": { "cluster": name, "user": user } });
        // First in the file: whoever goes through it in order meets them first.
        document["contexts"]
            .as_array_mut()
            .unwrap()
            .insert(0, context);
    }
    document
}

/// Live rows, and what the dark ones are.
fn standing(fleet: &Fleet) -> (usize, Vec<LinkState>) {
    let (dark, rest): (Vec<_>, Vec<_>) = fleet
        .cluster_rows()
        .into_iter()
        .partition(|row| row.id.as_str().starts_with("dark-"));
    let live = rest.iter().filter(|row| row.state.is_current()).count();
    (live, dark.iter().map(|row| row.state).collect())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs real servers: run .ci/run"]
async fn live_rows_do_not_wait_for_those_that_never_answer() {
    let bed = bed().await;
    let mutes: Vec<TcpListener> = (1..DARK).map(|_| mute()).collect();
    let hole = blocking(BlackHole::dig).await;
    let mut dark: Vec<SocketAddr> = mutes.iter().map(|m| m.local_addr().unwrap()).collect();
    dark.push(hole.listener.local_addr().unwrap());
    let path = bed.dir.join("fifty.kubeconfig");
    std::fs::write(&path, document(bed, &dark).to_string()).unwrap();
    let folder = bed.dir.join("fifty");
    let folders = Folders {
        config: folder.join("config"),
        state: folder.join("state"),
        cache: folder.join("cache"),
    };
    let options = SessionOptions {
        kubeconfig: vec![path.clone()],
        include: Vec::new(),
        exclude: Vec::new(),
        impersonate: None,
        write: false,
        request_timeout: Duration::from_secs(15),
        time: driftdeck::connect::WallClock::Machine,
    };

    let begun = Instant::now();
    let mut session = session::plan(options, Config::default(), folders)
        .unwrap()
        .open();
    let limit = Duration::from_secs(60);
    assert_eq!(session.fleet.cluster_rows().len(), CLUSTERS);
    assert!(
        session
            .fold_until(limit, |fleet| standing(fleet).0 > 0)
            .await
    );
    let (first, connecting) = (begun.elapsed(), standing(&session.fleet).1);
    assert_eq!(
        connecting,
        [LinkState::Connecting; DARK],
        "while the first is live"
    );
    let all = CLUSTERS - DARK;
    assert!(
        session
            .fold_until(limit, |fleet| standing(fleet).0 == all)
            .await
    );
    eprintln!(
        "fifty clusters, {DARK} of them dark: first row live after {first:.2?}, all {all} after {:.2?}; the dark ones are {:?}",
        begun.elapsed(),
        standing(&session.fleet).1
    );
    let given_up = |fleet: &Fleet| {
        standing(fleet)
            .1
            .iter()
            .all(|s| *s == LinkState::Unreachable)
    };
    assert!(
        session.fold_until(limit, given_up).await,
        "{:?}",
        standing(&session.fleet).1
    );
    assert_eq!(standing(&session.fleet).0, all, "and the live ones stay so");
    session.sources.shutdown().await;

    let answer = Driftdeck::with(bed, &path)
        .run("status --wait 3s -o json")
        .await;
    let named = answer.json()["unreachable"].as_array().unwrap().len();
    assert_eq!(
        (answer.items().len(), named, answer.status),
        (CLUSTERS, DARK, 3)
    );
}
