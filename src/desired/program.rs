//! The rendering programs (kustomize, helm, jsonnet), run on a copy: no terminal, no network, no settings of the operator's, within limits.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OnceCell;

use super::copy::make_folder;
use super::git::GroupGuard;
use super::policy::redact;

/// Bytes of complaints that are kept.
const STDERR_KEPT: u64 = 64 << 10;

/// What one run may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramLimits {
    /// How long it may take; then it and its children are killed.
    pub time: Duration,
    /// Bytes it may print.
    pub output: u64,
    /// Bytes of address space of each of its processes.
    pub memory: u64,
    /// Bytes of each file that it writes.
    pub file: u64,
}

impl Default for ProgramLimits {
    /// One minute, 32 MiB of output, 4 GiB of memory, 64 MiB a file.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            output: 32 << 20,
            memory: 4 << 30,
            file: 64 << 20,
        }
    }
}

/// Why a run gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramError {
    #[error("it could not be run: {0}")]
    Run(#[from] std::io::Error),
    #[error("it took longer than {} s and was stopped", .0.as_secs_f32())]
    TimedOut(Duration),
    #[error("it printed more than {} KiB and was stopped", .0 >> 10)]
    TooMuch(u64),
    /// The text is what it said, shortened, without credentials.
    #[error("it says: {0}")]
    Refused(String),
}

/// One run, as data.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Run {
    /// The program, found on the search path or configured.
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    /// The folder of a [`Workplace`]: nothing else of the machine is named to it.
    pub(super) work: PathBuf,
    /// Whether it may reach the network: only to fetch what the configuration allows.
    pub(super) network: bool,
    /// What the environment holds beside the fixed part.
    pub(super) env: Vec<(&'static str, OsString)>,
    /// What it is handed through its standard input, if anything.
    pub(super) input: Option<Vec<u8>>,
}

impl std::fmt::Debug for Run {
    /// Without the input, which may hold a Secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("program", &self.program)
            .field("args", &self.args)
            .finish_non_exhaustive()
    }
}

/// A folder for one run, for the owner only and removed with it: `tree` holds the copy, `home` whatever the program writes.
#[derive(Debug)]
pub(super) struct Workplace(tempfile::TempDir);

