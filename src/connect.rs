//! Kubeconfig to clients: contexts, identities, HTTP/2, freshness. Knows no GitOps.
