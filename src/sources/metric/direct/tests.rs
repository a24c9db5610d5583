//! A server on loopback that says what the test wants, and writes down what it heard.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// Answers one request with these bytes; tells the request.
async fn server(answer: Vec<u8>) -> (String, tokio::task::JoinHandle<String>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while !heard.ends_with(b"\r\n\r\n") {
            let mut byte = [0; 512];
            let read = socket.read(&mut byte).await.unwrap();
            heard.extend_from_slice(&byte[..read]);
        }
        // The client may have heard enough and hung up.
        let _ = socket.write_all(&answer).await;
        String::from_utf8(heard).unwrap()
    });
    (url, heard)
}

fn ok(body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[tokio::test]
async fn a_token_is_read_from_its_file_at_each_request() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hunter2\n").unwrap();
    let (url, heard) = server(ok("up 1\n")).await;
    let direct = Direct::new(&url, &format!("file:{}", file.display())).unwrap();
    assert_eq!(direct.scrape(Limits::default()).await.unwrap(), "up 1\n");
    let heard = heard.await.unwrap().to_ascii_lowercase();
    assert!(heard.contains("authorization: bearer hunter2"), "{heard}");
    assert!(!format!("{direct:?}").contains("hunter2"));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let (url, _heard) = server(ok(&"a 1\n".repeat(50_000))).await;
    let limits = Limits {
        bytes: 1000,
        ..Limits::default()
    };
    let direct = Direct::new(&url, "").unwrap();
    assert_eq!(
        direct.scrape(limits).await.unwrap_err(),
        Trouble::TooLarge(1000)
    );
}

#[tokio::test]
async fn a_silent_server_is_left_after_the_time_limit() {
    let (url, _heard) = server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nup".to_vec()).await;
    let limits = Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    };
    let direct = Direct::new(&url, "").unwrap();
    let trouble = direct.scrape(limits).await.unwrap_err();
    // The test server hangs up after its half answer, or is silent until the limit.
    assert!(
        matches!(trouble, Trouble::TimedOut(_) | Trouble::Link),
        "{trouble}"
    );
}

#[tokio::test]
async fn redirects_are_not_followed_and_refusals_are_told() {
    let (url, _heard) = server(
        b"HTTP/1.1 302 Found\r\nlocation: http://elsewhere.invalid/\r\ncontent-length: 0\r\n\r\n"
            .to_vec(),
    )
    .await;
    let trouble = Direct::new(&url, "")
        .unwrap()
        .scrape(Limits::default())
        .await
        .unwrap_err();
    assert_eq!(trouble, Trouble::Status(302));
    let (url, _heard) =
        server(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_vec()).await;
    let trouble = Direct::new(&url, "")
        .unwrap()
        .scrape(Limits::default())
        .await
        .unwrap_err();
    assert!(trouble.to_string().contains("metrics-token"), "{trouble}");
}

#[tokio::test]
async fn what_is_wrong_with_the_configuration_is_said_without_repeating_a_secret() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (url, token) in [
        ("nonsense", ""),
        ("ftp://host/metrics", ""),
        ("https://bot:hunter2@host/metrics", ""),
        ("https://host/metrics", "hunter2"),
        ("https://host/metrics", "vault:hunter2"),
    ] {
        let why = Direct::new(url, token).unwrap_err();
        assert!(why.ends_with('.') && !why.contains("hunter2"), "{why}");
    }
    let direct = Direct::new("http://127.0.0.1:1/metrics", "env:DRIFTDECK_NO_SUCH_TOKEN").unwrap();
    let trouble = direct.scrape(Limits::default()).await.unwrap_err();
    assert!(
        trouble.to_string().contains("DRIFTDECK_NO_SUCH_TOKEN"),
        "{trouble}"
    );
}
