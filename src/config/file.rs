//! config.toml: groups, aliases, repositories, metrics, looks. Unknown keys are refused with the nearest right one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use globset::Glob;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Written};
use super::{values, view};
use crate::domain::Alias;
use crate::domain::link::LinkTemplate;
use crate::drift::managers::ClassRule;
use crate::theme::{Bands, color};
use crate::view::layout::ByScreen;

/// What a person configured; everything has a default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Config {
    /// Theme by name.
    pub theme: Option<String>,
    /// Keymap by name.
    pub keymap: Option<String>,
    /// Fewer frames and no decoration.
    pub low_bandwidth: bool,
    /// Whether the console takes clicks and the wheel.
    pub mouse: bool,
    /// Groups of clusters, the first that matches counts.
    pub group: Vec<Group>,
    /// Destinations that the hubs name otherwise than the kubeconfig.
    pub alias: Vec<AliasLine>,
    /// Settings of single clusters.
    pub cluster: Vec<ClusterLine>,
    /// Where desired state may come from.
    pub desired: Desired,
    /// Argo CD's API of single hubs.
    pub hub: Vec<HubLine>,
    /// Who asks private chart repositories and registries; the longest URL that fits counts.
    pub repository: Vec<RepositoryLine>,
    /// What kinds of tools field managers are, beyond what the program knows.
    pub manager: Vec<ManagerLine>,
    /// Pages about what is selected, such as a dashboard.
    pub link: Vec<LinkLine>,
    /// Columns and grouping of lists by the name of their screen, while nobody chose in the console.
    pub view: ByScreen,
}

/// A page about what is selected.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct LinkLine {
    /// What it is called.
    pub name: String,
    /// Its address, with places such as `{cluster}` and `{app}` that are filled in.
    pub url: String,
}

/// One line of the table of field managers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ManagerLine {
    /// Glob over field managers, case ignored.
    pub name: String,
    /// `engine`, `kubernetes`, `autoscaler`, `operator` or `human`.
    pub class: String,
}

/// A group of clusters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Glob over row names.
    pub clusters: String,
    /// Whether a plan that touches it asks for its name to be typed.
    pub guarded: bool,
    /// The colour that its name stands on, as in a theme.
    pub color: Option<String>,
    /// Labels to show and to group by, such as `region`.
    pub labels: BTreeMap<String, String>,
}

/// One line of the alias table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct AliasLine {
    /// Destination URL or name as the hub's applications write it.
    pub destination: String,
    /// A context of the row it means.
    pub context: String,
}

/// Settings of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ClusterLine {
    /// A context of the row.
    pub context: String,
    /// The row's name; the first context's when empty.
    pub name: String,
    /// A Prometheus endpoint that is scraped directly.
    pub metrics_url: String,
    /// Its bearer token as a reference: `env:NAME`, `file:PATH` or `exec:PROGRAM ARGUMENT …`.
    pub metrics_token: String,
    /// Labels to show and to group by, such as `region`.
    pub labels: BTreeMap<String, String>,
}

/// Who asks a private chart repository or registry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct RepositoryLine {
    /// Beginning of the URLs that it is for: `https://charts.example/`, `oci://registry.example/team/`.
    pub url: String,
    /// The user; a registry's token may need none.
    pub username: String,
    /// The password as a reference: `env:NAME`, `file:PATH` or `exec:PROGRAM ARGUMENT …`.
    pub password: String,
}

/// The Argo CD of one hub.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct HubLine {
    /// A context of the row.
    pub context: String,
    /// The URL of Argo CD's API, asked for the desired state where it cannot be rendered here.
    pub argocd_url: String,
    /// Its token as a reference: `env:NAME`, `file:PATH` or `exec:PROGRAM ARGUMENT …`.
    pub argocd_token: String,
    /// A bundle of certificate authorities for it.
    pub argocd_ca_file: Option<PathBuf>,
}

/// Where desired state may come from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Desired {
    /// Folders below which `file://` repositories are allowed.
    pub file_repositories: Vec<PathBuf>,
    /// Whether plain `http://` repositories are allowed.
    pub allow_http: bool,
    /// A bundle of certificate authorities for Git over https.
    pub ca_file: Option<PathBuf>,
    /// Beginnings of URLs that kustomizations may fetch bases from, and charts their dependencies.
    pub remote_bases: Vec<String>,
    /// Local copies by the URL they stand for: read in place of the URL.
    pub mirrors: BTreeMap<String, PathBuf>,
    /// The `kustomize` program; without it, one on the search path, else `kubectl kustomize`.
    pub kustomize: Option<PathBuf>,
    /// The `helm` program; without it, one on the search path.
    pub helm: Option<PathBuf>,
    /// The `jsonnet` program; without it, one on the search path.
    pub jsonnet: Option<PathBuf>,
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error(
        "The configuration {path} cannot be read ({source}); correct its permissions or remove it."
    )]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
}

