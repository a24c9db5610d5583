//! What wrong input gets: one sentence with the thing, the place and the next step, and an exit status.

use crate::program::{Demo, Operator};

/// Exit status 2 and one sentence that holds every word.
fn refused(operator: &Operator, line: &str, words: &[&str]) {
    let answer = operator.run(line);
    assert_eq!(answer.status, 2, "{line}: {answer:#?}");
    assert!(answer.out.is_empty(), "{line}: {answer:#?}");
    for word in words {
        assert!(
            answer.err.contains(word),
            "{line} does not say {word:?}: {}",
            answer.err
        );
    }
}

#[test]
fn wrong_words_are_answered_with_the_nearest_right_one() {
    let demo = Demo::serve("--scenario calm --clusters 1 --apps 1");
    let operator = demo.operator();
    refused(&operator, "stauts", &["stauts", "status"]);
    refused(&operator, "status --where dirft>0", &["dirft", "drift"]);
    refused(
        &operator,
        "status --context edge-nowhere-*",
        &["edge-nowhere-*"],
    );
    refused(&operator, "snapshot --theme drak", &["drak", "dark"]);
    refused(&operator, "snapshot --keymap vmi", &["vmi", "vim"]);
    refused(&operator, "snapshot --keys entr", &["entr", "enter"]);
    refused(&operator, "snapshot --demo clam", &["clam", "calm"]);
    refused(
        &operator,
        "status --kubeconfig /nowhere/config",
        &["/nowhere/config"],
    );
    refused(
        &operator,
        "diff --desired /nowhere/a.yaml --live /nowhere/b.yaml",
        &["/nowhere/a.yaml"],
    );
}

#[test]
fn a_malformed_context_is_one_bad_row() {
    let demo = Demo::serve("--scenario calm --clusters 2 --apps 1");
    let operator = demo.operator();
    let mut text = std::fs::read_to_string(&demo.kubeconfig).unwrap();
    let context = "\n- name: edge-ghost-001\n  context: {cluster: nobody, user: nobody}";
    text = text.replacen("\ncontexts:", &format!("\ncontexts:{context}"), 1);
    let broken = operator.home.path().join("broken");
    std::fs::write(&broken, text).unwrap();
    let answer = operator.run(&format!("status -o json --kubeconfig {}", broken.display()));
    assert_eq!(answer.status, 3, "{answer:#?}");
    let rows = answer.items();
    let state = |name| rows.iter().find(|row| row["cluster"] == name).unwrap()["state"].clone();
    assert_ne!(state("edge-ghost-001"), "live");
    assert_eq!(rows.iter().filter(|row| row["state"] == "live").count(), 3);
}
