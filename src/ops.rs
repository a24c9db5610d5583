//! Whatever changes a cluster: plan, gate, journal, run, verify.
