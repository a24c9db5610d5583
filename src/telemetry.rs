//! The log file and the panic report. Nothing is logged to the terminal: it belongs to the screens.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

/// Starts logging into a file (0600, appended), `verbose` times more than warnings. Without a file nothing is logged.
///
/// # Errors
/// A sentence, when the file cannot be opened.
pub fn start(file: Option<&Path>, verbose: u8) -> Result<(), String> {
    let Some(path) = file else { return Ok(()) };
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| {
            format!(
                "The log file {} cannot be opened ({e}); choose another with --log-file.",
                path.display()
            )
        })?;
    let level =
        ["driftdeck=info,warn", "driftdeck=debug,info", "trace"][usize::from(verbose.min(2))];
    let filter = EnvFilter::try_from_env("DRIFTDECK_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    // A second start in one process (tests) keeps the first log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(BoxMakeWriter::new(log))
        .try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_file_that_cannot_be_opened_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = start(Some(&folder.path().join("missing/log")), 0).unwrap_err();
        assert!(error.contains("missing/log") && error.contains("--log-file"));
    }

    #[test]
    fn no_file_no_log() {
        assert!(start(None, 2).is_ok());
    }
}
