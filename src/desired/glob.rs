//! The globs of `spec.source.directory.include` and `exclude`, as Argo CD matches them: `*` crosses slashes, `{a,b}` chooses.

use regex::{Regex, RegexBuilder};

/// A compiled glob over a path relative to the application's path.
///
/// Argo CD uses gobwas/glob without separators, so `*`, `**` and `?` match slashes too, and `**/x` does not match a bare `x`.
#[derive(Clone, Debug)]
pub(super) struct PathGlob(Regex);

impl PathGlob {
    /// Compiles one.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        let expression = translate(pattern)?;
        RegexBuilder::new(&expression)
            .dot_matches_new_line(true)
            .size_limit(1 << 20)
            .build()
            .map(Self)
            .map_err(|_| "it is too large or has a bad character range".to_owned())
    }

    /// Whether the path is meant.
    pub(super) fn matches(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::from("^");
    let mut depth = 0_u32;
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '\\' => push_literal(&mut out, chars.next().ok_or("it ends in a backslash")?),
            '{' => {
                depth += 1;
                out.push_str("(?:");
            }
            '}' if depth > 0 => {
                depth -= 1;
                out.push(')');
            }
            ',' if depth > 0 => out.push('|'),
            '[' => push_class(&mut out, &mut chars)?,
            c => push_literal(&mut out, c),
        }
    }
    if depth > 0 {
        return Err("a `{` is not closed".to_owned());
    }
    out.push('$');
    Ok(out)
}

fn push_literal(out: &mut String, c: char) {
    out.push_str(&regex::escape(c.encode_utf8(&mut [0; 4])));
}

/// `[abc]`, `[a-z]` and `[!abc]`; everything inside but the range's dash is literal.
fn push_class(out: &mut String, chars: &mut std::str::Chars<'_>) -> Result<(), String> {
    out.push('[');
    let mut first = true;
    for c in chars.by_ref() {
        match c {
            ']' if !first => {
                out.push(']');
                return Ok(());
            }
            '!' | '^' if first && out.ends_with('[') => {
                out.push('^');
                continue;
            }
            '-' if !first => out.push('-'),
            c => push_literal(out, c),
        }
        first = false;
    }
    Err("a `[` is not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, path: &str) -> bool {
        PathGlob::new(pattern).unwrap().matches(path)
    }

    #[test]
    fn a_star_crosses_slashes_as_it_does_in_argo_cd() {
        assert!(matches("*.yaml", "edge/web.yaml"));
        assert!(matches("config*", "config/base/web.yaml"));
        assert!(matches("**/*.yaml", "edge/web.yaml"));
        assert!(!matches("**/*.yaml", "web.yaml"));
        assert!(!matches("*.yml", "web.yaml"));
    }

    #[test]
    fn braces_choose_and_may_hold_wildcards_and_slashes() {
        for path in ["config.yaml", "env-usw2/web.yaml"] {
            assert!(matches("{config.yaml,env-usw2/*}", path), "{path}");
        }
        assert!(!matches("{config.yaml,env-usw2/*}", "env-use2/web.yaml"));
        assert!(matches("{*.yml,*.yaml}", "a.yml"));
    }

    #[test]
    fn question_marks_classes_and_escapes() {
        assert!(matches("web-?.yaml", "web-1.yaml"));
        assert!(matches("web-[0-9].yaml", "web-1.yaml"));
        assert!(!matches("web-[!0-9].yaml", "web-1.yaml"));
        assert!(matches(r"a\*b", "a*b"));
        assert!(!matches(r"a\*b", "axb"));
        assert!(!matches("web.yaml", "webxyaml"), "a dot is a dot");
    }

    #[test]
    fn a_broken_glob_says_what_is_wrong() {
        assert!(PathGlob::new("{a,b").unwrap_err().contains('{'));
        assert!(PathGlob::new("[ab").unwrap_err().contains('['));
        assert!(PathGlob::new("a\\").unwrap_err().contains("backslash"));
        assert!(PathGlob::new("[z-a]").unwrap_err().contains("range"));
    }
}
