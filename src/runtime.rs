//! The loop: the only place that holds the model mutably.
