//! Exposition text in, the few figures shown out. Pure.
