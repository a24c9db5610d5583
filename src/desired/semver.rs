//! Ranges of versions as Argo CD reads them in `targetRevision`: which of the tags is the newest that fits. Pure.

use std::cmp::Ordering;

/// A version: numbers, and what follows a dash.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    numbers: [u64; 3],
    pre: String,
}

/// A version of a range, in which numbers may be left out or be `x`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partial {
    version: Version,
    /// How many numbers are given.
    given: usize,
}

/// From a lowest version on, below an end; either may be open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Bounds {
    from: Option<Version>,
    below: Option<Version>,
    /// A version that is left out, as with `!=`.
    not: Option<(Version, Version)>,
    /// Whether the range itself names a prerelease: only then do prereleases fit.
    pre: bool,
}

/// A range: any of these, each of which is all of those.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range(Vec<Vec<Bounds>>);

impl Range {
    /// Reads a range; `None` for a plain version and for what is no range.
    pub(super) fn read(text: &str) -> Option<Self> {
        if Version::read(text).is_some() {
            return None;
        }
        Self::lenient(text)
    }

    /// Reads a range as Helm reads a version: `1.2` is any patch of it, and a whole version is itself, with or without `v`.
    pub(super) fn lenient(text: &str) -> Option<Self> {
        let any: Option<Vec<Vec<Bounds>>> = text.split("||").map(all_of).collect();
        any.map(Self)
    }

    /// The newest of the names that fits; a name may begin with `v`, one that is no version fits never.
    pub(super) fn newest<'a>(&self, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
        let versions = names.filter_map(|name| Some((Version::read(name)?, name)));
        let fitting = versions.filter(|(version, _)| self.fits(version));
        fitting
            .max_by(|(a, _), (b, _)| a.cmp(b))
            .map(|(_, name)| name)
    }

    fn fits(&self, version: &Version) -> bool {
        self.0
            .iter()
            .any(|all| all.iter().all(|bounds| bounds.fit(version)))
    }
}

/// Whether the text names one version with all of its three numbers.
pub(super) fn is_whole_version(text: &str) -> bool {
    Version::read(text).is_some() && Partial::read(text).is_some_and(|p| p.given == 3)
}

/// One alternative: parts joined by commas or blanks, or `1.2 - 1.4`.
fn all_of(text: &str) -> Option<Vec<Bounds>> {
    if let Some((low, high)) = text.split_once(" - ") {
        return Some(vec![
            bounds(">=", &Partial::read(low.trim())?),
            bounds("<=", &Partial::read(high.trim())?),
        ]);
    }
    // A blank between a sign and its version joins them.
    let mut words: Vec<String> = Vec::new();
    for word in text
        .split([',', ' '])
        .map(str::trim)
        .filter(|w| !w.is_empty())
    {
        match words.last_mut() {
            Some(last) if last.chars().all(|c| "=!<>~^".contains(c)) => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    if words.is_empty() {
        return None;
    }
    words
        .iter()
        .map(|word| {
            let at = word
                .find(|c: char| !"=!<>~^".contains(c))
                .unwrap_or(word.len());
            let (sign, version) = word.split_at(at);
            let known = [
                "", "=", "!=", ">", "<", ">=", "=>", "<=", "=<", "~", "~>", "^",
            ];
            known
                .contains(&sign)
                .then(|| Partial::read(version))?
                .map(|partial| bounds(sign, &partial))
        })
        .collect()
}

fn bounds(sign: &str, partial: &Partial) -> Bounds {
    let low = partial.version.clone();
    let pre = !low.pre.is_empty();
    // The first version that the given numbers do not name any more.
    let next = |given: usize| match given {
        0 => None,
        given => Some(low.after(given)),
    };
    let full = partial.given == 3;
    let just_after = || {
        if full {
            Some(low.just_after())
        } else {
            next(partial.given)
        }
    };
    let (from, below, not) = match sign {
        ">" if partial.given == 0 => (Some(low.clone()), Some(low), None),
        ">" => (just_after(), None, None),
        ">=" | "=>" => (Some(low), None, None),
        "<" => (None, Some(low), None),
        "<=" | "=<" => (None, just_after(), None),
        "!=" => (
            None,
            None,
            just_after().or(Some(Version::last())).map(|end| (low, end)),
        ),
        "~" | "~>" => (Some(low.clone()), next(partial.given.min(2)), None),
        "^" => (Some(low.clone()), next(partial.caret()), None),
        _ => (Some(low.clone()), just_after(), None),
    };
    Bounds {
        from,
        below,
        not,
        pre,
    }
}

impl Bounds {
    fn fit(&self, version: &Version) -> bool {
        let excluded = |(from, end): &(Version, Version)| {
            version.cmp(from) != Ordering::Less && version.cmp(end) == Ordering::Less
        };
        (version.pre.is_empty() || self.pre)
            && self
                .from
                .as_ref()
                .is_none_or(|from| version.cmp(from) != Ordering::Less)
            && self
                .below
                .as_ref()
                .is_none_or(|end| version.cmp(end) == Ordering::Less)
            && !self.not.as_ref().is_some_and(excluded)
    }
}

impl Partial {
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let mut found = [0; 3];
        let mut given = 0;
        let mut open = false;
        for (place, part) in numbers.split('.').enumerate() {
            let slot = found.get_mut(place)?;
            if matches!(part, "x" | "X" | "*") {
                open = true;
            } else if !open {
                *slot = part.parse().ok()?;
                given += 1;
            }
        }
        let version = Version {
            numbers: found,
            pre: pre.to_owned(),
        };
        Some(Self { version, given })
    }

    /// How many numbers `^` holds fast: up to the first that is not zero.
    fn caret(&self) -> usize {
        let given = self.version.numbers.iter().take(self.given);
        let zeros = given.take_while(|n| **n == 0).count();
        (zeros + 1).min(self.given)
    }
}

impl Version {
    fn read(text: &str) -> Option<Self> {
        let partial = Partial::read(text)?;
        let wild = text.contains(['x', 'X', '*']) && !text.contains('-');
        (partial.given > 0 && !wild).then_some(partial.version)
    }

    /// The first version whose leading `given` numbers are larger.
    fn after(&self, given: usize) -> Self {
        let mut numbers = [0; 3];
        for (place, number) in self.numbers.iter().enumerate().take(given) {
            if let Some(slot) = numbers.get_mut(place) {
                *slot = if place + 1 == given {
                    number.saturating_add(1)
                } else {
                    *number
                };
            }
        }
        Self {
            numbers,
            pre: String::new(),
        }
    }

    /// The very next version: nothing lies between a prerelease and itself with a zero more.
    fn just_after(&self) -> Self {
        if self.pre.is_empty() {
            Self {
                pre: "0".to_owned(),
                ..self.after(3)
            }
        } else {
            Self {
                numbers: self.numbers,
                pre: format!("{}.0", self.pre),
            }
        }
    }

    fn last() -> Self {
        Self {
            numbers: [u64::MAX; 3],
            pre: String::new(),
        }
    }

    /// By numbers, then a release after its prereleases, these by their parts.
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers).then_with(|| {
            match (self.pre.is_empty(), other.pre.is_empty()) {
                (true, true) => Ordering::Equal,
                (true, false) => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) => by_parts(&self.pre, &other.pre),
            }
        })
    }
}

