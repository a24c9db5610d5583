//! Jsonnet files of a plain directory: the run of `jsonnet` on a copy of the repository, with Argo CD's arguments.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Unjudged, Verbatim};

use super::key::KeyMaker;
use super::program::{Run, Workplace};
use super::tree::normal_path;
use super::vars::Vars;
use super::written;

/// `directory.jsonnet` as Argo CD's API gives it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Settings {
    ext_vars: Vec<Var>,
    tlas: Vec<Var>,
    libs: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Var {
    name: String,
    value: String,
    code: bool,
}

/// The arguments that all files of one source have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Jsonnet {
    args: Vec<String>,
    libs: Vec<String>,
}

impl Jsonnet {
    /// Reads the settings; variables of the build environment are put in.
    ///
    /// # Errors
    /// `BadSource` for what the API would not have taken, `NotFound` for a library outside of the repository.
    pub(super) fn of(settings: Option<&Verbatim>, vars: &Vars) -> Result<Self, Unjudged> {
        let settings: Settings = written::read(
            settings,
            "`directory.jsonnet` of the application's source does not have the form that Argo CD's API gives it; correct the source.",
        )?;
        let mut args = Vec::new();
        let mut add = |vars_of: &[Var], text: &str, code: &str| {
            for var in vars_of {
                let flag = if var.code { code } else { text };
                args.push(flag.to_owned());
                args.push(format!("{}={}", var.name, vars.expand(&var.value)));
            }
        };
        add(&settings.ext_vars, "--ext-str", "--ext-code");
        add(&settings.tlas, "--tla-str", "--tla-code");
        let libs = settings.libs.iter().map(|lib| normal_path(lib));
        Ok(Self {
            args,
            libs: libs.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        let texts = self.args.iter().chain(&self.libs);
        texts.fold(key, |key, text| key.text(text))
    }

    /// The run on one file of the copy.
    pub(super) fn run(&self, program: PathBuf, place: &Workplace, file: &str) -> Run {
        let mut args: Vec<OsString> = self.args.iter().map(OsString::from).collect();
        for lib in &self.libs {
            args.extend(["-J".into(), place.tree().join(lib).into()]);
        }
        args.extend(["--".into(), place.tree().join(file).into()]);
        Run {
            program,
            args,
            work: place.path().to_owned(),
            network: false,
            env: Vec::new(),
            input: None,
        }
    }
}

/// A file evaluates to an object, or to a list of them; as documents.
pub(super) fn listed(printed: &[u8]) -> Vec<u8> {
    match serde_json::from_slice(printed) {
        Ok(Value::Array(objects)) => {
            let texts = objects.iter().map(Value::to_string);
            texts.collect::<Vec<_>>().join("\n---\n").into_bytes()
        }
        _ => printed.to_vec(),
    }
}

/// Whether the file is evaluated.
pub(super) fn is_meant(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|end| end == "jsonnet")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn variables_arguments_and_libraries_become_options() {
        let settings = Verbatim::of(json!({
            "extVars": [{"name": "site", "value": "oslo"}],
            "tlas": [{"name": "n", "value": "3", "code": true}],
            "libs": ["vendor/"],
        }));
        let jsonnet = Jsonnet::of(settings.as_ref(), &Vars::default()).unwrap();
        assert_eq!(
            jsonnet.args,
            ["--ext-str", "site=oslo", "--tla-code", "n=3"]
        );
        assert_eq!(jsonnet.libs, ["vendor"]);
        let out = Verbatim::of(json!({"libs": ["../../etc"]}));
        assert!(Jsonnet::of(out.as_ref(), &Vars::default()).is_err());
    }
}
