//! Taking drift on, the bell, views, filter completion and history, going forward, and what is new.

use super::*;
use crate::app::kept::Kept;

fn kept(effects: &[Effect]) -> Kept {
    match effects {
        [Effect::Keep(kept)] => (**kept).clone(),
        other => panic!("nothing is kept: {other:?}"),
    }
}

fn filter_text(model: &Model) -> String {
    match &model.modal {
        Some(Modal::Filter(input, _)) => input.value().to_owned(),
        other => panic!("{other:?} is no filter"),
    }
}

#[test]
fn an_acknowledged_group_comes_last_with_its_note_and_can_be_given_back() {
    let mut model = reading();
    press(&mut model, "2");
    let first = selected(&model);
    press(&mut model, "A");
    type_text(&mut model, "4h INC-4711");
    let saved = kept(&press(&mut model, "enter"));
    assert_eq!(saved.acks.len(), 1);
    assert_eq!(saved.acks[0].note, "INC-4711");
    assert!(notice(&model).contains("Acknowledged until"));
    let order: Vec<_> = drift(&model).groups.keys().cloned().collect();
    let print = crate::domain::Fingerprint(1);
    assert_eq!(order.last().map(|slice| slice.print), Some(print));
    press(&mut model, "!");
    assert!(
        !drift(&model)
            .groups
            .keys()
            .any(|slice| slice.print == print)
    );
    press(&mut model, "! G");
    assert_eq!(selected(&model), first);
    assert!(kept(&press(&mut model, "A")).acks.is_empty());
}

#[test]
fn the_bell_rings_once_when_a_site_goes_dark_and_only_when_asked_to() {
    let heard = |model: &mut Model, seconds| {
        let at = now()
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap();
        update(model, link("edge-boston-001", LinkState::Stale), at)
    };
    let mut silent = settled();
    assert!(heard(&mut silent, 60).is_empty());
    let mut model = settled();
    press(&mut model, "B");
    let rung = heard(&mut model, 60);
    assert!(
        matches!(rung.as_slice(), [Effect::Alert(words)] if words.as_str() == "edge-boston-001 went dark"),
        "{rung:?}"
    );
    assert!(heard(&mut model, 120).is_empty());
}

/// A console whose fleet was heard once: nothing is connecting any more.
fn settled() -> Model {
    let mut model = reading();
    let at = now().checked_add(SignedDuration::from_secs(5)).unwrap();
    update(
        &mut model,
        link("edge-tokyo-001", LinkState::Unreachable),
        at,
    );
    assert_eq!(model.fleet.pending(), 0);
    model
}

#[test]
fn tab_completes_fields_and_values_of_the_filter() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "gr");
    press(&mut model, "tab");
    assert_eq!(filter_text(&model), "group=");
    type_text(&mut model, "u");
    press(&mut model, "tab");
    assert_eq!(filter_text(&model), "group=us");
    press(&mut model, "enter");
    assert_eq!(fleet_list(&model).len(), 3);
}

#[test]
fn earlier_filters_come_back_with_up() {
    let mut model = reading();
    for text in ["berlin", "drift>0"] {
        press(&mut model, "/ ctrl-u");
        type_text(&mut model, text);
        kept(&press(&mut model, "enter"));
    }
    press(&mut model, "esc / up");
    assert_eq!(filter_text(&model), "drift>0");
    press(&mut model, "up");
    assert_eq!(filter_text(&model), "berlin");
    assert_eq!(fleet_list(&model).len(), 2);
    press(&mut model, "down down");
    assert_eq!(filter_text(&model), "");
}

#[test]
fn a_saved_view_opens_its_screen_with_filter_and_sort() {
    let mut model = reading();
    press(&mut model, "3 S");
    press(&mut model, "/");
    type_text(&mut model, "berlin");
    press(&mut model, "enter ctrl-s");
    type_text(&mut model, "night");
    assert_eq!(kept(&press(&mut model, "enter")).views.len(), 1);
    press(&mut model, "esc esc");
    assert_eq!(place(&model), Place::Fleet);
    press(&mut model, ":");
    type_text(&mut model, "view night");
    press(&mut model, "enter");
    assert_eq!(place(&model), Place::Apps);
    let face = model.face().unwrap();
    assert_eq!(face.sieve().map(|s| s.text()), Some("berlin"));
    assert_eq!(face.sort_name(), Some("name"));
}

