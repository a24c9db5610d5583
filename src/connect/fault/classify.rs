//! From the errors of sockets, TLS and HTTP to a fault. The library's own words are used only where they hold no secret.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::{Fault, FaultKind};

/// The fault behind any error of our client stack; `place` is the server, as the operator knows it.
pub(crate) fn of_error(error: &(dyn StdError + 'static), place: &str) -> Fault {
    let causes = || chain(error);
    if let Some(fault) = causes().find_map(|e| e.downcast_ref::<Fault>()) {
        return fault.clone();
    }
    if let Some(tls) = causes().find_map(tls_error) {
        return of_tls(tls, place);
    }
    let texts: Vec<String> = causes().map(ToString::to_string).collect();
    let says = |word: &str| texts.iter().any(|t| t.contains(word));
    if says("tunnel error") || says("SOCKS") || says("socks") {
        return of_proxy(&texts, place);
    }
    if says("dns error") || says("failed to lookup address") {
        return Fault::new(
            FaultKind::Dns,
            format!(
                "The name of {place} has no address (DNS); check the server in the kubeconfig, the VPN or the resolver."
            ),
        );
    }
    if let Some(io) = causes().find_map(io_error) {
        return of_io(io, place);
    }
    if let Some(http) = causes().find_map(|e| e.downcast_ref::<hyper::Error>()) {
        return of_hyper(http, place);
    }
    Fault::new(
        FaultKind::Closed,
        format!("The connection to {place} failed; it is tried again."),
    )
}

/// The fault behind an error of kube's client on top of our stack.
pub(crate) fn of_kube(error: &kube::Error, place: &str) -> Fault {
    match error {
        kube::Error::Api(status) => super::status::of_status(status.code, &status.message, place),
        other => of_error(other, place),
    }
}

/// The error and everything it names as its cause, also those inside `io::Error`.
fn chain<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    let mut left = 16;
    std::iter::from_fn(move || {
        let current = next.filter(|_| left > 0)?;
        left -= 1;
        let inside = current
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|e| e as &(dyn StdError + 'static));
        next = inside.or_else(|| current.source());
        Some(current)
    })
}

fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    error.downcast_ref::<rustls::Error>()
}

/// An operating system's error, not a wrapper of ours.
fn io_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a io::Error> {
    error
        .downcast_ref::<io::Error>()
        .filter(|e| e.get_ref().is_none() || e.kind() != io::ErrorKind::Other)
}

fn of_io(error: &io::Error, place: &str) -> Fault {
    use io::ErrorKind as E;
    let (kind, text) = match error.kind() {
        E::ConnectionRefused => (
            FaultKind::Refused,
            format!(
                "{place} refuses connections; is the API server running, and is the port right?"
            ),
        ),
        E::TimedOut => (FaultKind::Timeout, timed_out(place)),
        E::HostUnreachable | E::NetworkUnreachable | E::NetworkDown | E::AddrNotAvailable => (
            FaultKind::Network,
            format!("There is no route to {place}; check the network or the VPN."),
        ),
        _ => (
            FaultKind::Closed,
            format!("The connection to {place} broke; it is tried again."),
        ),
    };
    Fault::new(kind, text)
}

/// The sentence for silence.
pub(super) fn timed_out(place: &str) -> String {
    format!("{place} does not answer in time; check the site's link or a firewall in between.")
}

fn of_hyper(error: &hyper::Error, place: &str) -> Fault {
    if error.is_timeout() {
        return Fault::new(FaultKind::Timeout, timed_out(place));
    }
    if error.is_parse() {
        return Fault::new(
            FaultKind::Garbage,
            format!("What answers at {place} is no HTTP server; check the port."),
        );
    }
    Fault::new(
        FaultKind::Closed,
        format!("The connection to {place} broke; it is tried again."),
    )
}

fn of_proxy(texts: &[String], place: &str) -> Fault {
    let wants_login = texts.iter().any(|t| t.contains("authorization required"));
    let why = if wants_login {
        "wants a user and password; put them into proxy-url"
    } else {
        "did not lead through; check proxy-url, HTTPS_PROXY and NO_PROXY"
    };
    Fault::new(
        FaultKind::Proxy,
        format!("The proxy on the way to {place} {why}."),
    )
}

fn of_tls(error: &rustls::Error, place: &str) -> Fault {
    match error {
        rustls::Error::InvalidCertificate(certificate) => {
            Fault::new(FaultKind::Tls, of_certificate(certificate, place))
        }
        rustls::Error::AlertReceived(alert) => of_alert(*alert, place),
        rustls::Error::InvalidMessage(_) => Fault::new(
            FaultKind::Tls,
            format!(
                "What answers at {place} does not speak TLS; check the port and https:// in the kubeconfig."
            ),
        ),
        _ => Fault::new(
            FaultKind::Tls,
            format!("The TLS handshake with {place} failed; check the server and its proxy."),
        ),
    }
}

