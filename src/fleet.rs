//! The one copy of the truth: folds events, answers queries. Pure.
