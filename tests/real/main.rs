//! driftdeck against real kube-apiservers, a real etcd, Git over HTTPS and a metrics endpoint behind the service proxy.
//!
//! Every test is ignored by default: they start servers, and the proxied endpoint needs root. Run them with `.ci/run`,
//! or alone with `DRIFTDECK_CRDS=<folder of the Argo CD CRDs> cargo test --test real -- --ignored`.
//! A program or folder that is missing fails the test that needs it; nothing is skipped.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "outside of #[test] functions clippy does not know that this is a test: a broken test bed has to stop at once"
)]

mod answers;
mod argo;
mod bed;
mod catalogue;
mod chart_server;
mod crds;
mod git_server;
mod keeper;
mod kubeconfig;
mod kubectl;
mod netns;
mod objects;
mod openapi;
mod pki;
mod process;
mod program;
mod servers;
mod story;
mod workshop;

mod argocd;
mod charting;
mod connecting;
mod controllers;
mod custom_types;
mod dark;
mod fetching;
mod flux_drift;
mod flux_events;
mod flux_inventory;
mod flux_release;
mod flux_release_reverting;
mod flux_reverting;
mod following;
mod gitops;
mod gitops_states;
mod hunting;
mod joining;
mod judging;
mod racing;
mod rendering;
mod respecting;
mod respelling;
mod reverting;
mod seeing;
mod server_word;
mod test_bed;
mod tree;
