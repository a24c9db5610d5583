//! Which thing a URL names.

/// A path of the API, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// `/healthz`, `/livez`, `/readyz` and their checks.
    Health,
    /// `/version`.
    Version,
    /// `/api` and `/apis`; true for the second.
    Roots(bool),
    /// `/apis/GROUP`.
    Group(String),
    /// `/api/v1` and `/apis/GROUP/VERSION`.
    Resources { group: String, version: String },
    /// `/openapi/v2`.
    OpenApiV2,
    /// `/openapi/v3` and what is below, without that prefix.
    OpenApi(String),
    /// `/metrics`.
    Metrics,
    /// A resource.
    Resource(Target),
    /// Anything else.
    Unknown,
}

/// A resource path, taken apart. Empty strings for what the path does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) namespace: String,
    pub(crate) plural: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    /// What follows the subresource, without a leading slash; only proxies have it.
    pub(crate) rest: String,
}

impl Target {
    /// `pods/log`, or only `pods`.
    pub(crate) fn resource(&self) -> String {
        if self.subresource.is_empty() {
            self.plural.clone()
        } else {
            format!("{}/{}", self.plural, self.subresource)
        }
    }
}

/// Takes a path apart.
pub(crate) fn route(path: &str) -> Route {
    let trimmed = path.trim_matches('/');
    let parts: Vec<String> = trimmed.split('/').map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["healthz" | "livez" | "readyz", ..] => Route::Health,
        ["version"] => Route::Version,
        ["metrics"] => Route::Metrics,
        ["api"] => Route::Roots(false),
        ["apis"] => Route::Roots(true),
        ["openapi", "v2"] => Route::OpenApiV2,
        ["openapi", "v3", rest @ ..] => Route::OpenApi(rest.join("/")),
        ["apis", group] => Route::Group((*group).to_owned()),
        ["api", version] => resources("", version),
        ["apis", group, version] => resources(group, version),
        ["api", version, rest @ ..] => resource("", version, rest),
        ["apis", group, version, rest @ ..] => resource(group, version, rest),
        _ => Route::Unknown,
    }
}

fn resources(group: &str, version: &str) -> Route {
    Route::Resources {
        group: group.to_owned(),
        version: version.to_owned(),
    }
}

fn resource(group: &str, version: &str, parts: &[&str]) -> Route {
    // `namespaces/NAME/status` is a subresource of the namespace; `namespaces/NAME/pods` is in it.
    let (namespace, parts) = match parts {
        ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", parts),
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
        _ => ("", parts),
    };
    let part = |i: usize| parts.get(i).map(|p| (*p).to_owned()).unwrap_or_default();
    Route::Resource(Target {
        group: group.to_owned(),
        version: version.to_owned(),
        namespace: namespace.to_owned(),
        plural: part(0),
        name: part(1),
        subresource: part(2),
        rest: parts.get(3..).unwrap_or_default().join("/"),
    })
}

/// Undoes percent encoding; what is not encoded rightly stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let pair: Option<u8> = (byte == b'%')
            .then(|| text.get(text.len() - bytes.len()..text.len() - bytes.len() + 2))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match pair {
            Some(decoded) => {
                out.push(decoded);
                bytes.nth(1);
            }
            None => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(path: &str) -> Target {
        match route(path) {
            Route::Resource(target) => target,
            other => panic!("{path} is {other:?}"),
        }
    }

    #[test]
    fn an_object_in_a_namespace() {
        let t = target("/apis/apps/v1/namespaces/edge/deployments/web/status");
        assert_eq!(
            (&*t.group, &*t.namespace, &*t.resource(), &*t.name),
            ("apps", "edge", "deployments/status", "web")
        );
    }

    #[test]
    fn a_namespace_itself_and_its_status_are_not_in_a_namespace() {
        let t = target("/api/v1/namespaces/edge");
        assert_eq!(
            (&*t.namespace, &*t.plural, &*t.name),
            ("", "namespaces", "edge")
        );
        let t = target("/api/v1/namespaces/edge/status");
        assert_eq!((&*t.namespace, &*t.resource()), ("", "namespaces/status"));
    }

    #[test]
    fn a_service_proxy_keeps_the_path_behind_it() {
        let t = target("/api/v1/namespaces/edge/services/https:web:metrics/proxy/api/v1/query");
        assert_eq!(
            (&*t.name, &*t.subresource, &*t.rest),
            ("https:web:metrics", "proxy", "api/v1/query")
        );
    }

    #[test]
    fn discovery_and_health_paths() {
        assert_eq!(route("/readyz/etcd"), Route::Health);
        assert_eq!(route("/apis"), Route::Roots(true));
        assert_eq!(route("/apis/apps"), Route::Group("apps".into()));
        assert_eq!(
            route("/openapi/v3/apis/apps/v1"),
            Route::OpenApi("apis/apps/v1".into())
        );
        assert_eq!(route("/favicon.ico"), Route::Unknown);
    }

    #[test]
    fn percent_encoding_is_undone() {
        assert_eq!(decoded("a%2Fb%3a%"), "a/b:%");
        assert_eq!(target("/api/v1/namespaces/edge/secrets/a%3Ab").name, "a:b");
    }
}
