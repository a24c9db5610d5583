//! The filter language of `/` and `--where`: `drift>0 and region=eu and age>1h`, bare text, negation.
//!
//! A query is a list of terms that must all hold. A term is `field op value` with one of `= != > >= < <= ~` (`~` is "contains"), or bare text,
//! which any shown text of the row may contain. `not`, `!` or `-` before a term negates it; `and` between terms may be left out.
//! Durations are written `90s`, `30m`, `2h`, `7d`. Text is compared without regard to case; `=` takes `*` and `?` as wildcards.

use globset::GlobBuilder;

/// The value of one field of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldValue {
    /// Words.
    Text(String),
    /// A count or figure.
    Number(f64),
    /// An age in seconds.
    Seconds(f64),
    /// Several words, any of which may match.
    Any(Vec<String>),
}

/// A row that can be asked for its fields.
pub trait Queryable {
    /// Field names this kind of row has, for error messages and completion.
    const FIELDS: &'static [&'static str];
    /// A field's value; `None` where this row has none, which matches nothing but `!=`.
    fn field(&self, name: &str) -> Option<FieldValue>;
    /// Everything that bare text may match.
    fn text(&self) -> String;
}

/// A parsed query. The empty query matches every row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Text(String),
    Field { name: String, op: Op, value: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Contains,
}

impl Query {
    /// Parses a query against the fields of one kind of row.
    ///
    /// # Errors
    /// One sentence that names the term, what is wrong with it and the nearest right field.
    pub fn parse<R: Queryable>(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        let mut negated = false;
        for word in words(text)? {
            match word.as_str() {
                "and" | "AND" | "&&" => {}
                "not" | "NOT" => negated = !negated,
                word => {
                    let term = term(word, negated)?;
                    check_field::<R>(&term)?;
                    terms.push(term);
                    negated = false;
                }
            }
        }
        if negated {
            return Err("The query ends in `not`; say what must not hold.".to_owned());
        }
        Ok(Self { terms })
    }

    /// Whether every term holds for the row.
    pub fn matches<R: Queryable>(&self, row: &R) -> bool {
        self.terms
            .iter()
            .all(|term| term.test.holds(row) != term.negated)
    }

    /// Whether it is the empty query.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }
}

/// Splits at white space; double quotes keep it.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if quoted {
        return Err(format!(
            "The query `{text}` has an opening quote without a closing one."
        ));
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

fn term(word: &str, mut negated: bool) -> Result<Term, String> {
    let mut body = word;
    while let Some(rest) = body.strip_prefix('!').or_else(|| body.strip_prefix('-')) {
        if rest.is_empty() {
            return Err(format!(
                "`{word}` negates nothing; write the term right behind it."
            ));
        }
        negated = !negated;
        body = rest;
    }
    Ok(Term {
        negated,
        test: test(body)?,
    })
}

fn test(body: &str) -> Result<Test, String> {
    let ops = [
        (">=", Op::Ge),
        ("<=", Op::Le),
        ("!=", Op::Ne),
        ("=", Op::Eq),
        (">", Op::Gt),
        ("<", Op::Lt),
        ("~", Op::Contains),
    ];
    let found = ops
        .iter()
        .filter_map(|(sign, op)| body.find(sign).map(|at| (at, *sign, *op)))
        .min_by_key(|(at, sign, _)| (*at, usize::MAX - sign.len()));
    let Some((at, sign, op)) = found else {
        return Ok(Test::Text(body.to_lowercase()));
    };
    let (name, rest) = body.split_at(at);
    let value = rest.strip_prefix(sign).unwrap_or_default();
    if name.is_empty() || value.is_empty() {
        return Err(format!(
            "`{body}` is not a term; write it as field{sign}value."
        ));
    }
    Ok(Test::Field {
        name: name.to_lowercase(),
        op,
        value: value.to_lowercase(),
    })
}

fn check_field<R: Queryable>(term: &Term) -> Result<(), String> {
    let Test::Field { name, op, value } = &term.test else {
        return Ok(());
    };
    if !R::FIELDS.contains(&name.as_str()) {
        let nearest = R::FIELDS
            .iter()
            .min_by_key(|f| strsim::damerau_levenshtein(f, name))
            .unwrap_or(&"");
        return Err(format!(
            "There is no field `{name}` here; did you mean `{nearest}`? Fields: {}.",
            R::FIELDS.join(", ")
        ));
    }
    if matches!(op, Op::Gt | Op::Ge | Op::Lt | Op::Le) && number(value).is_none() {
        return Err(format!(
            "`{value}` is neither a number nor a duration such as 30m; `{name}` cannot be compared with it."
        ));
    }
    if *op == Op::Eq && GlobBuilder::new(value).build().is_err() {
        return Err(format!(
            "`{value}` is not a pattern; use * and ? as wildcards."
        ));
    }
    Ok(())
}

impl Test {
    fn holds<R: Queryable>(&self, row: &R) -> bool {
        match self {
            Self::Text(text) => row.text().to_lowercase().contains(text),
            Self::Field { name, op, value } => match (row.field(name), op) {
                (None, op) => *op == Op::Ne,
                (Some(FieldValue::Any(list)), Op::Ne) => {
                    !list.iter().any(|t| text_holds(t, Op::Eq, value))
                }
                (Some(FieldValue::Any(list)), op) => list.iter().any(|t| text_holds(t, *op, value)),
                (Some(FieldValue::Text(text)), op) => text_holds(&text, *op, value),
                (Some(FieldValue::Number(n) | FieldValue::Seconds(n)), op) => {
                    number_holds(n, *op, value)
                }
            },
        }
    }
}

