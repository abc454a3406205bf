//! `anteroom explain REF|EMAIL`: audit entries as sentences in the order in which they happened, followed by the
//! messages that are still being sent.

use anteroom_domain::account::Account;
use anteroom_domain::address::EmailAddress;
use anteroom_domain::audit_trail::words::{self, SentencePolicy, sentence};
use anteroom_domain::ids::AccountId;
use anteroom_domain::lockout::Lockout;
use anteroom_domain::reference::RequestReference;
use anteroom_flows::people::admin::AdminError;
use anteroom_storage::{AuditRecord, Store};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

use super::shown::argument;
use super::{CommandError, block_on, load, print_line, shown_time as time};
use crate::cli::ExplainArgs;
use anteroom_server::sending;
use anteroom_server::wiring::{self, Environment};

/// Entries of one request are at most this far apart.
const OF_ONE_REQUEST: SignedDuration = SignedDuration::from_secs(5);

/// What the argument names.
enum Asked {
    Reference(RequestReference),
    Address(EmailAddress),
}

pub fn run(args: &ExplainArgs) -> Result<(), CommandError> {
    let asked = parse(&args.what)?;
    let configuration = load(&args.config.config)?;
    block_on(async move {
        let settings = &configuration.settings;
        let (store, _) = wiring::open_store(settings, &Environment::for_production_or_demo()).await?;
        let zone = &settings.practice.time_zone;
        let facts = SentencePolicy { forgiven_failures: settings.policy.lockout.forgiven_failures };
        let (mut entries, waiting) = match &asked {
            Asked::Reference(reference) => {
                (by_reference(&store, *reference).await?, store.waiting_messages_by(*reference).await?)
            }
            Asked::Address(address) => {
                let account = store.account_by_address(&address.folded()).await?;
                let account = account.ok_or_else(|| AdminError::NoSuchAccount(address.to_string()))?;
                print_line(&status(&account, facts, zone));
                let mut entries = store.entries_of_account(account.id, args.last).await?;
                entries.reverse();
                (entries, store.waiting_messages_of(account.id).await?)
            }
        };
        reasons_first(&mut entries);
        let mut people = BTreeMap::new();
        for entry in &entries {
            print_line(&line(&store, entry, facts, zone, &mut people).await?);
        }
        for message in &waiting {
            let words = words::waiting(message, sending::target(settings, message.channel));
            print_line(&format!("{}  {words}", time(message.created_at, zone)));
        }
        if entries.is_empty() {
            print_line("The audit trail has no entry for this.");
        }
        store.close().await;
        Ok(())
    })
}

fn parse(what: &str) -> Result<Asked, CommandError> {
    if what.contains('@') {
        let address = EmailAddress::parse(what);
        let usage = |error| CommandError::Usage(format!("{}: {error}", argument(what)));
        return address.map(Asked::Address).map_err(usage);
    }
    let reference = what.parse().map(Asked::Reference);
    reference.map_err(|_| {
        let what = argument(what);
        CommandError::Usage(format!("{what} is neither a reference, such as K7QF-3M2X, nor an email address"))
    })
}

async fn by_reference(store: &Store, reference: RequestReference) -> Result<Vec<AuditRecord>, CommandError> {
    let entries = store.entries_by_reference(&reference.to_string()).await?;
    if entries.is_empty() {
        return Err(CommandError::Usage(format!(
            "no audit entry has the reference {reference}. Search the log, which has internal errors, outages and \
             refused requests with their reference: `journalctl -u anteroom --grep={reference}`, or grep in the log's \
             file. A page that was only viewed is in neither"
        )));
    }
    Ok(entries)
}

/// Two tasks write the entry of an error page and the entry of its cause, in either order; the cause is shown first.
fn reasons_first(entries: &mut [AuditRecord]) {
    for place in 1..entries.len() {
        if let Some([shown, reason]) = entries.get_mut(place - 1..=place)
            && shown.kind == "error_shown"
            && reason.kind != "error_shown"
            && shown.reference.is_some()
            && shown.reference == reason.reference
            && reason.at.duration_since(shown.at) < OF_ONE_REQUEST
        {
            std::mem::swap(shown, reason);
        }
    }
}

/// The account's present state, which the latest entries explain.
fn status(account: &Account, facts: SentencePolicy, zone: &TimeZone) -> String {
    let lock = locked(account.lockout, facts, zone);
    format!("{} is {}, {lock}.\n", account.primary_address, account.status.as_str())
}

