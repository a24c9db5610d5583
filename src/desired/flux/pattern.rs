//! Patterns as a shell writes them, over one piece of text: `*` matches everything in it, slashes too.

/// Whether a pattern means the whole text. A pattern that does not read means nothing.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where the last star stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, from));
            at += 1;
        } else if let Some(next) = one(&pattern, at, text.get(from).copied()) {
            at = next;
            from += 1;
        } else if let Some((place, taken)) = star {
            at = place + 1;
            from = taken + 1;
            star = Some((place, from));
        } else {
            return false;
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// Where the pattern goes on when its part at `at` means this letter.
fn one(pattern: &[char], at: usize, letter: Option<char>) -> Option<usize> {
    let letter = letter?;
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => class(pattern, at + 1, letter),
        '\\' => (pattern.get(at + 1) == Some(&letter)).then_some(at + 2),
        own => (*own == letter).then_some(at + 1),
    }
}

/// A class of letters, its beginning already read.
fn class(pattern: &[char], start: usize, letter: char) -> Option<usize> {
    let negated = pattern.get(start) == Some(&'^');
    let mut at = start + usize::from(negated);
    let first = at;
    let mut found = false;
    while at == first || pattern.get(at) != Some(&']') {
        let (low, next) = member(pattern, at)?;
        let (high, next) = match pattern.get(next) {
            Some('-') => member(pattern, next + 1)?,
            _ => (low, next),
        };
        found |= low <= letter && letter <= high;
        at = next;
    }
    (found != negated).then_some(at + 1)
}

fn member(pattern: &[char], at: usize) -> Option<(char, usize)> {
    match pattern.get(at)? {
        '\\' => Some((*pattern.get(at + 1)?, at + 2)),
        letter => Some((*letter, at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_marks_and_classes_mean_what_they_mean_in_a_shell() {
        for (pattern, text, expected) in [
            ("*", "a/b", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbb", false),
            ("*a*b*", "xxaxxbxx", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[a", "a", false),
            ("\\*", "*", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_end_soon() {
        // Tried one way after the other this would outlast everybody.
        assert!(!matches(&"*a".repeat(40), &"a".repeat(39)));
    }
}