impl Workplace {
    /// Makes one below a folder, which is made too.
    pub(super) fn new(below: &Path) -> std::io::Result<Self> {
        make_folder(below)?;
        let place = Self(tempfile::Builder::new().prefix("work-").tempdir_in(below)?);
        make_folder(&place.tree())?;
        make_folder(&place.path().join("home"))?;
        Ok(place)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Where the copy of the repository stands.
    pub(super) fn tree(&self) -> PathBuf {
        self.path().join("tree")
    }
}

/// Finds a program: a path as it is, a name on the search path.
pub(super) fn find(program: &Path) -> Option<PathBuf> {
    let runs = |path: &PathBuf| {
        let meta = std::fs::metadata(path);
        meta.is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return Some(program.to_owned()).filter(runs);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(runs)
}

/// Words before a command that take the network from it, as far as this machine lets us; looked up once.
#[derive(Debug, Default)]
pub(super) struct Cell(OnceCell<Vec<OsString>>);

impl Cell {
    /// Namespaces of its own where that is possible: as root, or as a user of a new user namespace. Else no words, and the environment must do.
    async fn words(&self) -> Vec<OsString> {
        let found = self.0.get_or_init(|| async {
            let Some(unshare) = find(Path::new("unshare")) else {
                return Vec::new();
            };
            for user in [&[][..], &["--user", "--map-root-user"]] {
                let mut words: Vec<OsString> = vec![unshare.clone().into()];
                words.extend(user.iter().map(OsString::from));
                words
                    .extend(["--net", "--pid", "--fork", "--kill-child", "--"].map(OsString::from));
                if works(&words).await {
                    return words;
                }
            }
            Vec::new()
        });
        found.await.clone()
    }
}

async fn works(words: &[OsString]) -> bool {
    let Some((first, rest)) = words.split_first() else {
        return false;
    };
    let mut command = tokio::process::Command::new(first);
    command
        .args(rest)
        .args(["sh", "-c", "exit 0"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let ended = tokio::time::timeout(Duration::from_secs(5), command.status()).await;
    ended.is_ok_and(|status| status.is_ok_and(|s| s.success()))
}

/// Runs it and gives what it prints.
///
/// # Errors
/// [`ProgramError`]; whatever the end, nothing of it runs on.
pub(super) async fn run(
    run: &Run,
    limits: &ProgramLimits,
    cell: &Cell,
) -> Result<Vec<u8>, ProgramError> {
    let words = if run.network {
        Vec::new()
    } else {
        cell.words().await
    };
    let mut child = spawn(run, limits, words)?;
    let guard = GroupGuard::of(child.as_ref());
    let outcome = tokio::select! {
        ended = end_of(child.as_mut(), run.input.as_deref(), limits.output) => ended,
        () = tokio::time::sleep(limits.time) => Err(ProgramError::TimedOut(limits.time)),
    };
    drop(guard);
    if outcome.is_err() {
        // Reaps what was killed; a no-op when it ended by itself.
        let _ = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
    }
    let (good, printed, said) = outcome?;
    if good {
        Ok(printed)
    } else {
        Err(ProgramError::Refused(reason(&said, &run.work)))
    }
}

fn spawn(
    run: &Run,
    limits: &ProgramLimits,
    mut words: Vec<OsString>,
) -> Result<Box<dyn ChildWrapper>, ProgramError> {
    // Limits are inherited, and the shell is the one program that is everywhere and sets them.
    let script = format!(
        "ulimit -c 0; ulimit -v {}; ulimit -f {}; exec \"$@\"",
        limits.memory >> 10,
        limits.file >> 9
    );
    words.extend(["sh", "-c", &script, "sh"].map(OsString::from));
    words.push(run.program.clone().into());
    words.extend(run.args.iter().cloned());
    let stdin = match run.input {
        Some(_) => Stdio::piped,
        None => Stdio::null,
    }();
    let mut words = words.into_iter();
    let first = words.next().unwrap_or_default();
    let mut command = CommandWrap::with_new(first, |command| {
        command
            .args(words)
            .current_dir(run.work.join("tree"))
            .env_clear()
            .envs(environment(run))
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    });
    Ok(command.wrap(ProcessSession).spawn()?)
}

/// Everything the program learns of this machine: where programs are, and a home that is empty.
fn environment(run: &Run) -> Vec<(&'static str, OsString)> {
    let home = run.work.join("home");
    let at = |name: &str| OsString::from(home.join(name));
    let mut env = vec![
        ("PATH", std::env::var_os("PATH").unwrap_or_default()),
        ("LC_ALL", "C".into()),
        ("HOME", home.clone().into()),
        ("TMPDIR", home.clone().into()),
        ("XDG_CONFIG_HOME", at("config")),
        ("XDG_CACHE_HOME", at("cache")),
        ("XDG_DATA_HOME", at("data")),
        ("HELM_PLUGINS", at("plugins")),
        ("KUSTOMIZE_PLUGIN_HOME", at("plugins")),
        ("KUBECONFIG", "/dev/null".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("GIT_ASKPASS", OsString::new()),
        ("GIT_CONFIG_NOSYSTEM", "1".into()),
        (
            "GIT_SSH_COMMAND",
            "ssh -oBatchMode=yes -oConnectTimeout=15".into(),
        ),
        // Give memory back before the limit does it harder.
        ("GOMEMLIMIT", "1GiB".into()),
    ];
    if run.network {
        for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
            env.extend(std::env::var_os(name).map(|value| (name, value)));
        }
    } else {
        // Where no namespace keeps it from the network, a proxy that nobody answers for does for programs that obey proxies.
        let nothing = || OsString::from("http://127.0.0.1:9");
        for name in [
            "HTTP_PROXY",
            "HTTPS_PROXY",
            "ALL_PROXY",
            "http_proxy",
            "https_proxy",
            "all_proxy",
        ] {
            env.push((name, nothing()));
        }
        env.push(("GIT_ALLOW_PROTOCOL", "none".into()));
    }
    env.extend(run.env.iter().cloned());
    env
}

/// Waits for the end: whether it was a good one, what was printed, what was said. Too much output ends it at once.
async fn end_of(
    child: &mut dyn ChildWrapper,
    input: Option<&[u8]>,
    limit: u64,
) -> Result<(bool, Vec<u8>, String), ProgramError> {
    let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
    let handed = hand(child.stdin().take(), input);
    let printed = async {
        let mut printed = Vec::new();
        if let Some(pipe) = stdout {
            pipe.take(limit + 1).read_to_end(&mut printed).await?;
        }
        if printed.len() as u64 > limit {
            return Err(ProgramError::TooMuch(limit));
        }
        Ok(printed)
    };
    let (printed, said, ()) = futures::future::try_join3(printed, said(stderr), handed).await?;
    let status = child.wait().await?;
    Ok((status.success(), printed, said))
}

/// Hands the input over and closes it. A program that does not want all of it is no fault: its end tells.
async fn hand(
    stdin: Option<impl AsyncWrite + Unpin>,
    input: Option<&[u8]>,
) -> Result<(), ProgramError> {
    if let (Some(mut pipe), Some(input)) = (stdin, input)
        && let Err(error) = pipe.write_all(input).await
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(error.into());
    }
    Ok(())
}

/// The beginning of what is said; the rest is read and dropped, so that the child never blocks on a full pipe.
async fn said(stderr: Option<impl AsyncRead + Unpin>) -> Result<String, ProgramError> {
    let mut said = Vec::new();
    if let Some(mut pipe) = stderr {
        (&mut pipe).take(STDERR_KEPT).read_to_end(&mut said).await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// The line that tells most: the first that says it is an error, else the last. Without the copy's folder, without credentials, and without
/// what stands in braces: that is content, and content may be a Secret. At most 300 characters.
fn reason(said: &str, work: &Path) -> String {
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let error = |line: &&str| line.to_ascii_lowercase().starts_with("error");
    let at = lines.iter().position(error);
    let at = at.unwrap_or(lines.len().saturating_sub(1));
    let telling = lines.get(at).copied().unwrap_or("nothing");
    let mut shown = telling.to_owned();
    // What stands between backticks over several lines is content; what is said of it comes after.
    let after = lines
        .iter()
        .skip(at + 1)
        .find_map(|line| line.strip_prefix('`'));
    if let (true, Some(after)) = (telling.ends_with('`'), after) {
        shown.push_str("…`");
        shown.push_str(after);
    }
    for work in [work.canonicalize().unwrap_or_default(), work.to_owned()] {
        for folder in ["tree", "home"] {
            shown = shown.replace(&format!("{}/", work.join(folder).display()), "");
        }
        shown = shown.replace(&work.display().to_string(), ".");
    }
    let content = ["{", "map["]
        .iter()
        .filter_map(|mark| shown.find(mark))
        .min();
    if let Some(at) = content {
        shown.truncate(at);
        shown.push('…');
    }
    let shown = shown.trim_start_matches("Error: ").trim_end_matches('.');
    redact(shown).chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(work: &Path, text: &str) -> Run {
        let program = work.join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        Run {
            program,
            work: work.to_owned(),
            ..Run::default()
        }
    }

    async fn ran(text: &str, limits: ProgramLimits) -> Result<String, ProgramError> {
        let below = tempfile::tempdir().unwrap();
        let place = Workplace::new(below.path()).unwrap();
        let printed = run(&script(place.path(), text), &limits, &Cell::default()).await?;
        Ok(String::from_utf8(printed).unwrap())
    }

    #[tokio::test]
    async fn it_runs_in_its_home_with_an_environment_of_its_own_and_no_input() {
        let printed = ran(
            "cat; pwd; echo $HOME | sed s/home$/tree/; echo \"[$CARGO_MANIFEST_DIR]\"; echo $HTTPS_PROXY",
            ProgramLimits::default(),
        )
        .await
        .unwrap();
        let lines: Vec<&str> = printed.lines().collect();
        assert_eq!(lines[0], lines[1]);
        assert_eq!(lines[2..], ["[]", "http://127.0.0.1:9"]);
    }

    #[tokio::test]
    async fn a_bomb_of_output_is_stopped_at_the_limit() {
        let limits = ProgramLimits {
            output: 1 << 20,
            ..ProgramLimits::default()
        };
        let why = ran("while :; do echo bombbombbombbombbomb; done", limits).await;
        assert!(matches!(why, Err(ProgramError::TooMuch(_))), "{why:?}");
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_killed_with_its_children() {
        let below = tempfile::tempdir().unwrap();
        let place = Workplace::new(below.path()).unwrap();
        let mark = place.path().join("survivor").display().to_string();
        let text = format!("sh -c 'while :; do sleep 1; done' {mark} & sleep 60");
        let limits = ProgramLimits {
            time: Duration::from_millis(300),
            ..ProgramLimits::default()
        };
        let why = run(&script(place.path(), &text), &limits, &Cell::default()).await;
        assert!(matches!(why, Err(ProgramError::TimedOut(_))), "{why:?}");
        let deadline = std::time::Instant::now() + Duration::from_secs(5);
        while is_running(&mark) {
            assert!(std::time::Instant::now() < deadline, "a child lives on");
            tokio::task::yield_now().await;
        }
    }

    /// Whether any process has this among its arguments.
    fn is_running(argument: &str) -> bool {
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|p| std::fs::read(p.path().join("cmdline")).ok())
            .any(|words| {
                words
                    .split(|b| *b == 0)
                    .any(|word| word == argument.as_bytes())
            })
    }

    #[tokio::test]
    async fn a_file_cannot_outgrow_its_limit() {
        let limits = ProgramLimits {
            file: 1 << 20,
            ..ProgramLimits::default()
        };
        let why = ran("head -c 9000000 /dev/zero > big && echo done", limits).await;
        assert!(matches!(why, Err(ProgramError::Refused(_))), "{why:?}");
    }

    #[test]
    fn what_is_said_of_content_over_several_lines_is_told_without_it() {
        let said = "Error: trouble with config: `\nname: web\npassword: hunter2\n`: must specify --enable-helm\n";
        let told = reason(said, Path::new("/work"));
        assert_eq!(told, "trouble with config: `…`: must specify --enable-helm");
    }

    #[tokio::test]
    async fn what_it_says_is_told_in_one_line_without_content_and_credentials() {
        let text = "echo 'warning: x' >&2; echo \"Error: $PWD/base: https://bot:pw@git.example {\\\"password\\\":\\\"hunter2\\\"}\" >&2; exit 1";
        let Err(ProgramError::Refused(said)) = ran(text, ProgramLimits::default()).await else {
            panic!("it ended well");
        };
        assert_eq!(said, "base: https://***@git.example …");
    }

    #[test]
    fn programs_are_found_by_name_and_by_path_and_only_if_they_run() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("helm");
        std::fs::write(&file, "").unwrap();
        assert_eq!(find(&file), None, "it is not executable");
        assert!(find(Path::new("sh")).is_some());
        assert_eq!(find(Path::new("no-such-program-anywhere")), None);
    }
}
