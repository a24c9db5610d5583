//! What becomes of good, half-broken and hostile kubeconfigs.

use std::path::PathBuf;

use super::*;

/// Loads one file of this text.
fn load_text(text: &str) -> Result<FleetPlan, PlanError> {
    load_files(&[text], LoadOptions::default())
}

fn load_files(texts: &[&str], mut options: LoadOptions) -> Result<FleetPlan, PlanError> {
    let dir = tempfile::tempdir().unwrap();
    options.paths = texts
        .iter()
        .enumerate()
        .map(|(at, text)| {
            let path = dir.path().join(format!("config-{at}"));
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect::<Vec<PathBuf>>();
    load(&options)
}

fn names(plan: &FleetPlan) -> Vec<&str> {
    plan.rows.iter().map(|r| r.cluster.as_str()).collect()
}

fn fault(row: &RowPlan) -> &str {
    row.target.as_ref().unwrap_err().as_str()
}

const TWO: &str = r"
apiVersion: v1
kind: Config
clusters:
- name: oslo
  cluster: {server: 'https://oslo.example:6443'}
- name: bergen
  cluster: {server: 'https://bergen.example:6443'}
users:
- name: admin
  user: {token: s3cret-token}
contexts:
- name: edge-oslo-003
  context: {cluster: oslo, user: admin}
- name: edge-bergen-001
  context: {cluster: bergen, user: admin, namespace: edge}
";

#[test]
fn every_context_becomes_a_row_in_the_files_order() {
    let plan = load_text(TWO).unwrap();
    assert_eq!(names(&plan), ["edge-oslo-003", "edge-bergen-001"]);
    assert_eq!(&*plan.rows[0].identity, "admin");
    assert_eq!(&*plan.rows[1].namespace_scope, "");
    assert!(plan.problems.is_empty());
}

#[test]
fn debug_output_of_a_plan_holds_no_token() {
    let plan = load_text(TWO).unwrap();
    assert!(!format!("{plan:?}").contains("s3cret"));
}

#[test]
fn contexts_of_one_server_and_user_are_one_row_with_the_first_acting() {
    let text = TWO.replace(
        "{cluster: bergen, user: admin, namespace: edge}",
        "{cluster: oslo, user: admin, namespace: edge}",
    );
    let plan = load_text(&text).unwrap();
    assert_eq!(names(&plan), ["edge-oslo-003"]);
    let contexts: Vec<&str> = plan.rows[0].contexts.iter().map(|c| &**c).collect();
    assert_eq!(contexts, ["edge-oslo-003", "edge-bergen-001"]);
}

#[test]
fn two_users_of_one_server_stay_two_rows_until_the_cluster_tells_its_uid() {
    let text = TWO.replace(
        "cluster: bergen, user: admin",
        "cluster: oslo, user: viewer",
    ) + "\n# second user\n";
    let text = text.replace(
        "contexts:",
        "- name: viewer\n  user: {token: other}\ncontexts:",
    );
    assert_eq!(load_text(&text).unwrap().rows.len(), 2);
}

#[test]
fn contexts_that_name_different_namespaces_of_one_server_are_edges_of_their_own() {
    let text = r"
clusters: [{name: big, cluster: {server: 'https://big.example'}}]
users: [{name: a, user: {token: a}}, {name: b, user: {token: b}}]
contexts:
- {name: edge-a, context: {cluster: big, user: a, namespace: site-a}}
- {name: edge-b, context: {cluster: big, user: b, namespace: site-b}}
- {name: whole, context: {cluster: big, user: a}}
";
    let plan = load_text(text).unwrap();
    let scopes: Vec<&str> = plan.rows.iter().map(|r| &*r.namespace_scope).collect();
    assert_eq!(names(&plan), ["edge-a", "edge-b", "whole"]);
    assert_eq!(scopes, ["site-a", "site-b", ""]);
}

#[test]
fn equal_private_addresses_behind_different_proxies_are_different_clusters() {
    let text = r"
clusters:
- {name: a, cluster: {server: 'https://10.0.0.1:6443', proxy-url: 'socks5://site-a:1080'}}
- {name: b, cluster: {server: 'https://10.0.0.1:6443', proxy-url: 'socks5://site-b:1080'}}
users: [{name: u, user: {token: t}}]
contexts:
- {name: edge-a, context: {cluster: a, user: u, namespace: one}}
- {name: edge-b, context: {cluster: b, user: u, namespace: two}}
";
    let plan = load_text(text).unwrap();
    assert_eq!(names(&plan), ["edge-a", "edge-b"]);
    assert_ne!(plan.rows[0].place(), plan.rows[1].place());
    assert!(plan.rows.iter().all(|r| r.namespace_scope.is_empty()));
}

#[test]
fn one_namespace_alone_is_a_default_and_confines_nothing() {
    let text = r"
clusters: [{name: big, cluster: {server: 'https://big.example'}}]
users: [{name: a, user: {token: a}}]
contexts:
- {name: edge-a, context: {cluster: big, user: a, namespace: site-a}}
- {name: edge-a-too, context: {cluster: big, user: a, namespace: site-a}}
";
    let plan = load_text(text).unwrap();
    assert_eq!(plan.rows.len(), 1);
    assert_eq!(&*plan.rows[0].namespace_scope, "");
}

#[test]
fn a_context_without_its_cluster_or_user_is_one_bad_row() {
    let text = TWO
        .replace(
            "{cluster: oslo, user: admin}",
            "{cluster: olso, user: admin}",
        )
        .replace(
            "cluster: bergen, user: admin",
            "cluster: bergen, user: nobody",
        );
    let plan = load_text(&text).unwrap();
    assert_eq!(names(&plan), ["edge-oslo-003", "edge-bergen-001"]);
    let first = fault(&plan.rows[0]);
    assert!(
        first.contains("names the cluster `olso`, which no file defines"),
        "{first}"
    );
    assert!(first.contains("config-0:13"), "{first}");
    assert!(fault(&plan.rows[1]).contains("names the user `nobody`"));
}

#[test]
fn a_context_of_the_wrong_shape_is_one_bad_row_and_names_the_field() {
    let text = TWO.replace(
        "{cluster: oslo, user: admin}",
        "{cluster: [oslo], user: admin}",
    );
    let plan = load_text(&text).unwrap();
    assert!(
        fault(&plan.rows[0]).contains("at `cluster`"),
        "{}",
        fault(&plan.rows[0])
    );
    assert!(plan.rows[1].target.is_ok());
}

#[test]
fn a_server_that_is_no_url_is_named() {
    for (server, wanted) in [
        ("''", "names no server"),
        ("'oslo.example'", "not an https URL"),
        ("'ftp://oslo'", "not an https URL"),
    ] {
        let text = TWO.replace("'https://oslo.example:6443'", server);
        let plan = load_text(&text).unwrap();
        assert!(
            fault(&plan.rows[0]).contains(wanted),
            "{}",
            fault(&plan.rows[0])
        );
    }
}

#[test]
fn bad_base64_and_unreadable_certificate_files_name_the_field_and_the_file() {
    let text = TWO.replace(
        "{server: 'https://oslo.example:6443'}",
        "{server: 'https://o.example', certificate-authority-data: '***'}",
    );
    assert!(
        fault(&load_text(&text).unwrap().rows[0])
            .contains("certificate-authority-data is not base64")
    );
    let text = TWO.replace(
        "{server: 'https://oslo.example:6443'}",
        "{server: 'https://o.example', certificate-authority: gone.crt}",
    );
    let plan = load_text(&text).unwrap();
    assert!(
        fault(&plan.rows[0]).contains("gone.crt cannot be read"),
        "{}",
        fault(&plan.rows[0])
    );
    assert!(plan.rows[1].target.is_ok());
    let text = TWO.replace(
        "{token: s3cret-token}",
        "{client-certificate-data: bm9wZQ==, client-key-data: bm9wZQ==}",
    );
    assert!(
        fault(&load_text(&text).unwrap().rows[0]).contains("client certificate cannot be read")
    );
}

#[test]
fn no_error_sentence_quotes_a_credential() {
    let text = TWO.replace("{token: s3cret-token}", "{token: [s3cret-token]}");
    let plan = load_text(&text).unwrap();
    assert!(
        !fault(&plan.rows[0]).contains("s3cret"),
        "{}",
        fault(&plan.rows[0])
    );
    let text = TWO.replace(
        "{server: 'https://oslo.example:6443'}",
        "{server: 'https://o.example', proxy-url: 'ftp://u:s3cret@p'}",
    );
    assert!(!fault(&load_text(&text).unwrap().rows[0]).contains("s3cret"));
}

#[test]
fn a_file_that_is_not_yaml_names_its_line_and_the_other_file_works() {
    let broken = "clusters:\n- name: a\n  cluster: {server: x\ncontexts: [\n";
    let plan = load_files(&[broken, TWO], LoadOptions::default()).unwrap();
    assert_eq!(plan.rows.len(), 2);
    assert_eq!(plan.problems.len(), 1);
    let problem = &plan.problems[0];
    assert!(problem.line.is_some_and(|l| l >= 3), "{problem:?}");
    assert!(
        problem.sentence.as_str().contains("config-0:"),
        "{problem:?}"
    );
}

#[test]
fn only_broken_files_are_an_error_with_the_first_problem() {
    let error = load_text("contexts: [").unwrap_err();
    assert!(matches!(error, PlanError::Unusable { .. }), "{error:?}");
    assert!(error.to_string().contains("is not YAML"));
    assert!(
        load_text("")
            .unwrap_err()
            .to_string()
            .contains("no context")
    );
    assert!(
        load_text("- a\n- b\n")
            .unwrap_err()
            .to_string()
            .contains("not a map")
    );
}

#[test]
fn the_first_of_two_equal_names_wins_across_files_and_within_one() {
    let second = TWO.replace("oslo.example", "elsewhere.example");
    let plan = load_files(&[TWO, &second], LoadOptions::default()).unwrap();
    assert_eq!(plan.rows.len(), 2);
    assert_eq!(&*plan.rows[0].server, "https://oslo.example:6443");
}

#[test]
fn parts_of_one_context_may_stand_in_different_files() {
    let (before, after) = TWO.split_once("contexts:").unwrap();
    let plan = load_files(
        &[&format!("contexts:{after}"), before],
        LoadOptions::default(),
    )
    .unwrap();
    assert!(plan.rows.iter().all(|r| r.target.is_ok()));
}

#[test]
fn bytes_that_are_not_utf8_spoil_only_their_entry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    let mut bytes = TWO.as_bytes().to_vec();
    let at = TWO.find("oslo.example").unwrap();
    bytes[at] = 0xff;
    std::fs::write(&path, bytes).unwrap();
    let plan = load(&LoadOptions {
        paths: vec![path],
        ..LoadOptions::default()
    })
    .unwrap();
    assert!(
        fault(&plan.rows[0]).contains("not UTF-8"),
        "{}",
        fault(&plan.rows[0])
    );
    assert!(plan.rows[1].target.is_ok());
}

#[test]
fn utf16_with_a_mark_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config");
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(TWO.encode_utf16().flat_map(u16::to_le_bytes));
    std::fs::write(&path, bytes).unwrap();
    let plan = load(&LoadOptions {
        paths: vec![path],
        ..LoadOptions::default()
    })
    .unwrap();
    assert_eq!(plan.rows.len(), 2);
}

