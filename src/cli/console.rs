//! The console: on the kubeconfig's fleet, or on the embedded one.

use std::time::Duration;

use super::args::Common;
use super::{fleet, say, tool};
use crate::config::{Config, Folders};
use crate::domain::Safe;
use crate::ops::journal;
use crate::runtime::console::{self, ConsoleOptions};
use crate::runtime::session;
use crate::terminal::{self, Manner};
use crate::theme::depth::wants_ascii;
use crate::theme::{Depth, Looks, Theme};

/// Opens the console on the fleet of the kubeconfig.
///
/// # Errors
/// A sentence: no context, a wrong theme or keymap, no terminal.
pub(crate) fn run(common: &Common, config: &Config, folders: Folders) -> Result<u8, String> {
    let options = options(common, config, &folders)?;
    let planned = session::plan(fleet::options(common)?, config.clone(), folders)?;
    fleet::runtime()?.block_on(async {
        let session = planned.open();
        for problem in &session.problems {
            say::complaint(problem.sentence.as_str());
        }
        console::run(session, options).await
    })?;
    Ok(0)
}

/// Opens the console on an embedded fleet.
///
/// # Errors
/// As [`run`]; and when the world cannot be built.
#[cfg(feature = "demo")]
pub(crate) fn demo(
    common: &Common,
    args: &super::args::DemoArgs,
    config: &Config,
    folders: Folders,
) -> Result<u8, String> {
    let options = options(common, config, &folders)?;
    fleet::runtime()?.block_on(async {
        let world = super::demo::start(&args.into()).await?;
        let mut common = common.clone();
        common.kubeconfig = Some(world.kubeconfig_path().to_owned());
        let session = session::plan(fleet::options(&common)?, config.clone(), folders)?.open();
        console::run(session, options).await
    })?;
    Ok(0)
}

/// How the console looks, by command line, configuration and environment.
///
/// # Errors
/// An unknown theme or keymap, or a fault in one.
pub(crate) fn options(
    common: &Common,
    config: &Config,
    folders: &Folders,
) -> Result<ConsoleOptions, String> {
    let looks = looks(common, folders);
    let slow = common.low_bandwidth || config.low_bandwidth;
    let manner = manner(common, |name| std::env::var(name).ok());
    let frame = match manner {
        // At most 30 frames a second, 4 on a thin line; nobody listens faster than a sentence in two seconds.
        Manner::Drawn => Duration::from_millis(if slow { 250 } else { 33 }),
        Manner::Plain => Duration::from_secs(2),
    };
    Ok(ConsoleOptions {
        keymap: tool::load_keymap(common, config, folders)?,
        theme: theme(common, config, &looks, manner)?,
        looks,
        keymaps: folders.config.join("keymaps"),
        config: config.clone(),
        write: common.write,
        greeting: left_open(&folders.state),
        manner,
        mouse: common.mouse || config.mouse,
        frame,
        patient: slow && manner == Manner::Drawn,
    })
}

/// Whether the theme and the keymap that the command line names can be had: a typing error is told by every command, not only by those that draw.
///
/// # Errors
/// An unknown theme or keymap, with the nearest name, or a fault in one.
pub(crate) fn check_named(common: &Common, folders: &Folders) -> Result<(), String> {
    let config = Config::default();
    if common.theme.is_some() {
        load_theme(common, &config, &looks(common, folders))?;
    }
    if common.keymap.is_some() {
        tool::load_keymap(common, &config, folders)?;
    }
    Ok(())
}

/// What an earlier run left open: writes whose outcome nobody wrote down, or a journal that cannot be read.
fn left_open(state: &std::path::Path) -> Option<Safe> {
    let lines = match journal::read(state) {
        Ok(read) => read.lines,
        Err(why) => return Some(Safe::from(why.to_string())),
    };
    let open = journal::unfinished(&lines).len();
    (open > 0).then(|| {
        Safe::from(format!(
            "{open} write(s) of an earlier run have no outcome: look at the objects before you repeat anything (driftdeck journal)."
        ))
    })
}

/// Line by line when it is asked for, and on a terminal that says it can do nothing else.
fn manner(common: &Common, env: impl Fn(&str) -> Option<String>) -> Manner {
    let dumb = env("TERM").is_none_or(|term| matches!(term.as_str(), "" | "dumb"));
    if common.plain || dumb {
        Manner::Plain
    } else {
        Manner::Drawn
    }
}

fn looks(common: &Common, folders: &Folders) -> Looks {
    let env = |name: &str| std::env::var(name).ok();
    let plain = manner(common, env) == Manner::Plain;
    Looks {
        depth: if common.no_color || plain {
            Depth::None
        } else {
            Depth::detect(env)
        },
        ascii: common.ascii || plain || wants_ascii(env),
        folder: Some(folders.config.join("themes")),
    }
}

/// The theme that somebody named, else the one that fits the terminal. A thin line, and a terminal without colours, are not asked.
fn theme(common: &Common, config: &Config, looks: &Looks, manner: Manner) -> Result<Theme, String> {
    let named = common.theme.is_some() || config.theme.is_some();
    let thin = common.low_bandwidth || config.low_bandwidth;
    let can_tell = matches!(looks.depth, Depth::True | Depth::Indexed) && manner == Manner::Drawn;
    if !named && !thin && can_tell && terminal::background::is_light() == Some(true) {
        let light = Theme::load("light", looks).map_err(|e| e.to_string());
        return light.map(|theme| theme.banded(config.bands()));
    }
    load_theme(common, config, looks)
}

/// The theme that the command line, else the configuration, else the default names.
///
/// # Errors
/// An unknown theme, or a fault in it.
pub(crate) fn load_theme(common: &Common, config: &Config, looks: &Looks) -> Result<Theme, String> {
    let name = common
        .theme
        .as_deref()
        .or(config.theme.as_deref())
        .unwrap_or("dark");
    let theme = Theme::load(name, looks).map_err(|e| e.to_string())?;
    Ok(theme.banded(config.bands()))
}
