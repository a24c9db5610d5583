//! One question of a chart repository: which version is meant, is it there already, and if not, its archive.

use reqwest::Url;
use secrecy::SecretString;

use super::index::{BYTES, Entry, Index};
use super::place::{Endpoint, Holds};
use super::registry::{self, CHART, Manifest, Registry, RegistryError};
use super::repo::{ChartRepo, Drawn, Kept, Layers, Wanted};
use super::store::{Label, StoreError};
use super::{ARCHIVE, Tools, archive};
use crate::desired::mirror::blocking;
use crate::desired::policy::redact;
use crate::desired::semver::{Range, is_whole_version};
use crate::desired::shop::cancelled;
use crate::desired::unjudged;
use crate::desired::web::{Get, WebError};
use crate::domain::{Name, Unjudged, UnjudgedReason};

use archive::Layout;

/// Who asks.
type Login = Option<(String, SecretString)>;

impl ChartRepo {
    /// Resolves what is wanted, and pulls it unless it is in the store.
    ///
    /// # Errors
    /// Why it cannot be had, in one sentence with the next step.
    pub(super) async fn draw(
        &self,
        kept: &mut Kept,
        wanted: &Wanted,
        tools: &Tools,
    ) -> Result<Drawn, Unjudged> {
        if wanted.revision.is_empty() {
            return Err(unjudged(
                UnjudgedReason::BadSource,
                format!(
                    "A source of the chart repository {} names no targetRevision, which Argo CD requires there; set a version or a range such as `1.x`.",
                    self.place.url
                ),
            ));
        }
        // A version that is there needs nobody's leave.
        if is_settled(&wanted.revision)
            && let Some(drawn) = self.stored(wanted, &wanted.revision, tools).await?
        {
            return Ok(drawn);
        }
        let login = self.login(tools).await?;
        match &self.place.endpoint {
            Endpoint::Index(base) => self.of_index(kept, base, wanted, tools, login).await,
            Endpoint::Registry { host, path, holds } => {
                let registry = Registry {
                    web: &tools.web,
                    host,
                    path,
                    login,
                    token: &self.token,
                };
                self.of_registry(&registry, *holds, wanted, tools).await
            }
        }
    }

    /// The credentials in the URL, else those of the configuration.
    async fn login(&self, tools: &Tools) -> Result<Login, Unjudged> {
        if let Some(inline) = &self.place.inline {
            return Ok(Some(inline.clone()));
        }
        let Some(login) = tools.policy.login_for(&self.place.url) else {
            return Ok(None);
        };
        let password = login.password.read().await.map_err(|why| {
            unjudged(
                UnjudgedReason::NoCredentials,
                format!("The credentials of {} cannot be read: {why}; correct `password` of its [[repository]] in config.toml.", self.place.url),
            )
        })?;
        Ok(Some((login.username.clone(), password)))
    }

    async fn of_index(
        &self,
        kept: &mut Kept,
        base: &Url,
        wanted: &Wanted,
        tools: &Tools,
        login: Login,
    ) -> Result<Drawn, Unjudged> {
        let basic = login
            .as_ref()
            .and_then(|(user, password)| registry::basic(user, password));
        self.read_index(kept, base, basic.clone(), tools).await?;
        let index = kept.index.as_deref();
        let entries = index.and_then(|i| i.of(&wanted.chart)).unwrap_or_default();
        let entry = pick(entries, &wanted.revision).ok_or_else(|| self.no_version(wanted))?;
        if let Some(drawn) = self.stored(wanted, &entry.version, tools).await? {
            return Ok(drawn);
        }
        let url = entry.urls.first().and_then(|url| base.join(url).ok());
        let url = url.ok_or_else(|| self.no_version(wanted))?;
        let trusted = wanted.pass_credentials || is_same_host(&url, base);
        let get = Get::new(&url, ARCHIVE, basic.filter(|_| trusted));
        let archive = tools.web.get(&get).await;
        let archive = archive
            .map_err(|why| self.trouble(&why, &wanted.chart))?
            .body;
        let digest = entry.digest.trim_start_matches("sha256:");
        if !digest.is_empty()
            && registry::digest_of(&archive) != format!("sha256:{}", digest.to_ascii_lowercase())
        {
            return Err(self.bad(
                wanted,
                "its digest is not the one in the repository's index, and nothing of it is used",
            ));
        }
        self.keep(wanted, &entry.version, (archive, Layout::Chart), tools)
            .await
    }

