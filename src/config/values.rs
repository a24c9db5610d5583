//! What the values of config.toml must be, beyond their types; a complaint names the line of the value.

use std::ops::Range;

use globset::Glob;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Written};
use super::file::{AliasLine, ClusterLine, Config, Group, HubLine, RepositoryLine};
use crate::domain::link::LinkTemplate;
use crate::drift::managers::ClassRule;
use crate::theme::color;

/// A key, and what is wrong with its value.
type Wrong = (&'static str, String);

/// Checks every value.
pub(super) fn check(
    written: &Written<'_>,
    table: &DeTable<'_>,
    config: &Config,
) -> Result<(), Fault> {
    let lines = Lines { written, table };
    lines.each("group", &config.group, group)?;
    lines.each("manager", &config.manager, |line| {
        let read = ClassRule::new(&line.name, &line.class).map(drop);
        read.map_err(|what| ("class", what))
    })?;
    lines.each("link", &config.link, |line| {
        let read = LinkTemplate::new(&line.name, &line.url).map(drop);
        read.map_err(|why| ("url", format!("[[link]] `{}`: {why}", line.name)))
    })?;
    lines.each("alias", &config.alias, alias)?;
    lines.each("cluster", &config.cluster, cluster)?;
    lines.each("hub", &config.hub, hub)?;
    lines.each("repository", &config.repository, repository)
}

/// The file's lists of tables.
struct Lines<'a> {
    written: &'a Written<'a>,
    table: &'a DeTable<'a>,
}

impl Lines<'_> {
    /// Checks every table of a list.
    fn each<T>(
        &self,
        list: &str,
        lines: &[T],
        wrong: impl Fn(&T) -> Result<(), Wrong>,
    ) -> Result<(), Fault> {
        for (index, line) in lines.iter().enumerate() {
            if let Err((key, what)) = wrong(line) {
                return Err(self.written.fault(&self.place(list, index, key), what));
            }
        }
        Ok(())
    }

    /// Where a key of one table of a list stands, or the table when it has none.
    fn place(&self, list: &str, index: usize, key: &str) -> Range<usize> {
        let Some(listed) = self.table.get(list) else {
            return 0..0;
        };
        let tables = listed.get_ref().as_array();
        let Some(line) = tables.and_then(|tables| tables.get(index)) else {
            return listed.span();
        };
        let value = match line.get_ref() {
            DeValue::Table(line) => line.get(key),
            _ => None,
        };
        value.map_or_else(|| line.span(), toml::Spanned::span)
    }
}

fn group(group: &Group) -> Result<(), Wrong> {
    if group.name.is_empty() || group.clusters.is_empty() {
        let what = "a [[group]] needs both `name` and `clusters`";
        return Err(("", what.to_owned()));
    }
    if let Some(color) = group.color.as_deref().filter(|c| color::parse(c).is_none()) {
        let what = format!(
            "`{color}` of [[group]] `{}` is no colour; write #rrggbb, a number from 0 to 255, or one of {}",
            group.name,
            color::NAMES.join(", ")
        );
        return Err(("color", what));
    }
    Glob::new(&group.clusters).map(drop).map_err(|e| {
        let what = format!(
            "`{}` is not a glob ({}); use * and ?",
            group.clusters,
            e.kind()
        );
        ("clusters", what)
    })
}

fn alias(line: &AliasLine) -> Result<(), Wrong> {
    if line.destination.is_empty() || line.context.is_empty() {
        let what = "an [[alias]] needs both `destination` and `context`";
        return Err(("", what.to_owned()));
    }
    Ok(())
}

fn cluster(line: &ClusterLine) -> Result<(), Wrong> {
    if line.metrics_token.is_empty() {
        return Ok(());
    }
    reference("metrics-token", "token", &line.metrics_token)
}

fn hub(line: &HubLine) -> Result<(), Wrong> {
    if line.context.is_empty() || !begins(&line.argocd_url, &["https://", "http://"]) {
        let what = "a [[hub]] needs a `context` and an `argocd-url` that begins with https://";
        return Err(("argocd-url", what.to_owned()));
    }
    reference("argocd-token", "token", &line.argocd_token)
}

fn repository(line: &RepositoryLine) -> Result<(), Wrong> {
    if !begins(&line.url, &["https://", "http://", "oci://"]) {
        let what = "a [[repository]] needs a `url` that begins with https:// or oci://";
        return Err(("url", what.to_owned()));
    }
    reference("password", "password", &line.password)
}

/// Refuses a secret that is not said where it is, but written out.
fn reference(key: &'static str, what: &str, text: &str) -> Result<(), Wrong> {
    if begins(text, &["env:", "file:", "exec:"]) {
        return Ok(());
    }
    if text.is_empty() {
        let what =
            format!("`{key}` is missing; write a reference, env:NAME, file:PATH or exec:PROGRAM");
        return Err((key, what));
    }
    let what = format!(
        "`{key}` must be a reference, env:NAME, file:PATH or exec:PROGRAM, never the {what} itself"
    );
    Err((key, what))
}

fn begins(text: &str, with: &[&str]) -> bool {
    with.iter().any(|start| text.starts_with(start))
}
