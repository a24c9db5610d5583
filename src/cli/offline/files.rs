//! Reading the files that the offline commands name: `-` is standard input, and no file is read without an end.

use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use serde_json::Value;

use super::{DiffFiles, HealthBy};
use crate::cli::args::{DiffArgs, ExplainArgs, Form};
use crate::cli::lists::Listed;
use crate::config::{Folders, health_rules};
use crate::drift::SealKey;
use crate::drift::yaml::{Limits, parse_documents};
use crate::health::{Checks, Overrides};
use crate::sources::lua::LuaHelper;

/// `diff --desired FILE --live FILE [--ignore FILE]`.
///
/// # Errors
/// A file that cannot be read or does not parse.
pub(crate) fn diff(args: &DiffArgs, form: Form) -> Result<Listed, String> {
    let (Some(desired), Some(live)) = (&args.desired, &args.live) else {
        return Err("An offline diff needs both --desired and --live.".to_owned());
    };
    let streams = [
        Some(desired),
        Some(live),
        args.ignore.as_ref(),
        args.dry_run.as_ref(),
    ];
    if streams
        .into_iter()
        .flatten()
        .filter(|path| is_stdin(path))
        .count()
        > 1
    {
        return Err(
            "Standard input can be given once only. Write the other side to a file.".to_owned(),
        );
    }
    let ignore = args.ignore.as_deref().map(read).transpose()?;
    let dry_run = args.dry_run.as_deref().map(read).transpose()?;
    let files = DiffFiles {
        desired: &read(desired)?,
        live: &read(live)?,
        ignore: ignore.as_deref(),
        dry_run: dry_run.as_deref(),
        shadow: args.shadow,
        key: key(),
        at: Timestamp::now(),
    };
    super::diff(&files, form)
}

/// `explain -f FILE [--argocd-cm FILE]`.
///
/// # Errors
/// A file that cannot be read or does not parse.
pub(crate) fn explain(args: &ExplainArgs, folders: &Folders, form: Form) -> Result<Listed, String> {
    let Some(file) = &args.file else {
        return Err("Offline, explain needs a file: explain -f FILE.".to_owned());
    };
    let mut helper = LuaHelper::new(std::env::current_exe().ok());
    let mut by = HealthBy {
        checks: Checks::new(Arc::new(health_rules(folders)?)),
        overrides: overrides(args.argocd_cm.as_deref())?,
        lua: &mut |script, object| helper.ask(script, object),
    };
    super::explain(&read(file)?, &key(), &mut by, Timestamp::now(), form)
}

/// The health rules of a file that holds argocd-cm.
fn overrides(path: Option<&Path>) -> Result<Overrides, String> {
    let Some(path) = path else {
        return Ok(Overrides::default());
    };
    let documents = parse_documents(&read(path)?, &Limits::default())
        .map_err(|e| format!("The argocd-cm file cannot be read: {e}."))?;
    let is_map = |object: &&Value| object.get("kind").and_then(Value::as_str) == Some("ConfigMap");
    let map = documents.iter().find(is_map).ok_or(
        "The argocd-cm file holds no ConfigMap. Give it as kubectl prints it with -o yaml.",
    )?;
    let (overrides, problems) = Overrides::of(map);
    match problems.into_iter().next() {
        Some(problem) => Err(problem),
        None => Ok(overrides),
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a file or standard input, one byte beyond the limit at most: the parser then says that it is too large.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let stream: Box<dyn Read> = if is_stdin(path) {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).map_err(|e| unreadable(path, &e))?)
    };
    let limit = u64::try_from(Limits::default().bytes).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    stream
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| unreadable(path, &e))?;
    Ok(bytes)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!(
        "The file {} cannot be read: {error}. Check the path and its permissions.",
        path.display()
    )
}

/// A key of this process. Masks never leave it as anything but equal or different.
fn key() -> SealKey {
    let mut key = [0; 32];
    for (part, number) in key.chunks_mut(8).zip(0_u64..) {
        part.copy_from_slice(&RandomState::new().hash_one(number).to_be_bytes());
    }
    SealKey::new(key)
}
