//! Facts from clusters, time, and the size of the terminal.

use super::*;

#[test]
fn facts_that_change_nothing_visible_draw_nothing() {
    let mut model = reading();
    model.take_dirty();
    update(&mut model, fact("edge-madrid-001", Fact::Seen), now());
    assert!(!model.take_dirty());
    update(&mut model, link("edge-madrid-001", LinkState::Stale), now());
    assert!(model.take_dirty());
}

#[test]
fn an_old_life_of_a_cluster_changes_nothing() {
    let mut model = reading();
    model.take_dirty();
    let old = ClusterEvent {
        cluster: "edge-madrid-001".into(),
        generation: 0,
        at: now(),
        fact: Fact::Link {
            state: LinkState::Unreachable,
            message: None,
        },
    };
    update(&mut model, Msg::Facts(vec![old]), now());
    assert!(!model.take_dirty());
}

#[test]
fn a_cluster_that_goes_silent_is_no_longer_counted_as_good() {
    let mut model = reading();
    let good = model.rows.counts.good;
    update(&mut model, link("edge-madrid-001", LinkState::Stale), now());
    assert_eq!(model.rows.counts.good, good - 1);
    assert_eq!(model.rows.counts.stale, 2);
}

#[test]
fn the_screen_sleeps_until_the_next_minute_when_nothing_is_young() {
    let model = reading();
    let wake = model.wake_at();
    assert_eq!(wake.as_second() % 60, 0);
    assert!(wake > now());
}

#[test]
fn a_resize_keeps_the_selected_row_in_sight() {
    let mut model = reading();
    press(&mut model, "G");
    let before = selected(&model);
    for (cols, rows) in [(80, 24), (20, 6), (1, 1), (500, 200), (0, 0), (60, 20)] {
        update(&mut model, Msg::Resize(cols, rows), now());
        let Some(Screen::Fleet(fleet)) = model.screen() else {
            panic!("the fleet is seen");
        };
        let (cursor, offset) = (fleet.list.lines().cursor(), fleet.list.lines().offset());
        assert!(
            cursor >= offset && cursor < offset + fleet.page(&model.ctx()),
            "{cols}x{rows}"
        );
    }
    assert_eq!(selected(&model), before);
}

#[test]
fn a_reverted_object_leaves_the_inbox() {
    let mut model = reading();
    press(&mut model, "2");
    let healed = crate::fleet::testkit::in_sync(
        "gateway-boston-001",
        crate::domain::ObjectRef::new(
            crate::domain::Gvk::new("", "v1", "Service"),
            "edge",
            "gateway",
        ),
    );
    update(
        &mut model,
        fact("edge-boston-001", Fact::Resource(Box::new(healed))),
        now(),
    );
    let later = now().checked_add(SignedDuration::from_secs(5)).unwrap();
    update(&mut model, Msg::Tick, later);
    assert_eq!(drift(&model).groups.len(), 2);
    assert_eq!(
        app_on("edge-boston-001").name.as_ref(),
        "gateway-boston-001"
    );
    assert_eq!(
        config_map("edge-config").to_string(),
        "ConfigMap edge/edge-config"
    );
}

/// So many milliseconds after the console was opened.
fn after(millis: i64) -> jiff::Timestamp {
    let later = now().checked_add(SignedDuration::from_millis(millis));
    later.unwrap()
}

#[test]
fn a_storm_of_facts_is_drawn_in_breaths_and_nothing_is_lost() {
    let mut model = reading();
    update(&mut model, link("edge-madrid-001", LinkState::Stale), now());
    model.take_dirty();
    for millis in 1..40 {
        let state = if millis % 2 == 0 {
            LinkState::Live
        } else {
            LinkState::Unreachable
        };
        update(&mut model, link("edge-madrid-002", state), after(millis));
        assert!(!model.take_dirty(), "{millis} ms");
    }
    assert_eq!(model.wake_at(), after(50));
    update(&mut model, Msg::Tick, after(50));
    assert!(model.take_dirty());
    assert_eq!(model.rows.counts.dark, 3);
}

#[test]
fn ages_step_by_themselves_wherever_they_stand() {
    let mut model = reading();
    let begun = model.wake_at();
    for screen in ["3", "4", "1"] {
        press(&mut model, screen);
        model.take_dirty();
        let next = model.wake_at();
        let steps = model.place() != Place::Fleet;
        assert_eq!(next < begun, steps, "{screen}");
        update(&mut model, Msg::Tick, next);
        assert!(model.take_dirty(), "{screen}");
    }
}

#[test]
fn figures_that_move_are_drawn_together_with_the_tens_of_seconds() {
    let mut model = reading();
    let measured = |samples| {
        let metrics = crate::domain::ClusterMetrics {
            samples,
            ..crate::domain::ClusterMetrics::default()
        };
        fact("hub-1", Fact::Metrics(Box::new(metrics)))
    };
    let shown = |model: &Model| {
        let cluster = model.fleet.cluster(&"hub-1".into()).unwrap();
        cluster.metrics.as_ref().map(|m| m.samples)
    };
    update(&mut model, measured(1), after(1));
    assert_eq!(shown(&model), Some(1), "the first ones do not wait");
    model.take_dirty();
    update(&mut model, measured(2), after(1_000));
    update(&mut model, measured(3), after(2_000));
    assert!(!model.take_dirty());
    let wake = model.wake_at();
    assert_eq!(wake.as_second() % 10, 0);
    assert!(wake <= after(12_000));
    update(&mut model, Msg::Tick, wake);
    assert!(model.take_dirty());
    assert_eq!(shown(&model), Some(3));
}

#[test]
fn facts_that_come_without_end_do_not_put_off_the_clock() {
    let mut model = reading();
    let due = model.wake_at();
    let late = due.checked_add(SignedDuration::from_millis(20)).unwrap();
    update(&mut model, fact("edge-madrid-001", Fact::Seen), late);
    assert_eq!(model.wake_at(), due);
    update(&mut model, Msg::Tick, late);
    assert!(model.take_dirty());
    assert!(model.wake_at() > late);
}