fn by_parts(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: [&str; 10] = [
        "v0.2.3",
        "v0.2.9",
        "v0.3.0",
        "1.0.0",
        "v1.2.0",
        "v1.2.10",
        "v1.3.0-rc.1",
        "v1.3.0",
        "v2.0.0-beta.2",
        "nightly",
    ];

    #[test]
    fn the_newest_tag_in_range_is_found() {
        for (range, expected) in [
            ("*", Some("v1.3.0")),
            ("1.x", Some("v1.3.0")),
            ("1.2.x", Some("v1.2.10")),
            ("~1.2.0", Some("v1.2.10")),
            ("~1", Some("v1.3.0")),
            ("^1.0", Some("v1.3.0")),
            ("^0.2.3", Some("v0.2.9")),
            (">=1.0.0 <1.3.0", Some("v1.2.10")),
            (">= 1.0.0, < 1.2.10", Some("v1.2.0")),
            (">1.2", Some("v1.3.0")),
            ("<=1.2", Some("v1.2.10")),
            ("1.0.0 - 1.2.0", Some("v1.2.0")),
            ("<0.3.0 || 1.0.x", Some("1.0.0")),
            ("!=1.3.0", Some("v1.2.10")),
            (">=2.0.0-0", Some("v2.0.0-beta.2")),
            (">=1.3.0-rc.0 <1.3.0-z", Some("v1.3.0-rc.1")),
            (">=2.0.0", None),
        ] {
            let found = Range::read(range).unwrap_or_else(|| panic!("{range} is a range"));
            assert_eq!(found.newest(TAGS.into_iter()), expected, "{range}");
        }
    }

    #[test]
    fn helm_reads_a_version_as_a_range() {
        let newest = |text: &str| Range::lenient(text).unwrap().newest(TAGS.into_iter());
        assert_eq!(newest("1.2"), Some("v1.2.10"));
        assert_eq!(newest("1.2.0"), Some("v1.2.0"));
        assert_eq!(newest("v1.0.0"), Some("1.0.0"));
        assert_eq!(newest("1.3.0-rc.1"), Some("v1.3.0-rc.1"));
        assert_eq!(newest("1.2.4"), None);
        assert_eq!(Range::lenient("latest"), None);
        for (text, whole) in [
            ("1.2.3", true),
            ("v1.2.3-rc.1", true),
            ("1.2", false),
            ("1.2.x", false),
            ("main", false),
        ] {
            assert_eq!(is_whole_version(text), whole, "{text}");
        }
    }

    #[test]
    fn branches_commits_and_versions_are_no_ranges() {
        for text in [
            "",
            "HEAD",
            "main",
            "v1.2.0",
            "1.2",
            "feature/x",
            "release-1.x",
            "refs/heads/main",
            "0123456789abcdef0123456789abcdef01234567",
        ] {
            assert_eq!(Range::read(text), None, "{text}");
        }
    }
}