const TOP: &[&str] = &[
    "theme",
    "keymap",
    "low-bandwidth",
    "mouse",
    "group",
    "alias",
    "cluster",
    "desired",
    "repository",
    "hub",
    "manager",
    "link",
    "view",
];
const TABLES: &[(&str, &[&str])] = &[
    ("group", &["name", "clusters", "guarded", "color", "labels"]),
    ("alias", &["destination", "context"]),
    ("manager", &["name", "class"]),
    ("link", &["name", "url"]),
    ("repository", &["url", "username", "password"]),
    (
        "hub",
        &["context", "argocd-url", "argocd-token", "argocd-ca-file"],
    ),
    (
        "cluster",
        &["context", "name", "metrics-url", "metrics-token", "labels"],
    ),
    (
        "desired",
        &[
            "file-repositories",
            "allow-http",
            "ca-file",
            "remote-bases",
            "mirrors",
            "kustomize",
            "helm",
            "jsonnet",
        ],
    ),
];

impl Config {
    /// Reads the file; a file that is not there is an empty configuration.
    ///
    /// # Errors
    /// A file that cannot be read, or the first thing wrong in it: file, line, word and the nearest right one.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&path.display().to_string(), &text)?),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(ConfigError::Unreadable {
                path: path.display().to_string(),
                source,
            }),
        }
    }

    /// Parses a configuration; `name` is what complaints call it.
    ///
    /// # Errors
    /// The first thing wrong in it.
    pub fn parse(name: &str, text: &str) -> Result<Self, Fault> {
        let written = Written { name, text };
        let table = written.parse()?;
        check_keys(&written, &table)?;
        let config: Self = toml::from_str(text)
            .map_err(|e| written.fault(&e.span().unwrap_or(0..0), e.message()))?;
        values::check(&written, &table, &config)?;
        Ok(config)
    }

    /// The alias table for the join.
    pub fn aliases(&self) -> Vec<Alias> {
        self.alias
            .iter()
            .map(|a| Alias {
                destination: a.destination.clone(),
                context: a.context.clone(),
            })
            .collect()
    }

    /// The table of field managers.
    ///
    /// # Errors
    /// A pattern that is no glob, or a word that is no class.
    pub fn manager_classes(&self) -> Result<Vec<ClassRule>, String> {
        let lines = self.manager.iter();
        lines.map(|l| ClassRule::new(&l.name, &l.class)).collect()
    }

    /// The pages about what is selected; the file was checked when it was read.
    pub fn links(&self) -> Vec<LinkTemplate> {
        let lines = self.link.iter();
        lines
            .filter_map(|l| LinkTemplate::new(&l.name, &l.url).ok())
            .collect()
    }

    /// The colours of groups.
    pub fn bands(&self) -> Bands {
        let colored =
            |group: &Group| Some((group.name.clone(), color::parse(group.color.as_deref()?)?));
        Bands::new(self.group.iter().filter_map(colored))
    }

    /// The group of a row, if any: the first whose glob matches.
    pub fn group_of(&self, row: &str) -> Option<&Group> {
        self.group
            .iter()
            .find(|g| Glob::new(&g.clusters).is_ok_and(|glob| glob.compile_matcher().is_match(row)))
    }

    /// The settings of a row that has this context.
    pub fn cluster_of(&self, context: &str) -> Option<&ClusterLine> {
        self.cluster.iter().find(|c| c.context == context)
    }
}

