//! The client against real TLS servers in this process: connections, lanes, silence, credentials, refusals.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::kubeconfig::Impersonate;
use super::testing::{Cut, Server, Setup, json, plan_of, stream, until};
use super::*;
use crate::domain::LinkState;

const LIMIT: usize = 1 << 20;

fn connection(plan: &FleetPlan) -> Connection {
    connection_with(plan, ConnectOptions::default())
}

fn connection_with(plan: &FleetPlan, options: ConnectOptions) -> Connection {
    Connector::new(options).connection(&plan.rows[0]).unwrap()
}

fn quick() -> ConnectOptions {
    ConnectOptions {
        timings: Timings {
            connect: Duration::from_millis(600),
            ping: Duration::from_millis(100),
            pong: Duration::from_millis(150),
            answer: Duration::from_secs(5),
        },
        ..ConnectOptions::default()
    }
}

fn ok(_: Request<Bytes>) -> Response<Body> {
    json(200, &json!({"gitVersion": "v1.34.1"}))
}

/// Answers `/watch` with a stream that never ends, everything else at once.
fn watches(
    kept: Arc<Mutex<Vec<tokio::sync::mpsc::UnboundedSender<Bytes>>>>,
) -> impl Fn(Request<Bytes>) -> Response<Body> {
    move |request| {
        if !request.uri().path().starts_with("/watch") {
            return ok(request);
        }
        let (sender, response) = stream();
        sender.send(Bytes::from_static(b"hello\n")).unwrap();
        kept.lock().push(sender);
        response
    }
}

async fn version(connection: &Connection) -> Result<Bytes, Fault> {
    connection.get(Lane::Interactive, "/version", LIMIT).await
}

#[tokio::test]
async fn forty_calls_at_once_share_one_connection() {
    let server = Server::start(ok).await;
    let connection = connection(&server.plan("{token: t}"));
    let calls = (0..40).map(|_| version(&connection));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.connections(), 1);
    assert_eq!(server.seen().len(), 40);
}

