//! A scripted server behind `kube::Client`: each request is asserted, each answer is what a real API server sends.

use std::collections::VecDeque;
use std::sync::Mutex;

use http::Response;
use http_body_util::Full;
use kube::client::Body;
use serde_json::{Value, json};

use super::*;

/// Answers in turn; the last one never ends, so that the follower stays where the script ends.
struct Script {
    answers: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<String>>,
}

fn client(script: &Arc<Script>) -> kube::Client {
    let script = Arc::clone(script);
    let service = tower::service_fn(move |request: Request<Body>| {
        let script = Arc::clone(&script);
        async move {
            script.asked.lock().unwrap().push(request.uri().to_string());
            let answer = script.answers.lock().unwrap().pop_front();
            let Some((code, body)) = answer else {
                return std::future::pending().await;
            };
            let body = Full::new(bytes::Bytes::from(body));
            Ok::<_, std::convert::Infallible>(Response::builder().status(code).body(body).unwrap())
        }
    });
    kube::Client::new(service, "default")
}

/// Follows until the script's last answer was taken and the follower asks once more.
async fn run(answers: &[(u16, Value)]) -> (Vec<String>, Vec<String>) {
    run_spec(WatchSpec::all("/api/v1/configmaps"), answers).await
}

async fn run_spec(spec: WatchSpec, answers: &[(u16, Value)]) -> (Vec<String>, Vec<String>) {
    let lines = |v: &Value| match v {
        Value::Array(events) => {
            let lines: Vec<String> = events.iter().map(|e| format!("{e}\n")).collect();
            lines.concat()
        }
        Value::String(verbatim) if verbatim.contains('\n') => verbatim.clone(),
        other => other.to_string(),
    };
    let script = Arc::new(Script {
        answers: Mutex::new(
            answers
                .iter()
                .map(|(code, body)| (*code, lines(body)))
                .collect(),
        ),
        asked: Mutex::new(Vec::new()),
    });
    let context = WatchContext::new(client(&script), Arc::new(Semaphore::new(1)), 7);
    let (tell, mut steps) = mpsc::channel(16);
    let follower = tokio::spawn(follow::<Named>(context, spec, tell));
    let mut seen = Vec::new();
    while script.asked.lock().unwrap().len() <= answers.len() {
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(1)).await;
        while let Ok(step) = steps.try_recv() {
            seen.push(describe(&step));
        }
    }
    drop(steps);
    follower.await.unwrap();
    let asked = script.asked.lock().unwrap().clone();
    (seen, asked)
}

/// An object whose name must be text: anything else does not decode.
#[derive(serde::Deserialize)]
struct Named {
    metadata: NamedMeta,
}

#[derive(serde::Deserialize)]
struct NamedMeta {
    name: String,
}

fn describe(step: &Step<Named>) -> String {
    let name = |n: &Named| n.metadata.name.clone();
    match step {
        Step::Listed(items) => format!(
            "listed {}",
            items.iter().map(name).collect::<Vec<_>>().join(" ")
        ),
        Step::Changed(v) => format!("changed {}", name(v)),
        Step::Gone(v) => format!("gone {}", name(v)),
        Step::Trouble(t) => format!("{:?}", t.kind),
    }
}

fn object(name: &str, version: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "resourceVersion": version}})
}

fn list_of(version: &str, names: &[&str]) -> Value {
    json!({"kind": "ConfigMapList", "metadata": {"resourceVersion": version}, "items": names.iter().map(|n| object(n, "1")).collect::<Vec<_>>()})
}

fn status(code: u16, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": "x", "code": code})
}

#[tokio::test(start_paused = true)]
async fn a_list_is_followed_by_a_watch_from_its_version() {
    let events = json!([{"type": "ADDED", "object": object("b", "11")}, {"type": "DELETED", "object": object("a", "12")}]);
    let (seen, asked) = run(&[(200, list_of("10", &["a"])), (200, events)]).await;
    assert_eq!(seen, ["listed a", "changed b", "gone a"]);
    assert!(asked[0].contains("/api/v1/configmaps?limit=100"));
    assert!(
        asked[1].contains("resourceVersion=10") && asked[1].contains("allowWatchBookmarks=true")
    );
}

