//! Object in, health out: Argo CD's built-in checks. Pure.
