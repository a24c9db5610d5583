//! One file a subcommand; the same queries and plans as the screens, printed.
