use serde_json::json;

use super::*;

fn key() -> SealKey {
    SealKey::new([7; 32]).with_annotations(["vault/token".to_owned()])
}

fn sealed(mut object: Value) -> Value {
    seal(&mut object, &key());
    object
}

fn secret(data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "edge-token", "namespace": "edge"}, "data": data})
}

#[test]
fn equal_bytes_give_equal_tokens_whatever_their_spelling() {
    let from_git = sealed(
        json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"password": "hunter2"}}),
    );
    let live = sealed(secret(&json!({"password": "aHVu\ndGVyMg=="})));
    assert_eq!(from_git["data"]["password"], live["data"]["password"]);
    assert!(from_git.get("stringData").is_none());
    let other = sealed(secret(&json!({"password": "aHVudGVyMw=="})));
    assert_ne!(other["data"]["password"], live["data"]["password"]);
}

#[test]
fn nothing_readable_is_left_anywhere() {
    let applied = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"password": "hunter2"}, "metadata": {"annotations": {"vault/token": "s.hunter2"}}}).to_string();
    let object = sealed(
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": "aHVudGVyMg=="}, "stringData": {"user": "hunter2"},
        "metadata": {"annotations": {LAST_APPLIED: applied, "vault/token": "s.hunter2"}}}),
    );
    let text = object.to_string();
    assert!(
        !text.contains("hunter2") && !text.contains("aHVudGVyMg"),
        "{text}"
    );
    assert!(text.contains("password") && text.contains("user"));
}

#[test]
fn tokens_depend_on_the_key_of_the_run() {
    let mut a = secret(&json!({"password": "aHVudGVyMg=="}));
    let mut b = a.clone();
    seal(&mut a, &SealKey::new([1; 32]));
    seal(&mut b, &SealKey::new([2; 32]));
    assert_ne!(a["data"]["password"], b["data"]["password"]);
    assert!(format!("{:?}", key()).len() < 20);
}

#[test]
fn invalid_secrets_fail_closed() {
    for broken in [
        secret(&json!({"password": "hunter2!"})),
        secret(&json!({"password": {"inner": "hunter2"}})),
        secret(&json!({"password": ["hunter2"]})),
        secret(&json!("hunter2")),
        secret(&json!(["hunter2"])),
        json!({"kind": "Secret", "stringData": "hunter2"}),
        json!({"kind": "Secret", "data": "hunter2", "stringData": {"a": "hunter2"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": {LAST_APPLIED: "{\"data\":{\"password\":\"hunter2\""}}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": {LAST_APPLIED: ["hunter2"]}}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"annotations": "hunter2"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"annotations": {LAST_APPLIED: "{\"kind\":\"Secret\",\"stringData\":{\"a\":\"hunter2\"}}"}}}),
    ] {
        let text = sealed(broken.clone()).to_string();
        assert!(!text.contains("hunter2"), "{broken} -> {text}");
    }
}

#[test]
fn sealing_twice_changes_nothing_and_other_kinds_are_left_alone() {
    let once = sealed(secret(&json!({"password": "aHVudGVyMg==", "empty": null})));
    assert_eq!(sealed(once.clone()), once);
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}});
    assert_eq!(sealed(map.clone()), map);
    let custom = json!({"apiVersion": "example.com/v1", "kind": "Secret", "data": {"a": "b"}});
    assert_eq!(sealed(custom.clone()), custom);
}

#[test]
fn marks_number_the_values_of_each_key_with_gits_first() {
    let git = sealed(secret(&json!({"password": "YQ==", "user": "YQ=="})));
    let live = sealed(secret(&json!({"password": "Yg==", "user": "YQ=="})));
    let marks = Marks::of([&git, &live]);
    assert_eq!(
        marks.shown(&git, "")["data"],
        json!({"password": "••• 1", "user": "••• 1"})
    );
    assert_eq!(
        marks.shown(&live, "")["data"],
        json!({"password": "••• 2", "user": "••• 1"})
    );
}

#[test]
fn the_last_applied_annotation_shares_the_marks_of_its_keys() {
    let applied = json!({"kind": "Secret", "data": {"password": "YQ=="}}).to_string();
    let live = sealed(
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": "Yg=="}, "metadata": {"annotations": {LAST_APPLIED: applied}}}),
    );
    let git = sealed(secret(&json!({"password": "YQ=="})));
    let shown = Marks::of([&git, &live]).shown(&live, "");
    assert_eq!(shown["data"]["password"], "••• 2");
    let manifest = shown["metadata"]["annotations"][LAST_APPLIED]
        .as_str()
        .unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(manifest).unwrap()["data"]["password"],
        "••• 1"
    );
}
