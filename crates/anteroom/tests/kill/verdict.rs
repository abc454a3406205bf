//! What must be true when all is over.

use anteroom_domain::audit_trail::lines::ExportLine;
use std::collections::{BTreeMap, BTreeSet};

use crate::note;
use crate::people::Person;
use crate::scenario::Scenario;
use crate::server::{Installation, lines};

/// The server is killed no more: each person looks whether everything is as it was answered.
pub(crate) async fn of_the_living(people: &mut [Person]) {
    for person in people {
        person.check_at_last().await;
    }
}

/// The trail, the messages, and the server's log.
pub(crate) fn of_the_records(installation: &Installation, scenario: &Scenario, people: &[Person]) {
    let said = installation.run(&["audit", "verify"]);
    assert!(said.contains("The audit trail is intact") && said.contains(" 0 wait to be linked"), "{said}");
    installation.run(&["audit", "export", "--out", "trail.jsonl"]);
    let audited = AuditTrail::read(installation);
    let mut differences = Vec::new();
    for person in people {
        let own = audited.of(person);
        let found = person.ledger.differences(&own);
        differences.extend(found.into_iter().map(|found| format!("{}: {found}", person.address)));
        differences.extend(messages(scenario, person, &own));
    }
    differences.extend(twice_in_a_life(scenario));
    assert!(differences.is_empty(), "{differences:#?}");
    let mut complaints = installation.complaints();
    // That the database failed is rightly complained of.
    complaints.retain(|line| !scenario.database_fails() || line.contains("panicked"));
    assert!(complaints.is_empty(), "{complaints:#?}");
    tell(scenario, people);
}

/// How often each kind of entry is there, by account.
struct AuditTrail(BTreeMap<String, BTreeMap<String, u32>>);

/// A mail goes out only with these; a recovery that was asked for while five rows counted for the address has none.
const MAILED: &str = "recovery_mailed";

impl AuditTrail {
    fn read(installation: &Installation) -> Self {
        let mut counts: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
        for line in lines(&installation.path("trail.jsonl")) {
            let Some(ExportLine::Entry(linked)) = ExportLine::read(&line) else { continue };
            let record = linked.record;
            let Some(account) = record.subject.or(record.actor_account) else { continue };
            let own = counts.entry(account.to_string()).or_default();
            if record.kind == "ask_answered" && record.detail.contains("\"recovery\"") {
                *own.entry(MAILED.to_owned()).or_default() += 1;
            }
            *own.entry(record.kind).or_default() += 1;
        }
        Self(counts)
    }

    fn of(&self, person: &Person) -> BTreeMap<String, u32> {
        self.0.get(&person.id.to_string()).cloned().unwrap_or_default()
    }
}

/// Each message was queued with an entry of the trail, and each came.
fn messages(scenario: &Scenario, person: &Person, own: &BTreeMap<String, u32>) -> Vec<String> {
    let entries = |kinds: &[&str]| kinds.iter().filter_map(|kind| own.get(*kind)).sum::<u32>() as usize;
    let came = |to: &str| {
        let got = scenario.post.got();
        got.into_iter().filter(|got| got.to == to).map(|got| got.id).collect::<BTreeSet<String>>().len()
    };
    [
        (
            "mails",
            &person.address,
            entries(&[
                "account_invited",
                MAILED,
                "registration_completed",
                "account_locked",
                "password_reset",
            ]),
        ),
        ("texts", &person.phone, entries(&["code_sent"])),
    ]
    .into_iter()
    .map(|(what, to, queued)| (what, queued, came(to)))
    .filter(|(_, queued, came)| queued != came)
    .map(|(what, queued, came)| format!("{}: {queued} {what} were queued, {came} came", person.address))
    .collect()
}

/// A kill may make a message go out again. Without one it goes out once.
fn twice_in_a_life(scenario: &Scenario) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut twice = scenario.post.got();
    twice.retain(|got| !seen.insert((got.id.clone(), got.life)));
    twice.into_iter().map(|got| format!("to {}: sent twice in life {}", got.to, got.life)).collect()
}

/// What there was, for a reader of the output: a test of nothing would pass as well.
fn tell(scenario: &Scenario, people: &[Person]) {
    let sum = |kind: &str| people.iter().map(|person| person.ledger.certain(kind)).sum::<u32>();
    for kind in [
        "registration_completed",
        "signed_in",
        "sign_in_refused",
        "account_locked",
        "password_reset",
        "code_accepted",
        "code_redeemed",
        "token_refreshed",
        "signed_out",
    ] {
        let count = sum(kind);
        note(&format!("{kind}: {count}"));
        assert!(count > 0, "nothing of {kind} was ever answered");
    }
    let got = scenario.post.got();
    let distinct = got.iter().map(|got| &got.id).collect::<BTreeSet<_>>().len();
    note(&format!("{} people, {distinct} messages, {} of them again", people.len(), got.len() - distinct));
}
