//! Sites that never answer, beside sites that do.

use serde_json::json;

use crate::program::Demo;

#[test]
fn mute_sites_make_the_answer_partial_and_leave_the_others_alone() {
    let demo = Demo::serve("--scenario fifty --clusters 9");
    let operator = demo.operator();
    let status = operator.run("status -o json --wait 3s");
    assert_eq!(status.status, 3, "{status:#?}");
    let (json, rows) = (status.json(), status.items());
    assert_eq!(json["partial"], true);
    let (live, dark): (Vec<_>, Vec<_>) = rows.iter().partition(|row| row["state"] == "live");
    assert_eq!((live.len(), dark.len()), (5, 5), "{rows:#?}");
    for row in live {
        assert_eq!(
            (&row["drift"]["resources"], &row["apps"]["unknown"]),
            (&json!(0), &json!(0)),
            "{row:#}"
        );
    }
    for row in &dark {
        let name = row["cluster"].as_str().unwrap();
        assert_eq!(row["state"], "unreachable", "{row:#}");
        assert_eq!(
            row["apps"]["synced"], 0,
            "nothing unread counts as good: {row:#}"
        );
        assert!(
            json["unreachable"].to_string().contains(name),
            "{}",
            json["unreachable"]
        );
        assert!(
            row["message"].as_str().is_some_and(|m| !m.is_empty()),
            "{row:#}"
        );
    }
}
