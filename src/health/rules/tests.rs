//! Health rules: the language, the files, who speaks.

mod known;

use super::*;
use crate::domain::Health;
use serde_json::json;

#[test]
fn every_file_that_comes_with_the_program_can_be_used() {
    let mut rules = Rules::default();
    for (name, text) in embedded() {
        rules
            .add(name, text, &shapes(), false)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert!(rules.len() > 800, "{}", rules.len());
    assert!(shapes().len() > 5);
}

fn rules(kind: &str, steps: &str) -> Rules {
    let file = format!("group: edge.example\nkinds:\n  {kind}:\n{steps}");
    let (rules, errors) = Rules::user([("edge.yaml", file.as_str())]);
    assert!(errors.is_empty(), "{errors:?}");
    rules
}

fn broken(text: &str) -> String {
    let (_, errors) = Rules::user([("edge.yaml", text)]);
    errors[0].to_string()
}

fn said(rules: &Rules, status: &Value) -> (Health, String) {
    let object = json!({"apiVersion": "edge.example/v1", "kind": "Node", "metadata": {"generation": 2}, "spec": {"size": 3}, "status": status});
    rules.judge(&object).unwrap().0
}

#[test]
fn the_first_step_that_holds_speaks_and_fills_its_message() {
    let rules = rules(
        "Node",
        "    - {when: 'stale', Progressing: 'unseen'}\n    - {when: '@Ready = False and @Ready.reason in [Gone, Lost]', Degraded: '{@Ready.message ?? @Ready.reason}'}\n    - {by: '.status.phase', Healthy: [Up], Suspended: [Held], say: 'phase {.status.phase}'}\n    - {when: '.status.ready < .spec.size - 1', Progressing: '{.status.ready}/{.spec.size}'}\n    - {Unknown: 'nobody knows'}\n",
    );
    let cases = [
        (
            json!({"observedGeneration": 1, "phase": "Up"}),
            Health::Progressing,
            "unseen",
        ),
        (
            json!({"conditions": [{"type": "Ready", "status": "False", "reason": "Lost", "message": ""}]}),
            Health::Degraded,
            "Lost",
        ),
        (
            json!({"observedGeneration": 2, "phase": "Held"}),
            Health::Suspended,
            "phase Held",
        ),
        (json!({"ready": 1}), Health::Progressing, "1/3"),
        (json!({"ready": 2}), Health::Unknown, "nobody knows"),
        (Value::Null, Health::Unknown, "nobody knows"),
    ];
    for (status, health, message) in cases {
        assert_eq!(
            said(&rules, &status),
            (health, message.to_owned()),
            "{status}"
        );
    }
}

#[test]
fn a_step_walks_lists_within_lists_and_sees_what_is_above() {
    let rules = rules(
        "Node",
        "    - {for: ['.status.parts[]', '.conditions[]'], when: '.status = False and .seen >= $.metadata.generation', Degraded: '{^.name}: {.type}'}\n    - {when: 'every(.status.parts[] : @Ready = True) and count(.status.parts[]) = 2', Healthy: '{join(.status.parts[].name, \" \")} {sum(.status.parts[].size)}'}\n    - {Progressing: ''}\n",
    );
    let part = |name: &str, status: &str, seen: i64| json!({"name": name, "size": 2, "conditions": [{"type": "Ready", "status": status, "seen": seen}]});
    let failing = json!({"parts": [part("a", "False", 1), part("b", "False", 2)]});
    assert_eq!(
        said(&rules, &failing),
        (Health::Degraded, "b: Ready".to_owned())
    );
    let well = json!({"parts": {"x": part("a", "True", 2), "y": part("b", "True", 2)}});
    assert_eq!(said(&rules, &well), (Health::Healthy, "a b 4".to_owned()));
    assert_eq!(said(&rules, &json!({"parts": []})).0, Health::Progressing);
}

#[test]
fn groups_of_tests_values_and_texts_read_as_they_are_written() {
    let rules = rules(
        "Node",
        "    - {when: '(.status.a ?? 0) < (.status.b ?? 5) and not (.status.c or .status.d = \"x y\")', Healthy: ''}\n    - {when: 'before(.status.pair, \"/\") = after(.status.pair, \"/\")', Suspended: ''}\n    - {when: '.status.text starts ab and .status.text ends yz and .status.text contains \"m n\"', Missing: ''}\n    - {Degraded: ''}\n",
    );
    let health = |status: Value| said(&rules, &status).0;
    assert_eq!(health(json!({})), Health::Healthy);
    assert_eq!(health(json!({"a": 7})), Health::Degraded);
    assert_eq!(
        health(json!({"d": "x y", "pair": "2/2"})),
        Health::Suspended
    );
    assert_eq!(
        health(json!({"c": 1, "text": "abc m n xyz"})),
        Health::Missing
    );
}

#[test]
fn exact_kinds_come_before_patterns_and_own_files_may_use_the_shapes() {
    let (rules, errors) = Rules::user([(
        "edge.yaml",
        "group: '*.edge.example'\nkinds:\n  '*':\n    - {use: ready}\n    - {Progressing: 'pattern'}\n  'Node, Rack':\n    - {Progressing: 'a list of kinds in a pattern of groups'}\n",
    )]);
    assert!(errors.is_empty(), "{errors:?}");
    let judged = |kind: &str| {
        let object = json!({"apiVersion": "a.edge.example/v1", "kind": kind});
        let ((_, message), name) = rules.judge(&object).unwrap();
        (message, name.rule.clone(), name.user)
    };
    assert_eq!(
        judged("Disk"),
        ("pattern".to_owned(), "*.edge.example/*".to_owned(), true)
    );
    assert!(
        rules
            .judge(&json!({"apiVersion": "example/v1", "kind": "Disk"}))
            .is_none()
    );
}

#[test]
fn what_is_wrong_in_a_file_is_told_with_kind_and_step() {
    let node = |steps: &str| broken(&format!("group: edge.example\nkinds:\n  Node:\n{steps}"));
    assert!(
        node("    - {when: '.a', Fine: ''}\n")
            .contains("Node: step 1: `Fine` is no part of a step")
    );
    assert!(
        node("    - {when: '.a = ', Healthy: ''}\n    - {Healthy: ''}\n")
            .contains("step 1: a value is missing at the end")
    );
    assert!(
        node("    - {when: '.a', Healthy: ''}\n")
            .contains("the last step must speak about every object")
    );
    assert!(node("    - {use: nowhere}\n").contains("`use: nowhere` names no shape"));
    assert!(node("    - {Healthy: '{.a'}\n").contains("a brace in the message is not closed"));
    assert!(node("    - {Healthy: '', Degraded: ''}\n").contains("one health only"));
    assert!(broken("kinds: {}\n").contains("`group` is missing"));
    assert!(broken("group: a\nkind: {}\n").contains("`kind` is not known"));
    assert!(broken("a: [").starts_with("The health rules in edge.yaml cannot be used: "));
}