#[test]
fn a_view_without_a_name_is_not_saved() {
    let mut model = reading();
    assert!(press(&mut model, "ctrl-s enter").is_empty());
    assert!(model.kept.views.is_empty());
}

#[test]
fn rows_are_marked_by_a_filter_and_a_wrong_one_says_why() {
    let mut model = reading();
    press(&mut model, "&");
    type_text(&mut model, "group=us");
    press(&mut model, "enter");
    assert_eq!(marks(&model), 3);
    press(&mut model, "&");
    type_text(&mut model, "grup=us");
    press(&mut model, "enter");
    assert!(notice(&model).contains("group"), "{}", notice(&model));
    assert_eq!(marks(&model), 3);
}

#[test]
fn a_screen_that_was_left_can_be_gone_forward_to_as_it_was() {
    let mut model = reading();
    press(&mut model, "2 j q");
    assert_eq!(place(&model), Place::Fleet);
    press(&mut model, "-");
    assert_eq!(place(&model), Place::Drift);
    assert_eq!(drift(&model).groups.lines().cursor(), 1);
    press(&mut model, "-");
    assert!(notice(&model).contains("no screen to go forward to"));
}

#[test]
fn the_newest_change_is_one_key_away() {
    let mut model = reading();
    press(&mut model, "N");
    assert_eq!(place(&model), Place::Diff);
    assert_eq!(diff(&model).target.cluster.as_str(), "edge-boston-001");
}

#[test]
fn what_is_new_since_everything_was_seen_can_be_shown_alone() {
    let mut model = reading();
    press(&mut model, "8");
    let seen = kept(&press(&mut model, "m"));
    assert_eq!(seen.looked_at, Some(now()));
    press(&mut model, "u");
    let shown = |model: &Model| match model.screen() {
        Some(Screen::Activity(s)) => s.list.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(shown(&model), 0);
    let at = now().checked_add(SignedDuration::from_secs(5)).unwrap();
    let news = ClusterEvent {
        cluster: "edge-boston-001".into(),
        generation: 1,
        at,
        fact: Fact::Link {
            state: LinkState::Stale,
            message: None,
        },
    };
    update(&mut model, Msg::Facts(vec![news]), at);
    assert_eq!(shown(&model), 1);
    press(&mut model, "esc");
    assert!(shown(&model) > 1);
}

#[test]
fn the_pages_about_a_row_are_listed_and_the_chosen_one_is_copied() {
    let mut model = reading();
    press(&mut model, "3 o");
    let Some(Modal::Links(links)) = &model.modal else {
        panic!("no links: {:?}", model.notice);
    };
    let names: Vec<&str> = links.lines.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["Git commit", "Argo CD", "Grafana"]);
    let copied = |model: &mut Model, keys: &str| {
        let effects = press(model, keys);
        match effects.as_slice() {
            [Effect::Copy(url)] => url.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        copied(&mut model, "enter"),
        "https://git.example/fleet/commit/9f31c02aa04c4b7ea3a2a7a53f6fcf4ad1c4c3b2"
    );
    let app = selected(&model);
    assert_eq!(
        copied(&mut model, "o j enter"),
        format!("https://argocd.example/applications/argocd/{app}")
    );
    assert!(
        copied(&mut model, "o j j enter")
            .starts_with("https://grafana.example/d/edge?var-cluster=edge-")
    );
    assert!(notice(&model).starts_with("Copied https://grafana"));
}

#[test]
fn a_row_with_one_page_copies_it_at_once_and_argo_cds_page_shows_the_object() {
    let mut model = reading();
    model.links.clear();
    press(&mut model, "1");
    assert_eq!(press(&mut model, "o"), []);
    assert!(notice(&model).contains("[[link]]"), "{}", notice(&model));
    press(&mut model, "2 o j");
    let effects = press(&mut model, "enter");
    let [Effect::Copy(url)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert!(
        url.as_str()
            .contains("?node=apps%2FDeployment%2Fedge%2Fgateway%2F0"),
        "{url}"
    );
}
