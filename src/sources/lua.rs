//! Asking the health rules of argocd-cm, in a process that can be ended.
//!
//! The process is this program with a hidden command; it lives as long as it answers in time. A rule that takes longer than Argo CD gives it, or
//! says too much, ends the process, and the next question starts a new one: neither the console nor the other rules wait for it.

use std::collections::HashMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::health::lua::{Answer, LuaFault, Question, Said};

/// The hidden command.
pub const COMMAND: &str = "health-helper";
/// What Argo CD gives a rule.
const TIME: Duration = Duration::from_secs(1);
/// What a new process may take to start.
const START: Duration = Duration::from_secs(20);
/// Bytes of one answer.
const OUTPUT: u64 = 256 << 10;
/// How often a rule may be stopped before it is not run again.
const STRIKES: u8 = 3;

/// Runs rules in a process of its own, which is started when it is needed. Calls wait for the answer.
#[derive(Debug)]
pub struct LuaHelper {
    program: Option<PathBuf>,
    running: Option<Running>,
    strikes: HashMap<Arc<str>, u8>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    questions: ChildStdin,
    answers: Receiver<Line>,
}

/// One line of the process, or why there is none.
type Line = Result<Vec<u8>, LuaFault>;

impl LuaHelper {
    /// A helper that starts this program (`driftdeck`) when it is first asked.
    pub fn new(program: Option<PathBuf>) -> Self {
        Self {
            program,
            running: None,
            strikes: HashMap::new(),
        }
    }

    /// What a rule says of an object. Takes a second at most, and once more the time to start a process.
    pub fn ask(&mut self, script: &Arc<str>, object: &Value) -> Answer {
        if self.strikes.get(script).is_some_and(|s| *s >= STRIKES) {
            return Err(LuaFault::Barred);
        }
        let line = self.exchange(script, object);
        match &line {
            Err(LuaFault::Unavailable(_)) | Ok(_) => {}
            // The process may be stuck, or its next line may still be the answer to this question.
            Err(_) => {
                self.stop();
                *self.strikes.entry(Arc::clone(script)).or_default() += 1;
            }
        }
        let said: Said = serde_json::from_slice(&line?).map_err(|_| LuaFault::Ended)?;
        said.into()
    }

    fn exchange(&mut self, script: &Arc<str>, object: &Value) -> Line {
        if self.running.is_none() {
            self.running = Some(self.start()?);
        }
        let running = self.running.as_mut().ok_or(LuaFault::Ended)?;
        let question = Question {
            script: Arc::clone(script),
            object: object.clone(),
        };
        let mut text = serde_json::to_vec(&question).map_err(|_| LuaFault::Ended)?;
        text.push(b'\n');
        running
            .questions
            .write_all(&text)
            .and_then(|()| running.questions.flush())
            .map_err(|_| LuaFault::Ended)?;
        running.next(TIME)
    }

    fn start(&self) -> Result<Running, LuaFault> {
        let program = self.program.as_ref().ok_or_else(|| {
            LuaFault::Unavailable("this program does not know its own path".to_owned())
        })?;
        let failed = |e: io::Error| {
            LuaFault::Unavailable(format!("{} cannot be started ({e})", program.display()))
        };
        let mut child = Command::new(program)
            .arg(COMMAND)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (Some(questions), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(LuaFault::Unavailable(
                "the process has no streams".to_owned(),
            ));
        };
        let (tell, answers) = mpsc::channel();
        thread::Builder::new()
            .name("health-rules".to_owned())
            .spawn(move || listen(output, &tell))
            .map_err(failed)?;
        let running = Running {
            child,
            questions,
            answers,
        };
        match running.next(START) {
            Ok(_) => Ok(running),
            Err(fault) => {
                running.end();
                Err(LuaFault::Unavailable(format!(
                    "its process does not start ({fault})"
                )))
            }
        }
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end();
        }
    }
}

impl Drop for LuaHelper {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn next(&self, limit: Duration) -> Line {
        match self.answers.recv_timeout(limit) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => Err(LuaFault::Time),
            Err(RecvTimeoutError::Disconnected) => Err(LuaFault::Ended),
        }
    }

    fn end(mut self) {
        // One that ended by itself cannot be killed; either way it must be waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Passes lines on until the process ends, or says more than is taken.
fn listen(output: ChildStdout, tell: &Sender<Line>) {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let read = (&mut output).take(OUTPUT).read_until(b'\n', &mut line);
        let last = match read {
            Ok(0) | Err(_) => return,
            Ok(_) if !line.ends_with(b"\n") => tell.send(Err(LuaFault::Output)).is_err(),
            Ok(_) => tell.send(Ok(line)).is_err(),
        };
        if last {
            return;
        }
    }
}

/// Where an answer goes.
type Reply = Box<dyn FnOnce(Answer) + Send>;

/// A helper in a thread of its own: whoever asks goes on, and is called back. Clones share it; it ends with the last.
#[derive(Clone, Debug)]
pub struct LuaDesk(Sender<(Arc<str>, Value, Reply)>);

impl LuaDesk {
    /// Starts the thread; without one every question is answered so.
    pub fn open(program: Option<PathBuf>) -> Self {
        let (ask, asked) = mpsc::channel::<(Arc<str>, Value, Reply)>();
        let started = thread::Builder::new()
            .name("health-desk".to_owned())
            .spawn(move || {
                let mut helper = LuaHelper::new(program);
                while let Ok((script, object, reply)) = asked.recv() {
                    reply(helper.ask(&script, &object));
                }
            });
        if let Err(error) = started {
            tracing::error!(%error, "no thread for the health rules of argocd-cm");
        }
        Self(ask)
    }

    /// Asks; the answer is told from the desk's thread.
    pub fn ask(
        &self,
        script: Arc<str>,
        object: Value,
        reply: impl FnOnce(Answer) + Send + 'static,
    ) {
        if let Err(unsent) = self.0.send((script, object, Box::new(reply))) {
            let (_, _, reply) = unsent.0;
            reply(Err(LuaFault::Unavailable(
                "its thread has ended".to_owned(),
            )));
        }
    }
}
