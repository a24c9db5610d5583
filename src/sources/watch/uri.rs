//! The request targets of lists and watches.

use super::WatchSpec;

/// A page of the list.
pub(super) fn list(spec: &WatchSpec, next: Option<&str>) -> String {
    let mut query = selectors(spec);
    query.push(("limit", spec.page.to_string()));
    if let Some(token) = next {
        query.push(("continue", token.to_owned()));
    }
    with_query(&spec.path, &query)
}

/// A watch from a version.
pub(super) fn watch(spec: &WatchSpec, version: &str, seconds: u64) -> String {
    let mut query = watching(spec, seconds);
    query.push(("resourceVersion", version.to_owned()));
    with_query(&spec.path, &query)
}

/// A watch that begins with everything there is, instead of a list.
pub(super) fn streaming(spec: &WatchSpec, seconds: u64) -> String {
    let mut query = watching(spec, seconds);
    query.push(("sendInitialEvents", "true".to_owned()));
    query.push(("resourceVersionMatch", "NotOlderThan".to_owned()));
    with_query(&spec.path, &query)
}

fn watching(spec: &WatchSpec, seconds: u64) -> Vec<(&'static str, String)> {
    let mut query = selectors(spec);
    query.push(("watch", "true".to_owned()));
    query.push(("allowWatchBookmarks", "true".to_owned()));
    query.push(("timeoutSeconds", seconds.to_string()));
    query
}

fn selectors(spec: &WatchSpec) -> Vec<(&'static str, String)> {
    let mut query = Vec::new();
    if !spec.labels.is_empty() {
        query.push(("labelSelector", spec.labels.clone()));
    }
    if !spec.fields.is_empty() {
        query.push(("fieldSelector", spec.fields.clone()));
    }
    query
}

fn with_query(path: &str, query: &[(&str, String)]) -> String {
    let pairs: Vec<String> = query
        .iter()
        .map(|(key, value)| format!("{key}={}", encoded(value)))
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

/// Percent-encodes a query value: everything but unreserved characters (RFC 3986, section 2.3).
fn encoded(value: &str) -> String {
    value
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_values_are_encoded() {
        assert_eq!(encoded("a=b,c/d é"), "a%3Db%2Cc%2Fd%20%C3%A9");
    }

    #[test]
    fn selectors_stand_in_lists_and_watches() {
        let spec = WatchSpec {
            labels: "argocd.argoproj.io/secret-type=cluster".into(),
            ..WatchSpec::all("/api/v1/secrets")
        };
        let wanted = "labelSelector=argocd.argoproj.io%2Fsecret-type%3Dcluster";
        assert!(list(&spec, None).contains(wanted));
        assert!(watch(&spec, "5", 250).contains(wanted));
        assert!(streaming(&spec, 250).contains("sendInitialEvents=true"));
    }
}
