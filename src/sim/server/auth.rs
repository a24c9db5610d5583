//! Who asks, and what they may: bearer tokens, and rules in the form of RBAC.

use std::collections::HashMap;
use std::sync::Arc;

use crate::sim::store::{Kind, KindSet};

/// What a rule allows. `*` stands for everything in each list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Verbs, such as `get`.
    pub verbs: Vec<String>,
    /// API groups; the core group is the empty string.
    pub groups: Vec<String>,
    /// Resources, `pods` or `pods/log`.
    pub resources: Vec<String>,
    /// Only objects of these names; empty for all.
    pub names: Vec<String>,
    /// Only in these namespaces; `None` for the whole cluster.
    pub namespaces: Option<Vec<String>>,
    /// Paths that are no resources, with a trailing `*` as wildcard.
    pub paths: Vec<String>,
}

/// A user of one cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// User name.
    pub user: String,
    /// Groups, without those the server adds.
    pub groups: Vec<String>,
    /// What the user may.
    pub rules: Vec<Rule>,
}

/// What a request is about, for the rules.
#[derive(Clone, Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) verb: &'a str,
    pub(crate) group: &'a str,
    /// With its subresource: `pods/log`.
    pub(crate) resource: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
}

/// Tokens of one server.
#[derive(Clone, Debug, Default)]
pub struct Identities(HashMap<String, Arc<Identity>>);

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&w| w.to_owned()).collect()
}

fn covers(list: &[String], word: &str) -> bool {
    list.iter().any(|w| w == "*" || w == word)
}

impl Rule {
    fn reading(namespaces: Option<&[&str]>) -> Vec<Self> {
        // Like the `view` role of a real cluster, reading leaves Secrets and RBAC out.
        let all = KindSet::bare().with_argo().with_monitoring().with_flux();
        let hidden = |k: &Kind| k.plural == "secrets" || k.group.starts_with("rbac.");
        let mut rules: Vec<Self> = Vec::new();
        for kind in all.iter().filter(|k| !k.review && !hidden(k)) {
            match rules.iter_mut().find(|r| covers(&r.groups, kind.group)) {
                Some(rule) => rule.resources.push(kind.plural.to_owned()),
                None => rules.push(Self {
                    verbs: words(&["get", "list", "watch"]),
                    groups: words(&[kind.group]),
                    resources: words(&[kind.plural]),
                    namespaces: namespaces.map(words),
                    ..Self::default()
                }),
            }
        }
        for rule in rules.iter_mut().filter(|r| covers(&r.groups, "")) {
            rule.resources.push("pods/log".to_owned());
        }
        rules
    }

    fn everything(namespaces: Option<Vec<String>>) -> Vec<Self> {
        vec![Self {
            verbs: words(&["*"]),
            groups: words(&["*"]),
            resources: words(&["*"]),
            paths: if namespaces.is_none() {
                words(&["*"])
            } else {
                Vec::new()
            },
            namespaces,
            ..Self::default()
        }]
    }

    pub(crate) fn allows(&self, ask: &Ask<'_>) -> bool {
        let (parent, sub) = ask.resource.split_once('/').unwrap_or((ask.resource, ""));
        let any_parent = format!("*/{sub}");
        let resource = covers(&self.resources, ask.resource)
            || (!sub.is_empty() && (covers(&self.resources, &any_parent) && !parent.is_empty()));
        resource
            && covers(&self.verbs, ask.verb)
            && covers(&self.groups, ask.group)
            && (self.names.is_empty() || self.names.iter().any(|n| n == ask.name))
            && self
                .namespaces
                .as_ref()
                .is_none_or(|list| list.iter().any(|ns| ns == ask.namespace))
    }

    fn allows_path(&self, verb: &str, path: &str) -> bool {
        covers(&self.verbs, verb)
            && self.paths.iter().any(|p| match p.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => p == path,
            })
    }
}

impl Identity {
    /// May do everything.
    pub fn admin(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            groups: words(&["system:masters"]),
            rules: Rule::everything(None),
        }
    }

    /// May read everything but Secrets and RBAC, and write nothing.
    pub fn viewer(user: &str) -> Self {
        Self::with_rules(user, Rule::reading(None))
    }

    /// May read everything but Secrets in some namespaces only; nothing cluster-wide.
    pub fn namespaced_viewer(user: &str, namespaces: &[&str]) -> Self {
        Self::with_rules(user, Rule::reading(Some(namespaces)))
    }

    /// May do everything in some namespaces only.
    pub fn namespaced_admin(user: &str, namespaces: &[&str]) -> Self {
        Self::with_rules(user, Rule::everything(Some(words(namespaces))))
    }

    /// May do what the rules say.
    pub fn with_rules(user: &str, rules: Vec<Rule>) -> Self {
        Self {
            user: user.to_owned(),
            groups: Vec::new(),
            rules,
        }
    }

    /// Who comes without a token.
    pub(crate) fn anonymous() -> Self {
        Self {
            user: "system:anonymous".to_owned(),
            groups: words(&["system:unauthenticated"]),
            rules: Vec::new(),
        }
    }

    pub(crate) fn is_anonymous(&self) -> bool {
        self.user == "system:anonymous"
    }

    /// Groups with the one the server adds.
    pub(crate) fn all_groups(&self) -> Vec<String> {
        let mut groups = self.groups.clone();
        if !self.is_anonymous() {
            groups.push("system:authenticated".to_owned());
        }
        groups
    }

    /// The user's rules and those every user has.
    pub(crate) fn all_rules(&self) -> Vec<Rule> {
        let open = ["/healthz", "/livez", "/readyz", "/version", "/version/"];
        let mut rules = self.rules.clone();
        if !self.is_anonymous() {
            rules.push(Self::review(
                "authorization.k8s.io",
                &["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
            ));
            rules.push(Self::review(
                "authentication.k8s.io",
                &["selfsubjectreviews"],
            ));
            let mut paths = vec![
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/openapi",
                "/openapi/*",
            ];
            paths.extend(open);
            paths.sort_unstable();
            rules.push(Self::reading_paths(&paths));
        }
        rules.push(Self::reading_paths(&open));
        rules
    }

    fn review(group: &str, resources: &[&str]) -> Rule {
        Rule {
            verbs: words(&["create"]),
            groups: words(&[group]),
            resources: words(resources),
            ..Rule::default()
        }
    }

    fn reading_paths(paths: &[&str]) -> Rule {
        Rule {
            verbs: words(&["get"]),
            paths: words(paths),
            ..Rule::default()
        }
    }

    pub(crate) fn may(&self, ask: &Ask<'_>) -> bool {
        self.all_rules().iter().any(|rule| rule.allows(ask))
    }

    pub(crate) fn may_path(&self, verb: &str, path: &str) -> bool {
        self.all_rules().iter().any(|r| r.allows_path(verb, path))
    }
}

impl Identities {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user with a bearer token.
    #[must_use]
    pub fn with(mut self, token: &str, identity: Identity) -> Self {
        self.0.insert(token.to_owned(), Arc::new(identity));
        self
    }

    /// Who a token belongs to.
    pub(crate) fn by_token(&self, token: &str) -> Option<Arc<Identity>> {
        self.0.get(token).cloned()
    }
}
