//! What bash's operators make of a value, as Flux's substitution understands them.

use super::SubstitutionError;
use crate::desired::flux::pattern::matches;

/// The value under an operator.
///
/// # Errors
/// A part that ends before it begins: Flux ends badly on it.
pub(super) fn apply(
    operator: &str,
    value: String,
    arguments: &[String],
) -> Result<String, SubstitutionError> {
    let first = arguments.first().map_or("", String::as_str);
    let second = arguments.get(1).map_or("", String::as_str);
    Ok(match operator {
        "," => first_letter(&value, |c| c.to_lowercase().collect()),
        ",," => value.to_lowercase(),
        "^" => first_letter(&value, |c| c.to_uppercase().collect()),
        "^^" => value.to_uppercase(),
        "#" => without_prefix(&value, shortest(&value, first)),
        "##" => without_prefix(&value, longest(&value, first)),
        "%" => reversed(&without_prefix_of_reversed(&value, first, shortest)),
        "%%" => reversed(&without_prefix_of_reversed(&value, first, longest)),
        ":" => part(&value, first, arguments.get(1).map(String::as_str))?,
        "/" => value.replacen(first, second, 1),
        "//" => value.replace(first, second),
        "/#" if arguments.len() == 2 && value.starts_with(first) => {
            value.replacen(first, second, 1)
        }
        "/%" if arguments.len() == 2 => match value.strip_suffix(first) {
            Some(before) => format!("{before}{second}"),
            None => value,
        },
        "=" | ":=" | ":-" | ":?" | ":+" if value.is_empty() => first.to_owned(),
        _ => value,
    })
}

fn first_letter(value: &str, change: impl Fn(char) -> String) -> String {
    let mut letters = value.chars();
    match letters.next() {
        Some(first) => change(first) + letters.as_str(),
        None => String::new(),
    }
}

/// From a position on, at most so many bytes. What is no number leaves the value as it is; a position before the beginning is the beginning.
fn part(value: &str, position: &str, length: Option<&str>) -> Result<String, SubstitutionError> {
    let Ok(position) = position.parse::<i64>() else {
        return Ok(value.to_owned());
    };
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let from = if position < 0 {
        position.saturating_add(size).max(0)
    } else {
        position
    };
    let to = match length.map(str::parse::<i64>) {
        None => size,
        Some(Ok(length)) => from.saturating_add(length).min(size),
        Some(Err(_)) => return Ok(value.to_owned()),
    };
    if from >= size {
        return Ok(String::new());
    }
    let (from, to) = (usize::try_from(from), usize::try_from(to));
    let bytes = match (from, to) {
        (Ok(from), Ok(to)) => value.as_bytes().get(from..to),
        _ => None,
    };
    let bytes = bytes.ok_or(SubstitutionError::BadOperator)?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The beginnings of a value, longest first; never the empty one.
fn beginnings(value: &str) -> impl Iterator<Item = &str> {
    let ends = value.char_indices().map(|(at, c)| at + c.len_utf8());
    let ends: Vec<usize> = ends.collect();
    ends.into_iter().rev().filter_map(|end| value.get(..end))
}

fn shortest(value: &str, pattern: &str) -> usize {
    let fitting = beginnings(value).filter(|start| matches(pattern, start));
    fitting.last().map_or(0, str::len)
}

fn longest(value: &str, pattern: &str) -> usize {
    let mut fitting = beginnings(value).filter(|start| matches(pattern, start));
    fitting.next().map_or(0, str::len)
}

fn without_prefix(value: &str, length: usize) -> String {
    value.get(length..).unwrap_or_default().to_owned()
}

/// Endings are the beginnings of the value written backwards, under the pattern written backwards.
fn without_prefix_of_reversed(
    value: &str,
    pattern: &str,
    length: impl Fn(&str, &str) -> usize,
) -> String {
    let backwards = reversed(value);
    let length = length(&backwards, &reversed(pattern));
    without_prefix(&backwards, length)
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}
