//! Where a chart or an OCI artifact is asked for: a chart repository's index, or a registry. The address comes from a cluster and is not trusted.

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::desired::policy::{Remote, RepoPolicy, admit, is_below, redact};
use crate::desired::unjudged;
use crate::domain::{Name, Source, Unjudged, UnjudgedReason};

/// One repository of charts.
#[derive(Clone, Debug)]
pub(in crate::desired) struct Place {
    /// Its URL without credentials, for messages, screens and logins; a registry's begins with `oci://`.
    pub(in crate::desired) url: Name,
    pub(super) endpoint: Endpoint,
    /// User and password that stand in the URL itself.
    pub(super) inline: Option<(String, SecretString)>,
}

/// How a place is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A chart repository: `index.yaml` below this URL, which ends in a slash.
    Index(Url),
    /// A repository of a registry.
    Registry {
        host: String,
        path: String,
        /// What lies there.
        holds: Holds,
    },
}

/// What a registry's repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Versions of one Helm chart.
    Chart,
    /// Folders of manifests, or a chart that is named as one: Argo CD's `oci://` sources.
    Artifact,
}

impl Place {
    /// Whether a source is read from a chart repository or a registry, and not from Git.
    pub(in crate::desired) fn is_meant(source: &Source) -> bool {
        !source.chart.is_empty() || source.repo_url.starts_with(OCI)
    }

    /// The place of such a source. As for Argo CD, a URL without a scheme is a registry's, with the chart below it.
    ///
    /// # Errors
    /// `ForbiddenUrl`, as for Git.
    pub(in crate::desired) fn of(source: &Source, policy: &RepoPolicy) -> Result<Self, Unjudged> {
        let url = source.repo_url.trim_end_matches('/');
        let bare = url.strip_prefix(OCI);
        match (bare, &*source.chart) {
            (Some(address), "") => registry(url, address, Holds::Artifact),
            (Some(address), chart) => registry(url, &format!("{address}/{chart}"), Holds::Chart),
            (None, chart) if !url.contains("://") => {
                registry(url, &format!("{url}/{chart}"), Holds::Chart)
            }
            (None, _) => index(url, policy),
        }
    }

    /// Whether a chart of this place may be pulled for a source whose chart depends on it: the source's own repository, or one that the configuration names.
    pub(in crate::desired) fn is_allowed(&self, source: &Source, policy: &RepoPolicy) -> bool {
        let own = source.repo_url.trim_end_matches('/');
        let own = if own.contains("://") {
            own.to_owned()
        } else {
            format!("{OCI}{own}")
        };
        let own = Self::is_meant(source).then_some(own);
        let allowed = policy.remote_bases.iter().chain(&own);
        allowed
            .into_iter()
            .any(|beginning| is_below(&self.url, beginning))
    }

    /// What tells it from other places: its URL, what it holds, and who asks. Tells nothing itself.
    pub(super) fn key(&self) -> Name {
        let mut digest = Sha256::new();
        digest.update(format!("{} {:?}", self.url, self.endpoint));
        if let Some((user, password)) = &self.inline {
            digest.update(format!("\0{user}\0{}", password.expose_secret()));
        }
        digest
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect::<String>()
            .into()
    }

    /// The place of a chart that another depends on.
    ///
    /// # Errors
    /// As [`Place::of`].
    pub(in crate::desired) fn of_dependency(
        repository: &str,
        name: &str,
        policy: &RepoPolicy,
    ) -> Result<Self, Unjudged> {
        if !repository.contains("://") {
            return Err(forbidden(
                repository,
                "is the name of a repository in somebody's Helm settings, which are not read here; write its URL into the chart",
            ));
        }
        let source = Source {
            repo_url: repository.into(),
            chart: name.into(),
            ..Source::default()
        };
        Self::of(&source, policy)
    }
}

const OCI: &str = "oci://";

