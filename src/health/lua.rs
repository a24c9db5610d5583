//! Running one of argocd-cm's health rules: Lua with what Argo CD gives such rules, and nothing that reaches the machine.
//!
//! Argo CD runs them in gopher-lua, which is Lua 5.1 with `goto`, numbers that print as whole where they are, and the libraries base, table,
//! string, math, and of `os` only the time. Lua 5.2 with the few names that 5.1 had more gives the same answers. What is not there is named
//! when a rule reaches for it. Time is limited from outside, by ending the process: a pattern cannot be interrupted from within.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mlua::chunk::ChunkMode;
use mlua::serde::SerializeOptions;
use mlua::{Lua, LuaOptions, LuaSerdeExt as _, StdLib, Table};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Report;
use crate::domain::Health;

/// Bytes that a rule may use.
const MEMORY: usize = 64 << 20;
/// Bytes of a message that are passed on.
const MESSAGE: usize = 16 << 10;

/// What Lua 5.1 has and 5.2 has not, what must not be reached, and the two harmless parts of `os`.
const PRELUDE: &str = r#"
local time, date = ...
table.getn = function(t) return #t end
table.maxn = table.maxn or function(t)
  local largest = 0
  for key in pairs(t) do
    if type(key) == "number" and key > largest then largest = key end
  end
  return largest
end
unpack = unpack or table.unpack
loadstring = load
math.mod = math.fmod
string.gfind = string.gmatch
local function closed(name, inside)
  return setmetatable(inside or {}, {
    __index = function(_, key)
      error("it reaches for " .. name .. "." .. tostring(key) .. ", which health rules may not use", 2)
    end,
    __metatable = false,
  })
end
io = closed("io")
os = closed("os", { time = time, date = date })
debug = closed("debug")
package = closed("package")
local function refused(name)
  return function() error("it calls " .. name .. ", which health rules may not use", 2) end
end
require, dofile, loadfile, collectgarbage = refused("require"), refused("dofile"), refused("loadfile"), refused("collectgarbage")
print = function() end
"#;

/// Why a rule gave no health.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum LuaFault {
    /// It took longer than it is given.
    #[error("The health rule was stopped: it did not end within one second.")]
    Time,
    /// It said more than is taken.
    #[error("The health rule was stopped: it said more than 256 KiB.")]
    Output,
    /// Its process ended.
    #[error(
        "The health rule was stopped: its process ended before it answered, which too much memory brings about."
    )]
    Ended,
    /// It was stopped too often.
    #[error(
        "The health rule was stopped three times and is not run again until it changes in argocd-cm."
    )]
    Barred,
    /// Rules cannot be run here.
    #[error("The health rule cannot be run: {0}.")]
    Unavailable(String),
    /// It needed more memory than it is given.
    #[error("The health rule was stopped: it needs more than 64 MiB of memory.")]
    Memory,
    /// It reached for what is not given.
    #[error("The health rule was stopped: {0}.")]
    Forbidden(String),
    /// It failed.
    #[error("The health rule failed: {0}.")]
    Failed(String),
}

/// What a rule says: a health, or nothing when it returns nothing.
pub type Answer = Result<Option<Report>, LuaFault>;

/// One line to the process that runs rules.
#[derive(Debug, Serialize, Deserialize)]
pub struct Question {
    /// The program.
    pub script: Arc<str>,
    /// What it is to judge.
    pub object: Value,
}

/// One line of its answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct Said {
    /// The health's word, none when the rule says nothing.
    health: Option<Health>,
    message: String,
    fault: Option<LuaFault>,
}

impl From<Answer> for Said {
    fn from(answer: Answer) -> Self {
        let (health, message, fault) = match answer {
            Ok(Some((health, message))) => (Some(health), message, None),
            Ok(None) => (None, String::new(), None),
            Err(fault) => (None, String::new(), Some(fault)),
        };
        Self {
            health,
            message,
            fault,
        }
    }
}

impl From<Said> for Answer {
    fn from(said: Said) -> Self {
        match said.fault {
            Some(fault) => Err(fault),
            None => Ok(said.health.map(|health| (health, said.message))),
        }
    }
}

/// The health of an object by a rule, in a state of its own; `now` is the time in seconds since 1970.
///
/// # Errors
/// The rule does not compile, fails, or was stopped.
pub fn run(script: &str, object: &Value, now: i64) -> Answer {
    let lua = start(now).map_err(fault)?;
    call(&lua, script, object).map_err(fault)
}

