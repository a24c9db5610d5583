use pretty_assertions::assert_eq;
use rstest::rstest;
use serde_json::json;

use super::*;

fn object() -> Value {
    json!({"metadata": {"annotations": {"a/b": "1", "c": "2"}}, "spec": {"replicas": 3, "paused": false,
        "containers": [{"name": "app", "image": "app:1", "env": [{"name": "A"}]}, {"name": "proxy", "image": "proxy:1"}]}})
}

fn without(expression: &str) -> Result<Value, JqError> {
    let mut value = object();
    Expression::parse(expression)?.delete_from(&mut value)?;
    Ok(value)
}

#[rstest]
#[case(".spec.replicas", "/spec/replicas")]
#[case(".spec[\"replicas\"]", "/spec/replicas")]
#[case(".[\"spec\"].replicas", "/spec/replicas")]
#[case(".metadata.annotations.\"a/b\"", "/metadata/annotations/a~1b")]
#[case(".metadata.annotations[\"a/b\"]", "/metadata/annotations/a~1b")]
#[case(".spec.containers[1]", "/spec/containers/1")]
#[case(".spec.containers[-1].image", "/spec/containers/1/image")]
#[case(
    ".spec.containers[] | select(.name == \"proxy\")",
    "/spec/containers/1"
)]
#[case(
    ".spec.containers[] | select(.name | test(\"^PRO\"; \"i\")) | .image",
    "/spec/containers/1/image"
)]
#[case(
    ".spec.containers[] | select(.name | startswith(\"app\")).env[0].name",
    "/spec/containers/0/env/0/name"
)]
#[case(".spec | select(has(\"paused\")) | .paused", "/spec/paused")]
#[case(
    ".spec.containers[] | select(.env | not) | .image",
    "/spec/containers/1/image"
)]
#[case("first(.spec.containers[]).image", "/spec/containers/0/image")]
#[case(
    ".spec.containers as $c | .spec.containers[($c | length) - 1].image",
    "/spec/containers/1/image"
)]
#[case(
    "if .spec.replicas > 2 then .spec.replicas else .metadata end",
    "/spec/replicas"
)]
#[case(".spec.missing // .spec.replicas", "/spec/replicas")]
#[case("# the count\ngetpath([\"spec\", \"replicas\"])", "/spec/replicas")]
#[case("limit(1; .spec.containers[]).image", "/spec/containers/0/image")]
#[case(".spec.containers[range(1; 2)].image", "/spec/containers/1/image")]
#[case(
    ".spec.containers[] | select(.name | IN(\"proxy\", \"mesh\"))",
    "/spec/containers/1"
)]
#[case(".spec | until(type != \"object\"; .replicas)", "/spec/replicas")]
#[case(
    ".spec as $s | .spec | getpath($s | paths | select(.[-1] == \"paused\"))",
    "/spec/paused"
)]
#[case(
    ".spec.containers | .[] | select(.image | endswith(\":1\") and (contains(\"proxy\")))",
    "/spec/containers/1"
)]
fn an_expression_takes_out_what_it_names(#[case] expression: &str, #[case] pointer: &str) {
    let mut want = object();
    let parts: Vec<String> = pointer
        .split('/')
        .skip(1)
        .map(|p| p.replace("~1", "/"))
        .collect();
    crate::drift::ignore::remove(&mut want, &parts);
    assert_ne!(want, object());
    assert_eq!(without(expression), Ok(want));
}

#[test]
fn several_places_go_at_once_and_positions_hold() {
    let left = without(".spec.containers[0], .spec.containers[1], .spec.replicas").unwrap();
    assert_eq!(left["spec"], json!({"paused": false, "containers": []}));
    let left = without(".. | .image?").unwrap();
    assert_eq!(
        left["spec"]["containers"],
        json!([{"name": "app", "env": [{"name": "A"}]}, {"name": "proxy"}])
    );
}

#[rstest]
#[case(".spec.nothing")]
#[case(".spec.nothing.deeper")]
#[case(".spec.containers[9]")]
#[case(".spec.replicas[]?")]
#[case("empty")]
fn what_is_not_there_changes_nothing(#[case] expression: &str) {
    assert_eq!(without(expression), Ok(object()));
}

#[rstest]
#[case(".spec.nothing[]")]
#[case(".spec.replicas.deeper")]
#[case("1 + 2")]
#[case(".spec.replicas + 1")]
#[case("error(\"no\")")]
fn what_fails_in_jq_fails_here(#[case] expression: &str) {
    assert!(
        matches!(without(expression), Err(JqError::Runtime(_))),
        "{:?}",
        without(expression)
    );
}

