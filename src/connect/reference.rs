//! A secret of the configuration by reference: the environment, a file or a program that prints it. Read when it is needed, never kept.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::{CommandWrap, ProcessSession};
use secrecy::SecretString;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How long a program may take to print a secret.
const TIME: Duration = Duration::from_secs(15);
/// Bytes of a secret.
const BYTES: u64 = 64 << 10;

/// Where a secret is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reference {
    /// An environment variable.
    Env(String),
    /// The content of a file, blanks at both ends cut off.
    File(PathBuf),
    /// What a program prints, blanks at both ends cut off: its path and its arguments, without a shell.
    Exec(Vec<String>),
}

/// Why a secret could not be read. No variant holds any of it; each is the end of a sentence.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The variable is not there.
    #[error("the environment variable {0} is not set")]
    Env(String),
    /// The file cannot be read.
    #[error("the file {} cannot be read ({kind})", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        kind: std::io::ErrorKind,
    },
    /// The program cannot be run or did not end well.
    #[error("the program {program} {why}")]
    Exec {
        /// Which program.
        program: String,
        /// What became of it.
        why: String,
    },
    /// Longer than any secret.
    #[error("what {0} gives is longer than a secret is")]
    TooLong(String),
}

impl Reference {
    /// Reads `env:NAME`, `file:PATH` or `exec:PROGRAM ARGUMENT …`; `None` for anything else: the text may be the secret itself and must not be repeated.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        let rest = rest.trim();
        if rest.is_empty() {
            return None;
        }
        match kind {
            "env" => Some(Self::Env(rest.to_owned())),
            "file" => Some(Self::File(rest.into())),
            "exec" => Some(Self::Exec(
                rest.split_whitespace().map(str::to_owned).collect(),
            )),
            _ => None,
        }
    }

    /// Reads the secret.
    ///
    /// # Errors
    /// [`ReferenceError`].
    pub async fn read(&self) -> Result<SecretString, ReferenceError> {
        let text = match self {
            Self::Env(name) => {
                std::env::var(name).map_err(|_| ReferenceError::Env(name.clone()))?
            }
            Self::File(path) => {
                let read = tokio::fs::read_to_string(path).await;
                read.map_err(|error| ReferenceError::File {
                    path: path.clone(),
                    kind: error.kind(),
                })?
            }
            Self::Exec(words) => printed(words).await?,
        };
        Ok(SecretString::from(text.trim()))
    }
}

/// What a program prints: in a session of its own, so that it cannot draw over the screen, without input, within limits.
async fn printed(words: &[String]) -> Result<String, ReferenceError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |why: String| ReferenceError::Exec {
        program: program.clone(),
        why,
    };
    let mut command = Command::new(&program);
    command
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let spawned = CommandWrap::from(command).wrap(ProcessSession).spawn();
    let mut child = spawned.map_err(|e| failed(format!("cannot be started ({})", e.kind())))?;
    let stdout = child.stdout().take();
    let ended = tokio::time::timeout(TIME, async {
        let mut text = String::new();
        if let Some(pipe) = stdout {
            pipe.take(BYTES + 1).read_to_string(&mut text).await?;
        }
        Ok::<_, std::io::Error>((text, child.wait().await?))
    });
    let outcome = ended.await;
    // Whatever it left running in its session goes with it; one that ended already makes this fail, which is fine.
    let _ = child.start_kill();
    match outcome {
        Err(_) => Err(failed(format!(
            "did not end within {} s and was stopped",
            TIME.as_secs()
        ))),
        Ok(Err(e)) => Err(failed(format!("gave no text ({})", e.kind()))),
        Ok(Ok((text, _))) if text.len() as u64 > BYTES => Err(ReferenceError::TooLong(program)),
        Ok(Ok((_, status))) if !status.success() => Err(failed(format!("ended with {status}"))),
        Ok(Ok((text, _))) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    async fn read(text: &str) -> Result<String, String> {
        let read = Reference::parse(text).unwrap().read().await;
        read.map(|s| s.expose_secret().to_owned())
            .map_err(|e| e.to_string())
    }

    #[tokio::test]
    async fn a_secret_is_read_from_its_place_without_blanks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "s3cret\n").unwrap();
        let file = format!("file:{}", path.display());
        assert_eq!(read(&file).await.unwrap(), "s3cret");
        let exec = format!("exec:cat {}", path.display());
        assert_eq!(read(&exec).await.unwrap(), "s3cret");
        assert_eq!(
            read("env:CARGO_PKG_NAME").await.unwrap_or_default(),
            "driftdeck"
        );
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_nothing_is_repeated() {
        assert!(
            read("env:DRIFTDECK_NO_SUCH_VARIABLE")
                .await
                .unwrap_err()
                .contains("is not set")
        );
        assert!(
            read("file:/no/such/file")
                .await
                .unwrap_err()
                .contains("cannot be read")
        );
        assert!(
            read("exec:/no/such/program")
                .await
                .unwrap_err()
                .contains("cannot be started")
        );
        assert!(read("exec:false").await.unwrap_err().contains("ended with"));
        for text in ["", "hunter2", "env:", "vault:path", "hunter:2"] {
            assert_eq!(Reference::parse(text), None, "{text}");
        }
    }
}
