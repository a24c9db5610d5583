//! The applications a simulated edge can run, in the order in which `--apps` takes them.

/// One application of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogApp {
    /// Its short name.
    pub name: String,
    /// Folder in the repository; `REGION` stands for the edge's region.
    pub path: String,
    /// The destination's namespace.
    pub namespace: String,
    /// `directory.recurse`.
    pub recurse: bool,
}

fn app(name: &str, path: &str, namespace: &str) -> CatalogApp {
    CatalogApp {
        name: name.to_owned(),
        path: path.to_owned(),
        namespace: namespace.to_owned(),
        recurse: false,
    }
}

/// The first `count` applications. Beyond the named ones come plain services with numbers.
pub(crate) fn applications(count: usize) -> Vec<CatalogApp> {
    let mut apps = vec![
        app(
            "edge-microservice",
            "microserviceA",
            "edge-microservice-namespace",
        ),
        app("ingress", "apps/ingress", "ingress"),
        CatalogApp {
            recurse: true,
            ..app("telemetry", "apps/telemetry", "monitoring")
        },
        app("edge-config", "regions/REGION/edge-config", "edge-config"),
        app("node-exporter", "apps/node-exporter", "monitoring"),
        app("sensor-gateway", "apps/sensor-gateway", "sensors"),
        app("local-cache", "apps/local-cache", "cache"),
    ];
    for number in 1..=count.saturating_sub(apps.len()) {
        let name = format!("service-{number:02}");
        apps.push(app(&name, &format!("services/{name}"), &name));
    }
    apps.truncate(count);
    apps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_application_comes_first() {
        let apps = applications(1);
        assert_eq!(apps.len(), 1);
        assert_eq!(apps[0].name, "edge-microservice");
        assert_eq!(apps[0].path, "microserviceA");
        assert_eq!(apps[0].namespace, "edge-microservice-namespace");
    }

    #[test]
    fn beyond_the_named_ones_come_numbered_services() {
        let apps = applications(10);
        assert_eq!(apps.len(), 10);
        assert_eq!(apps[9].name, "service-03");
        assert_eq!(apps[9].path, "services/service-03");
    }
}
