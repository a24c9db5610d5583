//! Flux's variable substitution in a text: `${name}` and bash's operators on it. Pure.
//!
//! Source of the rules: fluxcd/pkg `envsubst` (a descendant of drone/envsubst). It differs from bash: `:+`, `:?` and `:-` all mean a default,
//! lengths and positions count bytes, a `*` matches slashes too, and a `$` before anything but a brace is a dollar.

mod operator;

use operator::apply;

/// What the text is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SubstitutionError {
    /// `${` without a name.
    #[error("a `${{` is followed by no name")]
    NoName,
    /// `${name` without its end, or with an operator that there is none of.
    #[error("a `${{` is not closed, or names an operator that Flux does not know")]
    NotClosed,
    /// An operator's arguments do not read.
    #[error("an operator in `${{…}}` does not read")]
    BadOperator,
    /// Too many of them inside each other.
    #[error("substitutions stand too deep inside each other")]
    TooDeep,
}

/// Substitutions inside each other that are followed.
const DEPTH: usize = 32;

/// The text with its variables replaced. `value` is asked for each name; a name that is not known is empty.
///
/// # Errors
/// The text is none that Flux could evaluate.
pub(super) fn evaluate(
    text: &str,
    value: &dyn Fn(&str) -> String,
) -> Result<String, SubstitutionError> {
    marked(text, value, &|_| false)
}

/// A character that no manifest holds: one of those that Unicode leaves to everybody's own use.
pub(super) const MARK: char = '\u{e000}';

/// The same, with a [`MARK`] before, between and after the characters of whatever a variable with a secret value has touched: however the
/// text is taken apart afterwards, every part that came from a secret holds one.
///
/// # Errors
/// As [`evaluate`].
pub(super) fn marked(
    text: &str,
    value: &dyn Fn(&str) -> String,
    is_secret: &dyn Fn(&str) -> bool,
) -> Result<String, SubstitutionError> {
    let mut scan = Scan {
        rest: text,
        value,
        is_secret,
        touched: false,
        depth: 0,
    };
    let mut out = String::with_capacity(text.len());
    while !scan.rest.is_empty() {
        if scan.eat("$$") {
            out.push('$');
        } else if scan.eat("${") {
            scan.touched = false;
            let value = scan.expression()?;
            if scan.touched {
                out.push(MARK);
                out.extend(value.chars().flat_map(|c| [c, MARK]));
            } else {
                out.push_str(&value);
            }
        } else {
            scan.next_into(&mut out);
        }
    }
    Ok(out)
}

/// In a pattern and in what replaces it, the first of such a pair falls out and the second loses its meaning.
const PAIRS: [&str; 3] = ["$$", "\\/", "\\\\"];

/// What is left to read.
struct Scan<'t> {
    rest: &'t str,
    value: &'t dyn Fn(&str) -> String,
    is_secret: &'t dyn Fn(&str) -> bool,
    /// Whether a secret was asked for.
    touched: bool,
    depth: usize,
}

impl<'t> Scan<'t> {
    fn eat(&mut self, start: &str) -> bool {
        let after = self.rest.strip_prefix(start);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn next_into(&mut self, out: &mut String) {
        let mut chars = self.rest.chars();
        out.extend(chars.next());
        self.rest = chars.as_str();
    }

    /// What stands at the beginning as far as `is_meant` goes.
    fn while_(&mut self, is_meant: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !is_meant(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    fn name(&mut self) -> Result<&'t str, SubstitutionError> {
        let name = self.while_(|c| c.is_alphabetic() || c.is_numeric() || c == '_');
        if name.is_empty() {
            return Err(SubstitutionError::NoName);
        }
        Ok(name)
    }

    fn value_of(&mut self, name: &str) -> String {
        self.touched |= (self.is_secret)(name);
        (self.value)(name)
    }

    fn close(&mut self, why: SubstitutionError) -> Result<(), SubstitutionError> {
        if self.eat("}") { Ok(()) } else { Err(why) }
    }

    /// What follows `${`, its end included.
    fn expression(&mut self) -> Result<String, SubstitutionError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(SubstitutionError::TooDeep);
        }
        let done = if self.rest.starts_with('#') {
            self.length()
        } else {
            self.named()
        };
        self.depth -= 1;
        done
    }

    /// `#name}`
    fn length(&mut self) -> Result<String, SubstitutionError> {
        self.eat("#");
        let name = self.name().map_err(|_| SubstitutionError::BadOperator)?;
        self.close(SubstitutionError::BadOperator)?;
        Ok(self.value_of(name).len().to_string())
    }

