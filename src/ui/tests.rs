//! Screens as people see them: pictures of every screen at four sizes, in three themes, in ASCII and without colour, and what no screen may
//! ever do.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use rstest::rstest;

use super::draw;
use super::snapshot::text;
use crate::app::testkit::{
    all_answered, asked, cluster_answered, console, fleet_of_a_sick_hub, now, planned, press,
    tell_model, troubled_fleet, window_answered,
};
use crate::app::{Done, Model, Msg, Place, update};
use crate::fleet::Fleet;
use crate::ops::{Outcome, RunEvent, Seen, TargetOutcome};
use crate::theme::{Bands, Depth, Theme, theme_for_tests};

fn dark() -> Theme {
    theme_for_tests("dark", Depth::True, false)
}

fn frame(model: &Model, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, model.size.cols, model.size.rows));
    draw(model, theme, &mut buf);
    buf
}

/// One way to a screen.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// Keys from the start.
    Keys(&'static str),
    /// The same in write mode, with a plan that was answered.
    Plan(&'static str, bool),
    /// Keys on a fleet whose hub does not work.
    Hub(&'static str),
    /// A run that is half done.
    Run,
    /// Keys that open a window, and its answer.
    Window(&'static str),
    /// The same, refused.
    Refused(&'static str),
    /// Keys on the screen of a cluster that answered.
    Cluster(&'static str),
    /// Keys on the screen of an application; every question is answered.
    App(&'static str),
    /// Keys from the start; every question is answered.
    Answered(&'static str),
    /// Keys on the screen of an application of which nothing more is answered.
    Asked(&'static str),
}

fn staged(scene: Scene, cols: u16, rows: u16) -> Model {
    match scene {
        Scene::Keys(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            press(&mut model, keys);
            model
        }
        Scene::Hub(keys) => {
            let mut model = console(fleet_of_a_sick_hub(), cols, rows, false);
            press(&mut model, keys);
            model
        }
        Scene::Plan(keys, guardrail) => {
            let mut model = console(troubled_fleet(), cols, rows, true);
            planned(&mut model, "2 s", guardrail);
            press(&mut model, keys);
            model
        }
        Scene::Run => running(cols, rows),
        Scene::Window(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            window_answered(&mut model, keys);
            model
        }
        Scene::Refused(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            let why = "The server does not let on-call list events in edge; ask for the permission `list events`.";
            let ask = asked(&mut model, keys).0;
            let result = Err(why.into());
            tell_model(&mut model, Done::Answered { ask, result });
            model
        }
        Scene::App(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            all_answered(&mut model, "3 enter");
            for key in keys.split(' ') {
                all_answered(&mut model, key);
            }
            model
        }
        Scene::Answered(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            for key in keys.split(' ') {
                all_answered(&mut model, key);
            }
            model
        }
        Scene::Asked(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            press(&mut model, keys);
            model
        }
        Scene::Cluster(keys) => {
            let mut model = console(troubled_fleet(), cols, rows, false);
            cluster_answered(&mut model, "9");
            press(&mut model, keys);
            model
        }
    }
}

fn running(cols: u16, rows: u16) -> Model {
    let mut model = console(troubled_fleet(), cols, rows, true);
    let plan = planned(&mut model, "2 s", false);
    press(&mut model, "enter y");
    let ended = |i: usize, outcome, message: &'static str| {
        let seen = |version: &str, differs| {
            Some(Seen {
                resource_version: version.into(),
                hash: String::new(),
                differs,
            })
        };
        let (before, after) = (seen("881204", 1), seen("881300", 0));
        RunEvent::Ended(
            i,
            Box::new(TargetOutcome {
                target: plan.targets[i].name(),
                outcome,
                message: message.into(),
                before,
                after,
            }),
        )
    };
    for event in [
        RunEvent::WaveStarted(1),
        ended(0, Outcome::Reverted, "The cluster shows it."),
        ended(
            1,
            Outcome::Failed,
            "The admission webhook quota.example denied the request: quota exceeded.",
        ),
        RunEvent::Accepted(2, "Accepted; waiting until the cluster shows it.".into()),
    ] {
        tell_model(
            &mut model,
            Done::Run {
                plan: plan.id.clone(),
                event,
            },
        );
    }
    model
}

/// The screen of one application in its tabs and states.
const APP_SCENES: [(&str, Scene); 13] = [
    ("app_tree", Scene::App("j")),
    ("app_summary", Scene::App("enter")),
    ("app_whole", Scene::App("k enter")),
    ("app_diff", Scene::App("]")),
    ("app_drifted", Scene::App("k ]")),
    ("app_events", Scene::App("e")),
    ("app_history", Scene::App("h")),
    ("app_metrics", Scene::App("h ]")),
    ("app_live", Scene::App("y")),
    ("app_folded", Scene::App("y { / s p e c enter")),
    ("app_pod", Scene::App("j j j enter")),
    ("app_reading", Scene::Asked("3 enter y")),
    ("app_dark", Scene::Asked("3 / m u n i c h enter enter e")),
];

const SCENES: [(&str, Scene); 51] = [
    ("fleet", Scene::Keys("")),
    ("fleet_stale", Scene::Keys("/ m u n i c h enter")),
    ("columns", Scene::Keys("v j j space j")),
    (
        "columns_chosen",
        Scene::Keys("v G space K K K K K K j j j j space enter"),
    ),
    (
        "columns_of_apps",
        Scene::Keys("3 v g j j j j j j j j j j j j space j space enter"),
    ),
    ("groupings", Scene::Keys("% j")),
    ("fleet_grouped", Scene::Keys("% j enter")),
    ("fleet_by_health", Scene::Keys("% j j j j j enter j left")),
    ("drift_by_cluster", Scene::Keys("2 % j enter j j")),
    ("apps_grouped", Scene::Keys("3 % j j enter z")),
    ("fleet_filter", Scene::Keys("/ g r o u p = u s")),
    ("drift", Scene::Keys("2")),
    ("drift_members", Scene::Keys("2 enter j")),
    ("apps", Scene::Keys("3")),
    ("app", Scene::Keys("3 enter")),
    ("diff", Scene::Keys("2 d")),
    ("diff_noise", Scene::Keys("2 d z")),
    ("diff_missing", Scene::Keys("2 G d")),
    ("help", Scene::Keys("2 ?")),
    ("palette", Scene::Keys(": d r i f t")),
    ("plan_building", Scene::Keys("2 s")),
    ("plan", Scene::Plan("j", false)),
    ("plan_confirm", Scene::Plan("enter p r o d", true)),
    ("run", Scene::Run),
    ("matrix", Scene::Keys("7")),
    ("matrix_revision", Scene::Keys("7 v enter l")),
    (
        "matrix_field",
        Scene::Answered("7 f C o n f i g M a p / * space d a t a . L enter l"),
    ),
    ("matrix_prompt", Scene::Keys("7 f D e p")),
    ("matrix_empty", Scene::Keys("7 / n o n e")),
    ("activity", Scene::Keys("8")),
    (
        "activity_filter",
        Scene::Keys("8 / k i n d = c o n n enter j j"),
    ),
    ("activity_empty", Scene::Keys("8 / n o n e enter")),
    ("cluster", Scene::Cluster("")),
    ("actions", Scene::Keys("2 x")),
    ("ack", Scene::Keys("2 A 4 h")),
    ("acknowledged", Scene::Keys("2 A 4 h enter G j")),
    ("filter_offers", Scene::Keys("/ g")),
    ("save_view", Scene::Keys("ctrl-s n i g h t")),
    ("diff_search", Scene::Keys("2 d / a p p enter")),
    ("explain", Scene::Keys("2 X")),
    ("links", Scene::Keys("2 o")),
    ("history", Scene::Keys("3 h")),
    ("events", Scene::Window("2 e")),
    ("tree", Scene::Window("2 t")),
    ("logs", Scene::Window("2 l")),
    ("yaml", Scene::Window("2 y")),
    ("compare", Scene::Window("2 =")),
    ("events_refused", Scene::Refused("2 e")),
    ("fleet_hub", Scene::Hub("")),
    ("cluster_hub", Scene::Hub("9")),
    ("cluster_dark", Scene::Keys("/ p a r i s - 0 3 1 enter 9")),
];

#[test]
fn every_screen_at_four_sizes() {
    for (name, scene) in SCENES {
        for (cols, rows) in [(60, 20), (80, 24), (120, 36), (200, 50)] {
            let shown = text(&frame(&staged(scene, cols, rows), &dark()));
            insta::assert_snapshot!(format!("{name}_{cols}x{rows}"), shown);
        }
    }
}

#[test]
fn every_screen_in_three_themes() {
    for (name, scene) in SCENES.into_iter().chain(APP_SCENES) {
        let model = staged(scene, 80, 24);
        let styled = ["dark", "light", "high-contrast"].map(|theme| {
            let theme_of = theme_for_tests(theme, Depth::True, false);
            format!("{theme}\n{}", styles(&frame(&model, &theme_of)))
        });
        insta::assert_snapshot!(format!("{name}_themes"), styled.join("\n"));
    }
}

/// One letter a cell for its style, and what each letter means; the style of most cells is blank.
fn styles(buf: &Buffer) -> String {
    let mut known: Vec<Style> = Vec::new();
    let mut picture = String::new();
    for y in 0..buf.area.height {
        let mut line = String::new();
        for cell in row(buf, y) {
            let style = Style::new()
                .fg(cell.fg)
                .bg(cell.bg)
                .add_modifier(cell.modifier);
            // A blank shows no foreground.
            let bare = cell.symbol() == " " && !cell.modifier.contains(Modifier::REVERSED);
            let style = if bare { style.fg(Color::Reset) } else { style };
            let at = known.iter().position(|s| *s == style).unwrap_or_else(|| {
                known.push(style);
                known.len() - 1
            });
            line.push(char::from(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[at],
            ));
        }
        picture.push_str(&line);
        picture.push('\n');
    }
    let most = ('A'..='z').max_by_key(|letter| picture.matches(*letter).count());
    let picture = picture.replace(most.unwrap_or('A'), " ");
    let picture: String = picture
        .lines()
        .map(|l| format!("{}\n", l.trim_end()))
        .collect();
    let legend = known.iter().zip('A'..);
    let legend = legend.map(|(style, letter)| format!("{letter} {}\n", meaning(style)));
    format!("{}{picture}", legend.collect::<String>())
}

/// `#c0caf5 on #1a1b26 BOLD`
fn meaning(style: &Style) -> String {
    let colour = |c: Option<Color>| c.map_or_else(String::new, |c| c.to_string());
    let modifier = format!("{:?}", style.add_modifier);
    format!("{} on {} {modifier}", colour(style.fg), colour(style.bg))
}

#[test]
fn an_application_at_four_sizes_and_in_plain_ascii() {
    let ascii = theme_for_tests("mono", Depth::None, true);
    for (name, scene) in APP_SCENES {
        for (cols, rows) in [(60, 20), (80, 24), (120, 30), (200, 50)] {
            let model = staged(scene, cols, rows);
            let shown = text(&frame(&model, &dark()));
            insta::assert_snapshot!(format!("{name}_{cols}x{rows}"), shown);
            let plain = text(&frame(&model, &ascii));
            assert!(plain.is_ascii(), "{name}:\n{plain}");
        }
        let plain = text(&frame(&staged(scene, 80, 24), &ascii));
        insta::assert_snapshot!(format!("{name}_ascii"), plain);
    }
}

#[rstest]
#[case("dark")]
#[case("light")]
#[case("high-contrast")]
fn yaml_wears_the_colours_of_the_theme(#[case] name: &str) {
    let theme = theme_for_tests(name, Depth::True, false);
    let buf = frame(&staged(Scene::App("y"), 80, 24), &theme);
    let line = row_of(&buf, "replicas: 1");
    let styled = |symbol: &str| line.iter().find(|c| c.symbol() == symbol).unwrap().fg;
    assert_eq!(Some(styled("r")), theme.get("yaml.key").fg);
    assert_eq!(Some(styled("1")), theme.get("yaml.number").fg);
    assert_ne!(styled("r"), styled("1"));
}

#[test]
fn every_screen_in_plain_ascii() {
    let theme = theme_for_tests("mono", Depth::None, true);
    for (name, scene) in SCENES {
        for (cols, rows) in [(80, 24), (200, 50)] {
            let shown = text(&frame(&staged(scene, cols, rows), &theme));
            assert!(shown.is_ascii(), "{name}:\n{shown}");
            if cols == 80 {
                insta::assert_snapshot!(format!("{name}_ascii"), shown);
            }
        }
    }
}

#[test]
fn without_colours_the_selected_row_and_the_write_mark_still_stand_out() {
    let theme = theme_for_tests("dark", Depth::None, false);
    for (name, scene) in SCENES.into_iter().chain(APP_SCENES) {
        let buf = frame(&staged(scene, 80, 24), &theme);
        let coloured = buf
            .content()
            .iter()
            .filter(|c| c.fg != Color::Reset || c.bg != Color::Reset);
        assert_eq!(coloured.count(), 0, "{name}");
    }
    let buf = frame(&staged(Scene::Plan("", false), 80, 24), &theme);
    let reversed = |y| {
        row(&buf, y)
            .iter()
            .any(|c| c.modifier.contains(Modifier::REVERSED))
    };
    let write = row(&buf, 0)
        .iter()
        .filter(|c| c.modifier.contains(Modifier::REVERSED))
        .count();
    assert_eq!(write, " WRITE ".len());
    assert!((3..24).any(reversed));
}

fn row(buf: &Buffer, y: u16) -> Vec<&Cell> {
    (0..buf.area.width)
        .filter_map(|x| buf.cell((x, y)))
        .collect()
}

fn row_of<'b>(buf: &'b Buffer, name: &str) -> Vec<&'b Cell> {
    let found = (1..buf.area.height).find(|y| {
        let line: String = row(buf, *y).iter().map(|c| c.symbol()).collect();
        line.contains(name)
    });
    row(buf, found.unwrap())
}

/// Nothing that is not current may look well: no green, no sign of health.
#[rstest]
#[case("edge-munich-009")]
#[case("edge-paris-031")]
#[case("edge-lyon-001")]
#[case("edge-tokyo-001")]
fn a_row_that_is_not_current_is_never_green(#[case] cluster: &str) {
    let theme = dark();
    let good = theme.get("health.healthy").fg.unwrap();
    for keys in ["", "3"] {
        let buf = frame(&staged(Scene::Keys(keys), 200, 50), &theme);
        let name = cluster.trim_start_matches("edge-");
        for cell in row_of(&buf, name) {
            assert_ne!(
                (cell.fg, cell.symbol() == " "),
                (good, false),
                "{cluster} shows {}",
                cell.symbol()
            );
            assert!(
                !matches!(cell.symbol(), "●" | "✓"),
                "{cluster} shows {}",
                cell.symbol()
            );
        }
    }
}

/// Nor does anything on the screen of its application, beside what the hub says today.
#[test]
fn an_application_of_a_cluster_that_does_not_answer_is_never_green() {
    let theme = dark();
    let good = theme.get("health.healthy").fg.unwrap();
    for keys in ["", "enter", "G", "g g enter"] {
        let keys = format!("3 / m u n i c h enter enter {keys}");
        let mut model = console(troubled_fleet(), 200, 50, false);
        press(&mut model, keys.trim_end());
        let buf = frame(&model, &theme);
        for y in 2..buf.area.height {
            let cells = row(&buf, y);
            let line: String = cells.iter().map(|c| c.symbol()).collect();
            let hub = line.contains("says");
            for cell in cells.iter().filter(|c| c.symbol() != " ") {
                assert_ne!(cell.fg, good, "{keys}: {line}");
                let well = matches!(cell.symbol(), "●" | "✓") && !hub;
                assert!(!well || line.contains("hub"), "{keys}: {line}");
            }
        }
    }
}

#[test]
fn write_mode_cannot_be_overlooked() {
    let theme = dark();
    let mark = theme.get("header.write").bg.unwrap();
    let marked = |write| {
        let model = console(troubled_fleet(), 80, 24, write);
        row(&frame(&model, &theme), 0)
            .iter()
            .filter(|c| c.bg == mark)
            .count()
    };
    assert_eq!((marked(false), marked(true)), (0, " WRITE ".len()));
}

#[test]
fn no_size_breaks_any_screen() {
    for (_, scene) in SCENES.into_iter().chain(APP_SCENES) {
        let mut model = staged(scene, 80, 24);
        for (cols, rows) in [
            (0, 0),
            (1, 1),
            (7, 3),
            (19, 50),
            (59, 19),
            (60, 20),
            (99, 30),
            (400, 120),
            (500, 2),
        ] {
            update(&mut model, Msg::Resize(cols, rows), now());
            frame(&model, &dark());
        }
    }
}

#[test]
fn an_idle_minute_changes_only_the_clock() {
    let mut model = staged(Scene::Keys(""), 120, 36);
    let before = frame(&model, &dark());
    let soon = now()
        .checked_add(jiff::SignedDuration::from_secs(9))
        .unwrap();
    update(&mut model, Msg::Tick, soon);
    assert_eq!(before, frame(&model, &dark()));
}

#[test]
fn a_fleet_without_clusters_says_what_to_do() {
    let model = console(Fleet::default(), 80, 24, false);
    let shown = text(&frame(&model, &dark()));
    assert!(shown.contains("driftdeck doctor"), "{shown}");
}

#[test]
fn an_empty_inbox_does_not_call_unread_clusters_good() {
    let mut model = staged(Scene::Keys("/ z z z enter 2"), 80, 24);
    press(&mut model, "/ z z z enter");
    let shown = text(&frame(&model, &dark()));
    assert!(shown.contains("No drift matches `zzz`."), "{shown}");
}

#[rstest]
#[case(60, 24)]
#[case(80, 24)]
#[case(100, 30)]
#[case(200, 50)]
fn who_changed_a_field_is_said_at_every_width(#[case] cols: u16, #[case] rows: u16) {
    let shown = text(&frame(&staged(Scene::Keys("2 d"), cols, rows), &dark()));
    let line = shown.lines().find(|l| l.contains("replicas: 1")).unwrap();
    assert!(line.contains("kubectl-scale 01:33Z"), "{shown}");
}

#[test]
fn a_message_is_seen_even_without_a_footer() {
    let mut model = console(troubled_fleet(), 80, 12, false);
    press(&mut model, "ctrl-c");
    assert!(text(&frame(&model, &dark())).contains("Press ctrl-c again"));
    assert_eq!(model.place(), Place::Fleet);
}

#[test]
fn text_from_a_cluster_cannot_act_on_the_terminal() {
    use crate::domain::{ClusterEvent, Fact, LinkState, Safe};
    let mut model = console(troubled_fleet(), 120, 36, false);
    let message = Some(Safe::new("evil \u{1b}]52;c;aGk=\u{7}\u{202e}\u{9b}2J\r\n"));
    let fact = Fact::Link {
        state: LinkState::Unreachable,
        message,
    };
    let event = ClusterEvent {
        cluster: "edge-berlin-017".into(),
        generation: 1,
        at: now(),
        fact,
    };
    update(&mut model, Msg::Facts(vec![event]), now());
    press(&mut model, "/ b e r l i n - 0 1 7 enter");
    let buf = frame(&model, &dark());
    let acts = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(
        !buf.content()
            .iter()
            .any(|cell| cell.symbol().chars().any(acts))
    );
    assert!(text(&buf).contains("evil ␛]52"), "{}", text(&buf));
}

/// The group's name stands in the first line on its colour, follows the cursor, and is not there without colours.
#[test]
fn a_group_with_a_colour_is_a_band_in_the_first_line_and_in_its_rows() {
    let red = Color::Rgb(180, 20, 20);
    let band = |theme: Theme| theme.banded(Bands::new([("us".to_owned(), red)]));
    let theme = band(dark());
    let mut model = console(troubled_fleet(), 160, 40, false);
    let on_red = |frame: &Buffer, y: u16| -> String {
        let cells = (0..frame.area.width).filter_map(|x| frame.cell((x, y)));
        cells.filter(|c| c.bg == red).map(Cell::symbol).collect()
    };
    let mut seen = Vec::new();
    for _ in 0..model.rows.clusters.len() {
        let drawn = frame(&model, &theme);
        let of = model.face().and_then(|face| face.cluster(&model.ctx()));
        let group = of
            .and_then(|id| model.rows.cluster(&id))
            .unwrap()
            .group
            .clone();
        let wanted = if group.as_str() == "us" { " us " } else { "" };
        assert_eq!(on_red(&drawn, 0), wanted);
        assert!((1..40).any(|y| on_red(&drawn, y).contains("us")));
        seen.push(wanted);
        press(&mut model, "j");
    }
    assert!(seen.contains(&" us ") && seen.contains(&""));
    let plain = band(theme_for_tests("dark", Depth::None, false));
    let drawn = frame(&model, &plain);
    assert!((0..40).all(|y| on_red(&drawn, y).is_empty()));
}
