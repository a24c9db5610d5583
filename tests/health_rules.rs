//! Health rules of argocd-cm run by the real program: what they may do, how each overrun is stopped, and that the next rule does not feel it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: it stops at the first thing that is not as it should be"
)]

use std::path::PathBuf;
use std::sync::Arc;

use driftdeck::domain::Health;
use driftdeck::health::lua::{Answer, LuaFault};
use driftdeck::sources::lua::LuaHelper;
use serde_json::{Value, json};

fn helper() -> LuaHelper {
    LuaHelper::new(Some(PathBuf::from(env!("CARGO_BIN_EXE_driftdeck"))))
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge-microservice"}, "status": {"readyReplicas": 2}})
}

fn ask(helper: &mut LuaHelper, script: &str) -> Answer {
    helper.ask(&Arc::from(script), &deployment())
}

const WELL: &str =
    "return {status = 'Healthy', message = obj.metadata.name .. ' ' .. obj.status.readyReplicas}";

fn assert_well(helper: &mut LuaHelper) {
    let said = Ok(Some((Health::Healthy, "edge-microservice 2".to_owned())));
    assert_eq!(ask(helper, WELL), said);
}

#[test]
fn one_process_answers_many_questions() {
    let mut helper = helper();
    for _ in 0..50 {
        assert_well(&mut helper);
    }
}

#[test]
fn endless_loops_and_endless_patterns_are_stopped_after_a_second_and_the_next_rule_is_answered() {
    let mut helper = helper();
    assert_well(&mut helper);
    let pattern = "return {status = 'Healthy', message = tostring(string.find(string.rep('a', 60000), string.rep('.-', 40) .. 'b'))}";
    for script in [
        "while true do end",
        "pcall(function() while true do end end)",
        pattern,
    ] {
        assert_eq!(ask(&mut helper, script), Err(LuaFault::Time), "{script}");
        assert_well(&mut helper);
    }
}

#[test]
fn too_much_memory_is_refused_and_named() {
    let mut helper = helper();
    for script in [
        "return {message = string.rep('x', 1e9)}",
        "local s = 'x' while true do s = s .. s end",
    ] {
        assert_eq!(ask(&mut helper, script), Err(LuaFault::Memory), "{script}");
        assert_well(&mut helper);
    }
}

#[test]
fn what_reaches_the_machine_is_refused_by_name() {
    let mut helper = helper();
    let Err(LuaFault::Forbidden(text)) =
        ask(&mut helper, "return io.open('/etc/passwd'):read('*a')")
    else {
        panic!("io is not refused");
    };
    assert!(text.contains("io.open"), "{text}");
    assert!(matches!(
        ask(&mut helper, "os.exit(0)"),
        Err(LuaFault::Forbidden(_))
    ));
    assert!(matches!(
        ask(&mut helper, "return require('os')"),
        Err(LuaFault::Forbidden(_))
    ));
    assert_well(&mut helper);
}

#[test]
fn a_rule_that_was_stopped_three_times_is_not_run_again_and_others_are() {
    let mut helper = helper();
    for _ in 0..3 {
        assert_eq!(ask(&mut helper, "while 1 do end"), Err(LuaFault::Time));
    }
    assert_eq!(ask(&mut helper, "while 1 do end"), Err(LuaFault::Barred));
    assert_well(&mut helper);
}

#[test]
fn a_program_that_cannot_be_started_is_a_sentence() {
    for program in [None, Some(PathBuf::from("/nonexistent/driftdeck"))] {
        let mut helper = LuaHelper::new(program);
        let Err(fault @ LuaFault::Unavailable(_)) = ask(&mut helper, WELL) else {
            panic!("there is no such program");
        };
        assert!(
            fault
                .to_string()
                .starts_with("The health rule cannot be run: "),
            "{fault}"
        );
    }
}

#[test]
fn explain_asks_the_rules_of_argocd_cm_and_stops_what_overruns() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let object = write(
        "object.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge-microservice}\nspec: {paused: true}\n---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: once}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n",
    );
    let map = write(
        "argocd-cm.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata:\n  resource.customizations.health.apps_Deployment: |\n    return {status = 'Degraded', message = 'by our rule'}\n  resource.customizations: |\n    batch/*:\n      health.lua: while true do end\n",
    );
    let explain = |more: &[&std::ffi::OsStr]| -> Value {
        let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_driftdeck"))
            .args(["explain", "-o", "json", "-f"])
            .arg(&object)
            .args(more)
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .assert()
            .success()
            .get_output()
            .stdout
            .clone();
        serde_json::from_slice(&output).unwrap()
    };
    let before = explain(&[]);
    assert_eq!(before["items"][0]["health"]["status"], "Suspended");
    let after = explain(&["--argocd-cm".as_ref(), map.as_os_str()]);
    let health = |index: usize| after["items"][index]["health"].clone();
    assert_eq!(
        health(0),
        json!({"status": "Degraded", "message": "by our rule", "source": "argocd-cm lua apps/Deployment"})
    );
    assert_eq!(
        health(1),
        json!({"status": "Unknown", "message": "The health rule was stopped: it did not end within one second.", "source": "argocd-cm lua batch/*"})
    );
    assert_eq!(
        health(2),
        json!({"status": "Healthy", "message": "", "source": "argo built-in"})
    );
}
