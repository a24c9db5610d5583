//! From an HTTP status and the server's `Status` object to a fault; and what `Retry-After` asks for.

use std::time::Duration;

use http::HeaderMap;
use http::header::RETRY_AFTER;
use jiff::Timestamp;
use serde::Deserialize;

use super::{Fault, FaultKind};
use crate::domain::Safe;

/// The longest wait that is obeyed.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// The server's words are cut here: a proxy's error page can be long.
const MAX_WORDS: usize = 300;

/// The wait that a `Retry-After` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryAfter(pub Duration);

impl RetryAfter {
    /// Reads either form: seconds, or a date of HTTP. A date in the past asks for no wait; an hour is the most we obey.
    pub fn read(headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match text.parse::<u64>() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => until(text, now)?,
        };
        Some(Self(wait.min(MAX_WAIT)))
    }
}

fn until(date: &str, now: Timestamp) -> Option<Duration> {
    let at = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    Some(at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// The parts of a `Status` object that matter.
#[derive(Deserialize, Default)]
struct Words {
    #[serde(default)]
    message: String,
}

/// The fault behind an answer that is no success.
pub(crate) fn of_answer(status: u16, headers: &HeaderMap, body: &[u8], place: &str) -> Fault {
    let words: Words = serde_json::from_slice(body).unwrap_or_default();
    let mut fault = of_status(status, &words.message, place);
    if let FaultKind::Busy { wait } = &mut fault.kind {
        *wait = RetryAfter::read(headers, Timestamp::now()).map(|r| r.0);
    }
    fault
}

/// The fault behind a status code and the server's words.
pub(super) fn of_status(status: u16, words: &str, place: &str) -> Fault {
    let words = quoted(words);
    let (kind, text) = match status {
        401 => (
            FaultKind::Auth,
            format!(
                "{place} refuses the credentials (401); log in again with L, or renew them in the kubeconfig."
            ),
        ),
        403 => (
            FaultKind::Forbidden,
            format!(
                "{place} forbids this (403){words}. Ask for the right, or use another context."
            ),
        ),
        404 => (
            FaultKind::NotFound,
            format!("{place} does not know this (404){words}."),
        ),
        409 => (
            FaultKind::Conflict,
            format!("{place} saw a conflict (409){words}; read again and repeat."),
        ),
        410 => (
            FaultKind::Expired,
            format!("{place} no longer knows that resource version (410)."),
        ),
        429 | 503 | 504 => (
            FaultKind::Busy { wait: None },
            format!("{place} is busy ({status}){words}; it is asked again later."),
        ),
        other => (
            FaultKind::Refusal(other),
            format!("{place} answers with status {other}{words}."),
        ),
    };
    Fault::new(kind, text)
}

fn quoted(words: &str) -> String {
    let first: String = words.trim().chars().take(MAX_WORDS).collect();
    if first.is_empty() {
        return String::new();
    }
    format!(": {}", Safe::new(first.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        RetryAfter::read(&headers, now).map(|r| r.0)
    }

    #[test]
    fn retry_after_is_read_in_seconds_and_as_a_date() {
        assert_eq!(asks("12"), Some(Duration::from_secs(12)));
        assert_eq!(
            asks("Sat, 21 Nov 2026 10:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(asks("Sat, 21 Nov 2026 09:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asks("soon"), None);
        assert_eq!(asks("999999999"), Some(MAX_WAIT));
    }

    #[test]
    fn statuses_become_kinds_and_keep_the_servers_words_on_one_safe_line() {
        let body = br#"{"kind":"Status","message":"pods is forbidden:\u001b[31m User \"ola\" cannot list"}"#;
        let fault = of_answer(403, &HeaderMap::new(), body, "oslo");
        assert_eq!(fault.kind, FaultKind::Forbidden);
        assert!(fault.sentence.as_str().contains("cannot list"));
        assert!(!fault.sentence.as_str().contains('\u{1b}'));
    }

    #[test]
    fn a_proxys_error_page_is_not_quoted() {
        let fault = of_answer(502, &HeaderMap::new(), b"<html>bad gateway</html>", "oslo");
        assert_eq!(fault.kind, FaultKind::Refusal(502));
        assert!(!fault.sentence.as_str().contains("html"));
    }

    #[test]
    fn a_busy_server_carries_its_wait() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, "7".parse().unwrap());
        let fault = of_answer(429, &headers, b"", "oslo");
        assert_eq!(fault.wait(), Some(Duration::from_secs(7)));
    }
}
