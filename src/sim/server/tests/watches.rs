//! Watches: beginnings, selections, endings.

use super::*;
use crate::sim::store::{DeleteOptions, Patch};

fn key(bed: &Bed, name: &str) -> crate::sim::store::Key {
    bed.store.key("v1", "ConfigMap", "default", name).unwrap()
}

fn relabel(bed: &Bed, name: &str, level: &str) {
    let patch = Patch::Merge(json!({"metadata": {"labels": {"level": level}}}));
    let options = WriteOptions::new("setup", now());
    bed.store.patch(&key(bed, name), &patch, &options).unwrap();
}

#[tokio::test]
async fn a_watch_without_a_version_begins_with_what_is_there() {
    let bed = bed().await;
    bed.create(settings("a", "info"));
    let mut frames = bed.watch(&format!("{CONFIG_MAPS}?watch=1")).await;
    assert_eq!(frames.step().await, pair("ADDED", "a"));
    bed.create(settings("b", "info"));
    assert_eq!(frames.step().await, pair("ADDED", "b"));
    bed.store
        .delete(&key(&bed, "a"), &DeleteOptions::new(now()))
        .unwrap();
    assert_eq!(frames.step().await, pair("DELETED", "a"));
}

#[tokio::test]
async fn a_watch_from_a_version_sees_only_what_came_after() {
    let bed = bed().await;
    bed.create(settings("a", "info"));
    let (_, list) = bed.get(CONFIG_MAPS).await;
    let version = list["metadata"]["resourceVersion"].as_str().unwrap();
    bed.create(settings("b", "info"));
    bed.create(application("not-a-config-map"));
    let mut frames = bed
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
        .await;
    assert_eq!(frames.step().await, pair("ADDED", "b"));
    relabel(&bed, "b", "debug");
    assert_eq!(frames.step().await, pair("MODIFIED", "b"));
}

#[tokio::test]
async fn what_enters_a_selection_is_added_to_it_and_what_leaves_it_deleted() {
    let bed = bed().await;
    bed.create(settings("a", "info"));
    let version = bed.store.resource_version();
    let path =
        format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}&labelSelector=level%3Ddebug");
    let mut frames = bed.watch(&path).await;
    relabel(&bed, "a", "debug");
    assert_eq!(frames.step().await, pair("ADDED", "a"));
    relabel(&bed, "a", "info");
    assert_eq!(frames.step().await, pair("DELETED", "a"));
}

#[tokio::test]
async fn a_streaming_list_ends_its_beginning_with_a_marked_bookmark() {
    let bed = bed().await;
    bed.create(settings("a", "info"));
    let path = format!(
        "{CONFIG_MAPS}?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan"
    );
    let mut frames = bed.watch(&path).await;
    assert_eq!(frames.step().await, pair("ADDED", "a"));
    let bookmark = frames.next().await.unwrap();
    assert_eq!(bookmark["type"], "BOOKMARK");
    let metadata = &bookmark["object"]["metadata"];
    assert_eq!(metadata["annotations"]["k8s.io/initial-events-end"], "true");
    assert_eq!(
        metadata["resourceVersion"],
        bed.store.resource_version().to_string()
    );
}

#[tokio::test]
async fn a_server_without_streaming_lists_refuses_them() {
    let bed = bed().await;
    bed.faults.change(|fault| fault.no_streaming_lists = true);
    let path =
        format!("{CONFIG_MAPS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
    let (code, body) = bed.get(&path).await;
    assert_eq!(code, 422);
    assert_eq!(
        body["message"],
        "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
    );
}

#[tokio::test]
async fn an_expired_version_is_an_error_inside_a_good_answer() {
    let bed = bed().await;
    let old = bed.store.resource_version();
    bed.create(settings("a", "info"));
    bed.store.expire_history();
    let mut frames = bed
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={old}"))
        .await;
    let frame = frames.next().await.unwrap();
    assert_eq!(
        (&frame["type"], &frame["object"]["code"]),
        (&json!("ERROR"), &json!(410))
    );
    assert_eq!(frame["object"]["reason"], "Expired");
    assert!(
        frame["object"]["message"]
            .as_str()
            .unwrap()
            .starts_with("too old resource version:")
    );
    assert_eq!(frames.next().await, None);
}

#[tokio::test]
async fn a_watch_ends_when_its_time_is_over_and_says_where_it_stood() {
    let bed = bed().await;
    bed.faults
        .change(|fault| fault.watch_limit = Some(Duration::from_millis(50)));
    let version = bed.store.resource_version();
    let path = format!("{CONFIG_MAPS}?watch=1&allowWatchBookmarks=true&resourceVersion={version}");
    let mut frames = bed.watch(&path).await;
    let bookmark = frames.next().await.unwrap();
    assert_eq!(
        bookmark["object"]["metadata"]["resourceVersion"],
        version.to_string()
    );
    assert_eq!(frames.next().await, None);
}

#[tokio::test]
async fn watches_can_be_cut_all_at_once() {
    let bed = bed().await;
    let version = bed.store.resource_version();
    let mut frames = bed
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
        .await;
    bed.faults.close_watches();
    assert_eq!(frames.next().await, None);
    let mut again = bed
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
        .await;
    bed.create(settings("a", "info"));
    assert_eq!(again.step().await, pair("ADDED", "a"));
}

#[tokio::test]
async fn a_watch_in_table_form_names_its_columns_once() {
    let bed = bed().await;
    bed.create(settings("a", "info"));
    let request = bed
        .request("GET", &format!("{CONFIG_MAPS}?watch=1"))
        .header("accept", "application/json;as=Table;v=v1;g=meta.k8s.io");
    let mut frames = Frames {
        stream: request.send().await.unwrap().bytes_stream().boxed(),
        rest: Vec::new(),
    };
    let first = frames.next().await.unwrap();
    assert!(first["object"]["columnDefinitions"].is_array());
    assert_eq!(first["object"]["rows"][0]["cells"], json!(["a", 1, "0s"]));
    bed.create(settings("b", "info"));
    assert_eq!(
        frames.next().await.unwrap()["object"]["columnDefinitions"],
        Value::Null
    );
}

#[tokio::test]
async fn ninety_watches_share_one_connection_and_all_see_a_change() {
    let bed = bed().await;
    let version = bed.store.resource_version();
    let mut watches = Vec::new();
    for _ in 0..90 {
        watches.push(
            bed.watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
                .await,
        );
    }
    bed.create(settings("a", "info"));
    for frames in &mut watches {
        assert_eq!(frames.step().await, pair("ADDED", "a"));
    }
}
