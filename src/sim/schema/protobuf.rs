//! Reading the server's protobuf: what kubectl sends for built-in kinds. The table knows the field numbers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Base, Field, StructId, Type, of_kind, structure};

/// The four bytes every such body starts with.
const MAGIC: &[u8] = b"k8s\0";

/// A body that is no protobuf of a known kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct NotProtobuf(&'static str);

const SHORT: NotProtobuf = NotProtobuf("unexpected EOF");

/// Reads a body into a document.
///
/// # Errors
/// When it is cut short, or of a kind the table does not have.
pub(crate) fn document(body: &[u8]) -> Result<Value, NotProtobuf> {
    let envelope = body.strip_prefix(MAGIC).ok_or(NotProtobuf(
        "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    ))?;
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in Parts(envelope) {
        match part? {
            (1, Wire::Bytes(meta)) => {
                for word in Parts(meta) {
                    match word? {
                        (1, Wire::Bytes(text)) => api_version = string(text),
                        (2, Wire::Bytes(text)) => kind = string(text),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let Base::Struct(id) = of_kind(&kind).base else {
        return Err(NotProtobuf("no kind is registered for this message"));
    };
    let mut document = message(raw, id)?;
    document.insert("apiVersion".to_owned(), api_version.into());
    document.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(document))
}

/// One value as it stands on the wire.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
}

/// The numbered values of a message.
struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    fn number(&mut self) -> Result<u64, NotProtobuf> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or(0);
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(NotProtobuf("integer overflow"))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], NotProtobuf> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(taken)
    }

    fn part(&mut self) -> Result<(u32, Wire<'a>), NotProtobuf> {
        let key = self.number()?;
        let field = u32::try_from(key >> 3).map_err(|_| NotProtobuf("illegal tag"))?;
        let value = match key & 7 {
            0 => Wire::Number(self.number()?),
            1 => Wire::Fixed(little_endian(self.take(8)?)),
            2 => {
                let length = usize::try_from(self.number()?).map_err(|_| SHORT)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed(little_endian(self.take(4)?)),
            _ => return Err(NotProtobuf("illegal wireType")),
        };
        Ok((field, value))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<(u32, Wire<'a>), NotProtobuf>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_err() {
            self.0 = &[];
        }
        Some(part)
    }
}

fn little_endian(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().rev();
    digits.fold(0, |n, byte| n << 8 | u64::from(*byte))
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn message(bytes: &[u8], id: StructId) -> Result<Map<String, Value>, NotProtobuf> {
    let mut document = Map::new();
    fields(bytes, id, &[], &mut document)?;
    Ok(document)
}

/// Reads the fields of a struct whose tags begin with `prefix`: embedded messages share their parent's members.
fn fields(
    bytes: &[u8],
    id: StructId,
    prefix: &[u32],
    into: &mut Map<String, Value>,
) -> Result<(), NotProtobuf> {
    let known = structure(id).fields.values();
    for part in Parts(bytes) {
        let (number, wire) = part?;
        let tag = [prefix, &[number]].concat();
        let field = known.clone().find(|f| f.tag == tag);
        let embedded = known
            .clone()
            .any(|f| f.tag.len() > tag.len() && f.tag.starts_with(&tag));
        match (field, wire) {
            (Some(field), wire) => add(into, field, wire)?,
            (None, Wire::Bytes(bytes)) if embedded => fields(bytes, id, &tag, into)?,
            _ => {}
        }
    }
    Ok(())
}

/// Adds one value of a field: lists and maps come one element at a time.
fn add(into: &mut Map<String, Value>, field: &Field, wire: Wire<'_>) -> Result<(), NotProtobuf> {
    match &field.ty.base {
        Base::List(item, _) => {
            let element = value(&item.base, wire)?;
            let list = into.entry(field.name.clone()).or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.push(element);
            }
        }
        Base::Map(item) => {
            let (key, element) = entry(item, wire)?;
            let map = into.entry(field.name.clone()).or_insert_with(|| json!({}));
            map[key.as_str()] = element;
        }
        base => {
            let value = value(base, wire)?;
            // A plain field is sent even when it is empty; only a pointer means it.
            if field.pointer || !is_zero(&value) {
                into.insert(field.name.clone(), value);
            }
        }
    }
    Ok(())
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(n) => n.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

fn entry(item: &Type, wire: Wire<'_>) -> Result<(String, Value), NotProtobuf> {
    let Wire::Bytes(bytes) = wire else {
        return Err(NotProtobuf("illegal wireType"));
    };
    let (mut key, mut found) = (String::new(), None);
    for part in Parts(bytes) {
        match part? {
            (1, Wire::Bytes(text)) => key = string(text),
            (2, wire) => found = Some(value(&item.base, wire)?),
            _ => {}
        }
    }
    Ok((key, found.unwrap_or_else(|| empty(&item.base))))
}

fn empty(base: &Base) -> Value {
    match base {
        Base::Text | Base::Bytes => "".into(),
        Base::Bool => false.into(),
        Base::Int32 | Base::Int64 => 0.into(),
        _ => Value::Null,
    }
}

fn value(base: &Base, wire: Wire<'_>) -> Result<Value, NotProtobuf> {
    Ok(match (base, wire) {
        (Base::Text, Wire::Bytes(bytes)) => string(bytes).into(),
        (Base::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Base::Bool, Wire::Number(n)) => (n != 0).into(),
        // Whole numbers are written as their two's complement.
        (Base::Int32 | Base::Int64, Wire::Number(n)) => n.cast_signed().into(),
        (Base::Number, Wire::Fixed(bits)) => f64::from_bits(bits).into(),
        (Base::Struct(id), Wire::Bytes(bytes)) => Value::Object(message(bytes, *id)?),
        (Base::Quantity, Wire::Bytes(bytes)) => single(bytes)?.map_or(Value::Null, Value::from),
        (Base::Any, Wire::Bytes(bytes)) => single(bytes)?
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or(Value::Null),
        (Base::IntOrText, Wire::Bytes(bytes)) => int_or_text(bytes)?,
        (Base::Time | Base::MicroTime, Wire::Bytes(bytes)) => time(bytes, base)?,
        _ => return Err(NotProtobuf("illegal wireType")),
    })
}

/// A message of one text.
fn single(bytes: &[u8]) -> Result<Option<String>, NotProtobuf> {
    let mut found = None;
    for part in Parts(bytes) {
        if let (1, Wire::Bytes(text)) = part? {
            found = Some(string(text));
        }
    }
    Ok(found)
}

fn int_or_text(bytes: &[u8]) -> Result<Value, NotProtobuf> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for part in Parts(bytes) {
        match part? {
            (1, Wire::Number(n)) => is_text = n == 1,
            (2, Wire::Number(n)) => number = n.cast_signed(),
            (3, Wire::Bytes(t)) => text = string(t),
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

fn time(bytes: &[u8], base: &Base) -> Result<Value, NotProtobuf> {
    let (mut seconds, mut nanos) = (0, 0);
    for part in Parts(bytes) {
        match part? {
            (1, Wire::Number(n)) => seconds = n.cast_signed(),
            (2, Wire::Number(n)) => nanos = i32::try_from(n).unwrap_or(0),
            _ => {}
        }
    }
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    let time = jiff::Timestamp::new(seconds, nanos).map_err(|_| NotProtobuf("illegal time"))?;
    let format = match base {
        Base::MicroTime => "%Y-%m-%dT%H:%M:%S.%6fZ",
        _ => "%Y-%m-%dT%H:%M:%SZ",
    };
    Ok(time.strftime(format).to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length-delimited field.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend_from_slice(bytes);
        out
    }

    fn body(api_version: &str, kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [field(1, api_version.as_bytes()), field(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), field(1, &meta), field(2, raw)].concat()
    }

    #[test]
    fn a_config_map_is_read_and_its_empty_fields_left_out() {
        let meta = [field(1, b"settings"), field(2, b""), field(8, b"")].concat();
        let data = [field(1, b"level"), field(2, b"info")].concat();
        let raw = [field(1, &meta), field(2, &data)].concat();
        assert_eq!(
            document(&body("v1", "ConfigMap", &raw)),
            Ok(
                json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"level": "info"}})
            )
        );
    }

    #[test]
    fn zero_replicas_are_meant_because_the_field_is_a_pointer() {
        let spec = [vec![1 << 3, 0], field(2, b"")].concat();
        let read = document(&body("apps/v1", "Deployment", &field(2, &spec))).unwrap();
        assert_eq!(read["spec"]["replicas"], 0);
        assert_eq!(read["spec"]["paused"], Value::Null);
    }

    #[test]
    fn embedded_messages_share_their_parents_members() {
        // Probe { handler { httpGet { path: "/z", port: 80 } }, periodSeconds: 5 }
        let port = vec![1 << 3, 0, 2 << 3, 80];
        let get = [field(1, b"/z"), field(2, &port)].concat();
        let probe = [field(1, &field(2, &get)), vec![4 << 3, 5]].concat();
        let container = [field(1, b"web"), field(11, &probe)].concat();
        let pod = field(2, &field(2, &container));
        let read = document(&body("v1", "Pod", &pod)).unwrap();
        let readiness = &read["spec"]["containers"][0]["readinessProbe"];
        assert_eq!(
            *readiness,
            json!({"httpGet": {"path": "/z", "port": 80}, "periodSeconds": 5})
        );
    }

    #[test]
    fn a_cut_body_and_a_foreign_one_are_refused() {
        let whole = body("v1", "ConfigMap", &field(1, &field(1, b"settings")));
        assert_eq!(document(&whole[..whole.len() - 3]), Err(SHORT));
        assert!(document(b"{}").is_err());
        assert!(document(&body("v1", "Nothing", b"")).is_err());
    }
}