    fn named(&mut self) -> Result<String, SubstitutionError> {
        let name = self.name()?;
        let value = self.value_of(name);
        let (operator, arguments) = match self.rest.chars().next() {
            Some(':') if self.is_default() => self.default()?,
            Some(':') => self.part()?,
            Some('=') => self.default()?,
            Some(',' | '^') => (self.at_most_two(&[',', '^']), Vec::new()),
            Some('/') => self.replacement()?,
            Some('#') => self.removal('#')?,
            Some('%') => self.removal('%')?,
            _ => {
                self.close(SubstitutionError::NotClosed)?;
                return Ok(value);
            }
        };
        self.close(SubstitutionError::BadOperator)?;
        apply(operator, value, &arguments)
    }

    fn is_default(&self) -> bool {
        self.rest
            .get(1..)
            .is_some_and(|rest| rest.starts_with(['=', '-', '?', '+']))
    }

    fn at_most_two(&mut self, among: &[char]) -> &'t str {
        let mut end = 0;
        for c in self.rest.chars().take(2) {
            if !among.contains(&c) {
                break;
            }
            end += c.len_utf8();
        }
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// `=word` or `:-word`: everything up to the end, substitutions inside it replaced.
    fn default(&mut self) -> Result<(&'t str, Vec<String>), SubstitutionError> {
        let length = if self.rest.starts_with('=') { 1 } else { 2 };
        let (operator, rest) = self.rest.split_at(length);
        self.rest = rest;
        let mut word = String::new();
        while !self.rest.starts_with('}') {
            word.push_str(&self.argument(|c| c != '}', false)?);
        }
        Ok((operator, vec![word]))
    }

    /// `:position` or `:position:length`
    fn part(&mut self) -> Result<(&'t str, Vec<String>), SubstitutionError> {
        self.eat(":");
        let mut arguments = vec![self.argument(|c| c != ':' && c != '}', false)?];
        if !self.while_(|c| c == ':').is_empty() {
            arguments.push(self.argument(|c| c != '}', false)?);
        }
        Ok((":", arguments))
    }

    /// `#pattern`, `##pattern`, `%pattern`, `%%pattern`
    fn removal(&mut self, sign: char) -> Result<(&'t str, Vec<String>), SubstitutionError> {
        let operator = self.at_most_two(&[sign]);
        Ok((operator, vec![self.argument(|c| c != '}', false)?]))
    }

    /// `/old/new`, `//old/new`, `/#old/new`, `/%old/new`; without a new one the old is taken out.
    fn replacement(&mut self) -> Result<(&'t str, Vec<String>), SubstitutionError> {
        let second = self
            .rest
            .get(1..)
            .is_some_and(|rest| rest.starts_with(['/', '#', '%']));
        let (operator, rest) = self.rest.split_at(if second { 2 } else { 1 });
        self.rest = rest;
        let mut arguments = vec![self.argument(|c| c != '/', true)?];
        if self.while_(|c| c == '/').is_empty() {
            return Err(SubstitutionError::BadOperator);
        }
        if !self.rest.starts_with('}') {
            arguments.push(self.argument(|c| c != '}', true)?);
        }
        Ok((operator, arguments))
    }