#[tokio::test]
async fn rows_of_one_server_and_user_share_their_connection() {
    let server = Server::start(ok).await;
    let plan = server.plan("{token: t}");
    let connector = Connector::new(ConnectOptions::default());
    let mut other = plan.rows[0].clone();
    other.namespace_scope = "site-b".into();
    let (a, b) = (
        connector.connection(&plan.rows[0]).unwrap(),
        connector.connection(&other).unwrap(),
    );
    version(&a).await.unwrap();
    version(&b).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn the_sixty_first_watch_opens_a_second_connection_and_calls_still_answer() {
    let kept = Arc::default();
    let server = Server::start(watches(Arc::clone(&kept))).await;
    let connection = connection(&server.plan("{token: t}"));
    let mut streams = Vec::new();
    for at in 0..61 {
        let answer = connection
            .open(Lane::Watch, get(&format!("/watch/{at}")).unwrap())
            .await
            .unwrap();
        streams.push(answer);
        if at == 59 {
            assert_eq!(server.connections(), 1);
        }
    }
    assert_eq!(connection.connections().await, 2);
    assert!(version(&connection).await.is_ok());
    drop(streams);
    let again = connection
        .open(Lane::Watch, get("/watch/again").unwrap())
        .await;
    assert!(again.is_ok());
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_watch_that_nobody_reads_blocks_no_call() {
    let kept: Arc<Mutex<Vec<tokio::sync::mpsc::UnboundedSender<Bytes>>>> = Arc::default();
    let server = Server::start(watches(Arc::clone(&kept))).await;
    let connection = connection(&server.plan("{token: t}"));
    let mut unread = Vec::new();
    for at in 0..4 {
        unread.push(
            connection
                .open(Lane::Watch, get(&format!("/watch/{at}")).unwrap())
                .await
                .unwrap(),
        );
    }
    let flood = Bytes::from(vec![b'x'; 1 << 20]);
    for sender in kept.lock().iter() {
        for _ in 0..8 {
            sender.send(flood.clone()).unwrap();
        }
    }
    assert!(version(&connection).await.is_ok());
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_link_that_falls_silent_is_noticed_by_pings_and_made_again() {
    let server = Server::start(ok).await;
    let wire = Cut::before(server.address).await;
    let connection = connection_with(&server.plan_at(&wire.url(), "{token: t}"), quick());
    version(&connection).await.unwrap();
    let state = || {
        let clock = connection.clock();
        state_of(
            &clock.link(),
            clock.silence(),
            clock.latency(),
            &Slowness::default(),
        )
    };
    assert_eq!(state(), LinkState::Live);
    wire.cut();
    until("the link reads as stale", || state() == LinkState::Stale).await;
    assert_eq!(
        version(&connection).await.unwrap_err().kind,
        FaultKind::Timeout
    );
    assert_eq!(state(), LinkState::Stale);
    wire.mend();
    version(&connection).await.unwrap();
    assert_eq!(state(), LinkState::Live);
}

#[tokio::test]
async fn an_idle_link_stays_live_because_pongs_are_heard() {
    let server = Server::start(ok).await;
    let connection = connection_with(&server.plan("{token: t}"), quick());
    version(&connection).await.unwrap();
    let first = connection.clock().heard();
    until("a pong is heard", || {
        connection.clock().heard() > first + 200
    })
    .await;
    assert!(connection.clock().link().up);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_costs_the_connect_time_and_no_more() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = Server::start(ok).await;
    let connection = connection_with(&server.plan_at(&url, "{token: t}"), quick());
    let fault = version(&connection).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Timeout);
    assert_eq!(fault.link_state(false), LinkState::Unreachable);
}

#[tokio::test]
async fn dead_servers_do_not_hold_up_a_live_one() {
    let server = Server::start(ok).await;
    let hole = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connector = Connector::new(ConnectOptions {
        dials: 2,
        ..ConnectOptions::default()
    });
    let mut dead = Vec::new();
    for at in 0..8 {
        let url = format!("https://{}/{at}", hole.local_addr().unwrap());
        let connection = connector
            .connection(&server.plan_at(&url, "{token: t}").rows[0])
            .unwrap();
        dead.push(tokio::spawn(
            async move { version(&connection).await.is_err() },
        ));
    }
    tokio::task::yield_now().await;
    let alive = connector
        .connection(&server.plan("{token: t}").rows[0])
        .unwrap();
    let begun = Instant::now();
    version(&alive).await.unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    dead.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_closed_port_is_refused_and_says_so() {
    let server = Server::start(ok).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", free.local_addr().unwrap());
    drop(free);
    let connection = connection(&server.plan_at(&url, "{token: t}"));
    let fault = version(&connection).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Refused);
    assert!(fault.sentence.as_str().contains(&url), "{fault}");
    assert!(fault.not_sent());
}

#[tokio::test]
async fn certificates_that_do_not_fit_are_told_apart() {
    let server = Server::start(ok).await;
    let foreign = Server::start(ok).await;
    let unknown = connection(&foreign.plan_at(&server.url(), "{token: t}"));
    assert!(
        version(&unknown)
            .await
            .unwrap_err()
            .to_string()
            .contains("(CA)")
    );

    let expired = Server::with(
        Setup {
            expired: true,
            ..Setup::default()
        },
        ok,
    )
    .await;
    let fault = version(&connection(&expired.plan("{token: t}")))
        .await
        .unwrap_err();
    assert!(
        fault.to_string().contains("expired on 2026-01-01"),
        "{fault}"
    );

    let named = Server::with(
        Setup {
            names: vec!["oslo.example".into()],
            ..Setup::default()
        },
        ok,
    )
    .await;
    let fault = version(&connection(&named.plan("{token: t}")))
        .await
        .unwrap_err();
    assert!(fault.to_string().contains("tls-server-name"), "{fault}");
    let cluster = format!("server: '{}', tls-server-name: oslo.example", named.url());
    let plan = named.plan_with(&cluster, "{token: t}", LoadOptions::default());
    assert!(version(&connection(&plan)).await.is_ok());
}

#[tokio::test]
async fn skipping_the_certificate_check_works_and_marks_the_row() {
    let server = Server::start(ok).await;
    let text = format!(
        "clusters: [{{name: c, cluster: {{server: '{}', insecure-skip-tls-verify: true}}}}]\ncontexts: [{{name: a, context: {{cluster: c}}}}]",
        server.url()
    );
    let plan = plan_of(&text, LoadOptions::default());
    assert!(plan.rows[0].insecure);
    let connection = connection(&plan);
    assert!(connection.is_insecure());
    assert!(version(&connection).await.is_ok());
}

#[tokio::test]
async fn a_server_without_http2_is_served_over_http1() {
    let server = Server::with(
        Setup {
            alpn: vec!["http/1.1"],
            ..Setup::default()
        },
        ok,
    )
    .await;
    let connection = connection(&server.plan("{token: t}"));
    version(&connection).await.unwrap();
    version(&connection).await.unwrap();
    assert!(connection.needs_heartbeat().await);
    assert!(connection.clock().link().up);
}

#[tokio::test]
async fn a_server_below_a_prefix_gets_its_prefix_and_the_guard_sees_the_path_without_it() {
    let server = Server::start(ok).await;
    let url = format!("{}/k8s/clusters/c-1", server.url());
    let connection = connection(&server.plan_at(&url, "{token: t}"));
    version(&connection).await.unwrap();
    assert_eq!(server.seen(), ["GET /k8s/clusters/c-1/version"]);
}

#[tokio::test]
async fn a_read_only_connection_sends_no_write_whichever_client_is_used() {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::{Api, DeleteParams, Patch, PatchParams};
    let server = Server::start(|_| {
        json(
            200,
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}),
        )
    })
    .await;
    let connection = connection(&server.plan("{token: t}"));
    for lane in [Lane::Interactive, Lane::Watch] {
        let api: Api<ConfigMap> = Api::namespaced(connection.client(lane), "edge");
        let patch = Patch::Merge(json!({"data": {"a": "b"}}));
        let error = api
            .patch("a", &PatchParams::default(), &patch)
            .await
            .unwrap_err();
        assert_eq!(connection.explain(&error).kind, FaultKind::ReadOnly);
        let error = api.delete("a", &DeleteParams::default()).await.unwrap_err();
        assert_eq!(connection.explain(&error).kind, FaultKind::ReadOnly);
        assert!(server.seen().is_empty());
    }
    let api: Api<ConfigMap> = Api::namespaced(connection.client(Lane::Interactive), "edge");
    let dry = PatchParams {
        dry_run: true,
        ..PatchParams::default()
    };
    api.patch("a", &dry, &Patch::Merge(json!({})))
        .await
        .unwrap();
    assert_eq!(
        server.seen(),
        ["PATCH /api/v1/namespaces/edge/configmaps/a?&dryRun=All"]
    );
}

