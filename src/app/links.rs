//! Pages about what is selected: the deployed commit, Argo CD's own page, and what the configuration names.

use super::msg::WishTarget;
use super::screens::{Ctx, Face};
use crate::domain::link::{encoded, is_web};
use crate::domain::{AppRef, Application, Engine, Safe};

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What it is.
    pub name: Safe,
    /// Its address.
    pub url: Safe,
}

/// The pages to choose from.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// All of them.
    pub lines: Vec<Link>,
    /// The chosen one.
    pub cursor: usize,
}

impl Links {
    /// Moves the cursor.
    pub fn step(&mut self, rows: isize) {
        let last = self.lines.len().saturating_sub(1);
        self.cursor = self.cursor.saturating_add_signed(rows).min(last);
    }

    /// The chosen page.
    pub fn chosen(&self) -> Option<&Link> {
        self.lines.get(self.cursor)
    }
}

/// The pages about what is under the cursor.
pub fn of(face: &dyn Face, ctx: &Ctx<'_>) -> Vec<Link> {
    let id = face.app(ctx);
    let app = id.as_ref().and_then(|id| ctx.fleet.app(id));
    let object = face.object(ctx);
    let mut links: Vec<Link> = Vec::new();
    links.extend(app.and_then(|app| commit(app)));
    links.extend(id.as_ref().and_then(|id| argocd(id, object.as_ref(), ctx)));
    let cluster = face
        .cluster(ctx)
        .or_else(|| object.as_ref().map(|o| o.cluster.clone()));
    let cluster = cluster.or_else(|| ctx.fleet.cluster_of(id.as_ref()?).cloned());
    let group = cluster
        .as_ref()
        .and_then(|c| ctx.rows.cluster(c))
        .map(|row| row.group.as_str());
    let value = |name: &str| match name {
        "cluster" => cluster.as_ref().map(|c| c.as_str()),
        "group" => group,
        "hub" => id.as_ref().map(|id| id.hub.as_str()),
        "app" => id.as_ref().map(|id| &*id.name),
        "app-namespace" => id.as_ref().map(|id| &*id.namespace),
        "namespace" => object.as_ref().map(|o| &*o.object.namespace),
        "kind" => object.as_ref().map(|o| &*o.object.gvk.kind),
        "name" => object.as_ref().map(|o| &*o.object.name),
        "revision" => app
            .and_then(|a| a.deployed_revision())
            .map(|entry| &*entry.revision),
        _ => None,
    };
    links.extend(ctx.links.iter().filter_map(|template| {
        Some(Link {
            name: template.name().clone(),
            url: template.fill(value)?,
        })
    }));
    links
}

/// The page of the deployed commit.
fn commit(app: &Application) -> Option<Link> {
    let entry = app.deployed_revision()?;
    let source = entry.source.as_ref().or(app.sources.first())?;
    Some(Link {
        name: Safe::fixed("Git commit"),
        url: commit_link(&source.repo_url, &entry.revision)?.into(),
    })
}

/// Argo CD's page of the application, at the selected object: `url` of argocd-cm names its address
/// (`ui/src/app/applications/components/application-details`: the query `node` is group/kind/namespace/name/0).
fn argocd(id: &AppRef, object: Option<&WishTarget>, ctx: &Ctx<'_>) -> Option<Link> {
    if id.kind.engine() != Engine::Argo {
        return None;
    }
    let hub = ctx.fleet.cluster(&id.hub)?;
    let base = hub.tracking.page.trim_end_matches('/');
    if !is_web(base) {
        return None;
    }
    let node = object.map(|target| {
        let o = &target.object;
        let node = format!(
            "{}/{}/{}/{}/0",
            o.gvk.group, o.gvk.kind, o.namespace, o.name
        );
        format!("?node={}", encoded(&node))
    });
    let (namespace, name) = (encoded(&id.namespace), encoded(&id.name));
    let url = format!(
        "{base}/applications/{namespace}/{name}{}",
        node.unwrap_or_default()
    );
    Some(Link {
        name: Safe::fixed("Argo CD"),
        url: url.into(),
    })
}

/// The page of a commit, for repositories over https or ssh.
fn commit_link(repository: &str, revision: &str) -> Option<String> {
    let commit = revision.len() >= 7 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    let bare = repository.trim_end_matches('/').trim_end_matches(".git");
    let place = if let Some(rest) = bare.strip_prefix("https://") {
        rest.rsplit_once('@')
            .map_or(rest, |(_, host)| host)
            .to_owned()
    } else if let Some(rest) = bare.strip_prefix("ssh://") {
        rest.rsplit_once('@')
            .map_or(rest, |(_, host)| host)
            .to_owned()
    } else {
        let (_, rest) = bare.split_once('@')?;
        rest.replacen(':', "/", 1)
    };
    (commit && !place.is_empty()).then(|| format!("https://{place}/commit/{revision}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::commit_link;

    #[rstest]
    #[case(
        "https://git.example/fleet.git",
        Some("https://git.example/fleet/commit/9f31c02aa")
    )]
    #[case(
        "git@git.example:ops/fleet.git",
        Some("https://git.example/ops/fleet/commit/9f31c02aa")
    )]
    #[case(
        "ssh://git@git.example/ops/fleet",
        Some("https://git.example/ops/fleet/commit/9f31c02aa")
    )]
    #[case(
        "https://user:password@git.example/fleet",
        Some("https://git.example/fleet/commit/9f31c02aa")
    )]
    #[case("file:///srv/fleet", None)]
    fn a_commit_has_its_page_and_no_credentials_in_it(
        #[case] repository: &str,
        #[case] link: Option<&str>,
    ) {
        assert_eq!(commit_link(repository, "9f31c02aa").as_deref(), link);
        assert_eq!(commit_link(repository, "main"), None);
    }
}
