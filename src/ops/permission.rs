//! May this identity do that? Asked by a `SelfSubjectAccessReview`, which every identity may make and which changes nothing.

use http::Method;
use serde_json::{Value, json};

use super::api::Api;
use super::catalog::Place;
use crate::domain::Safe;

/// Asks whether the identity behind `api` may do `verb` at `place`.
///
/// # Errors
/// The server did not say, and why; it will say when it is asked to do it.
pub(super) async fn may(api: &Api, verb: &str, place: &Place) -> Result<bool, Safe> {
    let review = review(verb, place);
    let answer = api
        .write(
            Method::POST,
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            "application/json",
            &review,
        )
        .await;
    let answer = answer.map_err(|e| e.say(false))?;
    Ok(answer
        .pointer("/status/allowed")
        .and_then(Value::as_bool)
        .unwrap_or(false))
}

fn review(verb: &str, place: &Place) -> Value {
    let name = if verb == "create" { "" } else { &place.name };
    json!({
        "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": verb, "group": place.group, "resource": place.resource, "namespace": place.namespace, "name": name}}
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::deployment;

    #[test]
    fn the_question_names_verb_resource_and_object() {
        let place = Place::new(&deployment(), "deployments");
        assert_eq!(
            review("patch", &place)["spec"]["resourceAttributes"],
            json!({"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "edge", "name": "edge-microservice"})
        );
        assert_eq!(
            review("create", &place)["spec"]["resourceAttributes"]["name"],
            ""
        );
    }
}
