//! One object for what a rule of a well-known kind can say, as the kind's own documentation describes its status.

use serde::Deserialize;
use serde_json::Value;

use super::Rules;
use crate::domain::Health;

#[derive(Deserialize)]
struct Known {
    health: Health,
    object: Value,
}

#[test]
fn well_known_kinds_are_told_by_their_own_status() {
    let mut wrong = Vec::new();
    for line in include_str!("known.jsonl").lines() {
        let known: Known = serde_json::from_str(line).unwrap();
        let told = Rules::built_in().judge(&known.object);
        let health = told.map(|((health, _), _)| health);
        if health != Some(known.health) {
            wrong.push(format!("{health:?} and not {line}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
