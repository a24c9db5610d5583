//! Reads theme files: a palette and scopes, with inheritance, checked line by line.

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::color;
use super::scope::scope_names;
use crate::config::fault::{Fault, Span, Written, unknown};
use crate::config::shelf::{Shelf, ShelfError};

/// How deep `inherits` may go.
const MAX_PARENTS: usize = 8;

const MODIFIERS: &[(&str, Modifier)] = &[
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underline", Modifier::UNDERLINED),
    ("reverse", Modifier::REVERSED),
    ("strike", Modifier::CROSSED_OUT),
];

/// A colour as written, kept until the palette of the last heir is known.
#[derive(Clone, Debug)]
struct Paint {
    word: String,
    fault: Fault,
}

/// A style as written.
#[derive(Clone, Debug, Default)]
struct Spec {
    fg: Option<Paint>,
    bg: Option<Paint>,
    mods: Modifier,
}

/// The scopes and colours of a file and of those it inherits from.
#[derive(Debug, Default)]
struct Raw {
    palette: HashMap<String, Color>,
    scopes: HashMap<String, Spec>,
}

/// The styles of a theme by scope, as far as it names them.
#[derive(Debug)]
pub(super) struct Specs(HashMap<String, Style>);

impl Specs {
    /// The style of a scope: its own, else that of the next shorter name, else that of `text`.
    pub(super) fn style(&self, scope: &str) -> Style {
        let mut name = scope;
        loop {
            if let Some(style) = self.0.get(name) {
                return *style;
            }
            match name.rsplit_once('.') {
                Some((shorter, _)) => name = shorter,
                None => return self.0.get("text").copied().unwrap_or_default(),
            }
        }
    }
}

/// Reads a theme and the themes it inherits from.
pub(super) fn load(shelf: &Shelf, name: &str) -> Result<Specs, ShelfError> {
    let raw = load_at_depth(shelf, name, 0)?;
    let resolved = raw
        .scopes
        .iter()
        .map(|(scope, spec)| Ok((scope.clone(), spec.resolve(&raw.palette)?)))
        .collect::<Result<_, Fault>>()?;
    Ok(Specs(resolved))
}

fn load_at_depth(shelf: &Shelf, name: &str, depth: usize) -> Result<Raw, ShelfError> {
    let (file, text) = shelf.read(name)?;
    let written = Written {
        name: &file,
        text: &text,
    };
    let table = written.parse()?;
    written.only(&table, "key", &["inherits", "about", "palette", "scopes"])?;
    let mut raw = Raw::default();
    if let Some(parent) = table.get("inherits") {
        if depth == MAX_PARENTS {
            return Err(written
                .fault(&parent.span(), "`inherits` goes in a circle or too deep")
                .into());
        }
        raw = load_at_depth(shelf, written.text_of("inherits", parent)?, depth + 1)?;
    }
    read_palette(&written, &table, &mut raw)?;
    read_scopes(&written, &table, &mut raw)?;
    Ok(raw)
}

fn section<'t, 'a>(
    written: &Written<'a>,
    table: &'t DeTable<'a>,
    key: &str,
) -> Result<Option<&'t DeTable<'a>>, Fault> {
    let Some(value) = table.get(key) else {
        return Ok(None);
    };
    let section = value.get_ref().as_table();
    section
        .map(Some)
        .ok_or_else(|| written.fault(&value.span(), format!("`{key}` must be a table")))
}

fn read_palette(written: &Written<'_>, table: &DeTable<'_>, raw: &mut Raw) -> Result<(), Fault> {
    let Some(palette) = section(written, table, "palette")? else {
        return Ok(());
    };
    for (name, value) in palette {
        let text = written.text_of(name.get_ref(), value)?;
        let color = color::parse(text).ok_or_else(|| {
            written.fault(
                &value.span(),
                format!(
                    "{}; write #rrggbb, `default`, a number to 255 or one of the sixteen names",
                    unknown("colour", text, &color::NAMES)
                ),
            )
        })?;
        raw.palette.insert(name.get_ref().to_string(), color);
    }
    Ok(())
}

fn read_scopes(written: &Written<'_>, table: &DeTable<'_>, raw: &mut Raw) -> Result<(), Fault> {
    let Some(scopes) = section(written, table, "scopes")? else {
        return Ok(());
    };
    let mut known = scope_names();
    let mut families: Vec<&str> = known.iter().filter_map(|n| n.split('.').next()).collect();
    known.append(&mut families);
    written.only(scopes, "scope", &known)?;
    for (name, value) in scopes {
        let spec = read_spec(written, value)?;
        raw.scopes.insert(name.get_ref().to_string(), spec);
    }
    Ok(())
}

fn read_spec(written: &Written<'_>, value: &Spanned<DeValue<'_>>) -> Result<Spec, Fault> {
    let Some(table) = value.get_ref().as_table() else {
        return Ok(Spec {
            fg: Some(read_paint(written, "scope", value)?),
            ..Spec::default()
        });
    };
    written.only(table, "key of a style", &["fg", "bg", "mods"])?;
    let paint = |key: &str| {
        table
            .get(key)
            .map(|v| read_paint(written, key, v))
            .transpose()
    };
    let mods = table
        .get("mods")
        .map(|v| read_mods(written, v))
        .transpose()?;
    Ok(Spec {
        fg: paint("fg")?,
        bg: paint("bg")?,
        mods: mods.unwrap_or_default(),
    })
}

fn read_paint(
    written: &Written<'_>,
    key: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Paint, Fault> {
    Ok(Paint {
        word: written.text_of(key, value)?.to_owned(),
        fault: place(written, &value.span()),
    })
}

fn place(written: &Written<'_>, at: &Span) -> Fault {
    written.fault(at, "")
}

fn read_mods(written: &Written<'_>, value: &Spanned<DeValue<'_>>) -> Result<Modifier, Fault> {
    let list = value
        .get_ref()
        .as_array()
        .ok_or_else(|| written.fault(&value.span(), "`mods` must be a list"))?;
    let names: Vec<&str> = MODIFIERS.iter().map(|(n, _)| *n).collect();
    let mut mods = Modifier::empty();
    for item in list {
        let word = written.text_of("mods", item)?;
        let found = MODIFIERS.iter().find(|(n, _)| *n == word);
        mods |= found
            .ok_or_else(|| written.fault(&item.span(), unknown("modifier", word, &names)))?
            .1;
    }
    Ok(mods)
}

impl Spec {
    fn resolve(&self, palette: &HashMap<String, Color>) -> Result<Style, Fault> {
        let resolve =
            |paint: &Option<Paint>| paint.as_ref().map(|p| p.resolve(palette)).transpose();
        Ok(Style {
            fg: resolve(&self.fg)?,
            bg: resolve(&self.bg)?,
            add_modifier: self.mods,
            ..Style::default()
        })
    }
}

impl Paint {
    fn resolve(&self, palette: &HashMap<String, Color>) -> Result<Color, Fault> {
        if let Some(color) = palette.get(&self.word) {
            return Ok(*color);
        }
        color::parse(&self.word).ok_or_else(|| {
            let mut known: Vec<&str> = palette.keys().map(String::as_str).collect();
            known.sort_unstable();
            known.extend(color::NAMES);
            Fault {
                what: unknown("colour", &self.word, &known),
                ..self.fault.clone()
            }
        })
    }
}
