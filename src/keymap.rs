//! Keys to actions, from the files in keymaps/.
