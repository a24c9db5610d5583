//! Addresses of pages about what is selected, made from templates that a person wrote.

use super::Safe;

/// What a template can name.
const PLACEHOLDERS: [&str; 9] = [
    "cluster",
    "group",
    "hub",
    "app",
    "app-namespace",
    "namespace",
    "kind",
    "name",
    "revision",
];

/// An address with places to fill in: `https://grafana.example/d/edge?var-cluster={cluster}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkTemplate {
    name: Safe,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(&'static str),
}

impl LinkTemplate {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn new(name: &str, url: &str) -> Result<Self, String> {
        if name.is_empty() {
            return Err("it needs a `name`".to_owned());
        }
        if !is_web(url) {
            return Err("its `url` must begin with https://".to_owned());
        }
        let mut parts = Vec::new();
        let mut rest = url;
        while let Some((text, behind)) = rest.split_once('{') {
            let Some((word, after)) = behind.split_once('}') else {
                return Err(format!(
                    "its `url` opens a brace at `{{{behind}` and does not close it"
                ));
            };
            parts.push(Part::Text(text.to_owned()));
            parts.push(Part::Value(placeholder(word)?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Self {
            name: name.into(),
            parts,
        })
    }

    /// What it leads to.
    pub fn name(&self) -> &Safe {
        &self.name
    }

    /// The address; `None` when a value that it names is not there.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> Option<Safe> {
        let mut url = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => url.push_str(text),
                Part::Value(name) => {
                    let text = value(name).filter(|text| !text.is_empty())?;
                    url.push_str(&encoded(text));
                }
            }
        }
        Some(url.into())
    }
}

fn placeholder(word: &str) -> Result<&'static str, String> {
    let known = PLACEHOLDERS.into_iter().find(|known| *known == word);
    known.ok_or_else(|| {
        let all = PLACEHOLDERS.map(|p| format!("{{{p}}}")).join(", ");
        format!("`{{{word}}}` in its `url` means nothing; there are {all}")
    })
}

/// Whether a text is the address of a page, and nothing that a terminal or a shell would act on.
pub fn is_web(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.bytes().all(|b| b.is_ascii_graphic())
}

/// A value as it stands in any part of a URL (RFC 3986, unreserved characters alone).
pub fn encoded(text: &str) -> String {
    let mut url = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            _ => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_as_parts_of_a_url() {
        let link =
            LinkTemplate::new("Grafana", "https://g.example/d/e?c={cluster}&a={app}#x").unwrap();
        let value = |name: &str| match name {
            "cluster" => Some("edge oslo&003"),
            "app" => Some("edge-config"),
            _ => None,
        };
        assert_eq!(
            link.fill(value).unwrap().as_str(),
            "https://g.example/d/e?c=edge%20oslo%26003&a=edge-config#x"
        );
        assert_eq!(link.fill(|_| None), None);
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused_with_the_reason() {
        let why = |name: &str, url: &str| LinkTemplate::new(name, url).unwrap_err();
        assert!(why("", "https://g.example").contains("`name`"));
        assert!(why("G", "file:///etc/passwd").contains("https://"));
        assert!(why("G", "https://g.example/\u{1b}[2J").contains("https://"));
        assert!(why("G", "https://g.example/{clutser}").contains("{cluster}"));
        assert!(why("G", "https://g.example/{cluster").contains("does not close"));
    }
}