fn of_certificate(error: &CertificateError, place: &str) -> String {
    use CertificateError as C;
    match error {
        C::Expired => {
            format!("The certificate of {place} has expired; have it renewed on the cluster.")
        }
        C::ExpiredContext { not_after, .. } => format!(
            "The certificate of {place} expired on {}; have it renewed on the cluster.",
            day(not_after.as_secs())
        ),
        C::NotValidYet => {
            format!("The certificate of {place} is not valid yet; check this machine's clock.")
        }
        C::NotValidYetContext { not_before, .. } => format!(
            "The certificate of {place} is valid only from {}; check this machine's clock.",
            day(not_before.as_secs())
        ),
        C::NotValidForName | C::NotValidForNameContext { .. } => format!(
            "The certificate of {place} is for another name; correct the server, or set tls-server-name in the kubeconfig."
        ),
        C::UnknownIssuer | C::BadSignature => format!(
            "The certificate of {place} is signed by an authority (CA) that the kubeconfig does not name; update its certificate-authority-data."
        ),
        C::Revoked => {
            format!("The certificate of {place} is revoked; have it renewed on the cluster.")
        }
        _ => {
            format!("The certificate of {place} is not acceptable; have it renewed on the cluster.")
        }
    }
}

/// A date as the operator reads it.
fn day(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|s| jiff::Timestamp::from_second(s).ok())
        .map_or_else(String::new, |t| t.strftime("%Y-%m-%d").to_string())
}

/// The server broke off the handshake: it dislikes our certificate, or the protocol.
fn of_alert(alert: AlertDescription, place: &str) -> Fault {
    use AlertDescription as A;
    let ours = matches!(
        alert,
        A::CertificateRequired
            | A::BadCertificate
            | A::CertificateExpired
            | A::CertificateRevoked
            | A::CertificateUnknown
            | A::UnsupportedCertificate
            | A::UnknownCA
            | A::AccessDenied
    );
    if ours {
        return Fault::new(
            FaultKind::Auth,
            format!("{place} does not accept the client certificate; renew it in the kubeconfig."),
        );
    }
    Fault::new(
        FaultKind::Tls,
        format!("{place} broke the TLS handshake off; check the server and its proxy."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "https://oslo.example:6443";

    fn io(kind: io::ErrorKind) -> Fault {
        of_error(&io::Error::from(kind), PLACE)
    }

    fn certificate(error: CertificateError) -> Fault {
        let inner = rustls::Error::InvalidCertificate(error);
        of_error(
            &io::Error::other(io::Error::new(io::ErrorKind::InvalidData, inner)),
            PLACE,
        )
    }

    #[test]
    fn refusal_silence_and_missing_routes_are_told_apart() {
        assert_eq!(
            io(io::ErrorKind::ConnectionRefused).kind,
            FaultKind::Refused
        );
        assert_eq!(io(io::ErrorKind::TimedOut).kind, FaultKind::Timeout);
        assert_eq!(io(io::ErrorKind::HostUnreachable).kind, FaultKind::Network);
        assert_eq!(io(io::ErrorKind::ConnectionReset).kind, FaultKind::Closed);
    }

    #[test]
    fn an_expired_certificate_is_found_deep_inside_and_its_day_is_told() {
        let fault = certificate(CertificateError::ExpiredContext {
            time: rustls_pki_types::UnixTime::since_unix_epoch(std::time::Duration::from_secs(
                1_800_000_000,
            )),
            not_after: rustls_pki_types::UnixTime::since_unix_epoch(
                std::time::Duration::from_secs(1_767_225_600),
            ),
        });
        assert_eq!(fault.kind, FaultKind::Tls);
        assert!(
            fault.sentence.as_str().contains("expired on 2026-01-01"),
            "{fault}"
        );
    }

    #[test]
    fn an_unknown_authority_and_a_foreign_name_say_what_to_change() {
        assert!(
            certificate(CertificateError::UnknownIssuer)
                .to_string()
                .contains("certificate-authority-data")
        );
        assert!(
            certificate(CertificateError::NotValidForName)
                .to_string()
                .contains("tls-server-name")
        );
    }

    #[test]
    fn a_refused_client_certificate_is_a_matter_of_credentials() {
        let alert = rustls::Error::AlertReceived(AlertDescription::BadCertificate);
        assert_eq!(of_error(&alert, PLACE).kind, FaultKind::Auth);
        assert!(of_error(&alert, PLACE).is_auth());
    }

    #[test]
    fn a_fault_of_ours_comes_through_wrappers_unchanged() {
        let inner = Fault::new(FaultKind::LoginNeeded, "Press L to log in.");
        let outer = io::Error::other(inner);
        assert_eq!(of_error(&outer, PLACE).kind, FaultKind::LoginNeeded);
    }

    #[test]
    fn only_failures_before_the_request_count_as_not_sent() {
        assert!(io(io::ErrorKind::ConnectionRefused).not_sent());
        assert!(!io(io::ErrorKind::ConnectionReset).not_sent());
        assert!(!io(io::ErrorKind::TimedOut).not_sent());
    }
}