#[tokio::test]
async fn a_writing_connection_writes() {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::api::{Api, DeleteParams};
    let server = Server::start(|_| {
        json(
            200,
            &json!({"apiVersion": "v1", "kind": "Status", "status": "Success"}),
        )
    })
    .await;
    let options = ConnectOptions {
        mode: Mode::Write,
        ..ConnectOptions::default()
    };
    let connection = connection_with(&server.plan("{token: t}"), options);
    let api: Api<ConfigMap> = Api::namespaced(connection.client(Lane::Interactive), "edge");
    api.delete("a", &DeleteParams::default()).await.unwrap();
    assert_eq!(
        server.seen(),
        ["DELETE /api/v1/namespaces/edge/configmaps/a?"]
    );
}

#[tokio::test]
async fn credentials_and_impersonation_arrive_with_every_request() {
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let keep = Arc::clone(&heads);
    let server = Server::start(move |request: Request<Bytes>| {
        let text = |name: &str| {
            request
                .headers()
                .get_all(name)
                .iter()
                .map(|v| v.to_str().unwrap().to_owned())
                .collect::<Vec<_>>()
                .join("+")
        };
        keep.lock().push(format!(
            "{} as {} in {} packed {}",
            text("authorization"),
            text("impersonate-user"),
            text("impersonate-group"),
            text("accept-encoding")
        ));
        ok(request)
    })
    .await;
    let impersonate = Some(Impersonate {
        user: "ola".into(),
        groups: vec!["ops".into(), "dev".into()],
    });
    let cluster = format!("server: '{}'", server.url());
    let plan = server.plan_with(
        &cluster,
        "{token: t0ken}",
        LoadOptions {
            impersonate,
            ..LoadOptions::default()
        },
    );
    version(&connection(&plan)).await.unwrap();
    assert_eq!(
        heads.lock()[0],
        "Bearer t0ken as ola in ops+dev packed gzip"
    );
    version(&connection(&server.plan("{username: u, password: p}")))
        .await
        .unwrap();
    assert!(heads.lock()[1].starts_with("Basic dTpw as "));
}