#[test]
fn globs_choose_contexts_and_an_unknown_one_is_named_with_what_there_is() {
    let glob = |p: &str| vec![NameGlob::new(p).unwrap()];
    let options = LoadOptions {
        include: glob("edge-*"),
        exclude: glob("*-bergen-*"),
        ..LoadOptions::default()
    };
    assert_eq!(
        names(&load_files(&[TWO], options).unwrap()),
        ["edge-oslo-003"]
    );
    let error = load_files(
        &[TWO],
        LoadOptions {
            include: glob("hub-*"),
            ..LoadOptions::default()
        },
    )
    .unwrap_err();
    assert!(error.to_string().contains("`hub-*`"), "{error}");
    assert!(error.to_string().contains("edge-oslo-003"), "{error}");
}

#[test]
fn a_missing_file_that_was_asked_for_is_an_error_that_names_it() {
    let options = LoadOptions {
        paths: vec!["/nonexistent/kubeconfig".into()],
        ..LoadOptions::default()
    };
    assert!(
        load(&options)
            .unwrap_err()
            .to_string()
            .contains("/nonexistent/kubeconfig")
    );
}

#[test]
fn the_configs_alias_names_the_row_and_two_rows_never_share_a_name() {
    let options = LoadOptions {
        aliases: vec![
            ("edge-oslo-003".into(), "oslo".into()),
            ("edge-bergen-001".into(), "oslo".into()),
        ],
        ..LoadOptions::default()
    };
    let plan = load_files(&[TWO], options).unwrap();
    assert_eq!(names(&plan), ["oslo", "edge-bergen-001"]);
}

