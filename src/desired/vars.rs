//! Argo CD's build environment: the variables that settings may use, put in as Go's `os.Expand` does.

use crate::domain::Source;

use super::ask::Purpose;
use super::key::KeyMaker;

/// Names and values, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Vars(Vec<(&'static str, String)>);

impl Vars {
    /// The variables of an application's source at a revision.
    pub(super) fn of(purpose: &Purpose, source: &Source, revision: &str) -> Self {
        let short = |length: usize| revision.chars().take(length).collect::<String>();
        let versions: Vec<&str> = purpose.api_versions().map(|v| &**v).collect();
        Self(vec![
            ("ARGOCD_APP_NAME", purpose.app.to_string()),
            ("ARGOCD_APP_NAMESPACE", purpose.namespace.to_string()),
            ("ARGOCD_APP_PROJECT_NAME", purpose.project.to_string()),
            ("ARGOCD_APP_REVISION", revision.to_owned()),
            ("ARGOCD_APP_REVISION_SHORT", short(7)),
            ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
            ("ARGOCD_APP_SOURCE_REPO_URL", source.repo_url.to_string()),
            ("ARGOCD_APP_SOURCE_PATH", source.path.to_string()),
            (
                "ARGOCD_APP_SOURCE_TARGET_REVISION",
                source.target_revision.to_string(),
            ),
            ("KUBE_VERSION", purpose.kube_version().to_string()),
            ("KUBE_API_VERSIONS", versions.join(",")),
        ])
    }

    /// Adds them to a key.
    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        self.0
            .iter()
            .fold(key, |key, (name, value)| key.text(name).text(value))
    }

    /// The text with `$NAME` and `${NAME}` replaced; an unknown name reads as empty, `$$` is a dollar.
    pub(super) fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let (name, tail) = name_of(after);
            match name {
                Some("$") => out.push('$'),
                Some(name) => {
                    let value = self.0.iter().find(|(known, _)| *known == name);
                    out.push_str(value.map_or("", |(_, value)| value));
                }
                // Braces that are no name are eaten; a dollar before anything else is a dollar.
                None if after.starts_with('{') => {}
                None => out.push('$'),
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }
}

/// The name that follows a dollar, if one does, and what comes after it.
fn name_of(text: &str) -> (Option<&str>, &str) {
    if let Some(inner) = text.strip_prefix('{') {
        // Without an end, or empty: the braces are eaten and nothing is put in.
        return match inner.split_once('}') {
            Some((name, tail)) => (Some(name), tail),
            None => (None, inner),
        };
    }
    if let Some(special) = text
        .chars()
        .next()
        .filter(|c| "*#$@!?-0123456789".contains(*c))
    {
        let (name, tail) = text.split_at(special.len_utf8());
        return (Some(name), tail);
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let (name, tail) = text.split_at(end);
    ((!name.is_empty()).then_some(name), tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_as_go_does() {
        let purpose = Purpose {
            app: "web-oslo".into(),
            ..Purpose::default()
        };
        let vars = Vars::of(&purpose, &Source::default(), "0123456789abcdef");
        for (text, expected) in [
            ("$ARGOCD_APP_NAME-x", "web-oslo-x"),
            ("${ARGOCD_APP_NAME}x", "web-oslox"),
            ("a$ARGOCD_APP_REVISION_SHORT", "a0123456"),
            ("$$HOME is $HOME.", "$HOME is ."),
            ("cost: 5$", "cost: 5$"),
            ("5$.", "5$."),
            ("plain", "plain"),
        ] {
            assert_eq!(vars.expand(text), expected, "{text}");
        }
    }
}