fn text_holds(text: &str, op: Op, value: &str) -> bool {
    let text = text.to_lowercase();
    let equal = || {
        GlobBuilder::new(value)
            .build()
            .is_ok_and(|g| g.compile_matcher().is_match(&text))
    };
    match op {
        Op::Eq => equal(),
        Op::Ne => !equal(),
        Op::Contains => text.contains(value),
        Op::Gt | Op::Ge | Op::Lt | Op::Le => false,
    }
}

fn number_holds(n: f64, op: Op, value: &str) -> bool {
    let Some(v) = number(value) else {
        return op == Op::Ne;
    };
    match op {
        Op::Eq => (n - v).abs() < f64::EPSILON,
        Op::Ne => (n - v).abs() >= f64::EPSILON,
        Op::Gt => n > v,
        Op::Ge => n >= v,
        Op::Lt => n < v,
        Op::Le => n <= v,
        Op::Contains => false,
    }
}

/// A plain number, a percentage, or a duration in seconds.
fn number(text: &str) -> Option<f64> {
    let (digits, factor) = match text.as_bytes().last()? {
        b's' => (&text[..text.len() - 1], 1.0),
        b'm' => (&text[..text.len() - 1], 60.0),
        b'h' => (&text[..text.len() - 1], 3_600.0),
        b'd' => (&text[..text.len() - 1], 86_400.0),
        b'%' => (&text[..text.len() - 1], 1.0),
        _ => (text, 1.0),
    };
    digits
        .parse::<f64>()
        .ok()
        .filter(|n| n.is_finite())
        .map(|n| n * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Row {
        name: &'static str,
        drift: f64,
        age: f64,
        region: Option<&'static str>,
    }

    impl Queryable for Row {
        const FIELDS: &'static [&'static str] = &["name", "drift", "age", "region", "managers"];
        fn field(&self, name: &str) -> Option<FieldValue> {
            match name {
                "name" => Some(FieldValue::Text(self.name.into())),
                "drift" => Some(FieldValue::Number(self.drift)),
                "age" => Some(FieldValue::Seconds(self.age)),
                "region" => self.region.map(|r| FieldValue::Text(r.into())),
                "managers" => Some(FieldValue::Any(vec![
                    "kubectl-edit".into(),
                    "argocd-controller".into(),
                ])),
                _ => None,
            }
        }
        fn text(&self) -> String {
            self.name.into()
        }
    }

    const OSLO: Row = Row {
        name: "edge-oslo-001",
        drift: 4.0,
        age: 5_400.0,
        region: Some("eu"),
    };

    fn holds(query: &str) -> bool {
        Query::parse::<Row>(query).unwrap().matches(&OSLO)
    }

    #[test]
    fn an_empty_query_matches_everything() {
        assert!(holds(""));
        assert!(Query::parse::<Row>("  ").unwrap().is_empty());
    }

    #[test]
    fn numbers_and_durations_compare() {
        assert!(holds("drift>0 and age>1h"));
        assert!(holds("drift>=4 drift<=4 drift=4"));
        assert!(!holds("age<1h"));
        assert!(holds("age>89m age<2h"));
    }

    #[test]
    fn text_matches_with_wildcards_and_whatever_the_case() {
        assert!(holds("region=EU name=edge-oslo-*"));
        assert!(!holds("name=oslo"));
        assert!(holds("name~oslo"));
        assert!(holds("OSLO"));
    }

    #[test]
    fn terms_are_negated_by_not_bang_and_minus() {
        assert!(!holds("not oslo"));
        assert!(holds("!paris -berlin not name~paris"));
        assert!(holds("region!=us"));
    }

    #[test]
    fn a_missing_field_matches_only_unequal() {
        let row = Row {
            region: None,
            ..OSLO
        };
        assert!(!Query::parse::<Row>("region=eu").unwrap().matches(&row));
        assert!(Query::parse::<Row>("region!=eu").unwrap().matches(&row));
    }

    #[test]
    fn any_of_several_words_matches() {
        assert!(holds("managers=kubectl-*"));
        assert!(!holds("managers!=kubectl-edit"));
        assert!(!holds("managers=k9s"));
    }

    #[test]
    fn an_unknown_field_is_named_with_the_nearest_one() {
        let error = Query::parse::<Row>("drfit>0").unwrap_err();
        assert!(
            error.contains("`drfit`") && error.contains("`drift`"),
            "{error}"
        );
    }

    #[test]
    fn broken_terms_are_named() {
        assert!(
            Query::parse::<Row>("drift>many")
                .unwrap_err()
                .contains("many")
        );
        assert!(
            Query::parse::<Row>("drift>")
                .unwrap_err()
                .contains("drift>")
        );
        assert!(Query::parse::<Row>("oslo not").unwrap_err().contains("not"));
        assert!(Query::parse::<Row>("\"oslo").unwrap_err().contains("quote"));
    }
}