#[test]
fn the_driftdeck_extension_is_surfaced_and_a_malformed_one_counts_as_none() {
    let text = TWO.replace(
        "{cluster: oslo, user: admin}",
        "{cluster: oslo, user: admin, extensions: [{name: driftdeck, extension: {fileRepositories: ['/srv/demo'], group: north}}]}",
    );
    let hints = load_text(&text).unwrap().rows[0].hints.clone();
    assert_eq!(hints.file_repositories, ["/srv/demo"]);
    assert_eq!(hints.group.as_deref(), Some("north"));
    let text = text.replace("['/srv/demo']", "17");
    let plan = load_text(&text).unwrap();
    assert_eq!(plan.rows[0].hints, Hints::default());
    assert!(plan.rows[0].target.is_ok());
}

#[test]
fn a_cluster_may_be_reached_elsewhere_than_its_server_says() {
    let with = |address: &str| {
        let cluster = format!(
            "{{server: 'https://oslo.example:6443', extensions: [{{name: driftdeck, extension: {{address: '{address}'}}}}]}}"
        );
        TWO.replace("{server: 'https://oslo.example:6443'}", &cluster)
    };
    let plan = load_text(&with("127.0.0.1:16443")).unwrap();
    let target = plan.rows[0].target.as_ref().unwrap();
    assert_eq!(target.address().unwrap().as_str(), "127.0.0.1:16443");
    assert_eq!(&*plan.rows[0].server, "https://oslo.example:6443");
    for wrong in ["127.0.0.1", "somewhere/else:1", ""] {
        let plan = load_text(&with(wrong)).unwrap();
        let why = plan.rows[0].target.as_ref().unwrap_err().to_string();
        assert!(
            why.contains("is not HOST:PORT; correct or remove it"),
            "{why}"
        );
    }
}

