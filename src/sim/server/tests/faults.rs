//! Faults, switched while clients are connected.

use super::*;
use std::error::Error as _;

async fn fails(request: reqwest::RequestBuilder) -> String {
    let error = request.send().await.unwrap_err();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[tokio::test]
async fn a_refused_server_drops_its_connections_and_comes_back_at_the_same_address() {
    let bed = bed().await;
    let version = bed.store.resource_version();
    let mut frames = bed
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
        .await;
    bed.faults.link(Link::Refused);
    assert_eq!(frames.next().await, None);
    let error = fails(bed.request("GET", "/readyz")).await;
    assert!(
        error.contains("refused") || error.contains("closed"),
        "{error}"
    );
    bed.faults.heal();
    assert!(comes_back(&bed).await);
}

async fn comes_back(bed: &Bed) -> bool {
    let answers = async {
        while bed.request("GET", "/readyz").send().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, answers).await.is_ok()
}

#[tokio::test]
async fn a_black_hole_answers_nothing_and_keeps_its_connections() {
    let bed = bed().await;
    assert_eq!(bed.get("/version").await.0, 200);
    bed.faults.link(Link::BlackHole);
    let swallowed = bed
        .request("GET", "/version")
        .timeout(Duration::from_millis(200));
    assert!(swallowed.send().await.unwrap_err().is_timeout());
    let fresh = trusting(&bed.tls).build().unwrap();
    let url = format!("{}/version", bed.server.url());
    let connecting = fresh.get(url).timeout(Duration::from_millis(200));
    assert!(connecting.send().await.unwrap_err().is_timeout());
    bed.faults.heal();
    assert_eq!(bed.get("/version").await.0, 200);
}

#[tokio::test]
async fn a_watch_through_a_black_hole_goes_on_where_it_stood_when_the_link_heals() {
    let bed = bed().await;
    let version = bed.store.resource_version();
    let mut frames = bed
        .watch(&format!("{CONFIG_MAPS}?watch=1&resourceVersion={version}"))
        .await;
    bed.faults.link(Link::BlackHole);
    bed.create(settings("a", "info"));
    let silence = tokio::time::timeout(Duration::from_millis(200), frames.stream.next()).await;
    assert!(silence.is_err());
    bed.faults.heal();
    assert_eq!(frames.step().await, pair("ADDED", "a"));
}

#[tokio::test]
async fn an_unavailable_and_a_throttled_server_say_so() {
    let bed = bed().await;
    bed.faults
        .change(|fault| fault.answer = Answer::Unavailable);
    let (code, body) = bed.get(CONFIG_MAPS).await;
    assert_eq!((code, &body["reason"]), (503, &json!("ServiceUnavailable")));
    bed.faults
        .change(|fault| fault.answer = Answer::Throttled { seconds: 12 });
    let reply = bed.request("GET", CONFIG_MAPS).send().await.unwrap();
    assert_eq!(
        (reply.status().as_u16(), &reply.headers()["retry-after"]),
        (429, &http::HeaderValue::from(12))
    );
    bed.faults
        .change(|fault| fault.answer = Answer::Unauthorized);
    assert_eq!(bed.get(CONFIG_MAPS).await.0, 401);
    bed.faults.heal();
    assert_eq!(bed.get(CONFIG_MAPS).await.0, 200);
}

#[tokio::test]
async fn a_strange_and_an_expired_certificate_are_not_trusted() {
    let bed = bed().await;
    for (certificate, word) in [
        (Certificate::Stranger, "UnknownIssuer"),
        (Certificate::Expired, "expired"),
    ] {
        bed.faults.change(|fault| fault.certificate = certificate);
        let fresh = trusting(&bed.tls).build().unwrap();
        let error = fails(fresh.get(bed.server.url())).await;
        assert!(
            error.contains(word) || error.contains("BadSignature"),
            "{certificate:?}: {error}"
        );
    }
    bed.faults
        .change(|fault| fault.certificate = Certificate::None);
    let fresh = trusting(&bed.tls).build().unwrap();
    assert!(fresh.get(bed.server.url()).send().await.is_err());
}

#[tokio::test]
async fn a_slow_server_takes_its_time_and_a_skewed_one_tells_another() {
    let bed = bed().await;
    bed.faults.change(|fault| {
        fault.latency = Duration::from_millis(120);
        fault.clock_skew = jiff::SignedDuration::from_mins(10);
    });
    let begun = std::time::Instant::now();
    let reply = bed.request("GET", "/version").send().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(120));
    assert_eq!(reply.headers()["date"], "Sat, 21 Nov 2026 05:10:00 GMT");
}

#[tokio::test]
async fn an_old_server_knows_no_aggregated_discovery() {
    let bed = bed().await;
    let accept =
        "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList,application/json";
    let ask = || answer(bed.request("GET", "/apis").header("accept", accept));
    assert_eq!(ask().await.1["kind"], "APIGroupDiscoveryList");
    bed.faults
        .change(|fault| fault.no_aggregated_discovery = true);
    assert_eq!(ask().await.1["kind"], "APIGroupList");
}

#[tokio::test]
async fn a_server_that_is_shut_down_is_gone() {
    let bed = bed().await;
    assert_eq!(bed.get("/readyz").await.0, 200);
    bed.server.shutdown();
    let gone = async {
        while bed.request("GET", "/readyz").send().await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, gone).await.is_ok());
}
