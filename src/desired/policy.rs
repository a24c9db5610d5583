//! Which repository URLs may be reached at all. A URL comes from a cluster and is not trusted.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::{Component, Path, PathBuf};

use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};

use crate::connect::Reference;
use crate::domain::{Name, Unjudged, UnjudgedReason};

use super::unjudged;

/// What the operator allows beyond https and ssh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepoPolicy {
    /// Folders below which `file://` repositories may be read; empty forbids `file://`.
    pub file_prefixes: Vec<PathBuf>,
    /// Whether plain `http://` is allowed.
    pub allow_http: bool,
    /// A CA bundle for https, in PEM, instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Local copies by the URL they stand for; they are read in place of the URL, whatever its kind.
    pub mirrors: BTreeMap<String, PathBuf>,
    /// Beginnings of URLs that kustomizations may fetch bases from; empty forbids all.
    pub remote_bases: Vec<String>,
    /// Who asks private repositories and registries.
    pub logins: Vec<Login>,
    /// What runs instead of `ssh -oBatchMode=yes`; whoever sets it answers for its never asking anything.
    pub ssh_command: Option<String>,
}

/// Who asks one private repository, chart repository or registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Beginning of the URLs that it is for.
    pub url: String,
    /// The user, empty for none.
    pub username: String,
    /// Where the password is found.
    pub password: Reference,
}

impl RepoPolicy {
    /// The login for a URL: of those that fit, the one with the longest beginning.
    pub(super) fn login_for(&self, url: &str) -> Option<&Login> {
        let fits = |login: &&Login| is_below(url, &login.url);
        self.logins.iter().filter(fits).max_by_key(|l| l.url.len())
    }
}

/// Whether a URL is this one or lies below it: `https://charts.example` is not a beginning of `https://charts.example.evil`.
pub(super) fn is_below(url: &str, beginning: &str) -> bool {
    let rest = url.strip_prefix(beginning.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// How a repository is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// By the `git` program, over TLS (or plain http where that is allowed).
    Http,
    /// By the `git` program and `ssh`.
    Ssh,
    /// By libgit2, from this folder; nothing is run.
    File(PathBuf),
}

/// A repository URL that passed the policy.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    /// The URL without a password: fit for an argument, a message, a screen (through `Safe`).
    pub url: Name,
    /// How it is reached.
    pub transport: Transport,
    /// The URL as the cluster wrote it, when it holds a password; goes to `git` by the environment only.
    pub(super) with_password: Option<Name>,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("url", &self.url)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

impl Remote {
    /// The name of its mirror's folder: equal for equal URLs, and tells nothing.
    pub fn folder(&self) -> String {
        let full = self.with_password.as_ref().unwrap_or(&self.url);
        let digest = Sha256::digest(full.as_bytes());
        let mut name = String::with_capacity(36);
        for byte in digest.iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(name, "{byte:02x}");
        }
        name.push_str(".git");
        name
    }

    /// The same repository, asked by somebody; `None` where names and passwords mean nothing, or the URL holds its own.
    pub(super) fn asked_by(&self, username: &str, password: &SecretString) -> Option<Self> {
        if self.transport != Transport::Http || self.with_password.is_some() {
            return None;
        }
        let mut full = Url::parse(&self.url).ok()?;
        full.set_username(username).ok()?;
        full.set_password(Some(password.expose_secret())).ok()?;
        Some(Self {
            with_password: Some(full.as_str().into()),
            ..self.clone()
        })
    }

    /// Whether a poll costs no network.
    pub fn is_local(&self) -> bool {
        matches!(self.transport, Transport::File(_))
    }
}

/// Decides about one URL.
///
/// # Errors
/// `ForbiddenUrl`, with a sentence that repeats the URL without its credentials.
pub fn admit(url: &str, policy: &RepoPolicy) -> Result<Remote, Unjudged> {
    let forbid = |why: &str| Err(forbidden(url, why));
    if url.is_empty() {
        return forbid("is empty");
    }
    if url.starts_with('-') {
        return forbid("begins with a dash and could be read as an option");
    }
    if url
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return forbid("holds blanks, backslashes or control characters");
    }
    if url.len() > 2048 {
        return forbid("is longer than 2,048 characters");
    }
    if let Some(copy) = policy.mirrors.get(url) {
        return Ok(Remote {
            url: redact(url).into(),
            transport: Transport::File(copy.clone()),
            with_password: None,
        });
    }
    match url.split_once("://") {
        Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
            "https" => web("https", rest).ok_or_else(|| forbidden(url, NOT_A_URL)),
            "http" if policy.allow_http => {
                web("http", rest).ok_or_else(|| forbidden(url, NOT_A_URL))
            }
            "http" => forbid(
                "is not encrypted; set `allow-http = true` under [desired] in config.toml to allow it",
            ),
            "ssh" => ssh_url(rest).ok_or_else(|| forbidden(url, NOT_A_URL)),
            "file" => file(rest, policy).map_err(|why| forbidden(url, why)),
            _ => forbid(NOT_ALLOWED),
        },
        None => scp_like(url).ok_or_else(|| forbidden(url, NOT_ALLOWED)),
    }
}

