use super::*;

#[test]
fn every_embedded_scenario_reads() {
    assert_eq!(
        names(),
        ["calm", "dark", "fifty", "giant", "hands", "hub", "shift"]
    );
    for name in names() {
        let scenario = Scenario::named(name).unwrap();
        assert_eq!(scenario.name, name);
        assert!(scenario.summary.ends_with('.'), "{name}");
    }
}

#[test]
fn calm_is_calm() {
    let calm = Scenario::named("calm").unwrap();
    assert!(calm.events.is_empty());
    assert_eq!(calm.fleet.auto_sync.to_bits(), 0.0_f64.to_bits());
    assert_eq!(calm.fleet.flux.to_bits(), 0.0_f64.to_bits());
    assert_eq!(calm.fleet.metrics, MetricCourse::Constant);
    assert_eq!(calm.fleet.poll, None);
    assert_eq!(calm.fleet.silent, 0);
}

#[test]
fn the_default_shows_drift_an_outage_and_a_crash_loop_within_a_minute() {
    let shift = Scenario::named(DEFAULT).unwrap();
    let minute = SignedDuration::from_secs(60);
    let early: Vec<&Action> = shift
        .events
        .iter()
        .filter(|e| e.at + e.spread <= minute)
        .map(|e| &e.action)
        .collect();
    assert!(early.iter().any(|a| matches!(a, Action::Scale { .. })));
    assert!(early.iter().any(|a| matches!(a, Action::Dark { .. })));
    assert!(early.iter().any(|a| matches!(a, Action::Crash { .. })));
    assert!(shift.fleet.self_heal > 0.0);
}

#[test]
fn an_unknown_name_lists_the_known_ones_and_the_nearest() {
    let error = Scenario::named("clam").unwrap_err().to_string();
    assert!(error.contains("the nearest is `calm`."), "{error}");
    assert!(
        error.contains("calm, dark, fifty, giant, hands, hub, shift"),
        "{error}"
    );
    assert!(
        !Scenario::named("../Cargo")
            .unwrap_err()
            .to_string()
            .contains("the nearest is")
    );
}

#[test]
fn a_misspelt_setting_is_named_with_its_line() {
    let text = "summary = \"x.\"\n[fleet]\nclusters = 3\napps = 2\nfulx = 0.5\n";
    let error = Scenario::parse("mine", text).unwrap_err().to_string();
    assert!(
        error.contains("fulx") && error.contains("line 5"),
        "{error}"
    );
}

#[test]
fn an_action_that_is_none_is_refused() {
    let text = "summary = \"x.\"\n[fleet]\nclusters = 3\napps = 2\n[[event]]\nat = \"5s\"\ndo = \"explode\"\n";
    assert!(Scenario::parse("mine", text).is_err());
}

#[test]
fn an_event_reads_with_its_targets() {
    let text = r#"
summary = "One edit."
[fleet]
clusters = 3
apps = 2
[[event]]
at = "1m 5s"
app = "ingress"
on = { share = 0.5, not = ["early"], as = "late" }
do = "edit"
kind = "ConfigMap"
name = "ingress-config"
set = { data = { "proxy.yaml" = "keepAlive: 5s\n" } }
remove = ["/metadata/labels/team"]
"#;
    let scenario = Scenario::parse("mine", text).unwrap();
    let event = &scenario.events[0];
    assert_eq!(event.at, SignedDuration::from_secs(65));
    assert_eq!(event.on.remember.as_deref(), Some("late"));
    let Action::Edit { manager, set, .. } = &event.action else {
        panic!("an edit was read as something else");
    };
    assert_eq!(manager, "kubectl-edit");
    assert_eq!(
        set.as_ref().unwrap()["data"]["proxy.yaml"],
        "keepAlive: 5s\n"
    );
}

#[test]
fn the_fleet_folder_has_the_seed_objects_and_no_history_in_it() {
    let files = fleet_files();
    assert!(
        files
            .iter()
            .any(|(p, t)| *p == "microserviceA/deployment.yaml" && t.contains("vault-secret"))
    );
    assert!(files.iter().all(|(p, _)| *p != "history.toml"));
}
