//! However a configuration is mangled, the answer is settings or complaints.

use crate::parse;
use proptest::prelude::*;

const WHOLE: &str = "\
issuer = \"http://localhost:8080\" # ünïcode →
include = []
[keys]
master_key_env = \"MASTER_KEY\"
client_secret = \"hunter2\"
[database]
url = \"postgres://anteroom:hunter2@db/anteroom\"
[policy.session]\r
idle = \"30m\"\r
[[groups]]
name = \"front-desk\"
description = '''Réception
et accueil'''
[[clients]]
client_id = \"web\"
redirect_uris = [\"https://web.example/\", \"https://wéb.example/#\"]
groups = [\"front-desk\", \"ünknown\"]
tile = { name = \"Web\", order = 1 }
";

const PIECES: &[&str] =
    &["\"", "'", "\"\"\"", "[", "]", "[[", "{", "}", "=", ".", "\n", "#", "é", "\u{0}", "\t", "1", "x"];

proptest! {
    #[test]
    fn anything_is_answered(edits in proptest::collection::vec((0_usize..500, 0_usize..40, 0..PIECES.len()), 0..6)) {
        let mut chars: Vec<char> = WHOLE.chars().collect();
        for (at, remove, piece) in edits {
            let at = at.min(chars.len());
            let end = (at + remove).min(chars.len());
            chars.splice(at..end, PIECES[piece].chars());
        }
        let text: String = chars.into_iter().collect();
        match parse(&text) {
            Ok(configuration) => drop(configuration.warnings.to_string()),
            Err(found) => {
                prop_assert!(found.has_errors());
                prop_assert!(!found.render(false).is_empty() && !found.render(true).is_empty());
                prop_assert!(found.iter().all(|found| !found.to_string().is_empty()));
            }
        }
    }
}
