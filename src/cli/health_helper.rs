//! The process that runs health rules of argocd-cm: a question a line in, an answer a line out, in a session of its own with little memory.
//!
//! It is this program, started by itself with a hidden command; whoever asks ends it when a rule overruns.

use std::io::{self, BufRead as _, Write as _};

use rustix::process::{Resource, Rlimit, setrlimit, setsid};

use crate::health::lua::{LuaFault, Question, Said, run as run_rule};

/// Bytes of address space: the program itself, and one rule's memory many times over.
const SPACE: u64 = 2 << 30;
/// What it says once it can be asked.
const READY: &[u8] = b"{}\n";

/// Answers until nobody asks any more.
///
/// # Errors
/// A sentence, when it cannot confine itself or its streams fail.
pub(crate) fn run() -> Result<u8, String> {
    confine().map_err(|e| format!("The health rule process cannot confine itself ({e})."))?;
    serve().map_err(|e| format!("The health rule process lost its streams ({e})."))?;
    Ok(0)
}

/// A session of its own cannot reach the terminal; limits are inherited by nobody, as it starts nothing.
fn confine() -> rustix::io::Result<()> {
    // It leads a session already when it was started as one.
    let _ = setsid();
    let limit = |bytes| Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    setrlimit(Resource::As, limit(SPACE))?;
    setrlimit(Resource::Core, limit(0))?;
    setrlimit(Resource::Fsize, limit(0))
}

fn serve() -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(READY)?;
    out.flush()?;
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str::<Question>(&line?) {
            Ok(question) => {
                let now = jiff::Timestamp::now().as_second();
                run_rule(&question.script, &question.object, now)
            }
            Err(e) => Err(LuaFault::Failed(format!(
                "the question cannot be read ({e})"
            ))),
        };
        let mut text = serde_json::to_vec(&Said::from(answer))?;
        text.push(b'\n');
        out.write_all(&text)?;
        out.flush()?;
    }
    Ok(())
}
