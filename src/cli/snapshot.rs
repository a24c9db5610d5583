//! `snapshot`: one frame of a screen, or a recording of some keys, without a terminal.

use std::path::Path;
use std::time::Duration;

#[cfg(feature = "demo")]
use jiff::{SignedDuration, Timestamp};
use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

use super::args::{Common, Form, SnapshotArgs};
use super::{console, fleet, say, tool};
use crate::app::kept::Kept;
use crate::app::shape::Size;
use crate::app::{Done, Model, Msg, Start, update};
use crate::config::{Config, Folders};
use crate::connect::WallClock;
#[cfg(feature = "demo")]
use crate::fleet::Fleet;
use crate::keymap::key::script;
use crate::runtime::carry::Carrier;
use crate::runtime::console::frame;
use crate::runtime::session::{self, Session, SessionOptions};
use crate::theme::{Depth, Looks, Theme};
use crate::ui::snapshot::{Format, record, render};

/// When every demo begins in a picture: a night shift, 02:11:20Z on 21 November 2026.
#[cfg(feature = "demo")]
const DEMO_BEGINS: Timestamp = Timestamp::constant(1_795_227_080, 0);

/// Before a picture of the demo the fleet is measured so often, at such intervals, while nothing else happens: rates need time.
#[cfg(feature = "demo")]
const ROUNDS: usize = 8;
#[cfg(feature = "demo")]
const ROUND: SignedDuration = SignedDuration::from_secs(15);

/// How long an answer to a key (a plan with its dry runs) is waited for.
const ANSWER: Duration = Duration::from_secs(15);

/// Takes the picture and writes it.
///
/// # Errors
/// A sentence: an unknown screen, size, key or form, or a picture that cannot be written.
pub(crate) fn run(
    common: &Common,
    args: &SnapshotArgs,
    config: &Config,
    folders: &Folders,
) -> Result<u8, String> {
    let manner = manner(common.output)?;
    let size = size(&args.size)?;
    let looks = Looks {
        depth: if common.no_color {
            Depth::None
        } else {
            Depth::True
        },
        ascii: common.ascii,
        folder: Some(folders.config.join("themes")),
    };
    let theme = console::load_theme(common, config, &looks)?;
    let frames = fleet::runtime()?.block_on(async {
        let shot = Shot {
            config,
            folders,
            size,
            way: keys_of(&args.screen)?,
            keys: args.keys.as_deref().unwrap_or_default(),
            theme: &theme,
        };
        match &args.demo {
            Some(scenario) => shot.of_demo(common, args, scenario).await,
            None => shot.of_fleet(common).await,
        }
    })?;
    let picture = match (manner, frames.last()) {
        (Manner::Picture(format), Some(last)) => render(last, format),
        _ => record(&frames),
    };
    let picture = picture.map_err(|e| e.to_string())?;
    write(&picture, args.out.as_deref())?;
    Ok(0)
}

struct Shot<'a> {
    config: &'a Config,
    folders: &'a Folders,
    size: Size,
    /// The keys that lead to the screen.
    way: &'a str,
    /// The keys pressed there.
    keys: &'a str,
    theme: &'a Theme,
}

impl Shot<'_> {
    #[cfg(feature = "demo")]
    async fn of_demo(
        &self,
        common: &Common,
        args: &SnapshotArgs,
        scenario: &str,
    ) -> Result<Vec<Buffer>, String> {
        use crate::sim::world::{Options, Scenario, Time, World};
        let scenario = Scenario::named(scenario).map_err(|e| e.to_string())?;
        let options = Options {
            clusters: args.clusters,
            seed: args.seed,
            time: Time::Manual(DEMO_BEGINS),
            named: true,
            ..Options::new(scenario)
        };
        let world = World::start(options).await.map_err(|e| e.to_string())?;
        // The scenario plays on its own clock, which then goes by hand: the same picture every time.
        world.advance(args.at);
        let mut common = common.clone();
        common.kubeconfig = Some(world.kubeconfig_path().to_owned());
        // Nothing of what this operator has seen or fetched before is in it.
        let own = tempfile::tempdir().map_err(|e| format!("No temporary folder can be made: {e}. Set TMPDIR to a folder that can be written to."))?;
        let folders = Folders {
            config: self.folders.config.clone(),
            state: own.path().join("state"),
            cache: own.path().join("cache"),
        };
        let shot = Shot {
            folders: &folders,
            ..*self
        };
        let time = WallClock::at(world.clock().now());
        let mut session = shot.open(&common, &time)?;
        session.settle(common.wait).await;
        // What is asked at one moment is answered at that moment: every round ends before the clock moves on.
        measured(&mut session, &common, &time).await;
        for _ in 0..ROUNDS {
            world.pass(ROUND.unsigned_abs());
            time.pass(ROUND);
            session.sources.measure();
            measured(&mut session, &common, &time).await;
        }
        shot.picture(&common, session, &time).await
    }

    #[cfg(not(feature = "demo"))]
    #[expect(
        clippy::unused_async,
        reason = "its caller awaits whichever of the two is built"
    )]
    async fn of_demo(&self, _: &Common, _: &SnapshotArgs, _: &str) -> Result<Vec<Buffer>, String> {
        Err("This build has no embedded fleet; build it with the feature `demo`.".to_owned())
    }

    async fn of_fleet(&self, common: &Common) -> Result<Vec<Buffer>, String> {
        let time = WallClock::Machine;
        let mut session = self.open(common, &time)?;
        session.settle(common.wait).await;
        self.picture(common, session, &time).await
    }

    fn open(&self, common: &Common, time: &WallClock) -> Result<Session, String> {
        let options = SessionOptions {
            time: time.clone(),
            ..fleet::options(common)?
        };
        let planned = session::plan(options, self.config.clone(), self.folders.clone())?;
        Ok(planned.open())
    }

    /// Presses the keys on what has been heard.
    async fn picture(
        &self,
        common: &Common,
        session: Session,
        time: &WallClock,
    ) -> Result<Vec<Buffer>, String> {
        let Session {
            fleet,
            sources,
            operate,
            ..
        } = session;
        let (mut carrier, mut answers) = Carrier::new(operate, sources, self.config.clone());
        let mut model = Model::new(Start {
            fleet,
            keymap: tool::load_keymap(common, self.config, self.folders)?,
            write: common.write,
            themes: Vec::new(),
            keymaps: Vec::new(),
            size: self.size,
            now: time.now(),
            kept: Kept::default(),
            links: self.config.links(),
            layouts: self.config.view.clone(),
        });
        let mut sitting = Sitting {
            model: &mut model,
            carrier: &mut carrier,
            answers: &mut answers,
            time,
        };
        for event in script(self.way)? {
            sitting.press(Msg::Key(event)).await;
        }
        let mut frames = vec![frame(sitting.model, self.theme)];
        for event in script(self.keys)? {
            sitting.press(Msg::Key(event)).await;
            frames.push(frame(sitting.model, self.theme));
        }
        Ok(frames)
    }
}

