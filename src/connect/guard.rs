//! The read-only transport: what does not read is refused here, before anything is sent, whoever asked for it.

use http::{Method, Uri};

use super::fault::{Fault, FaultKind};

/// What a connection lets through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Reads, dry runs and self-subject reviews.
    #[default]
    ReadOnly,
    /// Everything; the gate in `ops` decides.
    Write,
}

/// Resources that answer questions about the asker and change nothing.
const SELF_REVIEWS: [(&str, &str); 3] = [
    ("authorization.k8s.io", "selfsubjectaccessreviews"),
    ("authorization.k8s.io", "selfsubjectrulesreviews"),
    ("authentication.k8s.io", "selfsubjectreviews"),
];

/// Subresources through which a GET acts: a shell, a stream into a container, a tunnel.
const ACTING: [&str; 3] = ["exec", "attach", "portforward"];

/// Subresources for which the server honours a dry run; for others (`token`, `proxy`) it may act all the same.
const DRY: [&str; 2] = ["status", "scale"];

/// Lets a request pass or says why not. `uri` is the request's own, before the server's prefix is put in front.
///
/// # Errors
/// [`FaultKind::ReadOnly`], when the connection is read-only and the request is not known to change nothing.
pub fn check(mode: Mode, method: &Method, uri: &Uri) -> Result<(), Fault> {
    if mode == Mode::Write || harmless(method, uri) {
        return Ok(());
    }
    Err(Fault::new(
        FaultKind::ReadOnly,
        format!(
            "{method} {} was not sent: driftdeck is read-only. Start it with --write to change clusters.",
            uri.path()
        ),
    ))
}

fn harmless(method: &Method, uri: &Uri) -> bool {
    let Some(path) = ApiPath::read(uri.path()) else {
        return reads(method) && plain(uri.path());
    };
    let acting = ACTING.contains(&path.subresource.as_str());
    if reads(method) {
        return !acting;
    }
    if *method == Method::POST && path.is_self_review() {
        return true;
    }
    let dry = path.subresource.is_empty() || DRY.contains(&path.subresource.as_str());
    writes(method) && dry && is_dry_run(uri.query().unwrap_or_default())
}

fn reads(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD
}

fn writes(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method)
}

/// A path outside the API (`/version`, `/openapi/v3`) that hides no API path behind an escape, a double slash or a dot.
fn plain(path: &str) -> bool {
    !path.contains('%') && !crooked(path)
}

/// Whether servers may read the path as another one.
fn crooked(path: &str) -> bool {
    path.contains("//") || path.split('/').any(|part| part == "." || part == "..")
}

/// Whether the query asks for a dry run and nothing in it takes that back.
fn is_dry_run(query: &str) -> bool {
    let mut asked = false;
    for pair in query.split('&') {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        if key.contains('%') || key.contains('+') {
            return false;
        }
        if key == "dryRun" {
            if value != "All" {
                return false;
            }
            asked = true;
        }
    }
    asked
}

/// The parts of an API path.
struct ApiPath {
    group: String,
    resource: String,
    /// What follows the object's name, `proxy` of `proxy/metrics`; empty for the object itself.
    subresource: String,
}

