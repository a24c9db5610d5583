//! The past of the demo's repository: which files each commit added and which lines it changed.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::Deserialize;

use super::error::WorldError;
use super::plan::Plan;
use super::scenario;

/// A folder's files: path to text.
pub(crate) type Files = BTreeMap<String, String>;

/// The embedded folder whose files stand for the numbered services.
const SERVICE_TEMPLATE: &str = "apps/service/";

/// One commit of the past, with the whole tree after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PastCommit {
    /// How long before midnight of the first day.
    pub(crate) age: SignedDuration,
    /// Author's short name.
    pub(crate) author: String,
    /// Message.
    pub(crate) message: String,
    /// Every file after it.
    pub(crate) files: Files,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HistoryText {
    commit: Vec<CommitText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitText {
    age: Span,
    author: String,
    message: String,
    #[serde(default)]
    adds: Vec<String>,
    #[serde(default)]
    change: Vec<ChangeText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeText {
    file: String,
    before: String,
    after: String,
}

/// The commits that lead to the newest state, oldest first.
pub(crate) fn past(plan: &Plan) -> Result<Vec<PastCommit>, WorldError> {
    let text = scenario::file("fleet/history.toml").unwrap_or_default();
    let history: HistoryText =
        toml::from_str(text).map_err(|e| WorldError::History(e.to_string()))?;
    let mut state: Files = scenario::fleet_files()
        .into_iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
    let mut commits = Vec::new();
    for commit in history.commit.into_iter().rev() {
        commits.push(PastCommit {
            age: age(commit.age)?,
            author: commit.author,
            message: commit.message,
            files: expand(&state, plan),
        });
        for change in commit.change.iter().rev() {
            change_line(&mut state, &change.file, &change.after, &change.before)?;
        }
        state.retain(|path, _| !commit.adds.iter().any(|a| path.starts_with(a.as_str())));
    }
    if let Some(path) = state.keys().next() {
        return Err(WorldError::History(format!("no commit adds {path}.")));
    }
    commits.reverse();
    Ok(commits)
}

/// Replaces a text that must be in the file.
pub(crate) fn change_line(
    files: &mut Files,
    file: &str,
    from: &str,
    to: &str,
) -> Result<(), WorldError> {
    let text = files
        .get_mut(file)
        .filter(|text| text.contains(from))
        .ok_or_else(|| WorldError::History(format!("{file} does not hold `{from}`.")))?;
    *text = text.replacen(from, to, 1);
    Ok(())
}

fn age(span: Span) -> Result<SignedDuration, WorldError> {
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .map_err(|e| WorldError::History(e.to_string()))
}

/// Makes one folder of each region and of each numbered service out of the folders that stand for them.
fn expand(state: &Files, plan: &Plan) -> Files {
    let mut services: Vec<&str> = plan
        .edges
        .iter()
        .flat_map(|e| &e.apps)
        .filter(|a| a.path.starts_with("services/"))
        .map(|a| a.of.name.as_str())
        .collect();
    services.sort_unstable();
    services.dedup();
    let mut files = Files::new();
    for (path, text) in state {
        if path.contains("REGION") {
            files.extend(plan.regions().into_iter().map(|region| {
                let path = path.replace("REGION", region);
                (path, text.replace("{{region}}", region))
            }));
        } else if let Some(rest) = path.strip_prefix(SERVICE_TEMPLATE) {
            files.extend(services.iter().map(|name| {
                let path = format!("services/{name}/{rest}");
                (path, text.replace("{{app}}", name))
            }));
        } else {
            files.insert(path.clone(), text.clone());
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::world::plan::Size;
    use crate::sim::world::scenario::Scenario;

    fn plan(apps: usize) -> Plan {
        let size = Size {
            edges: 6,
            apps,
            silent: 0,
            seed: 1,
        };
        Plan::draw(&Scenario::named("calm").unwrap(), size)
    }

    #[test]
    fn the_newest_state_is_that_of_the_folder() {
        let commits = past(&plan(5)).unwrap();
        let newest = &commits.last().unwrap().files;
        assert!(newest["apps/ingress/ingress.yaml"].contains("replicas: 3"));
        assert!(newest["microserviceA/deployment.yaml"].contains("edge-microservice:1.8.2"));
    }

    #[test]
    fn older_states_follow_by_undoing() {
        let commits = past(&plan(5)).unwrap();
        let before = &commits[commits.len() - 2];
        assert!(before.files["apps/ingress/ingress.yaml"].contains("replicas: 2"));
        assert!(
            !commits[0]
                .files
                .contains_key("apps/telemetry/alerts/rules.yaml")
        );
        assert!(commits.windows(2).all(|w| w[0].age > w[1].age));
    }

    #[test]
    fn every_region_has_its_folder_and_no_placeholder_is_left() {
        let commits = past(&plan(9)).unwrap();
        let newest = &commits.last().unwrap().files;
        assert!(newest["regions/eu-west/edge-config/config.yaml"].contains("REGION: eu-west"));
        assert!(newest["services/service-02/service.yaml"].contains("name: service-02-config"));
        assert!(
            newest
                .iter()
                .all(|(p, t)| !p.contains("REGION/") && !t.contains("{{"))
        );
    }

    #[test]
    fn without_numbered_services_their_template_is_left_out() {
        let newest = past(&plan(5)).unwrap().pop().unwrap().files;
        assert!(newest.keys().all(|p| !p.starts_with("services/")));
        assert!(newest.keys().all(|p| !p.starts_with(SERVICE_TEMPLATE)));
    }

    #[test]
    fn a_change_that_does_not_fit_is_an_error_with_the_file() {
        let mut files = Files::from([("a.yaml".to_owned(), "x: 1".to_owned())]);
        let error = change_line(&mut files, "a.yaml", "y: 2", "y: 3").unwrap_err();
        assert!(error.to_string().contains("a.yaml does not hold `y: 2`"));
    }
}
