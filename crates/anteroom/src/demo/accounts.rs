//! The sample accounts. Their password is public, so `serve` refuses a database made here.

use anteroom_crypto::QueueKey;
use anteroom_domain::account::{AccountStatus, GroupName, PhoneKind, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::{AccountId, AddressId, PhoneId};
use anteroom_domain::lockout::{FailureCounters, Lockout};
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::password_text::PasswordForm;
use anteroom_domain::phone::E164;
use anteroom_flows::context::call::Call;
use anteroom_flows::error::FlowError;
use anteroom_flows::people::admin::{self, Invitee};
use anteroom_storage::{Credential, NewAccount, NewAddress, NewPhone, Tx, Unit};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

use crate::commands::CommandError;

pub(super) const PASSWORD: &str = "Anteroom-demo-1";
/// Long enough ago that a password set then has expired.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(24 * 100);
/// The age of all other passwords: old enough to be changed, and far from expiry.
const A_FEW_DAYS: SignedDuration = SignedDuration::from_hours(24 * 3);

struct Sample {
    name: &'static str,
    groups: &'static [&'static str],
    cell: Option<&'static str>,
    landline: Option<&'static str>,
    locked: bool,
    expired: bool,
}

const PLAIN: Sample =
    Sample { name: "", groups: &["staff"], cell: None, landline: None, locked: false, expired: false };

const SAMPLES: &[Sample] = &[
    Sample {
        name: "Alice",
        groups: &["staff", "clinicians", "managers", "operators"],
        cell: Some("+12025550143"),
        landline: Some("+12025550186"),
        ..PLAIN
    },
    Sample { name: "Bob", cell: Some("+12025550127"), ..PLAIN },
    Sample {
        name: "Carol",
        cell: Some("+12025550164"),
        landline: Some("+12025550119"),
        locked: true,
        ..PLAIN
    },
    Sample { name: "Dave", landline: Some("+12025550172"), expired: true, ..PLAIN },
    Sample { name: "Frank", ..PLAIN },
];

/// Makes the accounts, unless a kept database already has them.
pub(super) async fn seed(call: &Call) -> Result<(), CommandError> {
    for sample in SAMPLES {
        let address = address(sample.name)?;
        if call.store().account_by_address(&address.folded()).await?.is_none() {
            insert(call, sample, address).await?;
        }
    }
    let erin = address("Erin")?;
    if call.store().account_by_address(&erin.folded()).await?.is_none() {
        let invitee =
            Invitee { address: erin, profile: profile("Erin"), groups: groups(&["staff"])?, locale: None };
        admin::invite(call, invitee).await?;
    }
    Ok(())
}

async fn insert(call: &Call, sample: &Sample, address: EmailAddress) -> Result<(), CommandError> {
    let now = call.now;
    let age = if sample.expired { LONG_AGO } else { A_FEW_DAYS };
    let set_at = now.checked_sub(age).unwrap_or(now);
    let hash = call.hashing().hash(QueueKey::Prefix(0), &PASSWORD.into()).await.map_err(FlowError::from)?;
    let id = AccountId(call.random().uuid_v4());
    let account = NewAccount {
        id,
        status: AccountStatus::Active,
        profile: profile(sample.name),
        locale: None,
        primary_address: NewAddress {
            id: AddressId(call.random().uuid_v4()),
            address,
            verified_at: Some(now),
        },
        other_addresses: Vec::new(),
        phones: phones(call, sample, now),
        groups: groups(sample.groups)?,
        credential: Some(Credential {
            hash,
            form: Some(PasswordForm::OpaqueString),
            facts: PasswordFacts { set_at, jitter_days: 0 },
        }),
        now,
    };
    let (_, result) = call.store().run(InsertSampleUnit { account, is_locked: sample.locked }).await;
    Ok(result?)
}

/// Inserts a sample account, and locks it if it is to be seen locked.
struct InsertSampleUnit {
    account: NewAccount,
    is_locked: bool,
}

impl Unit for InsertSampleUnit {
    type Output = ();
    type Error = FlowError;

    const NAME: &'static str = "insert_sample";

    async fn run(&self, tx: &Tx) -> Result<(), FlowError> {
        let account = &self.account;
        tx.insert_account(account).await.map_err(|_| FlowError::Inconsistent("a sample account"))?;
        if self.is_locked {
            let lockout = Lockout {
                unknown_failures: 6,
                unknown_locked_at: Some(account.now),
                locked_at: Some(account.now),
                ..Lockout::default()
            };
            tx.save_counters(account.id, &FailureCounters { lockout, device: None }).await?;
        }
        Ok(())
    }
}

fn phones(call: &Call, sample: &Sample, now: Timestamp) -> Vec<NewPhone> {
    let phone = |number: E164, kind| NewPhone {
        id: PhoneId(call.random().uuid_v4()),
        number,
        kind,
        verified_at: Some(now),
        usable_from: now,
    };
    let number = |text: Option<&str>| text.and_then(|text| E164::parse(text).ok());
    let cell = number(sample.cell).map(|number| phone(number, PhoneKind::Cell));
    let landline = number(sample.landline).map(|number| phone(number, PhoneKind::Landline));
    [cell, landline].into_iter().flatten().collect()
}

fn address(name: &str) -> Result<EmailAddress, CommandError> {
    let text = format!("{}@demo.example", name.to_ascii_lowercase());
    EmailAddress::parse(&text).map_err(|error| CommandError::Usage(error.to_string()))
}

/// A profile that is recognizable as a sample.
fn profile(name: &str) -> Profile {
    Profile {
        name: Some(format!("{name} (demo)")),
        given_name: Some(name.to_owned()),
        family_name: Some("Demo".to_owned()),
        ..Profile::default()
    }
}

fn groups(names: &[&str]) -> Result<BTreeSet<GroupName>, CommandError> {
    let parse = |name: &&str| GroupName::parse(name).map_err(|error| CommandError::Usage(error.to_string()));
    names.iter().map(parse).collect()
}
