//! The configuration. It comes from the operator, not from the network, but its reader is our own.
//!
//! The answer is settings, the same each time, or complaints that can be shown and that quote no secret.

use anteroom_config::Configuration;

use crate::{Verdict, text};

/// Stands where a configuration must not have a secret, and is in no complaint about it.
const SECRET: &str = "hunter2";

fn env(name: &str) -> Option<String> {
    (name == "MASTER_KEY").then(|| "q".repeat(43))
}

pub(crate) fn configuration(input: &[u8]) -> Verdict {
    // Files that it names are looked at; those that are no files may never end.
    let Some(text) =
        text(input).filter(|text| !["/dev", "/proc", "/sys", ".."].iter().any(|at| text.contains(at)))
    else {
        return Verdict::Refused;
    };
    let parse = || Configuration::parse_str("anteroom.toml", text, &env);
    match (parse(), parse()) {
        (Ok(configuration), Ok(again)) => {
            assert_eq!(configuration.digest, again.digest);
            assert!(!configuration.warnings.has_errors());
            let _ = configuration.warnings.to_string();
            Verdict::Accepted
        }
        (Err(found), Err(again)) => {
            assert!(found.has_errors());
            let shown = found.render(false);
            assert!(!shown.is_empty() && shown == again.render(false));
            assert!(!found.render(true).is_empty() && found.iter().all(|one| !one.to_string().is_empty()));
            // As the value of a key that is one for secrets.
            let quoted = format!("secret = \"{SECRET}\"");
            assert!(!shown.contains(&quoted), "{shown}");
            Verdict::Refused
        }
        _ => unreachable!("the same text is read in two ways"),
    }
}