/// A console without a terminal.
struct Sitting<'a> {
    model: &'a mut Model,
    carrier: &'a mut Carrier,
    answers: &'a mut mpsc::UnboundedReceiver<Done>,
    time: &'a WallClock,
}

/// Waits until every cluster that answers has told its metrics of this moment.
#[cfg(feature = "demo")]
async fn measured(session: &mut Session, common: &Common, time: &WallClock) {
    let now = time.now();
    let told = |fleet: &Fleet| is_measured(fleet, now);
    session.fold_until(common.wait, told).await;
}

/// Whether every cluster that answers has told its metrics of this moment.
#[cfg(feature = "demo")]
fn is_measured(fleet: &Fleet, now: Timestamp) -> bool {
    let mut live = fleet.clusters.values().filter(|c| c.state.is_current());
    live.all(|c| {
        c.metrics
            .as_ref()
            .is_some_and(|m| m.scraped_at == Some(now))
    })
}

impl Sitting<'_> {
    /// Presses a key and waits for what it asks.
    async fn press(&mut self, msg: Msg) {
        let effects = update(self.model, msg, self.time.now());
        let asks = effects.iter().filter(|e| e.is_answered()).count();
        for effect in effects {
            // Whatever needs a terminal has none here.
            let _ = self.carrier.carry(effect, &self.model.fleet);
        }
        for _ in 0..asks {
            if let Ok(Some(done)) = tokio::time::timeout(ANSWER, self.answers.recv()).await {
                update(self.model, Msg::Done(done), self.time.now());
            }
        }
    }
}

/// The keys of the default keymap that lead to a screen from the first one.
fn keys_of(screen: &str) -> Result<&'static str, String> {
    Ok(match screen {
        "fleet" => "1",
        "drift" => "2",
        "apps" => "3",
        "app" => "3 enter",
        "diff" => "2 d",
        "plan" => "2 s",
        "matrix" => "7",
        "activity" => "8",
        "cluster" => "9",
        "help" => "?",
        other => {
            return Err(format!(
                "There is no screen `{other}`; there are fleet, drift, apps, app, diff, plan, matrix, activity, cluster and help."
            ));
        }
    })
}

fn size(text: &str) -> Result<Size, String> {
    let parts = text
        .split_once('x')
        .and_then(|(c, r)| Some((c.parse::<u16>().ok()?, r.parse::<u16>().ok()?)));
    match parts {
        Some((cols, rows)) if (1..=500).contains(&cols) && (1..=200).contains(&rows) => {
            Ok(Size { cols, rows })
        }
        _ => Err(format!(
            "`{text}` is not a size; write columns x rows such as 120x36, at most 500x200."
        )),
    }
}

/// What is made of the frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// A picture of the last.
    Picture(Format),
    /// All of them.
    Recording,
}

fn manner(form: Form) -> Result<Manner, String> {
    Ok(Manner::Picture(match form {
        Form::Table | Form::Wide | Form::Text => Format::Text,
        Form::Ansi => Format::Ansi,
        Form::Svg => Format::Svg,
        Form::Png => Format::Png,
        Form::Json => Format::Json,
        Form::Cast => return Ok(Manner::Recording),
        Form::Yaml | Form::Csv | Form::Name => {
            return Err(
                "A picture has no such form; use -o text, ansi, svg, png, json or cast.".to_owned(),
            );
        }
    }))
}

fn write(picture: &[u8], out: Option<&Path>) -> Result<(), String> {
    match out {
        Some(path) => std::fs::write(path, picture).map_err(|e| {
            format!(
                "The picture cannot be written to {}: {e}. Choose another place with --out.",
                path.display()
            )
        }),
        None => say::bytes(picture),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_wrong_ones_named() {
        assert_eq!(
            size("120x36"),
            Ok(Size {
                cols: 120,
                rows: 36
            })
        );
        for wrong in ["120", "0x10", "9999x10", "axb"] {
            assert!(size(wrong).unwrap_err().contains(wrong));
        }
    }

    #[test]
    fn an_unknown_screen_lists_what_there_is() {
        assert!(keys_of("flet").unwrap_err().contains("fleet"));
    }
}