    async fn read_index(
        &self,
        kept: &mut Kept,
        base: &Url,
        authorization: Option<http::HeaderValue>,
        tools: &Tools,
    ) -> Result<(), Unjudged> {
        if kept.index.is_some() && !kept.is_old {
            return Ok(());
        }
        let url = base
            .join("index.yaml")
            .map_err(|_| self.trouble(&WebError::Missing, "index.yaml"))?;
        let get = Get {
            known: kept.tag.clone().filter(|_| kept.index.is_some()),
            ..Get::new(&url, BYTES, authorization)
        };
        let answer = tools.web.get(&get).await;
        let answer = answer.map_err(|why| self.trouble(&why, "index.yaml"))?;
        if !answer.unchanged {
            let tag = answer.tag();
            let read = blocking(move || Index::read(&answer.body)).await;
            let index = read.map_err(|_| cancelled())?.map_err(|why| {
                unjudged(
                    UnjudgedReason::NoAccess,
                    format!("`index.yaml` of the chart repository {} cannot be read: {why}; check its URL.", self.place.url),
                )
            })?;
            (kept.index, kept.tag) = (Some(index.into()), tag);
        }
        kept.is_old = false;
        Ok(())
    }

    async fn of_registry(
        &self,
        registry: &Registry<'_>,
        holds: Holds,
        wanted: &Wanted,
        tools: &Tools,
    ) -> Result<Drawn, Unjudged> {
        let refused = |why: RegistryError| self.refused(&why, wanted);
        let version = match ranged(holds, &wanted.revision) {
            None => wanted.revision.to_string(),
            Some(range) => {
                let tags = registry.tags().await.map_err(refused)?;
                // A tag cannot hold a plus; Helm writes an underscore.
                let versions: Vec<String> = tags.iter().map(|t| t.replace('_', "+")).collect();
                let newest = range.newest(versions.iter().map(String::as_str));
                newest.ok_or_else(|| self.no_version(wanted))?.to_owned()
            }
        };
        if holds == Holds::Chart
            && let Some(drawn) = self.stored(wanted, &version, tools).await?
        {
            return Ok(drawn);
        }
        let manifest = registry
            .manifest(&version.replace('+', "_"), &wanted.layers)
            .await
            .map_err(refused)?;
        let version = match holds {
            Holds::Chart => version,
            Holds::Artifact => manifest.digest.clone(),
        };
        if let Some(drawn) = self.stored(wanted, &version, tools).await? {
            return Ok(drawn);
        }
        let layout = layout_of(&manifest, holds, &wanted.layers).map_err(refused)?;
        let archive = registry
            .blob(&manifest.layer, ARCHIVE)
            .await
            .map_err(refused)?;
        self.keep(wanted, &version, (archive, layout), tools).await
    }

    async fn stored(
        &self,
        wanted: &Wanted,
        version: &str,
        tools: &Tools,
    ) -> Result<Option<Drawn>, Unjudged> {
        let (store, place, wanted, version) = (
            tools.store.clone(),
            self.place.url.clone(),
            wanted.clone(),
            Name::from(version),
        );
        let found = blocking(move || {
            let commit = store.find(&Label {
                url: &place,
                chart: &content_of(&wanted),
                version: &version,
            });
            commit.map(|commit| Drawn { version, commit })
        });
        found.await.map_err(|_| cancelled())
    }

    async fn keep(
        &self,
        wanted: &Wanted,
        version: &str,
        (archive, layout): (Vec<u8>, Layout),
        tools: &Tools,
    ) -> Result<Drawn, Unjudged> {
        let (store, place, chart, name) = (
            tools.store.clone(),
            self.place.url.clone(),
            content_of(wanted),
            Name::from(version),
        );
        let version = name.clone();
        let kept = blocking(move || {
            let label = Label {
                url: &place,
                chart: &chart,
                version: &name,
            };
            store.keep(&label, &archive, layout)
        });
        match kept.await.map_err(|_| cancelled())? {
            Ok(commit) => Ok(Drawn { version, commit }),
            Err(StoreError::Archive(why)) => Err(self.bad(wanted, &why.to_string())),
            Err(StoreError::Bare(why)) => Err(unjudged(
                UnjudgedReason::NoAccess,
                format!("A chart of {} cannot be kept: {why}.", self.place.url),
            )),
        }
    }

    /// What is wanted, for messages.
    fn named(&self, wanted: &Wanted) -> String {
        if wanted.chart.is_empty() {
            format!("`{}` of {}", wanted.revision, self.place.url)
        } else {
            format!(
                "The chart `{}` {} of {}",
                wanted.chart, wanted.revision, self.place.url
            )
        }
    }

    fn no_version(&self, wanted: &Wanted) -> Unjudged {
        unjudged(
            UnjudgedReason::NotFound,
            format!(
                "{} is not there: no version fits; check the application's chart and targetRevision.",
                self.named(wanted)
            ),
        )
    }

    fn bad(&self, wanted: &Wanted, why: &str) -> Unjudged {
        unjudged(
            UnjudgedReason::BadManifest,
            format!(
                "{} is not used: {why}; publish it anew.",
                self.named(wanted)
            ),
        )
    }

