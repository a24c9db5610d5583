//! A host of its own for a metrics endpoint: a network namespace with a private address.
//!
//! The API server's proxy refuses loopback targets, so the endpoint cannot live where everything else does. What the
//! server asks for before it forwards (seen on 1.36): an Endpoints object (EndpointSlices are not consulted) whose
//! address names, by `targetRef`, a pod of the same namespace that has this address in `status.podIPs`.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};

use crate::keeper;
use crate::objects::apply;

/// A small HTTP server at a private address.
pub(crate) struct MetricsHost {
    address: SocketAddr,
    text: Arc<Mutex<String>>,
    scrapes: Arc<AtomicUsize>,
}

impl MetricsHost {
    /// Makes the namespace and serves `text` at every path of it.
    ///
    /// # Panics
    /// When not run as root: only root may make network namespaces.
    pub(crate) fn start(text: &str) -> Self {
        assert!(
            rustix::process::geteuid().is_root(),
            "This test needs root: the API server proxies to no loopback address, so the metrics endpoint gets a \
             network namespace of its own. Run `.ci/run` as root."
        );
        let (name, inside) = make_namespace();
        let listener = listen_inside(&name, inside);
        let address = listener.local_addr().unwrap();
        let host = Self {
            address,
            text: Arc::new(Mutex::new(text.to_owned())),
            scrapes: Arc::default(),
        };
        let (text, scrapes) = (host.text.clone(), host.scrapes.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                scrapes.fetch_add(1, Ordering::SeqCst);
                let _ = respond(stream, &text.lock().unwrap());
            }
        });
        host
    }

    /// What the next scrape reads.
    pub(crate) fn set_text(&self, text: &str) {
        text.clone_into(&mut self.text.lock().unwrap());
    }

    /// How many requests have come.
    pub(crate) fn scrapes(&self) -> usize {
        self.scrapes.load(Ordering::SeqCst)
    }

    /// Puts this host behind the existing Service `service`, port `web`, as a pod of its own.
    pub(crate) async fn stand_behind(&self, client: &kube::Client, namespace: &str, service: &str) {
        let (ip, port) = (self.address.ip(), self.address.port());
        let pod = format!("{service}-0");
        self.stand_as(client, namespace, &pod, json!({})).await;
        let address = json!({ "ip": ip, "targetRef": { "kind": "Pod", "name": pod, "namespace": namespace } });
        let endpoints = json!({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": { "name": service, "namespace": namespace },
            "subsets": [{ "addresses": [address], "ports": [{ "name": "web", "port": port, "protocol": "TCP" }] }],
        });
        apply(client, "endpoint-controller", &endpoints).await;
    }

    /// Is a running pod with these labels, whose port `http-prom` is this host's.
    pub(crate) async fn stand_as(
        &self,
        client: &kube::Client,
        namespace: &str,
        pod: &str,
        labels: Value,
    ) {
        let (ip, port) = (self.address.ip(), self.address.port());
        let meta = json!({ "name": pod, "namespace": namespace, "labels": labels });
        let ports = json!([{ "name": "http-prom", "containerPort": port }]);
        let image = "registry.example/edge/microservice:1.4.2";
        let spec = json!({ "containers": [{ "name": "app", "image": image, "ports": ports }] });
        apply(
            client,
            "kubelet",
            &json!({ "apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec }),
        )
        .await;
        let status =
            json!({ "status": { "phase": "Running", "podIP": ip, "podIPs": [{ "ip": ip }] } });
        let pods: kube::Api<k8s_openapi::api::core::v1::Pod> =
            kube::Api::namespaced(client.clone(), namespace);
        let params = kube::api::PatchParams {
            field_manager: Some("kubelet".into()),
            ..Default::default()
        };
        pods.patch_status(pod, &params, &kube::api::Patch::Merge(status))
            .await
            .unwrap();
    }
}

/// A namespace, a cable into it, an address at each end: its name and the address inside.
fn make_namespace() -> (String, Ipv4Addr) {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::SeqCst);
    let name = format!("dd{}x{number}", std::process::id());
    let (outer, inner) = (format!("{name}a"), format!("{name}b"));
    // A /30 of 10.128.0.0/9 taken from the process id, so that two runs on one machine do not meet.
    let net =
        0x0A80_0000 | ((std::process::id() & 0x7FFF) << 8) | (u32::try_from(number).unwrap() << 2);
    let (ours, theirs) = (Ipv4Addr::from(net + 1), Ipv4Addr::from(net + 2));
    ip(&["netns", "add", &name]);
    keeper::delete_netns_at_end(&name);
    ip(&[
        "link", "add", &outer, "type", "veth", "peer", "name", &inner, "netns", &name,
    ]);
    ip(&["addr", "add", &format!("{ours}/30"), "dev", &outer]);
    ip(&["link", "set", &outer, "up"]);
    ip(&[
        "-n",
        &name,
        "addr",
        "add",
        &format!("{theirs}/30"),
        "dev",
        &inner,
    ]);
    ip(&["-n", &name, "link", "set", &inner, "up"]);
    (name, theirs)
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .expect("the ip program (package iproute2) is missing");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "ip {arguments:?} failed: {complaint}"
    );
}

/// A listener stays in the namespace it was made in, so one short-lived thread steps in and makes it.
fn listen_inside(name: &str, address: Ipv4Addr) -> TcpListener {
    let file = std::fs::File::open(format!("/run/netns/{name}")).unwrap();
    std::thread::spawn(move || {
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        TcpListener::bind((address, 9102)).unwrap()
    })
    .join()
    .unwrap()
}

fn respond(mut stream: TcpStream, text: &str) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\n";
    write!(stream, "{head}Content-Length: {}\r\n\r\n{text}", text.len())
}