const NOT_A_URL: &str = "has no proper host and path";
const NOT_ALLOWED: &str =
    "is of a kind that is not allowed: only https:// and ssh (also user@host:path) are";

fn forbidden(url: &str, why: &str) -> Unjudged {
    let shown: String = redact(url).chars().take(200).collect();
    unjudged(
        UnjudgedReason::ForbiddenUrl,
        format!("The repository URL `{shown}` {why}."),
    )
}

fn web(scheme: &str, rest: &str) -> Option<Remote> {
    let (authority, path) = rest.split_at(rest.find('/')?);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let path = path.trim_end_matches('/');
    if !is_host(host) || path.is_empty() {
        return None;
    }
    let host = host.to_ascii_lowercase();
    let url = format!("{scheme}://{host}{path}");
    Some(Remote {
        with_password: user.map(|user| format!("{scheme}://{user}@{host}{path}").into()),
        url: url.into(),
        transport: Transport::Http,
    })
}

fn ssh_url(rest: &str) -> Option<Remote> {
    let (authority, path) = rest.split_at(rest.find('/')?);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    // A password in an ssh URL is ignored by ssh; it must not reach the arguments either.
    let user = user.map(|u| u.split(':').next().unwrap_or_default());
    let fits = is_host(host)
        && user.is_none_or(is_user)
        && path.trim_end_matches('/').len() > 1
        && !path.starts_with("/-");
    let user = user.map(|u| format!("{u}@")).unwrap_or_default();
    fits.then(|| Remote {
        url: format!("ssh://{user}{host}{}", path.trim_end_matches('/')).into(),
        transport: Transport::Ssh,
        with_password: None,
    })
}

/// `git@host:path`, the form that git reads as ssh.
fn scp_like(url: &str) -> Option<Remote> {
    let (who, path) = url.split_once(':')?;
    let (user, host) = match who.split_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, who),
    };
    let fits = is_host(host)
        && !host.contains(':')
        && user.is_none_or(is_user)
        && !path.is_empty()
        && !path.starts_with([':', '-']);
    fits.then(|| Remote {
        url: url.trim_end_matches('/').into(),
        transport: Transport::Ssh,
        with_password: None,
    })
}

/// A folder below one of the allowed ones, links resolved on both sides.
fn file(rest: &str, policy: &RepoPolicy) -> Result<Remote, &'static str> {
    let path = Path::new(rest);
    if !path.is_absolute() || path.components().any(|c| c == Component::ParentDir) {
        return Err("is not the absolute path of a local folder");
    }
    if policy.file_prefixes.is_empty() {
        return Err(
            "is a local folder; name the folder under `file-repositories` in [desired] of config.toml to allow it",
        );
    }
    // A repository that is gone stays allowed by its written path: the message must then be "not there", not "forbidden".
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let below = |prefix: &PathBuf| {
        let prefix = prefix.canonicalize().unwrap_or_else(|_| prefix.clone());
        real.starts_with(prefix)
    };
    if !policy.file_prefixes.iter().any(below) {
        return Err(
            "is a local folder outside of those named under `file-repositories` in [desired] of config.toml",
        );
    }
    Ok(Remote {
        url: format!("file://{}", rest.trim_end_matches('/')).into(),
        transport: Transport::File(real),
        with_password: None,
    })
}

/// A name or address, with a port perhaps; never something that ssh could read as an option.
pub(super) fn is_host(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(v6) => match v6.split_once(']') {
            Some((address, port)) => {
                let good = !address.is_empty()
                    && address
                        .chars()
                        .all(|c| c.is_ascii_hexdigit() || c == ':' || c == '.');
                return good && is_port(port.strip_prefix(':').unwrap_or(port));
            }
            None => return false,
        },
        None => host.split_once(':').unwrap_or((host, "")),
    };
    !name.is_empty()
        && !name.starts_with(['-', '.'])
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && is_port(port)
}

fn is_port(port: &str) -> bool {
    port.is_empty() || port.parse::<u16>().is_ok()
}

