//! Logs of workloads, followed: several pods and several clusters in one stream.

use std::time::Duration;

use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{connection, items, json, objects, text};
use crate::app::inquiry::LogLine;
use crate::app::msg::WishTarget;
use crate::connect::{Connection, Lane, get};
use crate::domain::{ClusterId, ObjectRef, Safe};
use crate::sources::Sources;

/// Lines of each container that came before.
const TAIL: usize = 200;
/// Containers that are read at a time.
const STREAMS: usize = 40;
/// The first lines of all containers are put into order of time before they are shown.
const GATHER: Duration = Duration::from_millis(600);
/// Longest line that is kept, in bytes.
const LONGEST: usize = 16 << 10;

/// One container of one pod.
struct Source {
    connection: Connection,
    cluster: ClusterId,
    pod: String,
    path: String,
}

/// News of the logs, in batches.
pub(super) type Batch = Result<Vec<LogLine>, Safe>;

/// Follows the logs of all targets until cancelled; the first batch holds what came before, by time.
pub async fn follow(
    sources: &Sources,
    targets: &[WishTarget],
    tell: mpsc::UnboundedSender<Batch>,
    cancel: CancellationToken,
) {
    let mut found = Vec::new();
    for target in targets {
        match containers(sources, target).await {
            Ok(list) => found.extend(list),
            Err(why) => {
                let _ = tell.send(Err(format!("{}: {why}", target.cluster).into()));
            }
        }
    }
    if found.len() > STREAMS {
        let words = format!(
            "{} containers; the first {STREAMS} are followed.",
            found.len()
        );
        let _ = tell.send(Err(words.into()));
        found.truncate(STREAMS);
    }
    if found.is_empty() {
        let _ = tell.send(Ok(Vec::new()));
        return;
    }
    let (lines, mut heard) = mpsc::channel(1_024);
    for source in found {
        let (lines, cancel) = (lines.clone(), cancel.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                () = stream(source, lines) => {}
            }
        });
    }
    drop(lines);
    forward(&mut heard, &tell, &cancel).await;
}

async fn forward(
    heard: &mut mpsc::Receiver<Batch>,
    tell: &mpsc::UnboundedSender<Batch>,
    cancel: &CancellationToken,
) {
    let mut first = Vec::new();
    let end = tokio::time::Instant::now() + GATHER;
    while let Ok(Some(batch)) = tokio::time::timeout_at(end, heard.recv()).await {
        match batch {
            Ok(lines) => first.extend(lines),
            Err(why) => drop(tell.send(Err(why))),
        }
    }
    first.sort_by_key(|line: &LogLine| line.at);
    let _ = tell.send(Ok(first));
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            batch = heard.recv() => match batch {
                Some(batch) => drop(tell.send(batch)),
                None => return,
            },
        }
    }
}

/// The containers of an object's pods.
async fn containers(sources: &Sources, target: &WishTarget) -> Result<Vec<Source>, Safe> {
    let connection = connection(sources, &target.cluster)?;
    let pods = pods(&connection, &target.object).await?;
    let mut found = Vec::new();
    for pod in &pods {
        let (namespace, name) = (
            text(pod, "/metadata/namespace"),
            text(pod, "/metadata/name"),
        );
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            let container = text(container, "/name");
            found.push(Source {
                connection: connection.clone(),
                cluster: target.cluster.clone(),
                pod: name.to_owned(),
                path: format!(
                    "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}&follow=true&timestamps=true&tailLines={TAIL}"
                ),
            });
        }
    }
    Ok(found)
}

async fn pods(connection: &Connection, object: &ObjectRef) -> Result<Vec<Value>, Safe> {
    let read = |path: String| async move { json(connection, &path).await.map_err(|f| f.sentence) };
    if &*object.gvk.kind == "Pod" {
        let path = objects::path(connection, object).await?;
        return Ok(vec![read(path).await?]);
    }
    let path = objects::path(connection, object).await?;
    let owner = read(path).await?;
    let Some(selector) = selector(&owner) else {
        return Err(
            format!("{object} has no pods of its own; logs are those of workloads.").into(),
        );
    };
    let path = format!(
        "/api/v1/namespaces/{}/pods?limit=100&labelSelector={selector}",
        object.namespace
    );
    Ok(items(&read(path).await?).cloned().collect())
}