fn index(url: &str, policy: &RepoPolicy) -> Result<Place, Unjudged> {
    if !["https://", "http://"]
        .iter()
        .any(|s| url.to_ascii_lowercase().starts_with(s))
    {
        return Err(forbidden(
            url,
            "is no https:// or oci:// URL, as a chart repository's must be",
        ));
    }
    // The rules for Git over the web want a path; a chart repository needs none.
    let (authority, path) = split(url);
    let with_path = format!(
        "{authority}{}",
        if path.is_empty() { "/index.yaml" } else { path }
    );
    let remote = admit(&with_path, policy)?;
    let shown: Name = if path.is_empty() {
        remote.url.trim_end_matches("/index.yaml").into()
    } else {
        remote.url.clone()
    };
    let base = Url::parse(&format!("{shown}/")).map_err(|_| forbidden(url, "is no URL"))?;
    Ok(Place {
        inline: inline(&remote),
        url: shown,
        endpoint: Endpoint::Index(base),
    })
}

/// Scheme with authority, and the path.
fn split(url: &str) -> (&str, &str) {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(start..).and_then(|rest| rest.find('/'));
    url.split_at(end.map_or(url.len(), |at| start + at))
}

fn inline(remote: &Remote) -> Option<(String, SecretString)> {
    let url = Url::parse(remote.with_password.as_ref()?).ok()?;
    let text = |part: &str| percent_decoded(part);
    Some((
        text(url.username()),
        SecretString::from(text(url.password().unwrap_or_default())),
    ))
}

/// `%40` as `@`; what is no escape stays.
fn percent_decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(*first));
        rest = after
            .get(if escaped.is_some() { 2 } else { 0 }..)
            .unwrap_or_default();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `HOST[:PORT]/PATH`, with what Docker's own registry is really called.
fn registry(url: &str, address: &str, holds: Holds) -> Result<Place, Unjudged> {
    let (host, path) = address
        .split_once('/')
        .ok_or_else(|| forbidden(url, "names a registry and no repository in it"))?;
    let host = host.to_ascii_lowercase();
    if !crate::desired::policy::is_host(&host) {
        return Err(forbidden(
            url,
            "names no proper host; a registry's credentials do not stand in its URL",
        ));
    }
    let path = path.trim_matches('/');
    if !is_repository(path) {
        return Err(forbidden(
            url,
            "is no name of a registry's repository: only small letters, digits and . _ - / are",
        ));
    }
    let shown = format!("{OCI}{host}/{path}").into();
    let (host, path) = match host.as_str() {
        "docker.io" | "index.docker.io" if path.contains('/') => (DOCKER, path.to_owned()),
        "docker.io" | "index.docker.io" => (DOCKER, format!("library/{path}")),
        host => (host, path.to_owned()),
    };
    Ok(Place {
        url: shown,
        endpoint: Endpoint::Registry {
            host: host.to_owned(),
            path,
            holds,
        },
        inline: None,
    })
}

const DOCKER: &str = "registry-1.docker.io";

/// The distribution specification's names: words of small letters and digits, joined by dots, dashes, underscores and slashes.
fn is_repository(path: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && word.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
            && !word.contains("..")
    };
    path.len() <= 255 && path.split('/').all(word)
}

