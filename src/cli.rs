//! One file a subcommand; the same queries and plans as the screens, printed.

mod args;
mod document;
mod items;
mod lists;
mod print;
mod say;
mod table;