#[tokio::test(start_paused = true)]
async fn a_closed_watch_resumes_from_the_last_event_without_a_list() {
    let events = json!([{"type": "MODIFIED", "object": object("a", "15")}]);
    let (seen, asked) = run(&[(200, list_of("10", &["a"])), (200, events)]).await;
    assert_eq!(seen, ["listed a", "changed a"]);
    assert!(
        asked[2].contains("watch=true") && asked[2].contains("resourceVersion=15"),
        "{asked:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_bookmark_moves_the_version() {
    let mark = json!([{"type": "BOOKMARK", "object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"resourceVersion": "99", "creationTimestamp": null}}}]);
    let (_, asked) = run(&[(200, list_of("10", &[])), (200, mark)]).await;
    assert!(asked[2].contains("resourceVersion=99"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn an_expired_version_inside_the_stream_lists_again() {
    let expired = json!([{"type": "ERROR", "object": status(410, "too old resource version")}]);
    let (seen, asked) = run(&[
        (200, list_of("10", &["a"])),
        (200, expired),
        (200, list_of("50", &["a", "b"])),
    ])
    .await;
    assert_eq!(seen, ["listed a", "listed a b"]);
    assert!(asked[2].contains("limit=100") && asked[3].contains("resourceVersion=50"));
}

#[tokio::test(start_paused = true)]
async fn pages_are_told_as_one_list() {
    let mut first = list_of("10", &["a"]);
    first["metadata"]["continue"] = json!("tok/en");
    let (seen, asked) = run(&[(200, first), (200, list_of("10", &["b"]))]).await;
    assert_eq!(seen, ["listed a b"]);
    assert!(asked[1].contains("continue=tok%2Fen"));
}

#[tokio::test(start_paused = true)]
async fn an_expired_continue_token_starts_the_list_over() {
    let mut first = list_of("10", &["a"]);
    first["metadata"]["continue"] = json!("token");
    let (seen, asked) = run(&[
        (200, first),
        (410, status(410, "expired")),
        (200, list_of("20", &["a", "b"])),
    ])
    .await;
    assert_eq!(seen.last().unwrap(), "listed a b");
    assert!(!asked[2].contains("continue="));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_apart() {
    for (code, word) in [
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Absent"),
        (503, "Busy"),
        (429, "Busy"),
    ] {
        let (seen, _) = run(&[(code, status(code, "no"))]).await;
        assert_eq!(seen, [word], "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_list_is_trouble_and_is_tried_again() {
    let (seen, asked) = run(&[(200, json!("what")), (200, list_of("1", &["a"]))]).await;
    assert_eq!(seen, ["Transport", "listed a"]);
    assert_eq!(asked.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_object_that_does_not_decode_costs_only_itself() {
    let mut list = list_of("10", &["a", "b"]);
    list["items"][0]["metadata"]["name"] = json!(17);
    let bad = json!({"metadata": {"name": ["s3cret"], "resourceVersion": "11"}});
    let events =
        json!([{"type": "ADDED", "object": bad}, {"type": "ADDED", "object": object("c", "12")}]);
    let (seen, asked) = run(&[(200, list), (200, events)]).await;
    assert_eq!(seen, ["listed b", "Unreadable", "Unreadable", "changed c"]);
    assert!(asked[2].contains("resourceVersion=12"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_may_name_its_object_before_its_type() {
    let script = [
        (200, list_of("10", &[])),
        (
            200,
            json!(
                "{\"object\":{\"metadata\":{\"name\":\"a\",\"resourceVersion\":\"11\"}},\"type\":\"ADDED\"}\n\n{\"half"
            ),
        ),
    ];
    let (seen, asked) = run(&script).await;
    assert_eq!(seen, ["listed ", "changed a"]);
    assert!(asked[2].contains("resourceVersion=11"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deleted_event_moves_the_version_too() {
    let events = json!([{"type": "DELETED", "object": object("a", "44")}]);
    let (_, asked) = run(&[(200, list_of("10", &["a"])), (200, events)]).await;
    assert!(asked[2].contains("resourceVersion=44"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn another_error_inside_the_stream_resumes_from_the_last_version() {
    let broken = json!([{"type": "MODIFIED", "object": object("a", "15")}, {"type": "ERROR", "object": status(500, "etcd is away")}]);
    let (seen, asked) = run(&[(200, list_of("10", &["a"])), (200, broken)]).await;
    assert_eq!(seen, ["listed a", "changed a", "Busy"]);
    assert!(asked[2].contains("resourceVersion=15"), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_watch_refused_with_410_lists_again() {
    let (seen, asked) = run(&[
        (200, list_of("10", &["a"])),
        (410, status(410, "too old")),
        (200, list_of("20", &["b"])),
    ])
    .await;
    assert_eq!(seen, ["listed a", "listed b"]);
    assert!(asked[2].contains("limit=100"), "{asked:?}");
}

fn streaming() -> WatchSpec {
    WatchSpec {
        streaming: true,
        ..WatchSpec::all("/api/v1/configmaps")
    }
}

fn end_of_beginning(version: &str) -> Value {
    json!({"type": "BOOKMARK", "object": {"kind": "ConfigMap", "metadata": {"resourceVersion": version, "annotations": {"k8s.io/initial-events-end": "true"}}}})
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_is_told_as_one_list_and_goes_on_as_a_watch() {
    let events = json!([
        {"type": "ADDED", "object": object("a", "3")},
        {"type": "ADDED", "object": object("b", "4")},
        end_of_beginning("9"),
        {"type": "MODIFIED", "object": object("a", "10")},
    ]);
    let (seen, asked) = run_spec(streaming(), &[(200, events)]).await;
    assert_eq!(seen, ["listed a b", "changed a"]);
    assert!(
        asked[0].contains("sendInitialEvents=true")
            && asked[0].contains("resourceVersionMatch=NotOlderThan")
    );
    assert!(asked[1].contains("resourceVersion=10") && !asked[1].contains("sendInitialEvents"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_refuses_streaming_lists_is_listed() {
    for (code, answer) in [
        (
            422,
            status(
                422,
                "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
            ),
        ),
        (
            200,
            json!([{"type": "ADDED", "object": object("a", "3")}, {"type": "ERROR", "object": status(410, "etcd is too old")}]),
        ),
    ] {
        let (seen, asked) = run_spec(
            streaming(),
            &[(code, answer), (200, list_of("10", &["a", "b"]))],
        )
        .await;
        assert_eq!(seen, ["Busy", "listed a b"], "{code}");
        assert!(asked[1].contains("limit=100"), "{asked:?}");
        assert!(asked[2].contains("resourceVersion=10"), "{asked:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_streaming_list_that_breaks_off_tells_nothing_of_what_it_had() {
    let events = json!([{"type": "ADDED", "object": object("a", "3")}]);
    let (seen, _) = run_spec(
        streaming(),
        &[(200, events), (200, json!([end_of_beginning("9")]))],
    )
    .await;
    assert_eq!(seen, ["listed "]);
}
