//! Which claims a place has: all of the granted scopes, none, or those of a list.

use anteroom_oidc::claims::ScopeClaims;
use std::collections::BTreeSet;
use toml::de::DeValue;

use super::{Item, Kind, Problem, did_you_mean, list, nearest, quoted, text, wrong_type};

const ALL: &str = "scopes";
const NONE: &str = "none";

pub(crate) fn scope_claims() -> Kind<ScopeClaims> {
    let names = list(text());
    let read = move |item: &Item<'_>| match item.get_ref() {
        DeValue::String(word) => read_word(word, item).map_err(|problem| vec![problem]),
        DeValue::Array(items) if items.is_empty() => {
            let help = format!("write \"{NONE}\" for none");
            Err(vec![Problem::new(item, "no claim is named").with_help(Some(help))])
        }
        DeValue::Array(_) => Ok(ScopeClaims::Listed(names.read(item)?.into_iter().collect())),
        _ => Err(vec![wrong_type(item, "a string or a list")]),
    };
    Kind { name: format!("`{ALL}`, `{NONE}`, or list of claims"), read: Box::new(read), show: Box::new(show) }
}

fn read_word(word: &str, item: &Item<'_>) -> Result<ScopeClaims, Problem> {
    match word {
        ALL => Ok(ScopeClaims::All),
        NONE => Ok(ScopeClaims::None),
        _ => {
            let label = format!("must be one of: {ALL}, {NONE}; or a list of claims");
            Err(Problem::new(item, label).with_help(nearest(word, [ALL, NONE]).map(did_you_mean)))
        }
    }
}

fn show(claims: &ScopeClaims) -> String {
    match claims {
        ScopeClaims::All => quoted(ALL),
        ScopeClaims::None => quoted(NONE),
        ScopeClaims::Listed(names) => list_of(names),
    }
}

fn list_of(names: &BTreeSet<String>) -> String {
    format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
}
