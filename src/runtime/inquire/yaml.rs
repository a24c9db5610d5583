//! An object as it is live, as Git wants it, and as it was last applied: as YAML, with marks in place of what is secret.

use serde_json::Value;

use super::{connection, objects};
use crate::app::inquiry::YamlText;
use crate::app::msg::WishTarget;
use crate::domain::Safe;
use crate::drift::Marks;
use crate::drift::diff_text::readable;
use crate::drift::seal::{LAST_APPLIED, SealKey, seal, seal_alike};
use crate::drift::yaml::to_canonical;
use crate::ops::Unsealed;
use crate::sources::Sources;

/// Reads the live object; `wanted` is what Git wants, or why that is not known. One side that cannot be read leaves the other.
pub(in crate::runtime) async fn read(
    sources: &Sources,
    target: &WishTarget,
    wanted: Result<Unsealed, Safe>,
    key: &SealKey,
) -> YamlText {
    let live = match connection(sources, &target.cluster) {
        Ok(connection) => objects::read(&connection, &target.object, key).await,
        Err(why) => Err(why),
    };
    let wanted = wanted.map(|manifest| {
        let mut manifest = manifest.expose().clone();
        seal(&mut manifest, key);
        manifest
    });
    texts(live, wanted, key)
}

/// The three texts, Git's first where marks are numbered.
fn texts(mut live: Result<Value, Safe>, wanted: Result<Value, Safe>, key: &SealKey) -> YamlText {
    if let (Ok(live), Ok(wanted)) = (&mut live, &wanted) {
        seal_alike(live, wanted, key);
    }
    let marks = Marks::of(wanted.iter().chain(&live));
    let text = |value: &Value| lines(&marks.shown(value, ""));
    let applied = live.as_ref().ok().and_then(|live| last_applied(live, key));
    YamlText {
        last_applied: applied.as_ref().map(text),
        live: live
            .as_ref()
            .map(|live| text(&readable(live)))
            .map_err(Safe::clone),
        desired: wanted.map(|wanted| text(&wanted)),
    }
}

/// The last-applied copy. That of a Secret was masked with its object.
fn last_applied(live: &Value, key: &SealKey) -> Option<Value> {
    let text = live
        .get("metadata")?
        .get("annotations")?
        .get(LAST_APPLIED)?
        .as_str()?;
    let mut value: Value = serde_json::from_str(text).ok()?;
    seal(&mut value, key);
    Some(value)
}

fn lines(value: &Value) -> Vec<Safe> {
    to_canonical(value).lines().map(Safe::new).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key() -> SealKey {
        SealKey::new([7; 32])
    }

    fn secret(password: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": password, "user": "YWRtaW4="}})
    }

    fn sealed(mut value: Value) -> Result<Value, Safe> {
        seal(&mut value, &key());
        Ok(value)
    }

    fn shown(lines: &[Safe]) -> String {
        lines.iter().map(|l| format!("{l}\n")).collect()
    }

    #[test]
    fn no_value_of_a_secret_survives_and_marks_tell_equal_from_different() {
        let mut live = secret("aHVudGVyMg==");
        live["metadata"]["annotations"] = json!({LAST_APPLIED: secret("b2xk").to_string()});
        let texts = texts(sealed(live), sealed(secret("bmV3")), &key());
        let (live, desired) = (shown(&texts.live.unwrap()), shown(&texts.desired.unwrap()));
        let applied = shown(&texts.last_applied.unwrap());
        for text in [&live, &desired, &applied] {
            for value in ["aHVudGVyMg", "b2xk", "bmV3", "YWRtaW4"] {
                assert!(!text.contains(value), "{text}");
            }
            assert!(
                text.contains("user: \"••• 1\"") || text.contains("user: ••• 1"),
                "{text}"
            );
        }
        assert!(desired.contains("password: ••• 1"), "{desired}");
        assert!(live.contains("password: ••• 2"), "{live}");
        assert!(applied.contains("password: ••• 3"), "{applied}");
    }

    #[test]
    fn what_cannot_be_read_leaves_the_other_side() {
        let gone = Err(Safe::fixed("The object is not there."));
        let texts = texts(gone, Ok(json!({"spec": {"replicas": 3}})), &key());
        assert_eq!(texts.live, Err(Safe::fixed("The object is not there.")));
        let desired = texts.desired.unwrap();
        assert_eq!(
            desired,
            [Safe::fixed("spec:"), Safe::fixed("  replicas: 3")]
        );
        assert_eq!(texts.last_applied, None);
    }

    #[test]
    fn the_copy_of_a_deployment_is_read() {
        let live =
            json!({"metadata": {"annotations": {LAST_APPLIED: "{\"spec\":{\"replicas\":3}}"}}});
        let applied = last_applied(&live, &key()).unwrap();
        assert_eq!(
            lines(&applied),
            [Safe::fixed("spec:"), Safe::fixed("  replicas: 3")]
        );
    }
}
