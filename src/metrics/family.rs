//! Splits exposition text into families, keeping only the lines of wanted names: most of a document is never parsed.

use indexmap::IndexMap;

use super::parse::Filter;

/// The sample lines of one family.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Family<'a> {
    /// Sample lines, in order, blanks at both ends cut off.
    pub(super) lines: Vec<&'a str>,
    /// Whether lines of it were left out because of the limit.
    pub(super) partial: bool,
}

/// What a split found.
#[derive(Debug, Default)]
pub(super) struct Split<'a> {
    /// Wanted families by name, in order of appearance.
    pub(super) families: IndexMap<&'a str, Family<'a>>,
    /// Sample lines of names that nobody asked for.
    pub(super) passed_over: usize,
    /// Wanted sample lines beyond the limit; left out.
    pub(super) over: usize,
}

/// Suffixes that samples of one family may have.
const SUFFIXES: [&str; 7] = [
    "_bucket", "_sum", "_count", "_total", "_created", "_gsum", "_gcount",
];

/// Splits a document. A family is what a `# TYPE` line announces with its suffixed samples; without one, every name is its own.
pub(super) fn split<'a>(text: &'a str, filter: &Filter) -> Split<'a> {
    let mut split = Split::default();
    let mut announced: &str = "";
    let mut kept = 0_usize;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            announced = announced_name(comment).unwrap_or(announced);
            continue;
        }
        let name = sample_name(line);
        if !filter.wants(name) {
            split.passed_over += 1;
        } else if kept >= filter.samples {
            split.over += 1;
            if let Some(family) = split.families.get_mut(family_of(name, announced)) {
                family.partial = true;
            }
        } else {
            kept += 1;
            let family = split
                .families
                .entry(family_of(name, announced))
                .or_default();
            family.lines.push(line);
        }
    }
    split
}

/// The name in `# TYPE name kind`.
fn announced_name(comment: &str) -> Option<&str> {
    let mut words = comment.split_whitespace();
    (words.next() == Some("TYPE")).then(|| words.next().unwrap_or_default().trim_matches('"'))
}

fn family_of<'a>(name: &'a str, announced: &'a str) -> &'a str {
    let belongs = !announced.is_empty()
        && name
            .strip_prefix(announced)
            .is_some_and(|rest| rest.is_empty() || SUFFIXES.contains(&rest));
    if belongs { announced } else { name }
}

/// The metric name that a sample line begins with; UTF-8 names stand in quotes inside the braces.
pub(super) fn sample_name(line: &str) -> &str {
    if let Some(inside) = line.strip_prefix('{') {
        let quoted = inside.trim_start().strip_prefix('"').unwrap_or_default();
        return quoted.split('"').next().unwrap_or_default();
    }
    let end = line
        .find(|c: char| c == '{' || c.is_whitespace())
        .unwrap_or(line.len());
    line.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, prefixes: &[&str]) -> Vec<(String, usize)> {
        let filter = Filter {
            prefixes: prefixes.iter().map(|p| (*p).to_owned()).collect(),
            ..Filter::default()
        };
        let families = split(text, &filter).families;
        families
            .iter()
            .map(|(name, family)| ((*name).to_owned(), family.lines.len()))
            .collect()
    }

    #[test]
    fn suffixed_samples_belong_to_the_announced_family() {
        let text = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n# TYPE c counter\nc_total 4\nc_other 1\n";
        assert_eq!(
            names(text, &[]),
            [("h".into(), 3), ("c".into(), 1), ("c_other".into(), 1)]
        );
    }

    #[test]
    fn unwanted_names_are_passed_over_and_counted() {
        let filter = Filter {
            prefixes: vec!["http_".into()],
            ..Filter::default()
        };
        let found = split("http_requests_total 1\ngo_gc 2\n\ngo_info 3\n", &filter);
        assert_eq!(found.families.len(), 1);
        assert_eq!(found.passed_over, 2);
    }

    #[test]
    fn families_that_come_in_pieces_are_put_together() {
        assert_eq!(
            names("a 1\nb 1\na{x=\"1\"} 2\n", &[]),
            [("a".into(), 2), ("b".into(), 1)]
        );
    }

    #[test]
    fn names_in_quotes_are_found() {
        assert_eq!(
            sample_name(r#"{"http.requests",code="200"} 5"#),
            "http.requests"
        );
        assert_eq!(sample_name("ns:rule:sum 5"), "ns:rule:sum");
        assert_eq!(sample_name("a\t5"), "a");
        assert_eq!(sample_name("{}"), "");
    }

    #[test]
    fn ten_million_series_stop_at_the_limit() {
        let text = "a{x=\"1\"} 1\n".repeat(1000);
        let filter = Filter {
            samples: 10,
            ..Filter::default()
        };
        let found = split(&text, &filter);
        assert_eq!((found.families["a"].lines.len(), found.over), (10, 990));
        assert!(found.families["a"].partial);
    }
}