    fn refused(&self, why: &RegistryError, wanted: &Wanted) -> Unjudged {
        match why {
            RegistryError::Web(WebError::Missing) => self.no_version(wanted),
            RegistryError::Web(why) => self.trouble(why, &wanted.revision),
            RegistryError::Form(_) => unjudged(
                UnjudgedReason::NoAccess,
                format!(
                    "{} cannot be read: {why}; check that its URL is a registry's.",
                    self.named(wanted)
                ),
            ),
            RegistryError::Digest(_) | RegistryError::Layers(_) => {
                self.bad(wanted, &why.to_string())
            }
        }
    }

    /// What became of a request for `what`.
    fn trouble(&self, why: &WebError, what: &str) -> Unjudged {
        let url = &self.place.url;
        match why {
            WebError::Unauthorized(_) | WebError::Forbidden => unjudged(
                UnjudgedReason::NoCredentials,
                format!(
                    "The chart repository {url} is private, and there are no credentials here that it takes ({why}); name them as [[repository]] with this url in config.toml."
                ),
            ),
            WebError::Missing => unjudged(
                UnjudgedReason::NotFound,
                format!(
                    "The chart repository {url} has no `{}`; check the application's repoURL.",
                    redact(what)
                ),
            ),
            WebError::TooLarge(_) => unjudged(
                UnjudgedReason::BadManifest,
                format!(
                    "`{}` of the chart repository {url} is not read: {why}.",
                    redact(what)
                ),
            ),
            _ => unjudged(
                UnjudgedReason::NoAccess,
                format!(
                    "The chart repository {url} could not be asked: {why}; check that this machine reaches it."
                ),
            ),
        }
    }
}

/// The entry that is meant: the version itself, else as Helm reads it, the newest that fits.
fn pick<'a>(entries: &'a [Entry], revision: &str) -> Option<&'a Entry> {
    let exact = entries.iter().find(|e| e.version == revision);
    exact.or_else(|| {
        let range = Range::lenient(revision)?;
        let newest = range.newest(entries.iter().map(|e| e.version.as_str()))?;
        entries.iter().find(|e| e.version == newest)
    })
}

/// The range that a revision is; `None` for what is a tag or a digest by itself.
fn ranged(holds: Holds, revision: &str) -> Option<Range> {
    match holds {
        Holds::Artifact => Range::read(revision),
        Holds::Chart if is_whole_version(revision) => None,
        Holds::Chart => Range::lenient(revision),
    }
}

/// Whether a revision means the same for ever.
fn is_settled(revision: &str) -> bool {
    is_whole_version(revision) || revision.starts_with("sha256:")
}

/// What is kept of a version: the chart, or a layer of an artifact.
fn content_of(wanted: &Wanted) -> Name {
    match &wanted.layers {
        Layers::OneArchive => wanted.chart.clone(),
        Layers::First {
            media_type,
            is_chart,
        } => format!("{} {media_type} {is_chart}", wanted.chart).into(),
    }
}

fn layout_of(manifest: &Manifest, holds: Holds, layers: &Layers) -> Result<Layout, RegistryError> {
    if let Layers::First { is_chart: true, .. } = layers {
        return Ok(Layout::Chart);
    }
    match (manifest.layer.media_type == CHART, holds) {
        (true, _) => Ok(Layout::Chart),
        (false, Holds::Artifact) => Ok(Layout::Folder),
        (false, Holds::Chart) => Err(RegistryError::Layers(
            "something that is no chart".to_owned(),
        )),
    }
}

/// Whether credentials for one URL may go to the other.
fn is_same_host(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host() == b.host()
        && a.port_or_known_default() == b.port_or_known_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_picked_as_helm_picks_it() {
        let entries: Vec<Entry> = ["18.1.0", "v18.2.0", "18.1.2", "19.0.0-beta.1", "17.0.0"]
            .map(|version| Entry {
                version: version.to_owned(),
                ..Entry::default()
            })
            .into();
        for (revision, expected) in [
            ("18.1.0", Some("18.1.0")),
            ("18.2.0", Some("v18.2.0")),
            ("18.1", Some("18.1.2")),
            ("18.x", Some("v18.2.0")),
            ("*", Some("v18.2.0")),
            ("<18", Some("17.0.0")),
            (">=19.0.0-0", Some("19.0.0-beta.1")),
            ("20.x", None),
            ("latest", None),
        ] {
            let found = pick(&entries, revision).map(|e| e.version.as_str());
            assert_eq!(found, expected, "{revision}");
        }
    }

    #[test]
    fn credentials_stay_with_their_host() {
        let base = Url::parse("https://charts.example/stable/").unwrap();
        let to = |url: &str| is_same_host(&base.join(url).unwrap(), &base);
        assert!(to("redis-1.tgz") && to("/other/redis-1.tgz"));
        assert!(to("https://charts.example:443/a"));
        for url in [
            "https://cdn.example/a",
            "http://charts.example/a",
            "https://charts.example:8443/a",
            "//evil.example/a",
        ] {
            assert!(!to(url), "{url}");
        }
    }
}