fn check_keys(written: &Written<'_>, table: &DeTable<'_>) -> Result<(), Fault> {
    written.only(table, "key", TOP)?;
    for (key, known) in TABLES {
        match table.get(*key).map(toml::Spanned::get_ref) {
            Some(DeValue::Table(inner)) => {
                written.only(inner, &format!("key of [{key}]"), known)?
            }
            Some(DeValue::Array(list)) => {
                for inner in list.iter().filter_map(|v| v.get_ref().as_table()) {
                    written.only(inner, &format!("key of [[{key}]]"), known)?;
                }
            }
            _ => {}
        }
    }
    view::check(written, table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse("config.toml", text).map_err(|e| e.to_string())
    }

    #[test]
    fn an_empty_file_is_the_default() {
        assert_eq!(parse("").unwrap(), Config::default());
    }

    #[test]
    fn a_file_that_is_not_there_is_the_default() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            Config::load(&folder.path().join("config.toml")).unwrap(),
            Config::default()
        );
    }

    #[test]
    fn everything_is_read() {
        let config = parse(
            r#"
            theme = "light"
            [[group]]
            name = "prod-eu"
            clusters = "edge-*-eu-*"
            guarded = true
            [[alias]]
            destination = "https://10.0.0.1"
            context = "edge-oslo-001"
            [[cluster]]
            context = "edge-oslo-001"
            metrics-url = "https://prom.example/metrics"
            metrics-token = "env:PROM_TOKEN"
            [desired]
            file-repositories = ["/srv/git"]
            remote-bases = ["https://git.example/bases/"]
            helm = "/opt/helm/bin/helm"
            [desired.mirrors]
            "https://git.example/edge/fleet.git" = "/srv/mirror/fleet.git"
            "#,
        )
        .unwrap();
        assert_eq!(config.theme.as_deref(), Some("light"));
        assert!(config.group_of("edge-oslo-eu-1").unwrap().guarded);
        assert!(config.group_of("edge-oslo-us-1").is_none());
        assert_eq!(config.aliases()[0].context, "edge-oslo-001");
        assert_eq!(
            config.cluster_of("edge-oslo-001").unwrap().metrics_token,
            "env:PROM_TOKEN"
        );
        assert_eq!(
            config.desired.file_repositories,
            [PathBuf::from("/srv/git")]
        );
        assert_eq!(config.desired.remote_bases, ["https://git.example/bases/"]);
        assert_eq!(
            config.desired.helm,
            Some(PathBuf::from("/opt/helm/bin/helm"))
        );
        assert_eq!(
            config.desired.mirrors["https://git.example/edge/fleet.git"],
            PathBuf::from("/srv/mirror/fleet.git")
        );
    }

    #[test]
    fn field_managers_get_classes_and_a_wrong_class_is_placed() {
        let config = parse("[[manager]]\nname = \"nightly-*\"\nclass = \"human\"\n").unwrap();
        assert_eq!(config.manager_classes().unwrap().len(), 1);
        let error = parse("[[manager]]\nname = \"a\"\nclass = \"person\"\n").unwrap_err();
        assert!(error.contains("no class of managers"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_placed_with_the_nearest_right_one() {
        let error = parse("theme = \"dark\"\nkeymaps = \"vim\"\n").unwrap_err();
        assert!(
            error.starts_with("config.toml, line 2") && error.contains("`keymap`"),
            "{error}"
        );
        let error = parse("[[group]]\nname = \"a\"\nclusters = \"*\"\nguard = true\n").unwrap_err();
        assert!(
            error.starts_with("config.toml, line 4") && error.contains("`guarded`"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_type_is_placed() {
        let error = parse("\nlow-bandwidth = \"yes\"\n").unwrap_err();
        assert!(error.starts_with("config.toml, line 2"), "{error}");
    }

    #[test]
    fn a_token_in_the_file_is_refused() {
        assert!(
            parse("[[cluster]]\ncontext = \"a\"\nmetrics-token = \"s3cr3t\"\n")
                .unwrap_err()
                .contains("reference")
        );
    }

    #[test]
    fn a_repository_has_a_url_and_a_reference() {
        let config = parse(
            "[[repository]]\nurl = \"https://charts.example/\"\nusername = \"edge\"\npassword = \"env:CHARTS\"\n",
        );
        assert_eq!(config.unwrap().repository[0].password, "env:CHARTS");
        for (text, word) in [
            (
                "url = \"charts.example\"\npassword = \"env:A\"",
                "begins with",
            ),
            (
                "url = \"oci://r.example/\"\npassword = \"hunter2\"",
                "never the password itself",
            ),
        ] {
            let error = parse(&format!("[[repository]]\n{text}\n")).unwrap_err();
            assert!(
                error.contains(word) && !error.contains("hunter2\""),
                "{error}"
            );
        }
    }

    #[test]
    fn a_hub_has_a_context_a_url_and_a_reference() {
        let good = "[[hub]]\ncontext = \"hub-1\"\nargocd-url = \"https://argocd.example\"\n";
        let config = parse(&format!("{good}argocd-token = \"exec:pass argocd\"\n")).unwrap();
        assert_eq!(config.hub[0].argocd_token, "exec:pass argocd");
        assert!(
            parse(&format!("{good}argocd-token = \"hunter2\"\n"))
                .unwrap_err()
                .contains("never the token itself")
        );
        assert!(
            parse("[[hub]]\nargocd-url = \"https://argocd.example\"\n")
                .unwrap_err()
                .contains("`context`")
        );
    }

    #[test]
    fn a_group_may_have_a_colour_and_what_is_none_is_refused() {
        let group = |color: &str| {
            format!("[[group]]\nname = \"a\"\nclusters = \"*\"\ncolor = \"{color}\"\n")
        };
        assert!(parse(&group("#b41414")).is_ok() && parse(&group("bright-red")).is_ok());
        let error = parse(&group("redd")).unwrap_err();
        assert!(
            error.contains("`redd` of [[group]] `a` is no colour"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_value_is_placed_in_its_own_table() {
        let good = "[[group]]\nname = \"a\"\nclusters = \"*\"\n";
        let error = parse(&format!("{good}{good}color = \"redd\"\n")).unwrap_err();
        assert!(error.starts_with("config.toml, line 7"), "{error}");
        let error = parse(&format!("{good}[[group]]\nname = \"b\"\n")).unwrap_err();
        assert!(error.starts_with("config.toml, line 4"), "{error}");
    }

    #[test]
    fn half_a_group_or_alias_is_refused() {
        assert!(
            parse("[[group]]\nname = \"a\"\n")
                .unwrap_err()
                .contains("clusters")
        );
        assert!(
            parse("[[alias]]\ncontext = \"a\"\n")
                .unwrap_err()
                .contains("destination")
        );
        assert!(
            parse("[[group]]\nname = \"a\"\nclusters = \"[\"\n")
                .unwrap_err()
                .contains("not a glob")
        );
    }
}
