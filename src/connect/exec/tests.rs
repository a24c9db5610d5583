//! Plugins that work, hang, talk, break and lie; each is a small shell script.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use secrecy::ExposeSecret as _;

use super::*;

struct Bench {
    dir: tempfile::TempDir,
    plugins: Arc<Plugins>,
}

impl Bench {
    fn new() -> Self {
        Self::within(Duration::from_secs(10))
    }

    fn within(time: Duration) -> Self {
        let limits = PluginLimits {
            time,
            ..PluginLimits::default()
        };
        Self {
            dir: tempfile::tempdir().unwrap(),
            plugins: Arc::new(Plugins::new(limits)),
        }
    }

    /// A plugin whose script is this text; `$DIR` is a folder for its traces.
    fn plugin(&self, script: &str) -> Plugin {
        let path = self.dir.path().join("plugin.sh");
        std::fs::write(
            &path,
            format!("#!/bin/sh\nDIR='{}'\n{script}\n", self.dir.path().display()),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
        Plugin {
            command: "/bin/sh".into(),
            args: vec![path.display().to_string()],
            env: vec![("SITE".into(), "oslo".into())],
            api_version: "client.authentication.k8s.io/v1".into(),
            cluster: String::new(),
            install_hint: String::new(),
            interactive: false,
        }
    }

    fn trace(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join(name)).unwrap_or_default()
    }
}

const TOKEN: &str = r#"echo '{"kind":"ExecCredential","status":{"token":"t0ken"}}'"#;

fn token(credential: &Credential) -> &str {
    credential.token.as_ref().unwrap().expose_secret()
}

