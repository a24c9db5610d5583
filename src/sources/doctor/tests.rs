//! Contexts that are well, and such that fail at each step, against HTTPS servers in this process.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::json;

use super::*;
use crate::connect::testing::{Server, json as answer, plan_of};
use crate::connect::{ConnectOptions, LoadOptions};

/// A hub on which everything is allowed but what `refuse` names, such as `patch applications`.
fn hub(refuse: &'static str) -> impl Fn(Request<Bytes>) -> Response<Body> + Send + Sync + 'static {
    move |request| match request.uri().path() {
        "/version" => answer(200, &json!({"gitVersion": "v1.34.2"})),
        "/apis" => answer(
            200,
            &json!({"groups": [{"name": "argoproj.io"}, {"name": "monitoring.coreos.com"}]}),
        ),
        "/apis/argoproj.io/v1alpha1" => answer(
            200,
            &json!({"resources": [{"name": "applications", "kind": "Application", "namespaced": true, "verbs": ["list", "watch"]}]}),
        ),
        "/apis/authentication.k8s.io/v1/selfsubjectreviews" => answer(
            201,
            &json!({"status": {"userInfo": {"username": "ola@edge"}}}),
        ),
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" => {
            let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
            let asked = &body["spec"]["resourceAttributes"];
            let text = format!(
                "{} {}",
                asked["verb"].as_str().unwrap(),
                asked["resource"].as_str().unwrap()
            );
            answer(201, &json!({"status": {"allowed": text != refuse}}))
        }
        _ => answer(404, &json!({"message": "not found"})),
    }
}

async fn examined(plan: &crate::connect::FleetPlan) -> DoctorRow {
    let connector = Connector::new(ConnectOptions::default());
    let now = "2026-11-21T10:00:00Z".parse().unwrap();
    examine(&connector, &plan.rows[0], now).await
}

fn of(row: &DoctorRow, about: About) -> &Check {
    row.checks.iter().find(|c| c.about == about).unwrap()
}

#[tokio::test]
async fn a_healthy_hub_is_good_throughout_and_only_asked_harmless_things() {
    let server = Server::start(hub("nothing")).await;
    let row = examined(&server.plan("{token: t}")).await;
    assert_eq!(row.worst(), CheckState::Good, "{row:#?}");
    assert!(of(&row, About::Auth).message.as_str().contains("ola@edge"));
    assert!(
        of(&row, About::Version)
            .message
            .as_str()
            .contains("v1.34.2, over HTTP/2")
    );
    assert!(
        of(&row, About::Engines)
            .message
            .as_str()
            .contains("Argo CD")
    );
    let harmless = |s: &String| s.starts_with("GET ") || s.contains("selfsubject");
    assert!(server.seen().iter().all(harmless), "{:?}", server.seen());
}

#[tokio::test]
async fn a_missing_right_is_named_with_what_it_costs() {
    let server = Server::start(hub("patch applications")).await;
    let row = examined(&server.plan("{token: t}")).await;
    let rights = of(&row, About::Permissions);
    assert_eq!(rights.state, CheckState::Warn);
    assert!(
        rights.message.as_str().contains(
            "May not patch applications.argoproj.io: reverts through Argo CD are not permitted."
        ),
        "{rights:?}"
    );
}

#[tokio::test]
async fn refused_credentials_fail_at_auth_and_skip_the_rest() {
    let server = Server::start(|_| answer(401, &json!({"message": "Unauthorized"}))).await;
    let row = examined(&server.plan("{token: t}")).await;
    assert_eq!(of(&row, About::Reach).state, CheckState::Good);
    assert_eq!(of(&row, About::Auth).state, CheckState::Bad);
    assert_eq!(of(&row, About::Permissions).state, CheckState::Skipped);
    assert_eq!(row.worst(), CheckState::Bad);
}

#[tokio::test]
async fn an_identity_that_is_nobody_is_bad() {
    let server = Server::start(|request: Request<Bytes>| {
        if request.uri().path().ends_with("selfsubjectreviews") {
            return answer(
                201,
                &json!({"status": {"userInfo": {"username": "system:anonymous"}}}),
            );
        }
        hub("nothing")(request)
    })
    .await;
    let row = examined(&server.plan("{}")).await;
    assert_eq!(of(&row, About::Auth).state, CheckState::Bad);
}

#[tokio::test]
async fn an_unreachable_server_fails_at_reach_and_says_so() {
    let server = Server::start(hub("nothing")).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", free.local_addr().unwrap());
    drop(free);
    let row = examined(&server.plan_at(&url, "{token: t}")).await;
    let reach = of(&row, About::Reach);
    assert_eq!(reach.state, CheckState::Bad);
    assert!(
        reach.message.as_str().contains("refuses connections"),
        "{reach:?}"
    );
    assert_eq!(of(&row, About::Auth).state, CheckState::Skipped);
}

#[tokio::test]
async fn a_malformed_context_is_bad_without_a_request() {
    let plan = plan_of(
        "contexts: [{name: edge-oslo-003, context: {cluster: gone}}]",
        LoadOptions::default(),
    );
    let row = examined(&plan).await;
    assert_eq!(of(&row, About::Context).state, CheckState::Bad);
    assert!(
        of(&row, About::Context)
            .message
            .as_str()
            .contains("which no file defines")
    );
}

#[tokio::test]
async fn a_web_server_that_is_no_api_server_is_told_apart() {
    let server = Server::start(|_| Response::new(Body::from("<html>hello</html>"))).await;
    let row = examined(&server.plan("{token: t}")).await;
    assert!(
        of(&row, About::Reach)
            .message
            .as_str()
            .contains("no Kubernetes API server")
    );
}

#[tokio::test]
async fn a_client_certificate_is_warned_of_before_it_ends_and_bad_after() {
    use base64::Engine as _;
    let server = Server::start(hub("nothing")).await;
    let ending = |day: u8, month: u8| {
        let mut params = rcgen::CertificateParams::new(vec!["ola".into()]).unwrap();
        params.not_before = rcgen::date_time_ymd(2026, 1, 1);
        params.not_after = rcgen::date_time_ymd(2026, month, day);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let packed = |text: String| base64::engine::general_purpose::STANDARD.encode(text);
        format!(
            "{{client-certificate-data: {}, client-key-data: {}}}",
            packed(certificate.pem()),
            packed(key.serialize_pem())
        )
    };
    let soon = examined(&server.plan(&ending(1, 12))).await;
    assert_eq!(of(&soon, About::Context).state, CheckState::Warn);
    assert!(
        of(&soon, About::Context)
            .message
            .as_str()
            .contains("2026-12-01")
    );
    let over = examined(&server.plan(&ending(20, 11))).await;
    assert_eq!(of(&over, About::Context).state, CheckState::Bad);
}

#[test]
fn git_is_needed_and_renderers_are_optional() {
    let empty = tempfile::tempdir().unwrap();
    let states: Vec<CheckState> = renderers(empty.path().as_os_str())
        .iter()
        .map(|c| c.state)
        .collect();
    assert_eq!(
        states,
        [CheckState::Bad, CheckState::Warn, CheckState::Warn]
    );
    std::fs::write(empty.path().join("git"), "").unwrap();
    assert_eq!(
        renderers(empty.path().as_os_str())[0].state,
        CheckState::Good
    );
}
