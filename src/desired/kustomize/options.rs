//! `kustomize.buildOptions` of argocd-cm: what of it is passed on, and what is never done here. Pure.

use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};

/// Options that let kustomize run programs of the repository's choice. They are not passed on; a kustomization that needs them fails and says so.
const PLUGINS: [&str; 7] = [
    "--enable-alpha-plugins",
    "--enable_alpha_plugins",
    "--enable-exec",
    "--enable-star",
    "--network",
    "--as-current-user",
    "--helm-debug",
];
/// The same, with a value.
const PLUGIN_VALUES: [&str; 4] = ["--network-name", "--mount", "--env", "-e"];
/// What kustomize says when it would have needed one of them.
const COMPLAINTS: [&str; 4] = [
    "--enable-alpha-plugins",
    "external plugins disabled",
    "--enable-exec",
    "must run with `--enable",
];

/// What a build is told beside the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    /// Whether kustomizations may name charts: `--enable-helm`.
    pub(super) helm: bool,
    /// Whether files may lie outside of the folder that names them: `--load-restrictor LoadRestrictionsNone`.
    pub(super) anywhere: bool,
    /// What is passed on as it is.
    args: Vec<String>,
}

impl Options {
    /// Reads the setting; Argo CD splits it at blanks, without quotes.
    ///
    /// # Errors
    /// `BadSource` for an option that is not known here: what it would do cannot be guessed.
    pub(super) fn read(text: &str) -> Result<Self, Unjudged> {
        let mut options = Self::default();
        let mut words = text.split_whitespace();
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word, None),
            };
            let mut value = || {
                value
                    .or_else(|| words.next())
                    .unwrap_or_default()
                    .to_owned()
            };
            match name {
                "--enable-helm" | "--enable_helm" => options.helm = true,
                "--load-restrictor" | "--load_restrictor" => {
                    options.anywhere = matches!(value().as_str(), "LoadRestrictionsNone" | "none");
                }
                "--reorder" => options.args.extend([name.to_owned(), value()]),
                "--enable-managedby-label" => options.args.push(name.to_owned()),
                // Ours is the one that the configuration names.
                "--helm-command" => drop(value()),
                name if PLUGINS.contains(&name) => {}
                name if PLUGIN_VALUES.contains(&name) => drop(value()),
                _ => return Err(unknown(name)),
            }
        }
        Ok(options)
    }

    /// What Flux builds with: files may lie anywhere in the artifact, and nothing else is allowed.
    pub(super) fn of_flux() -> Self {
        Self {
            anywhere: true,
            ..Self::default()
        }
    }

    /// The words for the command line.
    pub(super) fn args(&self) -> Vec<String> {
        let mut args = self.args.clone();
        if self.helm {
            args.push("--enable-helm".to_owned());
        }
        if self.anywhere {
            args.push("--load-restrictor=LoadRestrictionsNone".to_owned());
        }
        args
    }
}

fn unknown(option: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::BadSource,
        format!(
            "`kustomize.buildOptions` in argocd-cm has `{option}`, which is not known here; the verdict is Argo CD's."
        ),
    )
}

/// The refusal of a build that failed for want of a plugin, else the one that it gave.
pub(in crate::desired) fn named(why: Unjudged) -> Unjudged {
    let said = why.message.as_str();
    if !COMPLAINTS.iter().any(|words| said.contains(words)) {
        return why;
    }
    needs_plugin("needs a plugin of kustomize's")
}

/// A kustomization that would have to run something.
pub(super) fn needs_plugin(what: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::NeedsPlugin,
        format!(
            "The kustomization {what}, and plugins are never run here; the verdict is Argo CD's."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_options_are_passed_on_and_plugins_are_not() {
        let text = "--enable-helm --load-restrictor LoadRestrictionsNone --enable-alpha-plugins --enable-exec --mount type=bind,src=/ --reorder=none --helm-command /opt/helm";
        let options = Options::read(text).unwrap();
        assert!(options.helm && options.anywhere);
        assert_eq!(
            options.args(),
            [
                "--reorder",
                "none",
                "--enable-helm",
                "--load-restrictor=LoadRestrictionsNone"
            ]
        );
        assert_eq!(Options::read("").unwrap(), Options::default());
        assert!(
            !Options::read("--load-restrictor=LoadRestrictionsRootOnly")
                .unwrap()
                .anywhere
        );
    }

    #[test]
    fn an_option_that_is_not_known_is_named_and_not_passed_on() {
        for text in ["--output=/etc/x", "-o /etc/x", "--frobnicate", "; touch x"] {
            let why = Options::read(text).unwrap_err();
            assert_eq!(why.reason, UnjudgedReason::BadSource, "{text}");
        }
    }

    #[test]
    fn a_build_that_wanted_a_plugin_is_told_from_one_that_is_wrong() {
        let failed = |said: &str| named(unjudged(UnjudgedReason::RenderFailed, said)).reason;
        let wanting = "`kustomize build` of `a` failed: it says: external plugins disabled; unable to load external plugin 'X'; correct it and push it.";
        assert_eq!(failed(wanting), UnjudgedReason::NeedsPlugin);
        assert_eq!(
            failed("it says: no such file"),
            UnjudgedReason::RenderFailed
        );
    }
}
