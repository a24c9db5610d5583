//! Meanings to styles, from the files in themes/.
