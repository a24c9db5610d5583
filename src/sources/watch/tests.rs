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
    let lines = |v: &Value| match v {
        Value::Array(events) => events.iter().map(|e| format!("{e}\n")).collect(),
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
    let context = WatchContext {
        client: client(&script),
        lists: Arc::new(Semaphore::new(1)),
        seed: 7,
    };
    let (tell, mut steps) = mpsc::channel(16);
    let follower = tokio::spawn(follow::<Value>(
        context,
        WatchSpec::all("/api/v1/configmaps"),
        tell,
    ));
    while script.asked.lock().unwrap().len() <= answers.len() {
        tokio::task::yield_now().await;
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    follower.abort();
    let mut seen = Vec::new();
    while let Ok(step) = steps.try_recv() {
        seen.push(describe(&step));
    }
    let asked = script.asked.lock().unwrap().clone();
    (seen, asked)
}

fn describe(step: &Step<Value>) -> String {
    let name = |v: &Value| v["metadata"]["name"].as_str().unwrap_or("?").to_owned();
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

#[test]
fn the_servers_retry_after_is_never_undercut() {
    let trouble = Trouble {
        kind: TroubleKind::Busy,
        message: Safe::default(),
    };
    let mut pace = Pace::new(1);
    for _ in 0..20 {
        assert!(
            pace.after_failure(&trouble, Some(Duration::from_secs(12))) >= Duration::from_secs(12)
        );
    }
}

#[test]
fn waits_grow_and_stay_within_thirty_seconds() {
    let trouble = Trouble {
        kind: TroubleKind::Transport,
        message: Safe::default(),
    };
    let mut pace = Pace::new(1);
    let waits: Vec<Duration> = (0..12)
        .map(|_| pace.after_failure(&trouble, None))
        .collect();
    assert!(waits[0] <= Duration::from_millis(500));
    assert!(waits.iter().all(|w| *w <= Duration::from_secs(30)));
    assert!(waits[11] >= Duration::from_secs(15));
}

#[test]
fn query_values_are_encoded() {
    assert_eq!(encoded("a=b,c/d é"), "a%3Db%2Cc%2Fd%20%C3%A9");
}
