//! Makes every busy answer say how long to wait in the one place that kube's client reads: `details.retryAfterSeconds` of a `Status`.
//!
//! The API server's own overload protection answers 429 with the header `Retry-After` and plain text, and proxies send a date; both would be lost.

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::BoxError;

use super::connection::Stream;
use super::fault::RetryAfter;

/// Bytes of a busy answer that are looked at.
const LIMIT: usize = 64 << 10;

/// Rewrites a busy answer that carries `Retry-After`; everything else passes untouched.
pub(super) async fn told(answer: Response<Stream>) -> Result<Response<Stream>, BoxError> {
    let busy = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::SERVICE_UNAVAILABLE,
        StatusCode::GATEWAY_TIMEOUT,
    ];
    if !busy.contains(&answer.status()) {
        return Ok(answer);
    }
    let Some(wait) = RetryAfter::read(answer.headers(), Timestamp::now()) else {
        return Ok(answer);
    };
    let (mut head, body) = answer.into_parts();
    let body = beginning(body).await;
    let seconds = wait.0.as_secs() + u64::from(wait.0.subsec_nanos() > 0);
    let status = status(head.status.as_u16(), &body, seconds);
    head.headers.remove(CONTENT_LENGTH);
    let body = Full::new(Bytes::from(status.to_string()));
    let body = body.map_err(|never| match never {}).boxed_unsync();
    Ok(Response::from_parts(head, body))
}

async fn beginning(mut body: Stream) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        all.extend_from_slice(&frame.into_data().unwrap_or_default());
        if all.len() > LIMIT {
            break;
        }
    }
    all
}

fn status(code: u16, body: &[u8], seconds: u64) -> Value {
    let told: Option<Value> = serde_json::from_slice(body)
        .ok()
        .filter(|v: &Value| v.get("kind").and_then(Value::as_str) == Some("Status"));
    let mut status = told.unwrap_or_else(|| {
        json!({
            "apiVersion": "v1", "kind": "Status", "metadata": {}, "status": "Failure",
            "message": "the server asks to be asked again later",
            "reason": if code == 429 { "TooManyRequests" } else { "ServiceUnavailable" },
            "code": code,
        })
    });
    if !status["details"].is_object() {
        status["details"] = json!({});
    }
    status["details"]["retryAfterSeconds"] = seconds.into();
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(code: u16, wait: &str, body: &str) -> Response<Stream> {
        let body = Full::new(Bytes::from(body.to_owned()));
        let body: Stream = body.map_err(|never| match never {}).boxed_unsync();
        Response::builder()
            .status(code)
            .header("retry-after", wait)
            .header("content-length", "3")
            .body(body)
            .unwrap()
    }

    async fn read(answer: Response<Stream>) -> Vec<u8> {
        answer
            .into_body()
            .collect()
            .await
            .unwrap()
            .to_bytes()
            .to_vec()
    }

    #[tokio::test]
    async fn overload_protection_in_plain_text_keeps_its_wait() {
        let told = told(answer(
            429,
            "7",
            "Too many requests, please try again later.",
        ))
        .await
        .unwrap();
        assert!(told.headers().get("content-length").is_none());
        let status: Value = serde_json::from_slice(&read(told).await).unwrap();
        assert_eq!(status["details"]["retryAfterSeconds"], 7);
        assert_eq!(status["code"], 429);
    }

    #[tokio::test]
    async fn a_status_keeps_its_words_and_gains_the_wait_of_the_header() {
        let body = r#"{"kind":"Status","message":"storage is initialising","code":503,"details":{"kind":"x"}}"#;
        let status: Value =
            serde_json::from_slice(&read(told(answer(503, "2", body)).await.unwrap()).await)
                .unwrap();
        assert_eq!(status["message"], "storage is initialising");
        assert_eq!(
            status["details"],
            json!({"kind": "x", "retryAfterSeconds": 2})
        );
    }

    #[tokio::test]
    async fn other_answers_pass_untouched() {
        let told = told(answer(403, "5", "no")).await.unwrap();
        assert_eq!(read(told).await, b"no");
    }
}
