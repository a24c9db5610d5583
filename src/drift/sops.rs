//! What SOPS leaves in a document that it encrypted: nobody but the holder of the key can tell what it wants.

use serde_json::Value;

/// The beginning of a value that SOPS encrypted.
const VALUE: &str = "ENC[AES256_GCM,";

/// Whether a document carries SOPS's own record: the code that proves its values.
pub fn is_encrypted(object: &Value) -> bool {
    let record = object.get("sops");
    record.is_some_and(|r| {
        ["mac", "lastmodified"]
            .iter()
            .any(|key| r.get(key).is_some())
    })
}

/// Whether a text holds a value that SOPS encrypted.
pub fn is_encrypted_text(text: &str) -> bool {
    text.contains(VALUE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_record_makes_a_document_an_encrypted_one() {
        let record = json!({"kind": "Secret", "data": {"pin": "ENC[AES256_GCM,data:x,iv:y]"}, "sops": {"mac": "ENC[AES256_GCM,data:z]"}});
        assert!(is_encrypted(&record));
        assert!(!is_encrypted(
            &json!({"kind": "ConfigMap", "data": {"sops": "x"}})
        ));
        assert!(is_encrypted_text("pin: ENC[AES256_GCM,data:x]"));
    }
}