fn start(now: i64) -> mlua::Result<Lua> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(MEMORY)?;
    let time = lua.create_function(move |_, given: Option<Table>| time(given, now))?;
    let date = lua.create_function(move |lua, (format, at): (Option<String>, Option<f64>)| {
        date(lua, format.as_deref().unwrap_or("%c"), at, now)
    })?;
    lua.load(PRELUDE)
        .set_name("=prelude")
        .call::<()>((time, date))?;
    Ok(lua)
}

fn call(lua: &Lua, script: &str, object: &Value) -> mlua::Result<Option<Report>> {
    let options = SerializeOptions::new()
        .set_array_metatable(false)
        .serialize_none_to_null(false)
        .serialize_unit_to_null(false);
    let object = lua.to_value_with(object, options)?;
    lua.globals().set("obj", object)?;
    let program = lua.load(script).set_name("=rule").set_mode(ChunkMode::Text);
    match program.call::<mlua::Value>(())? {
        mlua::Value::Table(table) => report(&table),
        mlua::Value::Nil => Ok(None),
        other => Err(mlua::Error::runtime(format!(
            "it returns a {} where a table is expected",
            other.type_name()
        ))),
    }
}

/// An empty table says nothing; a word that is no health is what Argo CD calls it.
fn report(table: &Table) -> mlua::Result<Option<Report>> {
    if table.is_empty() {
        return Ok(None);
    }
    let status: Option<String> = table.get("status")?;
    let mut message: String = table.get::<Option<String>>("message")?.unwrap_or_default();
    let health = match status.as_deref() {
        Some("Healthy") => Health::Healthy,
        Some("Suspended") => Health::Suspended,
        Some("Progressing") => Health::Progressing,
        Some("Missing") => Health::Missing,
        Some("Degraded") => Health::Degraded,
        Some("Unknown") => Health::Unknown,
        _ => {
            "Lua returned an invalid health status".clone_into(&mut message);
            Health::Unknown
        }
    };
    if message.len() > MESSAGE {
        let end = (0..=MESSAGE).rev().find(|at| message.is_char_boundary(*at));
        message.truncate(end.unwrap_or(0));
        message.push('…');
    }
    Ok(Some((health, message)))
}

/// `os.time`: now, or the time that a table tells, in UTC.
fn time(given: Option<Table>, now: i64) -> mlua::Result<i64> {
    let Some(given) = given else {
        return Ok(now);
    };
    let part = |name: &str, default: i16| -> mlua::Result<i16> {
        Ok(given.get::<Option<i16>>(name)?.unwrap_or(default))
    };
    let small = |name: &str, default: i16| -> mlua::Result<i8> {
        i8::try_from(part(name, default)?).map_err(mlua::Error::external)
    };
    let civil = DateTime::new(
        part("year", 1970)?,
        small("month", 1)?,
        small("day", 1)?,
        small("hour", 12)?,
        small("min", 0)?,
        small("sec", 0)?,
        0,
    )
    .map_err(mlua::Error::external)?;
    let zoned = civil
        .to_zoned(TimeZone::UTC)
        .map_err(mlua::Error::external)?;
    Ok(zoned.timestamp().as_second())
}

/// `os.date`, always in UTC.
fn date(lua: &Lua, format: &str, at: Option<f64>, now: i64) -> mlua::Result<mlua::Value> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from float to integer saturates, and what is no time is refused next"
    )]
    let second = at.map_or(now, |at| at as i64);
    let moment = Timestamp::from_second(second).map_err(mlua::Error::external)?;
    let civil = moment.to_zoned(TimeZone::UTC);
    let format = format.strip_prefix('!').unwrap_or(format);
    if format.starts_with("*t") {
        let table = lua.create_table()?;
        table.set("year", civil.year())?;
        table.set("month", civil.month())?;
        table.set("day", civil.day())?;
        table.set("hour", civil.hour())?;
        table.set("min", civil.minute())?;
        table.set("sec", civil.second())?;
        return Ok(mlua::Value::Table(table));
    }
    let text = jiff::fmt::strtime::format(format, &civil).map_err(mlua::Error::external)?;
    Ok(mlua::Value::String(lua.create_string(text)?))
}

