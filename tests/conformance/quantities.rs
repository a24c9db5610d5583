//! Quantities, as apimachinery reads and writes them.

use driftdeck::drift::quantity::{Format, Quantity, canonical, split};
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score};

#[test]
fn quantity() {
    score("quantity", "quantity_cases.jsonl", all, check);
}

fn check(case: &Case) -> Result<(), String> {
    let (input, expected) = (case.get("input"), case.get("expected"));
    match case.text("op") {
        "parse" => {
            let quantity = parse(input)?;
            same("value", &quantity, &value(expected))?;
            same("format", &format(&quantity), &expected["format"])
        }
        "canonical" => same("canonical", &json!(canonical(text(input))), expected),
        "cmp" => {
            let order = parse(&input[0])?.compare(&parse(&input[1])?);
            same("order", &json!(order as i8), expected)
        }
        "invalid" => same("refused", &Quantity::parse(text(input)).is_none(), &true),
        "roundup" => {
            let scale = i32::try_from(input["scale"].as_i64().unwrap_or_default())
                .map_err(|e| e.to_string())?;
            let (rounded, exact) = parse(&input["value"])?.round_up(scale);
            same("value", &rounded, &value(expected))?;
            same("exact", &json!(exact), &expected["exact"])
        }
        "split" => {
            let parts = split(text(input)).ok_or("no quantity")?;
            let got = json!({"positive": parts.positive, "value": parts.value, "num": parts.whole, "denom": parts.fraction, "suffix": parts.suffix});
            same("parts", &got, expected)
        }
        other => Err(format!("unknown op {other}")),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn parse(value: &Value) -> Result<Quantity, String> {
    Quantity::parse(text(value)).ok_or_else(|| format!("{value} is refused"))
}

/// `unscaled × 10^exp10`, read back through the parser.
fn value(expected: &Value) -> Quantity {
    let written = format!("{}e{}", text(&expected["unscaled"]), expected["exp10"]);
    Quantity::parse(&written).expect("the expectation is a number")
}

fn format(quantity: &Quantity) -> Value {
    json!(match quantity.format() {
        Format::DecimalExponent => "DecimalExponent",
        Format::BinarySI => "BinarySI",
        Format::DecimalSI => "DecimalSI",
    })
}