#[tokio::test]
async fn a_plugin_gives_its_token_and_is_told_that_nobody_answers() {
    let bench = Bench::new();
    let plugin = bench.plugin(&format!(
        "echo \"$SITE $KUBERNETES_EXEC_INFO\" >$DIR/seen\n{TOKEN}"
    ));
    let credential = bench.plugins.credential(&plugin, None).await.unwrap();
    assert_eq!(token(&credential), "t0ken");
    let seen = bench.trace("seen");
    assert!(seen.starts_with("oslo "), "{seen}");
    assert!(seen.contains(r#""interactive":false"#), "{seen}");
}

#[tokio::test]
async fn a_thousand_contexts_with_one_identity_run_the_plugin_once() {
    let bench = Bench::new();
    let plugin = bench.plugin(&format!("echo run >>$DIR/runs\n{TOKEN}"));
    let asks = (0..1000).map(|_| bench.plugins.credential(&plugin, None));
    let all = futures::future::join_all(asks).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(bench.trace("runs").lines().count(), 1);
}

#[tokio::test]
async fn a_refused_credential_is_replaced_once_for_everybody() {
    let bench = Bench::new();
    let plugin = bench.plugin(&format!("echo run >>$DIR/runs\n{TOKEN}"));
    let first = bench.plugins.credential(&plugin, None).await.unwrap();
    let asks = (0..50).map(|_| bench.plugins.credential(&plugin, Some(first.serial)));
    futures::future::join_all(asks).await;
    assert_eq!(bench.trace("runs").lines().count(), 2);
}

#[tokio::test]
async fn a_credential_near_its_end_is_replaced_before_it_ends() {
    let bench = Bench::new();
    let soon = Timestamp::now() + jiff::SignedDuration::from_secs(30);
    let plugin = bench.plugin(&format!(
        "echo run >>$DIR/runs\necho '{{\"status\":{{\"token\":\"t\",\"expirationTimestamp\":\"{soon}\"}}}}'"
    ));
    bench.plugins.credential(&plugin, None).await.unwrap();
    bench.plugins.credential(&plugin, None).await.unwrap();
    assert_eq!(bench.trace("runs").lines().count(), 2);
}

#[tokio::test]
async fn a_hanging_plugin_is_stopped_with_its_children_and_fails_for_everybody_at_once() {
    let bench = Bench::within(Duration::from_millis(400));
    let plugin = bench.plugin("sleep 600 &\necho $! >$DIR/child\nwait");
    let asks = (0..20).map(|_| bench.plugins.credential(&plugin, None));
    let all = futures::future::join_all(asks).await;
    let fault = all.into_iter().next().unwrap().err().unwrap();
    assert!(fault.to_string().contains("did not end within"), "{fault}");
    let child = bench.trace("child").trim().to_owned();
    let gone = || !alive(&child);
    let deadline = Instant::now() + Duration::from_secs(5);
    while !gone() && Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert!(gone(), "the child {child} outlived its plugin");
}

/// Whether the process runs; a zombie does not.
fn alive(pid: &str) -> bool {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid).join("stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[tokio::test]
async fn a_plugin_has_no_terminal_to_read_from_or_to_write_to() {
    let bench = Bench::new();
    let plugin = bench.plugin(&format!(
        "read line && echo \"$line\" >$DIR/read\n(: </dev/tty) 2>/dev/null && echo tty >$DIR/tty\necho noise >&2\n{TOKEN}"
    ));
    bench.plugins.credential(&plugin, None).await.unwrap();
    assert_eq!(bench.trace("read"), "");
    assert_eq!(bench.trace("tty"), "");
}

#[tokio::test]
async fn garbage_floods_and_failures_become_one_sentence_each() {
    let cases = [
        ("echo hello", "did not print an ExecCredential"),
        ("echo '{\"kind\":\"ExecCredential\"}'", "without a status"),
        (
            "echo '{\"status\":{}}'",
            "neither a token nor a certificate",
        ),
        (
            "echo '{\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}}'",
            "no time",
        ),
        ("head -c 3000000 /dev/zero", "far more than a credential"),
        (
            "echo 'no such profile: edge' >&2; exit 3",
            "failed with status 3: no such profile: edge",
        ),
    ];
    for (script, wanted) in cases {
        let bench = Bench::new();
        let fault = bench
            .plugins
            .credential(&bench.plugin(script), None)
            .await
            .err()
            .unwrap();
        assert_eq!(fault.kind, FaultKind::Auth);
        assert!(fault.to_string().contains(wanted), "{script}: {fault}");
    }
}

#[tokio::test]
async fn ten_megabytes_of_complaints_do_not_block_the_plugin_and_are_cut() {
    let bench = Bench::new();
    let plugin = bench.plugin("head -c 10000000 /dev/zero | tr '\\0' 'x' >&2; exit 1");
    let fault = bench.plugins.credential(&plugin, None).await.err().unwrap();
    assert!(fault.sentence.as_str().len() < 600);
}

#[tokio::test]
async fn complaints_are_shown_without_tokens_and_control_characters() {
    let bench = Bench::new();
    let plugin = bench.plugin(
        "printf 'refused: token=abc123 eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.x for \\033[31mola\\n' >&2; exit 1",
    );
    let text = bench
        .plugins
        .credential(&plugin, None)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        !text.contains("abc123") && !text.contains("eyJhb") && !text.contains('\u{1b}'),
        "{text}"
    );
    assert!(text.contains("refused:") && text.contains("ola"), "{text}");
}

#[tokio::test]
async fn a_failure_is_not_repeated_until_the_operator_asks() {
    let bench = Bench::new();
    let plugin = bench.plugin("echo run >>$DIR/runs; exit 1");
    for _ in 0..3 {
        assert!(bench.plugins.credential(&plugin, None).await.is_err());
    }
    assert_eq!(bench.trace("runs").lines().count(), 1);
    bench.plugins.forget_failure(&plugin).await;
    assert!(bench.plugins.credential(&plugin, None).await.is_err());
    assert_eq!(bench.trace("runs").lines().count(), 2);
}

#[tokio::test]
async fn a_plugin_that_must_ask_is_not_started_by_itself() {
    let bench = Bench::new();
    let mut plugin = bench.plugin(&format!("echo run >>$DIR/runs\n{TOKEN}"));
    plugin.interactive = true;
    let fault = bench.plugins.credential(&plugin, None).await.err().unwrap();
    assert_eq!(fault.kind, FaultKind::LoginNeeded);
    assert_eq!(bench.trace("runs"), "");
}

#[tokio::test]
async fn a_missing_program_gives_the_install_hint() {
    let bench = Bench::new();
    let mut plugin = bench.plugin(TOKEN);
    plugin.command = "no-such-credential-plugin".into();
    plugin.install_hint = "Install it with your package manager.".into();
    let fault = bench.plugins.credential(&plugin, None).await.err().unwrap();
    assert!(
        fault
            .to_string()
            .contains("is not installed; Install it with your package manager"),
        "{fault}"
    );
}