fn is_user(user: &str) -> bool {
    !user.is_empty()
        && !user.starts_with('-')
        && user
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+'))
}

/// The text with every `//user:password@` of a URL in it replaced by `//***@`.
pub fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("//") {
        let (before, after) = rest.split_at(at + 2);
        out.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || matches!(c, '\'' | '"' | '`'))
            .unwrap_or(after.len());
        let (url, tail) = after.split_at(end);
        match credentials_end(url) {
            Some(at) => {
                out.push_str("***");
                out.push_str(url.get(at..).unwrap_or_default());
            }
            None => out.push_str(url),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Where the `@` stands that ends the credentials of a URL whose scheme is cut off. A password with an unescaped slash is no URL, but no less a password.
fn credentials_end(url: &str) -> Option<usize> {
    let authority = url.split('/').next().unwrap_or_default();
    let within = if authority.contains('@') || is_host(authority) {
        authority
    } else {
        url
    };
    within.rfind('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        let refused = admit(url, &RepoPolicy::default()).unwrap_err();
        assert_eq!(refused.reason, UnjudgedReason::ForbiddenUrl, "{url}");
        refused.message.to_string()
    }

    #[test]
    fn https_and_ssh_in_all_their_spellings_are_allowed() {
        for (url, transport) in [
            (
                "https://git.example/platform/edge-config.git",
                Transport::Http,
            ),
            ("HTTPS://Git.Example:8443/edge", Transport::Http),
            ("https://[2001:db8::1]:443/edge", Transport::Http),
            ("ssh://git@git.example:2222/edge.git", Transport::Ssh),
            ("git@git.example:platform/edge.git", Transport::Ssh),
            ("git.example:platform/edge.git", Transport::Ssh),
        ] {
            let remote =
                admit(url, &RepoPolicy::default()).unwrap_or_else(|e| panic!("{url}: {e:?}"));
            assert_eq!(remote.transport, transport, "{url}");
        }
    }

    #[test]
    fn everything_that_could_run_or_read_something_else_is_refused() {
        for url in [
            "",
            "http://git.example/edge",
            "git://git.example/edge",
            "ext::sh -c touch% /tmp/pwned",
            "ext::ssh",
            "file:///etc",
            "/srv/git/edge",
            "../edge",
            "--upload-pack=touch /tmp/pwned",
            "-oProxyCommand=touch",
            "ssh://-oProxyCommand=touch/edge",
            "ssh://git@-oProxyCommand=x/edge",
            "git@-oProxyCommand=x:edge",
            "git@host:-oProxyCommand=x",
            "ssh://host/-oProxyCommand=x",
            "https::https://git.example/edge",
            "fd::17",
            "https://git.example/edge\n--upload-pack=x",
            "https://",
            "https://git.example",
            "https:///edge",
            "oci://registry.example/chart",
        ] {
            assert!(refusal(url).ends_with('.'), "{url}");
        }
    }

    #[test]
    fn the_refusal_says_how_to_allow_it() {
        assert!(refusal("http://git.example/edge").contains("allow-http"));
        assert!(refusal("file:///srv/git/edge").contains("file-repositories"));
    }

    #[test]
    fn plain_http_is_allowed_on_request_only() {
        let policy = RepoPolicy {
            allow_http: true,
            ..RepoPolicy::default()
        };
        assert!(admit("http://127.0.0.1:3000/edge.git", &policy).is_ok());
    }

    #[test]
    fn a_local_folder_must_be_below_an_allowed_one_with_links_resolved() {
        let home = tempfile::tempdir().unwrap();
        let allowed = home.path().join("repos");
        let secret = home.path().join("secret");
        std::fs::create_dir_all(allowed.join("edge")).unwrap();
        std::fs::create_dir_all(&secret).unwrap();
        std::os::unix::fs::symlink(&secret, allowed.join("link")).unwrap();
        let policy = RepoPolicy {
            file_prefixes: vec![allowed.clone()],
            ..RepoPolicy::default()
        };
        let url = |path: &Path| format!("file://{}", path.display());
        assert!(
            admit(&url(&allowed.join("edge")), &policy)
                .unwrap()
                .is_local()
        );
        assert!(
            admit(&url(&allowed.join("gone")), &policy).is_ok(),
            "gone is not forbidden"
        );
        assert!(admit(&url(&secret), &policy).is_err());
        assert!(admit(&url(&allowed.join("link")), &policy).is_err());
        assert!(admit(&url(&allowed.join("../secret")), &policy).is_err());
    }

    #[test]
    fn a_password_goes_with_the_url_of_a_web_repository_and_is_never_shown() {
        let policy = RepoPolicy::default();
        let password = SecretString::from("p@ss/w:rd");
        let remote = |url: &str| admit(url, &policy).unwrap();
        let plain = remote("https://git.example/team/edge.git");
        let asked = plain.asked_by("edge", &password).unwrap();
        assert_eq!(
            asked.with_password.as_deref(),
            Some("https://edge:p%40ss%2Fw%3Ard@git.example/team/edge.git")
        );
        assert!(!format!("{asked:?}").contains("p%40ss"));
        for url in [
            "git@git.example:team/edge.git",
            "https://own:word@git.example/team/edge.git",
        ] {
            assert_eq!(remote(url).asked_by("edge", &password), None, "{url}");
        }
    }

    #[test]
    fn a_login_is_for_its_own_host_and_the_nearest_one_counts() {
        let login = |url: &str, name: &str| Login {
            url: url.to_owned(),
            username: name.to_owned(),
            password: Reference::Env("CHARTS".to_owned()),
        };
        let policy = RepoPolicy {
            logins: vec![
                login("https://charts.example", "all"),
                login("https://charts.example/edge/", "edge"),
            ],
            ..RepoPolicy::default()
        };
        let of = |url: &str| policy.login_for(url).map(|l| l.username.as_str());
        assert_eq!(of("https://charts.example/other"), Some("all"));
        assert_eq!(of("https://charts.example/edge"), Some("edge"));
        assert_eq!(of("https://charts.example/edge/web"), Some("edge"));
        assert_eq!(of("https://charts.example.evil/edge"), None);
        assert_eq!(of("https://charts.example@evil/edge"), None);
    }

    #[test]
    fn a_password_is_kept_out_of_the_url_the_debug_form_and_messages() {
        let remote = admit(
            "https://bot:hunter2@git.example/edge.git",
            &RepoPolicy::default(),
        )
        .unwrap();
        assert_eq!(&*remote.url, "https://git.example/edge.git");
        assert!(!format!("{remote:?}").contains("hunter2"));
        assert!(!refusal("git://bot:hunter2@git.example/edge").contains("hunter2"));
        assert!(!refusal("http://bot:hunter2@git.example/edge").contains("hunter2"));
    }

    #[test]
    fn an_ssh_password_is_dropped() {
        let remote = admit(
            "ssh://git:hunter2@git.example/edge.git",
            &RepoPolicy::default(),
        )
        .unwrap();
        assert_eq!(&*remote.url, "ssh://git@git.example/edge.git");
        assert_eq!(remote.with_password, None);
    }

    #[test]
    fn a_local_copy_is_read_in_place_of_its_url_and_of_no_other() {
        let policy = RepoPolicy {
            mirrors: [(
                "https://bot:s3cret@git.example/edge.git".to_owned(),
                PathBuf::from("/srv/mirror/edge.git"),
            )]
            .into(),
            ..RepoPolicy::default()
        };
        let copy = admit("https://bot:s3cret@git.example/edge.git", &policy).unwrap();
        assert_eq!(
            copy.transport,
            Transport::File("/srv/mirror/edge.git".into())
        );
        assert_eq!(&*copy.url, "https://***@git.example/edge.git");
        let other = admit("https://git.example/fleet.git", &policy).unwrap();
        assert_eq!(other.transport, Transport::Http);
    }

    #[test]
    fn redaction_finds_every_url_of_a_text() {
        assert_eq!(
            redact(
                "fatal: unable to access 'https://bot:p@ss@git.example/edge/': from //u@h and a@b"
            ),
            "fatal: unable to access 'https://***@git.example/edge/': from //***@h and a@b"
        );
        assert_eq!(
            redact("https://git.example/@scope/edge"),
            "https://git.example/@scope/edge"
        );
        assert_eq!(
            redact("https://bot:p/w@git.example/edge"),
            "https://***@git.example/edge"
        );
    }

    #[test]
    fn folders_differ_by_url_and_credentials_and_tell_neither() {
        let of = |url: &str| admit(url, &RepoPolicy::default()).unwrap().folder();
        assert_eq!(
            of("https://git.example/edge"),
            of("https://GIT.example/edge/")
        );
        assert_ne!(
            of("https://git.example/edge"),
            of("https://git.example/edge2")
        );
        assert_ne!(
            of("https://git.example/edge"),
            of("https://bot:x@git.example/edge")
        );
        assert_eq!(of("https://git.example/edge").len(), 36);
    }
}