impl ApiPath {
    /// Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; `None` for other paths and for such that could be read in two ways.
    fn read(path: &str) -> Option<Self> {
        if crooked(path) {
            return None;
        }
        let decoded: Option<Vec<String>> = path.trim_matches('/').split('/').map(decode).collect();
        let parts = decoded?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let (group, rest) = match parts.as_slice() {
            ["api", _version, rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return None,
        };
        let rest = match rest {
            ["namespaces", _namespace, resource, after @ ..]
                if !matches!(*resource, "status" | "finalize") =>
            {
                [&[*resource], after].concat()
            }
            other => other.to_vec(),
        };
        let (resource, after) = rest.split_first()?;
        Some(Self {
            group: group.to_owned(),
            resource: (*resource).to_owned(),
            subresource: after.get(1).copied().unwrap_or_default().to_owned(),
        })
    }

    fn is_self_review(&self) -> bool {
        self.subresource.is_empty()
            && SELF_REVIEWS.contains(&(self.group.as_str(), self.resource.as_str()))
    }
}

/// Undoes percent escapes; `None` when they are malformed or hide a slash.
fn decode(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut out = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let value = u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?;
        out.push(value);
    }
    String::from_utf8(out).ok().filter(|s| !s.contains('/'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/edge/deployments/edge-microservice";

    fn passes(method: &str, uri: &str) -> bool {
        check(
            Mode::ReadOnly,
            &method.parse().unwrap(),
            &uri.parse().unwrap(),
        )
        .is_ok()
    }

    #[rstest]
    fn no_writing_verb_passes_without_a_dry_run(
        #[values(
            "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "LINK"
        )]
        verb: &str,
        #[values(
            "/api/v1/namespaces/edge/configmaps",
            "/api/v1/namespaces/edge/secrets/tls",
            "/apis/apps/v1/namespaces/edge/deployments/edge-microservice",
            "/apis/apps/v1/namespaces/edge/deployments/edge-microservice/scale",
            "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/edge-microservice",
            "/api/v1/namespaces/edge/pods/p/eviction",
            "/api/v1/namespaces/edge/serviceaccounts/a/token",
            "/api/v1/namespaces/edge/finalize",
            "/healthz"
        )]
        path: &str,
    ) {
        assert!(!passes(verb, path), "{verb} {path}");
    }

    #[rstest]
    fn reads_of_every_kind_pass(
        #[values("GET", "HEAD")] verb: &str,
        #[values(
            "/version",
            "/apis",
            "/openapi/v3",
            "/api/v1/namespaces/kube-system",
            "/api/v1/secrets?watch=1&resourceVersion=5",
            "/api/v1/namespaces/mon/services/https:prom:9090/proxy/metrics",
            "/api/v1/namespaces/edge/pods/p/log?follow=true"
        )]
        path: &str,
    ) {
        assert!(passes(verb, path), "{verb} {path}");
    }

    #[rstest]
    fn dry_runs_pass(
        #[values("POST", "PUT", "PATCH", "DELETE")] verb: &str,
        #[values("", "/status", "/scale")] subresource: &str,
    ) {
        assert!(passes(
            verb,
            &format!("{DEPLOYMENT}{subresource}?dryRun=All&fieldManager=driftdeck&force=true")
        ));
    }

    #[rstest]
    #[case("dryRun=")]
    #[case("dryRun=None")]
    #[case("dryrun=All")]
    #[case("dryRun=All&dryRun=")]
    #[case("dryRun")]
    #[case("dry%52un=All")]
    #[case("x=dryRun=All")]
    #[case("dryRun=All&dry%52un=None")]
    fn what_only_looks_like_a_dry_run_does_not_pass(#[case] query: &str) {
        assert!(
            !passes("PATCH", &format!("{DEPLOYMENT}?{query}")),
            "{query}"
        );
    }

    #[rstest]
    fn a_dry_run_does_not_open_subresources_that_ignore_it(
        #[values(
            "exec",
            "attach",
            "portforward",
            "proxy/x",
            "token",
            "eviction",
            "binding",
            "approval"
        )]
        subresource: &str,
    ) {
        assert!(!passes(
            "POST",
            &format!("/api/v1/namespaces/edge/pods/p/{subresource}?dryRun=All")
        ));
    }

    #[rstest]
    fn a_get_that_opens_a_shell_or_tunnel_does_not_pass(
        #[values("exec", "attach", "portforward", "e%78ec", "/exec", "./exec")] subresource: &str,
    ) {
        assert!(
            !passes(
                "GET",
                &format!("/api/v1/namespaces/edge/pods/p/{subresource}?command=sh")
            ),
            "{subresource}"
        );
    }

    #[test]
    fn self_subject_reviews_pass_and_nothing_beside_them() {
        assert!(passes(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        ));
        assert!(passes(
            "POST",
            "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        ));
        assert!(passes(
            "POST",
            "/apis/authentication.k8s.io/v1/selfsubjectreviews"
        ));
        assert!(!passes(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        ));
        assert!(!passes(
            "POST",
            "/apis/example.com/v1/selfsubjectaccessreviews"
        ));
        assert!(!passes(
            "PUT",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/x"
        ));
    }

    #[test]
    fn writing_mode_passes_everything_and_the_refusal_says_how_to_get_there() {
        let uri: Uri = DEPLOYMENT.parse().unwrap();
        assert!(check(Mode::Write, &Method::DELETE, &uri).is_ok());
        let fault = check(Mode::ReadOnly, &Method::DELETE, &uri).unwrap_err();
        assert_eq!(fault.kind, FaultKind::ReadOnly);
        assert!(fault.sentence.as_str().contains("--write"));
    }
}
