//! Rows in groups: chosen in a window, folded, marked and reverted as one; the cursor sticks to its row.

use super::*;
use crate::app::grouped::Line;

/// Groups the list that is seen.
fn group_by(model: &mut Model, id: &str) {
    press(model, "% g");
    for _ in 0..40 {
        match &model.modal {
            Some(Modal::GroupBy(pick)) if pick.chosen() == Some(id) => break,
            _ => press(model, "j"),
        };
    }
    press(model, "enter");
    let by = model.layouts.grouping(place(model)).map(|by| by.id());
    assert_eq!(by.as_deref(), Some(id));
}

/// The lines of the fleet, groups in brackets.
fn lines(model: &Model) -> Vec<String> {
    let Some(Screen::Fleet(fleet)) = model.screen() else {
        return Vec::new();
    };
    let lines = fleet.list.lines().keys().iter();
    let line = |line: &Line<ClusterId>| match line {
        Line::Head(name) => format!("[{name}]"),
        Line::Row(id) => id.to_string(),
    };
    lines.map(line).collect()
}

fn heads(model: &Model) -> Vec<String> {
    let lines = lines(model).into_iter();
    lines.filter(|line| line.starts_with('[')).collect()
}

#[test]
fn the_fleet_stands_in_groups_whose_counts_call_nothing_good_that_does_not_answer() {
    let mut model = reading();
    group_by(&mut model, "site");
    assert_eq!(heads(&model), ["[ap]", "[eu]", "[us]", "[]"]);
    let Some(Screen::Fleet(fleet)) = model.screen() else {
        unreachable!("the fleet is seen")
    };
    let eu = fleet.counts(&Safe::fixed("eu"));
    assert_eq!(eu.clusters, 9);
    assert_eq!((eu.stale, eu.dark), (1, 2));
    assert_eq!(eu.good + eu.drifted + eu.degraded, 6);
}

#[test]
fn a_label_of_the_hubs_cluster_secrets_groups_too() {
    let mut model = reading();
    group_by(&mut model, "label:tier");
    assert_eq!(heads(&model), ["[kiosk]", "[store]", "[]"]);
}

#[test]
fn bad_health_stands_first_and_who_does_not_answer_is_in_no_health() {
    let mut model = reading();
    group_by(&mut model, "health");
    let heads = heads(&model);
    assert_eq!(heads.first().map(String::as_str), Some("[Degraded]"));
    assert!(heads.contains(&"[stale]".to_owned()), "{heads:?}");
    let healthy = heads.iter().position(|h| h == "[Healthy]");
    let stale = heads.iter().position(|h| h == "[stale]");
    assert!(stale < healthy);
}

#[test]
fn enter_folds_a_group_and_the_arrows_do_on_its_rows() {
    let mut model = reading();
    group_by(&mut model, "site");
    let all = lines(&model).len();
    press(&mut model, "g g enter");
    assert_eq!(lines(&model).len(), all - 2);
    press(&mut model, "right j");
    assert_eq!(lines(&model).len(), all);
    press(&mut model, "left");
    assert_eq!(lines(&model).len(), all - 2);
    assert_eq!(selected(&model), "ap");
    press(&mut model, "z");
    assert_eq!(lines(&model).len(), 4);
    press(&mut model, "z");
    assert_eq!(lines(&model).len(), all);
}

#[test]
fn without_groups_there_is_nothing_to_fold_and_that_is_said() {
    let mut model = reading();
    press(&mut model, "z");
    assert!(notice(&model).contains("no groups"));
}

#[test]
fn the_cursor_stays_on_its_cluster_while_the_list_is_grouped_and_that_cluster_moves() {
    let mut model = reading();
    press(&mut model, "j j j");
    let here = selected(&model);
    group_by(&mut model, "health");
    assert_eq!(selected(&model), here);
    let later = |seconds| {
        now()
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap()
    };
    update(&mut model, link(&here, LinkState::Stale), later(5));
    update(&mut model, Msg::Tick, later(10));
    assert_eq!(selected(&model), here);
    let at = lines(&model);
    let of = |line: &str| at.iter().position(|l| l == line).unwrap();
    assert!(of("[stale]") < of(&here));
}

#[test]
fn a_revert_on_the_line_of_a_group_takes_all_of_it() {
    let mut model = writing();
    group_by(&mut model, "site");
    press(&mut model, "g g");
    let face = model.face().unwrap();
    let wish = face.wish(&model.ctx()).unwrap();
    let clusters: std::collections::BTreeSet<&str> =
        wish.targets.iter().map(|t| t.cluster.as_str()).collect();
    assert_eq!(clusters, ["edge-osaka-001"].into());
    press(&mut model, "space");
    assert_eq!(marks(&model), 2);
}

#[test]
fn drift_by_cluster_is_one_row_for_each_change_there_and_none_is_counted_twice() {
    let mut model = reading();
    press(&mut model, "2");
    let flat = model.face().unwrap().scope(&model.ctx());
    group_by(&mut model, "cluster");
    assert_eq!(model.face().unwrap().scope(&model.ctx()), flat);
    let rows: Vec<_> = drift(&model).groups.keys().cloned().collect();
    let on = |name: &str| rows.iter().filter(|row| row.group.as_str() == name).count();
    assert_eq!(on("edge-berlin-017"), 2);
    assert_eq!(on("edge-berlin-018"), 1);
    let munich = drift(&model).tally(&Safe::fixed("edge-munich-009"));
    assert_eq!((munich.objects, munich.old), (0, 1));
}

#[test]
fn a_change_below_a_cluster_has_the_members_of_that_cluster_only() {
    let mut model = reading();
    press(&mut model, "2");
    group_by(&mut model, "cluster");
    press(&mut model, "g g j");
    let row = drift(&model).group(&model.ctx()).unwrap().clone();
    assert_eq!(row.clusters().len(), 1);
    let wish = model.face().unwrap().wish(&model.ctx()).unwrap();
    assert_eq!(wish.targets.len(), row.members.len());
    assert_eq!(drift(&model).members.len(), row.members.len());
}

#[test]
fn the_cursor_stays_on_its_change_when_the_inbox_is_grouped_and_ungrouped() {
    let mut model = reading();
    press(&mut model, "2 j");
    let print = |model: &Model| drift(model).group(&model.ctx()).map(|g| g.fingerprint);
    let here = print(&model);
    for id in ["cluster", "manager", "kind", "app"] {
        group_by(&mut model, id);
        assert_eq!(print(&model), here, "{id}");
    }
    press(&mut model, "% g enter");
    assert_eq!(print(&model), here);
}

#[test]
fn an_acknowledged_change_is_taken_on_whole_whatever_it_is_grouped_by() {
    let mut model = reading();
    press(&mut model, "2");
    group_by(&mut model, "cluster");
    press(&mut model, "g g space A");
    type_text(&mut model, "on it");
    press(&mut model, "enter");
    let acks = model.kept.acks.len();
    assert!(acks > 0 && acks <= model.rows.groups.len());
}

#[test]
fn applications_stand_in_groups_and_what_is_not_current_is_old_and_not_good() {
    let mut model = reading();
    press(&mut model, "3");
    group_by(&mut model, "site");
    let Some(Screen::Apps(apps)) = model.screen() else {
        unreachable!("the applications are seen")
    };
    let eu = apps.tally(&Safe::fixed("eu"));
    assert_eq!(eu.all, 9);
    assert_eq!(eu.old, 3);
    assert_eq!(eu.good + eu.out_of_sync + eu.degraded + eu.unknown, 6);
}
