//! Completes what is typed into the filter line: names of fields, and the values that rows have.

use std::collections::BTreeSet;

use super::asked::Asked;
use super::field;
use super::modal::LineFor;
use super::model::Model;
use super::screens::{Ctx, Screen};
use crate::fleet::query::{FieldValue, Queryable};

/// Most values offered.
const OFFERED: usize = 12;

/// What the last word could go on as, whole words, in order.
pub fn offers(screen: &Screen, text: &str, ctx: &Ctx<'_>) -> Vec<String> {
    let word = last_word(text);
    match screen {
        Screen::Fleet(_) => of(word, ctx.rows.clusters.iter(), ctx),
        Screen::Drift(_) => of(word, ctx.rows.groups.iter(), ctx),
        Screen::Apps(s) => of(word, s.rows(), ctx),
        Screen::Activity(_) => of(word, ctx.fleet.stories(), ctx),
        _ => Vec::new(),
    }
}

/// What a typed line could go on as.
pub fn line_offers(model: &Model, purpose: &LineFor, text: &str) -> Vec<String> {
    match (purpose, model.screen()) {
        (LineFor::Field, Some(Screen::Matrix(matrix))) => field::offers(matrix, text, &model.ctx()),
        _ => Vec::new(),
    }
}

/// A typed line, completed as far as all offers agree.
pub fn line(model: &Model, purpose: &LineFor, text: &str) -> Option<String> {
    let offers = line_offers(model, purpose, text);
    let common = common(&offers)?;
    (common.chars().count() > text.chars().count()).then_some(common)
}

/// What all offers begin with.
fn common(offers: &[String]) -> Option<String> {
    let rest = offers.iter().skip(1);
    Some(rest.fold(offers.first()?.clone(), |a, b| {
        let same = a.chars().zip(b.chars()).take_while(|(x, y)| x == y);
        same.map(|(c, _)| c).collect()
    }))
}

/// The text with its last word completed as far as all offers agree, or by the only one.
pub fn completed(text: &str, offers: &[String]) -> Option<String> {
    let word = last_word(text);
    let common = common(offers)?;
    let better = common.chars().count() > word.chars().count();
    let head = text.get(..text.len() - word.len())?;
    better.then(|| format!("{head}{common}"))
}

fn last_word(text: &str) -> &str {
    let word = text.rsplit(char::is_whitespace).next().unwrap_or("");
    word.trim_start_matches(['!', '-'])
}

/// Words for fields, or for values behind `field=`.
fn of<'r, R: 'r>(word: &str, rows: impl Iterator<Item = &'r R>, ctx: &Ctx<'_>) -> Vec<String>
where
    Asked<'r, R>: Queryable,
{
    let Some((field, begun)) = word.split_once('=') else {
        let fields = <Asked<'r, R> as Queryable>::FIELDS.iter();
        return fields
            .filter(|f| f.starts_with(word))
            .map(|f| format!("{f}="))
            .collect();
    };
    let mut values = BTreeSet::new();
    for row in rows {
        let asked = Asked { row, now: ctx.now };
        match asked.field(field) {
            Some(FieldValue::Text(value)) => drop(values.insert(value)),
            Some(FieldValue::Any(several)) => values.extend(several),
            Some(FieldValue::Number(_) | FieldValue::Seconds(_)) | None => {}
        }
    }
    let begun = begun.to_lowercase();
    values
        .into_iter()
        .filter(|v| v.to_lowercase().starts_with(&begun) && !v.contains(char::is_whitespace))
        .take(OFFERED)
        .map(|v| format!("{field}={v}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_grows_as_far_as_all_offers_agree() {
        let offers = ["cluster=".to_owned(), "clusters=".to_owned()];
        assert_eq!(
            completed("drift>0 clu", &offers).as_deref(),
            Some("drift>0 cluster")
        );
        assert_eq!(completed("cluster", &offers), None);
        assert_eq!(
            completed("!gro", &["group=".to_owned()]).as_deref(),
            Some("!group=")
        );
        assert_eq!(completed("x", &[]), None);
    }
}