#[rstest]
#[case("halt")]
#[case("input")]
#[case("now")]
#[case("import \"a\" as a; .")]
#[case("nobody(.)")]
#[case("$unknown")]
#[case("break $nowhere")]
#[case("@nobody")]
fn what_reaches_outside_or_is_unknown_is_named(#[case] expression: &str) {
    assert!(
        matches!(Expression::parse(expression), Err(JqError::Unsupported(_))),
        "{:?}",
        Expression::parse(expression)
    );
}

/// One line of what gojq 0.12.19 says: `del` is deleted from the object, `out` is evaluated on null.
#[derive(serde::Deserialize)]
struct Line {
    object: Option<Value>,
    del: Option<String>,
    out: Option<String>,
    #[serde(default)]
    gives: Value,
}

fn outcome(line: &Line, object: &Value) -> Value {
    let word = |error: JqError| match error {
        JqError::Syntax { .. } | JqError::Unsupported(_) => json!("refused"),
        JqError::Runtime(_) | JqError::TooLong => json!("error"),
    };
    let Some(text) = &line.del else {
        let text = line.out.as_deref().unwrap_or_default();
        let read = Expression::parse(text);
        let found = read.and_then(|e| machine::outputs(&e.0, &Value::Null, STEPS));
        return found.map_or_else(word, Value::Array);
    };
    let mut value = object.clone();
    let done = Expression::parse(text).and_then(|e| e.delete_from(&mut value));
    done.map_or_else(word, |()| json!([value]))
}

#[test]
fn expressions_give_what_gojq_gives() {
    let lines = include_str!("tests/gojq.jsonl").lines();
    let lines: Vec<Line> = lines.map(|l| serde_json::from_str(l).unwrap()).collect();
    let (first, cases) = lines.split_first().unwrap();
    let object = first.object.as_ref().unwrap();
    let mut wrong = Vec::new();
    for line in cases {
        let ours = outcome(line, object);
        if !native::order::compare(&ours, &line.gives).is_eq() {
            let text = line.del.as_ref().or(line.out.as_ref()).unwrap();
            wrong.push(format!("{text}\n  gojq {}\n  ours {ours}", line.gives));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

#[rstest]
#[case("")]
#[case(".spec.containers[] | select(.name == \"missing-quote)")]
#[case(".spec.(")]
#[case(".a b")]
#[case("select(.a")]
#[case("if .a then .b")]
#[case(".a ]")]
#[case("\u{1b}[2J")]
fn what_is_no_jq_is_refused(#[case] expression: &str) {
    assert!(
        matches!(Expression::parse(expression), Err(JqError::Syntax { .. })),
        "{:?}",
        Expression::parse(expression)
    );
}

#[test]
fn hostile_expressions_end() {
    assert_eq!(without("recurse(.)"), Err(JqError::TooLong));
    assert_eq!(
        without(&["[.. , ..]"; 40].join(" | ")),
        Err(JqError::TooLong)
    );
    assert_eq!(without(&["(.,.)"; 40].join(" | ")), Err(JqError::TooLong));
    assert!(Expression::parse(&"(".repeat(10_000)).is_err());
    assert!(Expression::parse(&"-".repeat(100_000)).is_err());
    assert!(Expression::parse(&format!("0{}", " + 1".repeat(100_000))).is_err());
    assert!(Expression::parse(&format!("0{}", " // 1".repeat(100_000))).is_err());
    assert!(Expression::parse(&"if . then . elif ".repeat(100_000)).is_err());
    assert!(Expression::parse(&".a".repeat(100_000)).is_err());
}

#[test]
fn an_expression_without_an_end_is_given_up() {
    for expression in [
        "until(true == false; [.] + [1])",
        "repeat(.)",
        "[range(1; 99999999)] | .[0]",
        "def f: f; f",
        "def f: [f]; f",
        "def f: f | 1; f",
        "def f(g): f(g | g); f(.)",
        "def f: {a: f}; f",
        "def f: try f catch f; f",
        "[limit(1000000; repeat(1))]",
        "reduce range(9999999) as $x (\"x\"; . + .)",
        "\"x\" * 1e12",
        "[range(3000)] | [.[] as $x | .[] as $y | $x]",
        "null | .[5e8] = 1",
        "label $out | def f: f; f, break $out",
    ] {
        assert_eq!(without(expression), Err(JqError::TooLong), "{expression}");
    }
}
