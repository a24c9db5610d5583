//! Health rules: the language, the files, who speaks.

use super::*;
use crate::domain::Health;
use serde_json::json;

#[test]
fn every_file_that_comes_with_the_program_can_be_used() {
    let mut rules = Rules::default();
    for (name, text) in embedded() {
        rules
            .add(name, text, &shapes(), false)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert!(rules.len() > 300, "{}", rules.len());
    assert!(shapes().len() > 5);
}
