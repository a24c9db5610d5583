//! Functions of numbers.

use serde_json::{Value, json};

use super::{Made, wrong};
use crate::drift::jq::parse::number_value;

/// The length of a list as a number.
pub(super) fn length(items: &[Value]) -> f64 {
    u32::try_from(items.len()).map_or(f64::MAX, f64::from)
}

pub(super) fn call(name: &str, input: &Value, arguments: &[&Value]) -> Made {
    match (name, arguments) {
        // JSON has neither; jq writes them so.
        ("nan", []) => Ok(Value::Null),
        ("infinite", []) => Ok(number_value(f64::MAX)),
        (_, [a, b]) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => two(name, a, b)
                .map(number_value)
                .ok_or_else(|| wrong(name, input)),
            _ => Err(wrong(name, if a.is_number() { b } else { a })),
        },
        _ => {
            let Some(x) = input.as_f64() else {
                return Err(wrong(name, input));
            };
            one(name, x, input).ok_or_else(|| wrong(name, input))
        }
    }
}

fn two(name: &str, a: f64, b: f64) -> Option<f64> {
    Some(match name {
        "pow" => a.powf(b),
        "atan2" => a.atan2(b),
        "fmin" => a.min(b),
        "fmax" => a.max(b),
        "fmod" => a % b,
        _ => return None,
    })
}

fn one(name: &str, x: f64, input: &Value) -> Option<Value> {
    Some(number_value(match name {
        "isnan" => return Some(json!(x.is_nan())),
        "isinfinite" => return Some(json!(x.abs() >= f64::MAX)),
        "isnormal" => return Some(json!(x.is_normal())),
        "abs" if x >= 0.0 => return Some(input.clone()),
        "fabs" | "abs" => x.abs(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "round" => x.round(),
        "trunc" => x.trunc(),
        "sqrt" => x.sqrt(),
        "cbrt" => x.cbrt(),
        "exp" => x.exp(),
        "exp2" => x.exp2(),
        "exp10" => 10_f64.powf(x),
        "log" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        _ => return None,
    }))
}
