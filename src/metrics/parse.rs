//! Exposition text into samples, family by family, within limits.

use std::collections::HashSet;
use std::sync::Arc;

use openmetrics_parser::MetricNumber;
use openmetrics_parser::PrometheusValue;
use openmetrics_parser::prometheus::parse_prometheus;

use super::family::{sample_name, split};
use crate::domain::Safe;

/// What is wanted of a document, and what one may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Beginnings of wanted metric names; empty wants all.
    pub prefixes: Vec<String>,
    /// Bytes of a document; what is beyond the last whole line within is left out, and so is the family that stands there.
    pub bytes: usize,
    /// Samples of a document; a family that does not fit in whole is left out.
    pub samples: usize,
    /// Bytes of one line.
    pub line: usize,
    /// Labels of one sample.
    pub labels: usize,
    /// Bytes of one label value.
    pub label_value: usize,
}

impl Default for Filter {
    /// Everything, up to 16 MiB, 50,000 samples, 16 KiB a line, 64 labels, 2 KiB a value.
    fn default() -> Self {
        Self {
            prefixes: Vec::new(),
            bytes: 16 << 20,
            samples: 50_000,
            line: 16 << 10,
            labels: 64,
            label_value: 2 << 10,
        }
    }
}

impl Filter {
    /// Whether samples of this name are wanted.
    pub fn wants(&self, name: &str) -> bool {
        self.prefixes.is_empty() || self.prefixes.iter().any(|p| name.starts_with(p.as_str()))
    }
}

/// Labels of a sample, by name.
pub type Labels = Vec<(String, String)>;

/// One sample. Timestamps and exemplars are not kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its name, suffixes included; raw.
    pub name: Arc<str>,
    /// Its labels; raw.
    pub labels: Labels,
    /// Its value; may be NaN or infinite.
    pub value: f64,
}

impl Sample {
    /// The value of a label, empty when there is none.
    pub fn label(&self, name: &str) -> &str {
        let found = self.labels.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }
}

/// A family that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its name.
    pub family: Safe,
    /// Why, as the end of a sentence.
    pub reason: Safe,
}

/// What a document held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// Samples of wanted families, in order.
    pub samples: Vec<Sample>,
    /// Families that did not parse.
    pub dropped_families: Vec<Dropped>,
    /// Samples of names that nobody asked for.
    pub passed_over: usize,
    /// Wanted samples beyond a limit.
    pub over_limit: usize,
    /// Whether the document was longer than allowed.
    pub cut: bool,
}

/// Reads a document, in the text format of Prometheus (0.0.4, UTF-8 names too) or OpenMetrics.
///
/// A family of which one line does not parse is dropped as a whole: half a histogram would be a wrong figure. Of repeated series the first counts.
pub fn parse(text: &str, filter: &Filter) -> Parsed {
    let (text, cut) = within(text, filter.bytes);
    let mut split = split(text, filter);
    if cut && let Some((_, last)) = split.families.last_mut() {
        last.partial = true;
    }
    let mut parsed = Parsed {
        passed_over: split.passed_over,
        over_limit: split.over,
        cut,
        ..Parsed::default()
    };
    for (name, family) in split.families {
        let read = if family.partial {
            Err("it does not fit within the limits".to_owned())
        } else {
            read_family(&family.lines, filter)
        };
        match read {
            Ok(samples) => parsed.samples.extend(samples),
            Err(reason) => parsed.dropped_families.push(Dropped {
                family: name.chars().take(120).collect::<String>().into(),
                reason: reason.into(),
            }),
        }
    }
    parsed
}

/// The text up to the last whole line within the limit.
fn within(text: &str, bytes: usize) -> (&str, bool) {
    if text.len() <= bytes {
        return (text, false);
    }
    let head = text.as_bytes().get(..bytes).unwrap_or_default();
    let end = head.iter().rposition(|b| *b == b'\n').unwrap_or(0);
    (text.get(..end).unwrap_or_default(), true)
}

