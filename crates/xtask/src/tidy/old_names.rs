//! Names that were replaced by standard terms must not come back: a reader would look for a difference between the two.

use super::code::code;
use super::tree::Tree;

/// An old name, and what it is called now.
const OLD: &[(&str, &str)] = &[
    ("Ahead", "`Target`"),
    ("Asker", "`Call` or `Browser`"),
    ("Beside", "the hashed artifacts (`at_hash`, `c_hash`)"),
    ("Carried", "`OpenInteraction`"),
    ("Dead", "invalid, as in `LinkInvalid`"),
    ("Followed", "the registered-client cache"),
    ("Journey", "`InteractionState`"),
    ("Keeping", "`NewInteraction`"),
    ("Letterhead", "branding"),
    ("LinkPressed", "`LinkFollowed`"),
    ("NobodyThere", "`NotSignedIn`"),
    ("OnTheWay", "`Proven`"),
    ("Onward", "`Next`"),
    ("Pace", "a schedule"),
    ("Parcel", "`MessageBody`"),
    ("Prepared", "the unit, named after its use case"),
    ("Settled", "the result, named after its use case"),
    ("Standing", "`AuthenticationState`"),
    ("Tallies", "counters"),
    ("Told", "`RefusalDisclosure`"),
    ("Trail", "`AuditTrail`"),
    ("Visitor", "`Call` or `Browser`"),
    ("Windows", "a rate limit"),
    ("World", "a context, or a scenario of a test"),
    ("code_world", "a context"),
    ("front_tokens", "`hybrid`"),
    ("letterhead", "branding"),
    ("onward", "the next step, or the link that continues"),
    ("parcel", "the body of a message"),
    ("parked", "persisted for the redirect"),
    ("person_in_question", "the account selection"),
    ("press", "to follow a link"),
    ("tallies", "counters"),
    ("vouched", "the origin of a form"),
    ("BudgetSpent", "`LimitReached` in the flows, `TooManyAttempts` on pages"),
    ("AskAnswered", "`RecoveryMailQueued`"),
    ("FinishResult", "`RespondResult`"),
    ("HashedArtifacts", "`IdTokenContext`"),
    ("LinkDead", "`InvalidLink`"),
    ("LockDisclosure", "`RefusalDisclosure`"),
    ("NobodySignedIn", "`NotSignedIn`"),
    ("RequestedLink", "`MailRequestRow`"),
];
const CHECKED: &[&str] = &["crates/", "migrations/", "tests/"];
/// Names of the database, which a release only adds to.
const KEPT: &[&str] = &["Column::Journey"];

pub(super) fn problems(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in tree.ending(&[".rs"]) {
        if !CHECKED.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        for (index, line) in code(text).lines().enumerate() {
            let line = KEPT.iter().fold(line.to_owned(), |line, kept| line.replace(kept, ""));
            let names = line.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
            for (old, now) in names.filter_map(|name| OLD.iter().find(|(old, _)| *old == name)) {
                problems.push(format!("{path}:{}: `{old}` is an old name: it is {now} now", index + 1));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_name_is_found_as_a_name_alone() {
        for (old, _) in OLD {
            for (line, count) in [
                (format!("struct {old};"), 1),
                (format!("let a: Vec<{old}> = b.{old}();"), 2),
                (format!("// {old}"), 0),
                (format!("f(\"{old}\")"), 0),
                (format!("struct The{old};"), 0),
            ] {
                assert_eq!(problems(&Tree::of(&[("crates/a/src/b.rs", &line)])).len(), count, "{line}");
            }
        }
        assert!(problems(&Tree::of(&[("crates/a/src/b.rs", "interactions::Column::Journey")])).is_empty());
        assert!(problems(&Tree::of(&[("docs/b.rs", "struct Asker;")])).is_empty());
    }
}