fn fault(error: mlua::Error) -> LuaFault {
    let text = match &error {
        mlua::Error::MemoryError(_) => return LuaFault::Memory,
        mlua::Error::RuntimeError(text) => text.clone(),
        mlua::Error::SyntaxError { message, .. } => message.clone(),
        other => other.to_string(),
    };
    // The first line says it; what follows is the way there.
    let line = text.lines().next().unwrap_or_default();
    if line.contains("not enough memory") || line.contains("resulting string too large") {
        return LuaFault::Memory;
    }
    match line
        .find("it reaches for ")
        .or_else(|| line.find("it calls "))
    {
        Some(at) => LuaFault::Forbidden(line.get(at..).unwrap_or(line).to_owned()),
        None => LuaFault::Failed(line.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(script: &str) -> Answer {
        let object = json!({"metadata": {"generation": 3, "deletionTimestamp": null}, "status": {"conditions": [{"type": "Ready", "status": "True"}], "replicas": 2}});
        run(script, &object, 1_795_000_000)
    }

    fn healthy(message: &str) -> Answer {
        Ok(Some((Health::Healthy, message.to_owned())))
    }

    #[test]
    fn a_rule_reads_the_object_and_says_a_health() {
        let script = "hs = {}\nfor i, c in ipairs(obj.status.conditions) do\n if c.type == 'Ready' then hs.status = 'Healthy'; hs.message = i .. '/' .. obj.status.replicas end\nend\nreturn hs";
        assert_eq!(said(script), healthy("1/2"));
        let absent =
            "return {status = obj.metadata.deletionTimestamp == nil and 'Healthy' or 'Degraded'}";
        assert_eq!(said(absent), healthy(""));
    }

    #[test]
    fn what_lua_5_1_and_gopher_lua_have_is_there() {
        let script = "for i = 1, 3 do if i == 2 then goto next end\n last = i ::next:: end\nreturn {status = 'Healthy', message = table.getn({1, 2}) .. unpack({'a'}) .. last .. os.date('!%Y', os.time())}";
        assert_eq!(said(script), healthy("2a32026"));
    }

    #[test]
    fn nothing_and_nonsense_are_told_apart() {
        assert_eq!(said("return nil"), Ok(None));
        assert_eq!(said("return {}"), Ok(None));
        let invalid = "Lua returned an invalid health status".to_owned();
        assert_eq!(
            said("return {status = 'Fine'}"),
            Ok(Some((Health::Unknown, invalid)))
        );
        let Err(LuaFault::Failed(text)) = said("return 'Healthy'") else {
            panic!("text is no table");
        };
        assert!(text.contains("returns a string"), "{text}");
        assert!(matches!(said("return {"), Err(LuaFault::Failed(_))));
        assert!(matches!(
            said("return obj.status.none.at.all"),
            Err(LuaFault::Failed(_))
        ));
    }

    #[test]
    fn what_reaches_the_machine_is_refused_by_name() {
        for (script, name) in [
            ("return io.open('/etc/passwd')", "io.open"),
            ("os.execute('id')", "os.execute"),
            ("return require('x')", "require"),
            ("dofile('/etc/passwd')", "dofile"),
            ("return package.path", "package.path"),
            ("debug.getregistry()", "debug.getregistry"),
        ] {
            let Err(LuaFault::Forbidden(text)) = said(script) else {
                panic!("{script} is not refused");
            };
            assert!(text.contains(name), "{text}");
        }
    }

    #[test]
    fn memory_has_an_end_and_messages_too() {
        assert_eq!(
            said("return {status = 'Healthy', message = string.rep('x', 1e9)}"),
            Err(LuaFault::Memory)
        );
        assert_eq!(
            said("local t = {} while true do t[#t + 1] = {1, 2, 3} end"),
            Err(LuaFault::Memory)
        );
        let Ok(Some((_, message))) =
            said("return {status = 'Healthy', message = string.rep('x', 1e6)}")
        else {
            panic!("a long message is cut, not refused");
        };
        assert!(message.len() < 20_000);
    }

    #[test]
    fn one_rule_leaves_nothing_behind_for_the_next() {
        assert!(said("string.rep = nil; kept = 1; return nil").is_ok());
        assert_eq!(
            said("return {status = 'Healthy', message = string.rep('a', 2) .. tostring(kept)}"),
            healthy("aanil")
        );
    }
}