#[tokio::test]
async fn a_token_file_is_read_again_when_the_server_refuses_the_token() {
    let good: Arc<Mutex<String>> = Arc::new(Mutex::new("Bearer one".into()));
    let wanted = Arc::clone(&good);
    let server = Server::start(move |request: Request<Bytes>| {
        let fits = request.headers()["authorization"].to_str().unwrap() == *wanted.lock();
        if fits {
            ok(request)
        } else {
            json(401, &json!({"message": "Unauthorized"}))
        }
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "one\n").unwrap();
    let connection =
        connection(&server.plan(&format!("{{tokenFile: '{}'}}", file.path().display())));
    version(&connection).await.unwrap();
    *good.lock() = "Bearer two".into();
    std::fs::write(file.path(), "two\n").unwrap();
    version(&connection).await.unwrap();
    assert_eq!(server.seen().len(), 3);
}

/// A user entry whose plugin counts its runs in a file and gives `t1`, `t2`, …
fn counting_plugin(dir: &std::path::Path) -> String {
    let script = dir.join("plugin.sh");
    let text = format!(
        "#!/bin/sh\necho run >>'{dir}/runs'\nn=$(wc -l <'{dir}/runs' | tr -d ' ')\necho '{{\"kind\":\"ExecCredential\",\"status\":{{\"token\":\"t'$n'\"}}}}'\n",
        dir = dir.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    format!(
        "{{exec: {{apiVersion: client.authentication.k8s.io/v1, command: '{}', interactiveMode: IfAvailable}}}}",
        script.display()
    )
}

fn runs(dir: &std::path::Path) -> usize {
    std::fs::read_to_string(dir.join("runs"))
        .unwrap_or_default()
        .lines()
        .count()
}

#[tokio::test]
async fn a_refused_plugin_token_is_renewed_once_and_a_second_refusal_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let wanted = Arc::new(AtomicUsize::new(2));
    let accepts = Arc::clone(&wanted);
    let server = Server::start(move |request: Request<Bytes>| {
        let good = format!("Bearer t{}", accepts.load(Ordering::SeqCst));
        let fits = request.headers()["authorization"].to_str().unwrap() == good;
        if fits {
            ok(request)
        } else {
            json(401, &json!({"message": "Unauthorized"}))
        }
    })
    .await;
    let connection = connection(&server.plan(&counting_plugin(dir.path())));
    version(&connection).await.unwrap();
    assert_eq!(runs(dir.path()), 2);
    assert_eq!(
        server.connections(),
        1,
        "a new token needs no new connection"
    );
    wanted.store(99, Ordering::SeqCst);
    let fault = version(&connection).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Auth);
    assert_eq!(fault.link_state(true), LinkState::Auth);
    assert_eq!(runs(dir.path()), 3);
}

#[tokio::test]
async fn a_fixed_token_that_is_refused_is_not_sent_twice() {
    let server = Server::start(|_| json(401, &json!({"message": "Unauthorized"}))).await;
    let fault = version(&connection(&server.plan("{token: old}")))
        .await
        .unwrap_err();
    assert!(fault.is_auth());
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_plugin_that_must_ask_leaves_the_row_at_auth_and_a_login_opens_it() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(ok).await;
    let user = counting_plugin(dir.path()).replace("IfAvailable", "Always");
    let connection = connection(&server.plan(&user));
    let fault = version(&connection).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::LoginNeeded);
    assert!(server.seen().is_empty() && runs(dir.path()) == 0);
    connection.login().await.unwrap();
    version(&connection).await.unwrap();
    assert_eq!(runs(dir.path()), 1);
}