#[test]
fn impersonation_shows_in_the_identity_and_parts_the_rows() {
    let options = LoadOptions {
        impersonate: Some(Impersonate {
            user: "ola".into(),
            groups: vec!["ops".into()],
        }),
        ..LoadOptions::default()
    };
    let acting = load_files(&[TWO], options).unwrap();
    assert_eq!(&*acting.rows[0].identity, "admin as ola");
    let plain = load_text(TWO).unwrap();
    let key = |plan: &FleetPlan| plan.rows[0].target.as_ref().unwrap().key().clone();
    assert_ne!(key(&acting), key(&plain));
}

#[test]
fn removed_auth_providers_say_what_replaces_them() {
    let text = TWO.replace(
        "{token: s3cret-token}",
        "{auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}}",
    );
    assert!(fault(&load_text(&text).unwrap().rows[0]).contains("gke-gcloud-auth-plugin"));
}

#[test]
fn an_alias_bomb_is_refused_quickly() {
    let levels = ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"].map(|pair| pair.split_at(1));
    let lines = levels.map(|(from, to)| {
        let uses = vec![format!("*{from}"); 9].join(",");
        format!("{to}: &{to} [{uses}]\n")
    });
    let text = format!("a: &a [x,x,x,x,x,x,x,x,x]\n{}", lines.concat());
    assert!(load_text(&text).is_err());
}
