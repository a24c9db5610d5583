use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Result<Vec<Value>, YamlError> {
    parse_documents(text.as_bytes(), &Limits::default())
}

fn one(text: &str) -> Value {
    read(text).unwrap().remove(0)
}

#[test]
fn scalars_are_read_as_go_yaml_2_reads_them() {
    let object = one(
        "mode: 0644\nmodern: 0o644\na: yes\nb: NO\nc: on\nd: off\ne: y\nf: N\ng: 1_000\nh: 08\ni: 1e3\nj: 8.0\nk: 0x1F\nl: ~\nm:\nn: 12:30:45\no: 2001-01-01\np: .5\nq: \"0644\"\nr: 'yes'\ns: 1.20\n",
    );
    assert_eq!(
        object,
        json!({"mode": 420, "modern": 420, "a": true, "b": false, "c": true, "d": false, "e": true, "false": false, "g": 1000, "h": 8, "i": 1000,
            "j": 8, "k": 31, "l": null, "m": null, "false": "12:30:45", "o": "2001-01-01", "p": 0.5, "q": "0644", "r": "yes", "s": 1.2, "f": false})
    );
}

#[test]
fn the_last_of_two_equal_keys_wins_and_merge_keys_are_merged() {
    assert_eq!(one("a: 1\na: 2\n"), json!({"a": 2}));
    let merged = one("base: &b {x: 1, z: 3}\nthis:\n  <<: *b\n  z: 4\n");
    assert_eq!(merged["this"], json!({"x": 1, "z": 4}));
}

#[test]
fn keys_become_text() {
    assert_eq!(one("80: a\ntrue: b\n"), json!({"80": "a", "true": "b"}));
}

#[test]
fn empty_documents_and_comments_are_left_out() {
    let objects = read("---\n# nothing\n---\nkind: A\n---\n---\nkind: B\n...\n").unwrap();
    assert_eq!(objects, vec![json!({"kind": "A"}), json!({"kind": "B"})]);
    assert!(read("").unwrap().is_empty());
}

#[test]
fn json_streams_and_flow_yaml_are_read() {
    assert_eq!(
        read("{\"kind\": \"A\"} {\"kind\": \"B\", \"n\": 1.0}\n").unwrap(),
        vec![json!({"kind": "A"}), json!({"kind": "B", "n": 1})]
    );
    assert_eq!(one("{kind: A}\n"), json!({"kind": "A"}));
}

#[test]
fn lists_are_opened_and_typed_lists_lend_their_kind() {
    let objects = read("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service}\n- apiVersion: v1\n  kind: ConfigMapList\n  items: [{data: {a: b}}]\n").unwrap();
    assert_eq!(
        objects,
        vec![
            json!({"apiVersion": "v1", "kind": "Service"}),
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}})
        ]
    );
}

#[test]
fn a_document_that_is_no_object_is_named_by_number() {
    assert_eq!(
        read("kind: A\n---\n- 1\n").unwrap_err(),
        YamlError::NotAnObject { document: 2 }
    );
}

#[test]
fn a_syntax_error_names_the_place_and_never_the_content() {
    let error = read("kind: Secret\nstringData:\n  password: \"hunter2\n").unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("line "), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    for broken in [
        "a: [hunter2",
        "a: hunter2: b",
        "hunter2: *hunter2",
        "a: !!int hunter2",
        "{\"a\": hunter2",
        "a: &hunter2 {b: *hunter2}",
        "a:\n\thunter2: 1",
        "- hunter2\nb: c",
    ] {
        let Err(error) = read(broken) else { continue };
        assert!(!error.to_string().contains("hunter2"), "{broken}: {error}");
    }
}

#[test]
fn limits_hold_for_bytes_depth_and_alias_bombs() {
    let small = Limits {
        bytes: 10,
        ..Limits::default()
    };
    assert!(matches!(
        parse_documents(b"kind: ConfigMap\n", &small),
        Err(YamlError::TooLarge {
            bytes: 16,
            limit: 10
        })
    ));
    let deep = format!("a: {}1{}\n", "[".repeat(200), "]".repeat(200));
    assert!(read(&deep).is_err());
    let deep_json = format!("{{\"a\": {}1{}}}", "[".repeat(100), "]".repeat(100));
    assert!(read(&deep_json).is_err());
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..9 {
        use std::fmt::Write as _;
        let uses = vec![format!("*a{}", level - 1); 10].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{uses}]");
    }
    assert!(matches!(read(&bomb), Err(YamlError::Limit { .. })));
}

#[test]
fn text_that_is_not_utf8_is_refused_and_a_byte_order_mark_is_not() {
    assert!(matches!(
        parse_documents(b"a: \xff\xfe", &Limits::default()),
        Err(YamlError::NotText { offset: 3 })
    ));
    assert_eq!(
        parse_documents(b"\xef\xbb\xbfkind: A", &Limits::default()).unwrap(),
        vec![json!({"kind": "A"})]
    );
}

#[test]
fn canonical_text_puts_identity_first_and_text_in_blocks() {
    let object = json!({"kind": "ConfigMap", "data": {"a": "x\ny\n", "b": "0644", "on": "yes", "e": ""}, "apiVersion": "v1", "metadata": {"name": "edge"},
        "list": [{"value": "1", "name": "A"}, [1, 2], [], {}]});
    assert_eq!(
        to_canonical(&object),
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: edge\ndata:\n  a: |\n    x\n    y\n  b: \"0644\"\n  e: \"\"\n  \"on\": \"yes\"\nlist:\n- name: A\n  value: \"1\"\n-\n  - 1\n  - 2\n- []\n- {}\n"
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,12}",
        "[a-z\\n ]{0,12}",
        Just("yes".to_owned()),
        Just("0644".to_owned()),
        Just("1e3".to_owned()),
        Just("a: b".to_owned()),
        Just("x\n\n".to_owned()),
        Just("\u{1b}[2J".to_owned()),
        Just("Köln\u{202e}".to_owned()),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text.clone(), inner, 0..5)
                .prop_map(|m| Value::Object(m.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn canonical_text_reads_back_as_the_same_value(value in any_value()) {
        let text = to_canonical(&json!({"kind": value}));
        let back = parse_values(text.as_bytes(), &Limits::default());
        prop_assert_eq!(back.map(|mut v| v.remove(0)), Ok(json!({"kind": value})), "{}", text);
    }
}

/// go-yaml reads the last line of a file as it stands: without a line break there is none in the value.
#[test]
fn a_block_scalar_at_the_end_of_a_file_without_a_line_break_has_none() {
    let read = |text: &str| {
        parse_documents(text.as_bytes(), &Limits::default())
            .unwrap()
            .remove(0)
    };
    let data = |text: &str| read(&format!("kind: ConfigMap\ndata:\n  {text}"))["data"]["a"].clone();
    assert_eq!(data("a: |\n    one\n    two"), "one\ntwo");
    assert_eq!(data("a: |\n    one\n    two\n"), "one\ntwo\n");
    assert_eq!(data("a: >\n    one\n    two"), "one two");
    assert_eq!(data("a: |+\n    one"), "one");
    assert_eq!(data("a: \"|\\n\""), "|\n");
    assert_eq!(data("b: |\n    one\n  a: plain"), "plain");
    assert_eq!(read("a: [\">\"]")["a"][0], ">");
}