fn forbidden(url: &str, why: &str) -> Unjudged {
    let shown: String = redact(url).chars().take(200).collect();
    unjudged(
        UnjudgedReason::ForbiddenUrl,
        format!("The chart repository `{shown}` {why}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(repo_url: &str, chart: &str) -> Result<Place, String> {
        let source = Source {
            repo_url: repo_url.into(),
            chart: chart.into(),
            ..Source::default()
        };
        Place::of(&source, &RepoPolicy::default()).map_err(|why| why.message.to_string())
    }

    fn repository(repo_url: &str, chart: &str) -> (String, String, Holds) {
        match place(repo_url, chart).unwrap().endpoint {
            Endpoint::Registry { host, path, holds } => (host, path, holds),
            Endpoint::Index(url) => panic!("{url} is no registry"),
        }
    }

    #[test]
    fn a_chart_repository_is_a_url_with_or_without_a_path() {
        for (url, shown) in [
            ("https://charts.example", "https://charts.example"),
            ("https://charts.example/", "https://charts.example"),
            (
                "https://Charts.example/stable/",
                "https://charts.example/stable",
            ),
        ] {
            let place = place(url, "redis").unwrap();
            assert_eq!(&*place.url, shown);
            let base = Url::parse(&format!("{shown}/")).unwrap();
            assert_eq!(place.endpoint, Endpoint::Index(base));
        }
    }

    #[test]
    fn a_url_without_a_scheme_is_a_registry_as_for_argo_cd() {
        let chart = (
            "registry.example:5000".to_owned(),
            "edge/web".to_owned(),
            Holds::Chart,
        );
        assert_eq!(repository("registry.example:5000/edge", "web"), chart);
        assert_eq!(repository("oci://registry.example:5000/edge", "web"), chart);
        let artifact = repository("oci://registry.example:5000/edge/web", "");
        assert_eq!(artifact, (chart.0, chart.1, Holds::Artifact));
        assert_eq!(repository("oci://docker.io", "web").0, DOCKER);
        assert_eq!(repository("docker.io/team", "web").1, "team/web");
    }

    #[test]
    fn what_could_reach_something_else_is_refused() {
        for (url, chart) in [
            ("http://charts.example", "redis"),
            ("file:///etc", "redis"),
            ("ssh://git@charts.example/x", "redis"),
            ("oci://user:hunter2@registry.example/x", "redis"),
            ("oci://registry.example/a", "../b"),
            ("registry.example/a", "b?x=y"),
            ("-oregistry/a", "b"),
            ("oci://registry.example", ""),
        ] {
            let why = place(url, chart).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }

    #[test]
    fn credentials_in_the_url_are_kept_out_of_what_is_shown() {
        let place = place("https://bot:p%40ss@charts.example/stable", "redis").unwrap();
        assert_eq!(&*place.url, "https://charts.example/stable");
        assert_eq!(place.inline.as_ref().unwrap().0, "bot");
        assert!(!format!("{place:?}").contains("p@ss"));
        assert_eq!(place.inline.unwrap().1.expose_secret(), "p@ss");
    }

    #[test]
    fn a_dependency_comes_from_the_same_repository_or_from_an_allowed_one() {
        let policy = RepoPolicy {
            remote_bases: vec![
                "https://charts.example/".into(),
                "oci://registry.example/team".into(),
            ],
            ..RepoPolicy::default()
        };
        let chart = |repo_url: &str| Source {
            repo_url: repo_url.into(),
            chart: "web".into(),
            ..Source::default()
        };
        let git = Source {
            repo_url: "https://own.example/charts.git".into(),
            ..Source::default()
        };
        let allowed = |repository: &str, source: &Source| {
            Place::of_dependency(repository, "redis", &policy)
                .unwrap()
                .is_allowed(source, &policy)
        };
        assert!(allowed("https://charts.example", &git));
        assert!(allowed("https://charts.example/stable", &git));
        assert!(allowed("oci://registry.example/team", &git));
        assert!(!allowed("https://charts.example.evil", &git));
        assert!(!allowed("oci://registry.example/teams", &git));
        assert!(
            !allowed("https://own.example/charts.git", &git),
            "Git is no chart repository"
        );
        assert!(allowed(
            "https://own.example/stable",
            &chart("https://own.example/stable/")
        ));
        assert!(allowed("oci://r.example/edge", &chart("r.example/edge")));
        assert!(!allowed(
            "https://other.example",
            &chart("https://own.example/stable/")
        ));
    }

    #[test]
    fn a_dependency_by_the_name_of_somebodys_repository_is_refused() {
        for name in ["@bitnami", "alias:bitnami"] {
            let why = Place::of_dependency(name, "redis", &RepoPolicy::default()).unwrap_err();
            assert_eq!(why.reason, UnjudgedReason::ForbiddenUrl);
        }
    }
}
