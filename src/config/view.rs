//! `[view.SCREEN]`: the columns and the grouping of a list while nobody chose in the console.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Written, unknown};
use crate::view::grouping::{Grouping, NONE, ways};
use crate::view::{Place, columns};

/// The lists that can be laid out.
const LISTS: [Place; 3] = [Place::Fleet, Place::Drift, Place::Apps];
const KEYS: &[&str] = &["columns", "group-by"];

type Value<'a> = Spanned<DeValue<'a>>;

/// Checks every `[view.SCREEN]` of a configuration.
pub(super) fn check(written: &Written<'_>, table: &DeTable<'_>) -> Result<(), Fault> {
    let Some(views) = table.get("view").and_then(|v| v.get_ref().as_table()) else {
        return Ok(());
    };
    for (screen, value) in views {
        let name = screen.get_ref();
        let Some(place) = LISTS.into_iter().find(|p| p.id() == name.as_ref()) else {
            let known = LISTS.map(Place::id);
            return Err(written.fault(&screen.span(), unknown("list in [view]", name, &known)));
        };
        if let Some(inner) = value.get_ref().as_table() {
            check_list(written, place, inner)?;
        }
    }
    Ok(())
}

fn check_list(written: &Written<'_>, place: Place, inner: &DeTable<'_>) -> Result<(), Fault> {
    written.only(inner, &format!("key of [view.{}]", place.id()), KEYS)?;
    let listed = inner.get("columns").and_then(|v| v.get_ref().as_array());
    for value in listed.into_iter().flatten() {
        let name = written.text_of("columns", value)?;
        if !columns::is_known(place, name) {
            let known = columns::offers(place).iter().map(|offer| offer.id);
            return Err(nameless(written, value, ("column", place, name), known));
        }
    }
    if let Some(value) = inner.get("group-by") {
        let name = written.text_of("group-by", value)?;
        if name != NONE && Grouping::by_id(place, name).is_none() {
            let known = ways(place).iter().map(|way| way.id);
            return Err(nameless(written, value, ("grouping", place, name), known));
        }
    }
    Ok(())
}

/// A column or grouping that its list does not have.
fn nameless(
    written: &Written<'_>,
    value: &Value<'_>,
    (what, place, name): (&str, Place, &str),
    known: impl Iterator<Item = &'static str>,
) -> Fault {
    let what = format!("{what} of {}", place.id());
    let known: Vec<&str> = known.collect();
    written.fault(&value.span(), unknown(&what, name, &known))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use crate::config::Config;

    #[test]
    fn a_list_is_laid_out_as_written() {
        let text = "[view.fleet]\ncolumns = [\"cluster\", \"seen\", \"label:tier\"]\ngroup-by = \"label:region\"\n";
        let config = Config::parse("config.toml", text).unwrap();
        let fleet = &config.view["fleet"];
        assert_eq!(fleet.columns.as_ref().map(Vec::len), Some(3));
        assert_eq!(fleet.group_by.as_deref(), Some("label:region"));
    }

    #[rstest]
    #[case(
        "[view.fleet]\ncolumns = [\n  \"cluster\",\n  \"helth\",\n]\n",
        "config.toml, line 4: unknown column of fleet `helth`; the nearest is `health`."
    )]
    #[case(
        "[view.drift]\ngroup-by = \"managr\"\n",
        "config.toml, line 2: unknown grouping of drift `managr`; the nearest is `manager`."
    )]
    #[case(
        "[view.flet]\ncolumns = []\n",
        "config.toml, line 1: unknown list in [view] `flet`; the nearest is `fleet`."
    )]
    #[case(
        "[view.apps]\ncolums = []\n",
        "config.toml, line 2: unknown key of [view.apps] `colums`; the nearest is `columns`."
    )]
    fn what_is_not_there_is_refused_with_its_line_and_the_nearest_name(
        #[case] text: &str,
        #[case] complaint: &str,
    ) {
        let fault = Config::parse("config.toml", text).unwrap_err();
        assert_eq!(fault.to_string(), complaint);
    }
}
