//! Model in, cells out.
