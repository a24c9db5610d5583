//! What the console remembers between sittings: acknowledged drift, saved views, typed filters, when somebody last looked.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::domain::{Fingerprint, Safe};
use crate::view::layout::{ByScreen, Layout};

/// How long an acknowledgement holds when nothing else is said.
const ACKED: SignedDuration = SignedDuration::from_hours(8);
/// Filters that are remembered.
const FILTERS: usize = 50;

/// Everything that is kept; one small file in the state folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Kept {
    /// Groups of drift that somebody has taken on.
    pub acks: Vec<Ack>,
    /// Named filters of screens.
    pub views: Vec<View>,
    /// Filters that were typed, the newest last.
    pub filters: Vec<String>,
    /// When somebody last said that everything was seen.
    pub looked_at: Option<Timestamp>,
    /// How lists are laid out, where somebody chose.
    pub layouts: ByScreen,
}

/// One acknowledged group of equal changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Ack {
    /// The group's fingerprint, in hex.
    pub fingerprint: String,
    /// What was noted.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
}

/// One saved view: a screen with filter, sort, columns and grouping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct View {
    /// Its name.
    pub name: String,
    /// The screen, as keymap files name it.
    pub screen: String,
    /// The filter text.
    pub filter: String,
    /// Only rows that need somebody.
    pub problems: bool,
    /// Number of the sort order.
    pub sort: usize,
    /// The columns and the grouping.
    #[serde(default)]
    pub layout: Layout,
}

impl Kept {
    /// The acknowledgement that holds for a group now.
    pub fn ack(&self, print: Fingerprint, now: Timestamp) -> Option<&Ack> {
        let print = print.to_string();
        self.acks
            .iter()
            .find(|ack| ack.fingerprint == print && ack.until > now)
    }

    /// Takes a group on. The text may begin with how long: `4h waiting for the vendor`.
    pub fn acknowledge(&mut self, print: Fingerprint, text: &str, now: Timestamp) -> Timestamp {
        let (time, note) = time_and_note(text);
        let until = now.checked_add(time).unwrap_or(now);
        let fingerprint = print.to_string();
        self.acks
            .retain(|ack| ack.fingerprint != fingerprint && ack.until > now);
        self.acks.push(Ack {
            fingerprint,
            note: note.to_owned(),
            at: now,
            until,
        });
        until
    }

    /// Gives a group back; whether it had been taken on.
    pub fn give_back(&mut self, print: Fingerprint) -> bool {
        let print = print.to_string();
        let had = self.acks.len();
        self.acks.retain(|ack| ack.fingerprint != print);
        self.acks.len() < had
    }

    /// Remembers a filter that was taken; whether that is news.
    pub fn remember(&mut self, filter: &str) -> bool {
        let filter = filter.trim();
        if filter.is_empty() || self.filters.last().is_some_and(|f| f == filter) {
            return false;
        }
        self.filters.retain(|f| f != filter);
        self.filters.push(filter.to_owned());
        let over = self.filters.len().saturating_sub(FILTERS);
        self.filters.drain(..over);
        true
    }

    /// Saves a view; one of the same name is replaced.
    pub fn save(&mut self, view: View) {
        self.views.retain(|v| v.name != view.name);
        self.views.push(view);
        self.views.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

impl Ack {
    /// The note, safe to show.
    pub fn note(&self) -> Safe {
        Safe::new(&self.note)
    }
}

/// A leading duration and the rest: `90m`, `4h`, `2d`; eight hours when there is none.
fn time_and_note(text: &str) -> (SignedDuration, &str) {
    let text = text.trim();
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    match duration(first) {
        Some(time) => (time, rest.trim()),
        None => (ACKED, text),
    }
}

fn duration(word: &str) -> Option<SignedDuration> {
    let unit = word.chars().last()?;
    let count: i64 = word.strip_suffix(unit)?.parse().ok()?;
    let minutes = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return None,
    };
    // A year is the longest that makes sense.
    let minutes = count
        .checked_mul(minutes)
        .filter(|m| (1..=525_600).contains(m))?;
    Some(SignedDuration::from_mins(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testkit::at;

    #[test]
    fn an_acknowledgement_holds_until_its_time_is_over() {
        let mut kept = Kept::default();
        let print = Fingerprint(7);
        kept.acknowledge(print, "2h vendor is on it", at(0));
        let note = kept.ack(print, at(7_199)).map(|a| a.note.clone());
        assert_eq!(note.as_deref(), Some("vendor is on it"));
        assert!(kept.ack(print, at(7_200)).is_none());
        assert!(kept.ack(Fingerprint(8), at(0)).is_none());
    }

    #[test]
    fn without_a_time_it_holds_eight_hours_and_the_note_is_whole() {
        let mut kept = Kept::default();
        let until = kept.acknowledge(Fingerprint(7), "INC-4711 disk swap", at(0));
        assert_eq!(until, at(8 * 3_600));
        assert_eq!(kept.acks[0].note, "INC-4711 disk swap");
        assert_eq!(kept.acknowledge(Fingerprint(7), "0h", at(0)), at(8 * 3_600));
        assert_eq!(kept.acks.len(), 1);
        assert!(kept.give_back(Fingerprint(7)) && !kept.give_back(Fingerprint(7)));
    }

    #[test]
    fn filters_are_remembered_once_and_the_oldest_are_forgotten() {
        let mut kept = Kept::default();
        for i in 0..60 {
            kept.remember(&format!("age>{i}m"));
        }
        assert!(kept.remember("age>30m") && !kept.remember("age>30m"));
        assert_eq!(kept.filters.len(), 50);
        assert_eq!(kept.filters.iter().filter(|f| *f == "age>30m").count(), 1);
    }

    #[test]
    fn it_is_written_and_read_back_and_unknown_parts_do_no_harm() {
        let mut kept = Kept::default();
        kept.acknowledge(Fingerprint(7), "noted", at(0));
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Kept>(&text).unwrap(), kept);
        let older: Kept = serde_json::from_str(r#"{"later": 1}"#).unwrap();
        assert_eq!(older, Kept::default());
    }
}