/// The labels that a workload chooses its pods by, as a query.
fn selector(workload: &Value) -> Option<String> {
    let labels = workload
        .pointer("/spec/selector/matchLabels")?
        .as_object()?;
    let pairs: Vec<String> = labels
        .iter()
        .filter_map(|(key, value)| Some(format!("{key}%3D{}", value.as_str()?)))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join(",").replace('/', "%2F"))
}

/// Reads one container's log to its end.
async fn stream(source: Source, lines: mpsc::Sender<Batch>) {
    let opened = match get(&source.path) {
        Ok(request) => source.connection.open(Lane::Watch, request).await,
        Err(fault) => Err(fault),
    };
    let mut body = match opened {
        Ok(answer) => answer.into_body(),
        Err(fault) => {
            let why = format!("{} on {}: {}", source.pod, source.cluster, fault.sentence);
            let _ = lines.send(Err(why.into())).await;
            return;
        }
    };
    let mut rest = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(data) = frame.into_data() else {
            continue;
        };
        rest.extend_from_slice(&data);
        let batch = cut(&mut rest, &source.cluster, &source.pod);
        if !batch.is_empty() && lines.send(Ok(batch)).await.is_err() {
            return;
        }
    }
}

/// Takes the whole lines from what was read so far.
fn cut(rest: &mut Vec<u8>, cluster: &ClusterId, pod: &str) -> Vec<LogLine> {
    let mut lines = Vec::new();
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let line: Vec<u8> = rest.drain(..=end).collect();
        lines.push(line_of(&line, cluster, pod));
    }
    if rest.len() > LONGEST {
        let line = std::mem::take(rest);
        lines.push(line_of(&line, cluster, pod));
    }
    lines
}

fn line_of(bytes: &[u8], cluster: &ClusterId, pod: &str) -> LogLine {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\n', '\r']);
    let stamped = text.split_once(' ').and_then(|(stamp, rest)| {
        let at: Timestamp = stamp.parse().ok()?;
        Some((at, rest))
    });
    let (at, text) = stamped.map_or((None, text), |(at, rest)| (Some(at), rest));
    LogLine {
        cluster: cluster.clone(),
        pod: Safe::new(pod),
        at,
        text: Safe::new(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_line_that_is_not_whole_waits_for_its_end() {
        let mut rest = b"2026-11-21T02:06:00Z started\n2026-11-21T02:06:01Z list".to_vec();
        let cluster = "edge-oslo-003".into();
        let lines = cut(&mut rest, &cluster, "gateway-x");
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].text.as_str(), "started");
        rest.extend_from_slice(b"ening\n");
        let lines = cut(&mut rest, &cluster, "gateway-x");
        assert_eq!(lines[0].text.as_str(), "listening");
        assert_eq!(lines[0].at, "2026-11-21T02:06:01Z".parse().ok());
    }

    #[test]
    fn a_line_without_a_stamp_is_kept_whole_and_harmless() {
        let mut rest = b"plain \x1b[31m text\n".to_vec();
        let lines = cut(&mut rest, &"edge-oslo-003".into(), "gateway-x");
        assert!(!lines[0].text.as_str().contains('\u{1b}'));
        assert_eq!(lines[0].at, None);
    }

    #[test]
    fn pods_are_chosen_by_the_workloads_labels() {
        let workload =
            json!({"spec": {"selector": {"matchLabels": {"app.kubernetes.io/name": "gateway"}}}});
        assert_eq!(
            selector(&workload).as_deref(),
            Some("app.kubernetes.io%2Fname%3Dgateway")
        );
        assert_eq!(selector(&json!({"spec": {}})), None);
    }
}