fn locked(lockout: Lockout, facts: SentencePolicy, zone: &TimeZone) -> String {
    let (earlier, other) = if lockout.earlier_devices_are_unknown(facts.forgiven_failures) {
        (", or in which only an earlier password was right", "other ")
    } else {
        ("", "")
    };
    match (lockout.locked_at, lockout.unknown_locked_at) {
        (Some(at), _) => {
            let at = time(at, zone);
            format!("locked in every browser since {at}: only a completed password reset unlocks it")
        }
        (None, Some(at)) => format!(
            "locked since {} for browsers that have not signed in to it before{earlier}: {other}known browsers can sign in, and a \
             completed password reset unlocks it",
            time(at, zone)
        ),
        (None, None) => "not locked".to_owned(),
    }
}

async fn line(
    store: &Store,
    entry: &AuditRecord,
    facts: SentencePolicy,
    zone: &TimeZone,
    people: &mut BTreeMap<AccountId, String>,
) -> Result<String, CommandError> {
    let text = format!("{}  {}", time(entry.at, zone), sentence(entry, facts));
    let mut about = Vec::new();
    if let Some(subject) = entry.subject {
        about.push(person(store, subject, people).await?);
    }
    if let Some(actor) = entry.actor_account.filter(|actor| Some(*actor) != entry.subject) {
        about.push(format!("by {}", person(store, actor, people).await?));
    }
    if entry.actor == "operator" {
        about.push("by an operator with a command".to_owned());
    }
    about.extend(entry.client.as_ref().map(|client| format!("application {client}")));
    about.extend(entry.address.as_ref().map(|address| format!("from {address}")));
    about.extend(entry.reference.as_ref().map(|reference| format!("reference {reference}")));
    Ok(if about.is_empty() { text } else { format!("{text} [{}]", about.join(", ")) })
}

/// An account by its address, or by its identifier if the account is deleted.
async fn person(
    store: &Store,
    id: AccountId,
    people: &mut BTreeMap<AccountId, String>,
) -> Result<String, CommandError> {
    if let Some(known) = people.get(&id) {
        return Ok(known.clone());
    }
    let account = store.account(id).await?;
    let name = account.map_or_else(|| format!("account {id}"), |account| account.primary_address.to_string());
    people.insert(id, name.clone());
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use anteroom_crypto::KeyedDigest;
    use anteroom_domain::ids::AuditId;
    use jiff::Timestamp;

    fn entry(kind: &str, reference: &str, second: i64) -> AuditRecord {
        AuditRecord {
            id: "01936f5e-0000-7000-8000-000000000000".parse::<AuditId>().unwrap(),
            at: Timestamp::from_second(second).unwrap(),
            kind: kind.to_owned(),
            outcome: "failure".to_owned(),
            actor: "anonymous".to_owned(),
            actor_account: None,
            subject: None,
            client: None,
            session: None,
            address: None,
            reference: Some(reference.to_owned()),
            detail: "{}".to_owned(),
            mac: KeyedDigest::from_slice(&[0; 32]).unwrap(),
        }
    }

    #[test]
    fn a_lock_says_which_browsers_it_is_for() {
        let facts = SentencePolicy { forgiven_failures: 5 };
        let at = Some(Timestamp::UNIX_EPOCH);
        let unknown = Lockout { unknown_locked_at: at, ..Lockout::default() };
        for (lockout, expected) in [
            (Lockout { earlier_failures: 6, ..Lockout::default() }, "not locked"),
            (
                unknown,
                "locked since 1970-01-01 00:00:00 UTC for browsers that have not signed in to it before: known browsers can \
                 sign in, and a completed password reset unlocks it",
            ),
            (
                Lockout { earlier_failures: 6, ..unknown },
                "locked since 1970-01-01 00:00:00 UTC for browsers that have not signed in to it before, or in which only an \
                 earlier password was right: other known browsers can sign in, and a completed password reset unlocks it",
            ),
            (
                Lockout { locked_at: at, ..unknown },
                "locked in every browser since 1970-01-01 00:00:00 UTC: only a completed password reset unlocks it",
            ),
        ] {
            assert_eq!(locked(lockout, facts, &TimeZone::UTC), expected);
        }
    }

    #[test]
    fn the_reason_of_an_error_page_is_read_before_it() {
        let mut entries = [
            entry("error_shown", "A", 1),
            entry("authorization_refused", "A", 1),
            entry("error_shown", "B", 2),
            entry("authorization_refused", "C", 2),
            entry("error_shown", "D", 3),
            entry("message_failed", "D", 60),
        ];
        reasons_first(&mut entries);
        let kinds = entries.iter().map(|entry| (entry.kind.as_str(), entry.at.as_second()));
        assert_eq!(
            kinds.collect::<Vec<_>>(),
            [
                ("authorization_refused", 1),
                ("error_shown", 1),
                ("error_shown", 2),
                ("authorization_refused", 2),
                ("error_shown", 3),
                ("message_failed", 60),
            ]
        );
    }
}