fn read_family(lines: &[&str], filter: &Filter) -> Result<Vec<Sample>, String> {
    if let Some(long) = lines.iter().find(|line| line.len() > filter.line) {
        return Err(format!("a line has {} bytes", long.len()));
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| bare(line))
        .collect::<Result<_, _>>()?;
    let samples = read_together(&lines).map_or_else(|| read_one_by_one(&lines), Ok)?;
    samples
        .iter()
        .try_for_each(|sample| check(sample, filter))?;
    Ok(once_each(samples))
}

/// The line with its value in one spelling and without timestamp and exemplar, so that the parser takes what Prometheus takes.
fn bare(line: &str) -> Result<String, String> {
    let (series, rest) = line.split_at(series_end(line));
    let word = rest.split_whitespace().next().unwrap_or_default();
    let value: f64 = word
        .parse()
        .map_err(|_| "a value is no number".to_owned())?;
    let value = if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        format!("{}Inf", if value > 0.0 { '+' } else { '-' })
    } else {
        // The shortest text that reads back as the same number.
        format!("{value:e}")
    };
    Ok(format!("{} {value}\n", series.trim_end()))
}

/// Where name and labels end: behind the closing brace that stands in no quotes, or at the first blank.
fn series_end(line: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    let mut inside = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => inside = true,
            '}' if !quoted => return at + 1,
            c if c.is_whitespace() && !inside && !continues(line, at) => return at,
            _ => {}
        }
    }
    line.len()
}

/// Whether labels follow the blanks at this place: `name {…}` is legal.
fn continues(line: &str, at: usize) -> bool {
    line.get(at..)
        .is_some_and(|rest| rest.trim_start().starts_with('{'))
}

/// All lines as documents of one untyped family for each sample name; `None` when that does not parse.
fn read_together(lines: &[String]) -> Option<Vec<Sample>> {
    let mut samples = Vec::with_capacity(lines.len());
    let mut rest = lines;
    while let Some(first) = rest.first() {
        let name = sample_name(first);
        let run = rest
            .iter()
            .take_while(|line| sample_name(line) == name)
            .count();
        let (same, after) = rest.split_at(run);
        samples.extend(read(&same.concat()).ok()?);
        rest = after;
    }
    Some(samples)
}

fn read_one_by_one(lines: &[String]) -> Result<Vec<Sample>, String> {
    let mut samples = Vec::with_capacity(lines.len());
    for line in lines {
        samples.extend(read(line)?);
    }
    Ok(samples)
}

fn read(document: &str) -> Result<Vec<Sample>, String> {
    // The parser's words quote the line; a label value has no place in a message.
    let exposition = parse_prometheus(document).map_err(|_| "a line does not parse".to_owned())?;
    let mut samples = Vec::new();
    for (name, family) in exposition.families {
        let name: Arc<str> = name.into();
        for sample in family.iter_samples() {
            let PrometheusValue::Unknown(number) = &sample.value else {
                return Err("a line is of another kind than its family".to_owned());
            };
            let labels = sample
                .get_labelset()
                .map_err(|_| "labels do not fit their names".to_owned())?;
            samples.push(Sample {
                name: name.clone(),
                labels: sorted(labels.iter()),
                value: float(*number),
            });
        }
    }
    Ok(samples)
}

fn sorted<'a>(labels: impl Iterator<Item = (&'a String, &'a String)>) -> Labels {
    let mut labels: Labels = labels
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    labels.sort();
    labels
}

fn float(number: MetricNumber) -> f64 {
    number.as_f64()
}

fn check(sample: &Sample, filter: &Filter) -> Result<(), String> {
    if sample.labels.len() > filter.labels {
        return Err(format!("a sample has {} labels", sample.labels.len()));
    }
    match sample
        .labels
        .iter()
        .find(|(_, value)| value.len() > filter.label_value)
    {
        Some((name, value)) => {
            let name: String = name.chars().take(60).collect();
            Err(format!("the label {name} has {} bytes", value.len()))
        }
        None => Ok(()),
    }
}

fn once_each(samples: Vec<Sample>) -> Vec<Sample> {
    let mut seen: HashSet<(Arc<str>, Labels)> = HashSet::new();
    samples
        .into_iter()
        .filter(|s| seen.insert((s.name.clone(), s.labels.clone())))
        .collect()
}

#[cfg(test)]
mod tests;
