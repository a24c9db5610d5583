//! `snapshot`: one frame of a screen, without a terminal.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use tokio::sync::mpsc;

use super::args::{Common, Form, SnapshotArgs};
use super::{console, fleet, say, tool};
use crate::app::kept::Kept;
use crate::app::shape::Size;
use crate::app::{Done, Model, Msg, Start, update};
use crate::config::{Config, Folders};
use crate::keymap::key::script;
use crate::runtime::carry::Carrier;
use crate::runtime::console::frame;
use crate::runtime::session::{self, Session};
use crate::theme::{Depth, Looks, Theme};
use crate::ui::snapshot::{Format, render};

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
    let format = format(common.output)?;
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
    let keys = keys_of(&args.screen)?.to_owned() + " " + args.keys.as_deref().unwrap_or_default();
    let buffer = fleet::runtime()?.block_on(async {
        let shot = Shot {
            config,
            folders,
            size,
            keys: &keys,
            theme: &theme,
        };
        match &args.demo {
            Some(scenario) => shot.of_demo(common, args, scenario).await,
            None => shot.of_fleet(common).await,
        }
    })?;
    let picture = render(&buffer, format).map_err(|e| e.to_string())?;
    write(&picture, args.out.as_deref())?;
    Ok(0)
}

struct Shot<'a> {
    config: &'a Config,
    folders: &'a Folders,
    size: Size,
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
    ) -> Result<Buffer, String> {
        use crate::sim::world::{Options, Scenario, World};
        let scenario = Scenario::named(scenario).map_err(|e| e.to_string())?;
        let options = Options {
            clusters: args.clusters,
            seed: args.seed,
            ..Options::new(scenario)
        };
        let world = World::start(options).await.map_err(|e| e.to_string())?;
        // The scenario plays on the machine's clock; the fleet is heard afterwards.
        tokio::time::sleep(args.at).await;
        let mut common = common.clone();
        common.kubeconfig = Some(world.kubeconfig_path().to_owned());
        self.of_fleet(&common).await
    }

    #[cfg(not(feature = "demo"))]
    #[expect(
        clippy::unused_async,
        reason = "its caller awaits whichever of the two is built"
    )]
    async fn of_demo(&self, _: &Common, _: &SnapshotArgs, _: &str) -> Result<Buffer, String> {
        Err("This build has no embedded fleet; build it with the feature `demo`.".to_owned())
    }

    async fn of_fleet(&self, common: &Common) -> Result<Buffer, String> {
        let planned = session::plan(
            fleet::options(common)?,
            self.config.clone(),
            self.folders.clone(),
        )?;
        let mut session = planned.open();
        session.settle(common.wait).await;
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
            now: Timestamp::now(),
            kept: Kept::default(),
        });
        for event in script(self.keys)? {
            press(&mut model, Msg::Key(event), &mut carrier, &mut answers).await;
        }
        Ok(frame(&model, self.theme))
    }
}

/// Presses a key and waits for what it asks.
async fn press(
    model: &mut Model,
    msg: Msg,
    carrier: &mut Carrier,
    answers: &mut mpsc::UnboundedReceiver<Done>,
) {
    let effects = update(model, msg, Timestamp::now());
    let asks = effects.len();
    for effect in effects {
        // Whatever needs a terminal has none here.
        let _ = carrier.carry(effect, &model.fleet);
    }
    for _ in 0..asks {
        if let Ok(Some(done)) = tokio::time::timeout(ANSWER, answers.recv()).await {
            update(model, Msg::Done(done), Timestamp::now());
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

fn format(form: Form) -> Result<Format, String> {
    match form {
        Form::Table | Form::Wide | Form::Text => Ok(Format::Text),
        Form::Ansi => Ok(Format::Ansi),
        Form::Svg => Ok(Format::Svg),
        Form::Png => Ok(Format::Png),
        Form::Json => Ok(Format::Json),
        Form::Yaml | Form::Csv | Form::Name => {
            Err("A picture has no such form; use -o text, ansi, svg, png or json.".to_owned())
        }
    }
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
