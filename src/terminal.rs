//! The terminal's life: raw mode, restore after panic, signal and hang-up.