#[tokio::test]
async fn refusals_of_the_server_carry_its_words_and_its_wait() {
    let server = Server::start(|request: Request<Bytes>| {
        if request.uri().path() == "/busy" {
            let mut answer = json(429, &json!({"message": "too many"}));
            answer.headers_mut().insert("retry-after", "3".parse().unwrap());
            return answer;
        }
        json(403, &json!({"kind": "Status", "message": "applications.argoproj.io is forbidden: User \"ola\" cannot list"}))
    })
    .await;
    let connection = connection(&server.plan("{token: t}"));
    let fault = connection
        .get(Lane::Watch, "/apis", LIMIT)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Forbidden);
    assert!(fault.to_string().contains("cannot list"));
    let fault = connection
        .get(Lane::Watch, "/busy", LIMIT)
        .await
        .unwrap_err();
    assert_eq!(fault.wait(), Some(Duration::from_secs(3)));
    let request = Request::get("/busy").body(Vec::new()).unwrap();
    let error = connection.client(Lane::Watch).request_text(request).await;
    let kube::Error::Api(status) = error.unwrap_err() else {
        panic!("the server answered");
    };
    assert_eq!(status.details.unwrap().retry_after_seconds, 3);
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let server = Server::start(|_| Response::new(Body::from(vec![b' '; 3 << 20]))).await;
    let fault = connection(&server.plan("{token: t}"))
        .get(Lane::Watch, "/x", LIMIT)
        .await
        .unwrap_err();
    assert_eq!(fault.kind, FaultKind::Garbage);
}

#[tokio::test]
async fn the_proxy_of_the_kubeconfig_is_used_with_its_password_and_named_when_it_refuses() {
    let server = Server::start(ok).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = listener.local_addr().unwrap();
    let asked: Arc<Mutex<String>> = Arc::default();
    let keep = Arc::clone(&asked);
    let target = server.address;
    tokio::spawn(async move {
        for allow in [true, false] {
            let (mut near, _) = listener.accept().await.unwrap();
            let mut head = vec![0_u8; 4096];
            let read = near.read(&mut head).await.unwrap();
            *keep.lock() = String::from_utf8_lossy(&head[..read]).into_owned();
            if !allow {
                near.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                    .await
                    .unwrap();
                continue;
            }
            near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut far = tokio::net::TcpStream::connect(target).await.unwrap();
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let cluster = format!(
        "server: '{}', proxy-url: 'http://u:s3cret@{proxy}'",
        server.url()
    );
    let plan = server.plan_with(&cluster, "{token: t}", LoadOptions::default());
    version(&connection(&plan)).await.unwrap();
    let head = asked.lock().to_ascii_lowercase();
    assert!(
        head.starts_with(&format!("connect {target} http/1.1")),
        "{head}"
    );
    assert!(
        head.contains("proxy-authorization: basic dtpzm2nyzxq="),
        "{head}"
    );
    let fault = version(&connection(&plan)).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Proxy);
    assert!(!fault.to_string().contains("s3cret"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_broken_link() {
    let server = Server::start(|_| {
        let (sender, answer) = stream();
        sender.send(Bytes::from_static(b"{\"half\":")).unwrap();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            drop(sender);
        });
        answer
    })
    .await;
    let wire = Cut::before(server.address).await;
    let connection = connection_with(&server.plan_at(&wire.url(), "{token: t}"), quick());
    let mut body = connection
        .open(Lane::Watch, get("/watch").unwrap())
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    wire.cut();
    let broken = tokio::time::timeout(Duration::from_secs(5), body.frame())
        .await
        .unwrap()
        .unwrap();
    let fault = fault::of_error(broken.unwrap_err().as_ref(), "oslo");
    assert!(fault.is_link(), "{fault:?}");
}

#[tokio::test]
async fn credentials_that_are_refused_later_turn_an_open_link_from_live_to_auth_and_back() {
    let good = Arc::new(AtomicUsize::new(1));
    let accepts = Arc::clone(&good);
    let server = Server::start(move |request: Request<Bytes>| {
        if accepts.load(Ordering::SeqCst) == 1 {
            return ok(request);
        }
        json(401, &json!({"message": "Unauthorized"}))
    })
    .await;
    let connection = connection(&server.plan("{token: t}"));
    let state = || {
        let clock = connection.clock();
        state_of(
            &clock.link(),
            clock.silence(),
            clock.latency(),
            &Slowness::default(),
        )
    };
    version(&connection).await.unwrap();
    assert_eq!(state(), LinkState::Live);
    good.store(0, Ordering::SeqCst);
    version(&connection).await.unwrap_err();
    assert_eq!(state(), LinkState::Auth);
    assert!(connection.clock().link().up);
    good.store(1, Ordering::SeqCst);
    version(&connection).await.unwrap();
    assert_eq!(state(), LinkState::Live);
}
