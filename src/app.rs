//! Decides: messages in, model and effects out.
