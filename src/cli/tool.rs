//! `keys`, `themes`, `config`, `completions`: the tool itself. None of them needs a cluster.

use std::fmt::Write as _;

use clap::CommandFactory as _;

use super::args::{Cli, Common, ConfigCommand};
use super::table::Table;
use crate::app::{ACTIONS, Place};
use crate::config::{Config, Folders, health_rules};
use crate::domain::Safe;
use crate::keymap::Keymap;
use crate::theme::Theme;

/// The effective keymap: for each screen the keys that work there.
///
/// # Errors
/// An unknown keymap, or one with a fault: file, line and the nearest right name.
pub(crate) fn keys(common: &Common, config: &Config, folders: &Folders) -> Result<String, String> {
    let keymap = load_keymap(common, config, folders)?;
    let mut table = Table::new(&["SCREEN", "KEYS", "ACTION", "WHAT IT DOES"]);
    for place in Place::ALL {
        for info in ACTIONS {
            if let Some(keys) = keymap.keys_of(place, info.action) {
                table.row(vec![
                    Safe::from(format!("{place:?}").to_lowercase()),
                    keys.into(),
                    Safe::fixed(info.id),
                    Safe::fixed(info.sentence),
                ]);
            }
        }
    }
    Ok(format!("keymap: {}\n{}", keymap.name(), table.text()))
}

/// The keymap that the command line, else the configuration, else the default names.
///
/// # Errors
/// An unknown keymap, or one with a fault.
pub(crate) fn load_keymap(
    common: &Common,
    config: &Config,
    folders: &Folders,
) -> Result<Keymap, String> {
    let name = common
        .keymap
        .as_deref()
        .or(config.keymap.as_deref())
        .unwrap_or("default");
    Keymap::load(name, Some(folders.config.join("keymaps"))).map_err(|e| e.to_string())
}

/// The themes that can be named, one a line.
pub(crate) fn themes(folders: &Folders) -> String {
    Theme::names(Some(folders.config.join("themes")))
        .into_iter()
        .fold(String::new(), |mut out, name| {
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{}", Safe::new(&name));
            out
        })
}

/// `config check` and `config path`.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn config(what: &ConfigCommand, folders: &Folders) -> Result<String, String> {
    let file = folders.config_file();
    match what {
        ConfigCommand::Check => {
            Config::load(&file).map_err(|e| e.to_string())?;
            let there = if file.exists() {
                "is sound"
            } else {
                "is not there, which is fine: everything has a default"
            };
            let mut answer = format!("{} {there}.\n", file.display());
            match health_rules(folders)?.len() {
                0 => {}
                count => answer.push_str(&format!("{count} health rules of your own are sound.\n")),
            }
            Ok(answer)
        }
        ConfigCommand::Path => Ok(format!(
            "configuration  {}\nstate          {}\ncache          {}\n",
            folders.config.display(),
            folders.state.display(),
            folders.cache.display()
        )),
    }
}

/// The completion script of a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> String {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "driftdeck", &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn folders() -> (tempfile::TempDir, Folders) {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        let folders = Folders {
            config: at("config"),
            state: at("state"),
            cache: at("cache"),
        };
        (base, folders)
    }

    fn common(line: &str) -> Common {
        Cli::try_parse_from(line.split_whitespace()).unwrap().common
    }

    #[test]
    fn the_default_keymap_prints_every_screen() {
        let (_base, folders) = folders();
        let text = keys(&common("driftdeck keys"), &Config::default(), &folders).unwrap();
        for screen in ["fleet", "drift", "diff", "plan"] {
            assert!(
                text.contains(&format!("\n{screen} ")),
                "{screen} is missing"
            );
        }
    }

    #[test]
    fn an_unknown_keymap_is_named() {
        let (_base, folders) = folders();
        let error = keys(
            &common("driftdeck keys --keymap defualt"),
            &Config::default(),
            &folders,
        )
        .unwrap_err();
        assert!(
            error.contains("defualt") && error.contains("default"),
            "{error}"
        );
    }

    #[test]
    fn themes_are_listed() {
        let (_base, folders) = folders();
        assert!(themes(&folders).lines().any(|l| l == "dark"));
    }

    #[test]
    fn a_missing_configuration_is_sound_and_a_broken_one_is_placed() {
        let (_base, folders) = folders();
        assert!(
            config(&ConfigCommand::Check, &folders)
                .unwrap()
                .contains("is fine")
        );
        std::fs::create_dir_all(&folders.config).unwrap();
        std::fs::write(folders.config_file(), "themme = \"dark\"\n").unwrap();
        assert!(
            config(&ConfigCommand::Check, &folders)
                .unwrap_err()
                .contains("line 1")
        );
    }

    #[test]
    fn a_completion_script_names_the_commands() {
        assert!(completions(clap_complete::Shell::Bash).contains("revert"));
    }
}