    /// One argument: a substitution, or text up to what ends it or up to a substitution. It is never empty.
    fn argument(
        &mut self,
        is_meant: impl Fn(char) -> bool,
        escapes: bool,
    ) -> Result<String, SubstitutionError> {
        if self.eat("${") {
            return self.expression();
        }
        let mut word = String::new();
        while let Some(next) = self.rest.chars().next() {
            if self.rest.starts_with("${") {
                break;
            }
            if escapes && PAIRS.iter().any(|pair| self.rest.starts_with(pair)) {
                self.rest = self.rest.get(1..).unwrap_or_default();
            } else if !is_meant(next) {
                break;
            }
            self.next_into(&mut word);
        }
        if word.is_empty() {
            return Err(SubstitutionError::BadOperator);
        }
        Ok(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<String, SubstitutionError> {
        evaluate(text, &|name| {
            match name {
                "site" => "edge-oslo-003",
                "file" => "/srv/edge/web.tar.gz",
                "n" => "3",
                "_x1" => "low",
                "umlaut" => "Ærø",
                _ => "",
            }
            .to_owned()
        })
    }

    #[test]
    fn names_defaults_and_nested_defaults_are_replaced() {
        for (text, expected) in [
            ("plain", "plain"),
            ("${site}/${n}", "edge-oslo-003/3"),
            ("${_x1}${unknown}.", "low."),
            ("${site:-other}", "edge-oslo-003"),
            ("${unknown:-other}", "other"),
            ("${unknown:=other}", "other"),
            ("${unknown=other}", "other"),
            ("${unknown:-}", ""),
            ("${unknown:=https://a.b:1/c}", "https://a.b:1/c"),
            ("${unknown:-${site}-x}", "edge-oslo-003-x"),
            ("${unknown:-a${none:-b}c}", "abc"),
            // Not as in bash: both are defaults.
            ("${site:+set}", "edge-oslo-003"),
            ("${unknown:?needed}", "needed"),
        ] {
            assert_eq!(with(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn a_dollar_is_a_dollar_unless_a_brace_follows() {
        for (text, expected) in [
            ("$site costs 5$", "$site costs 5$"),
            ("$${site}", "${site}"),
            ("$$${site}", "$edge-oslo-003"),
            ("$$$${site}", "$${site}"),
            ("$$(date)", "$(date)"),
            ("$", "$"),
        ] {
            assert_eq!(with(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn parts_are_cut_out_by_position_and_length() {
        for (text, expected) in [
            ("${site:5}", "oslo-003"),
            ("${site:5:4}", "oslo"),
            ("${site:5:99}", "oslo-003"),
            ("${site:99}", ""),
            // What is no number leaves the value alone; so does bash's blank before a minus.
            ("${site:x}", "edge-oslo-003"),
            ("${site: -3}", "edge-oslo-003"),
            ("${site:0:x}", "edge-oslo-003"),
            ("${#site}", "13"),
            // Bytes, not letters.
            ("${#umlaut}", "5"),
        ] {
            assert_eq!(with(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn case_patterns_and_replacements_work_as_in_flux() {
        for (text, expected) in [
            ("${site^}", "Edge-oslo-003"),
            ("${site^^}", "EDGE-OSLO-003"),
            ("${umlaut,,}", "ærø"),
            ("${umlaut,}", "ærø"),
            ("${site#edge-}", "oslo-003"),
            ("${site#*-}", "oslo-003"),
            ("${site##*-}", "003"),
            ("${file##*/}", "web.tar.gz"),
            ("${file%.*}", "/srv/edge/web.tar"),
            ("${file%%.*}", "/srv/edge/web"),
            ("${site#nothing}", "edge-oslo-003"),
            ("${site#[de]*-}", "oslo-003"),
            ("${site/-/_}", "edge_oslo-003"),
            ("${site//-/_}", "edge_oslo_003"),
            ("${site//-/}", "edgeoslo003"),
            ("${site/#edge/hub}", "hub-oslo-003"),
            ("${site/%003/004}", "edge-oslo-004"),
            ("${site/%edge/hub}", "edge-oslo-003"),
            ("${file//\\//-}", "-srv-edge-web.tar.gz"),
        ] {
            assert_eq!(with(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn whatever_a_secret_touches_is_marked_and_nothing_else() {
        let value = |name: &str| if name == "pin" { "ab" } else { "" }.to_owned();
        let plain = |text: &str| marked(text, &value, &|name| name == "pin").unwrap();
        for (text, expected) in [
            ("x${pin}y", "x.a.b.y"),
            ("${#pin}", ".2."),
            ("${site:-${pin}}", ".a.b."),
            ("${pin:5}", "."),
            ("${site:-none} $${pin}", "none ${pin}"),
        ] {
            assert_eq!(plain(text), expected.replace('.', "\u{e000}"), "{text}");
        }
    }

    #[test]
    fn what_flux_refuses_is_refused() {
        for (text, why) in [
            ("${}", SubstitutionError::NoName),
            ("${site", SubstitutionError::NotClosed),
            ("${site-x}", SubstitutionError::NotClosed),
            ("${site!}", SubstitutionError::NotClosed),
            ("a ${-}", SubstitutionError::NoName),
            ("${site:}", SubstitutionError::BadOperator),
            ("${site:1:}", SubstitutionError::BadOperator),
            ("${site#}", SubstitutionError::BadOperator),
            ("${site:4:-9}", SubstitutionError::BadOperator),
            ("${#}", SubstitutionError::BadOperator),
            ("${unknown:-a", SubstitutionError::BadOperator),
        ] {
            assert_eq!(with(text), Err(why), "{text}");
        }
        let deep = "${a:-".repeat(40);
        assert_eq!(with(&deep), Err(SubstitutionError::TooDeep));
    }
}
