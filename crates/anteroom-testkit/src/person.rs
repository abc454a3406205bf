//! Accounts to test with, put into the database as if their owners had registered.

use anteroom_crypto::{PasswordHash, QueueKey};
use anteroom_domain::account::{AccountStatus, GroupName, PhoneKind, PostalAddress, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::ids::{AccountId, AddressId, PhoneId};
use anteroom_domain::lockout::{FailureCounters, Lockout};
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::phone::E164;
use anteroom_storage::{Credential, NewAccount, NewAddress, NewPhone, StoreError, Tx, Unit};
use jiff::SignedDuration;
use secrecy::SecretString;

use anteroom_flows::context::provider::Provider;

/// The password of each account that was not given another.
pub const PASSWORD: &str = "Correct-horse-1";

/// A person who is about to have an account: active, with [`PASSWORD`] set a moment ago, in no group.
pub struct AccountBuilder<'a> {
    provider: &'a Provider,
    address: EmailAddress,
    password: String,
    hash: Option<PasswordHash>,
    password_age: SignedDuration,
    status: AccountStatus,
    groups: Vec<GroupName>,
    phone: Option<(String, PhoneKind)>,
    locked: Option<Lockout>,
    locale: Option<String>,
}

impl<'a> AccountBuilder<'a> {
    pub fn new(provider: &'a Provider, address: &str) -> Self {
        Self {
            provider,
            address: EmailAddress::parse(address).unwrap(),
            password: PASSWORD.to_owned(),
            hash: None,
            password_age: SignedDuration::ZERO,
            status: AccountStatus::Active,
            groups: Vec::new(),
            phone: None,
            locked: None,
            locale: None,
        }
    }

    /// In which language the account is written to.
    #[must_use]
    pub fn speaks(mut self, locale: &str) -> Self {
        self.locale = Some(locale.to_owned());
        self
    }

    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        password.clone_into(&mut self.password);
        self
    }

    /// A stored hash, in the place of a new one of the password.
    #[must_use]
    pub fn hash(mut self, hash: PasswordHash) -> Self {
        self.hash = Some(hash);
        self
    }

    #[must_use]
    pub fn password_set(mut self, ago: SignedDuration) -> Self {
        self.password_age = ago;
        self
    }

    #[must_use]
    pub fn groups(mut self, names: &[&str]) -> Self {
        self.groups = names.iter().map(|name| GroupName::parse(name).unwrap()).collect();
        self
    }

    /// A verified cell phone.
    #[must_use]
    pub fn phone(mut self, e164: &str) -> Self {
        self.phone = Some((e164.to_owned(), PhoneKind::Cell));
        self
    }

    /// A verified landline.
    #[must_use]
    pub fn landline(mut self, e164: &str) -> Self {
        self.phone = Some((e164.to_owned(), PhoneKind::Landline));
        self
    }

    /// Locked everywhere.
    #[must_use]
    pub fn locked(mut self) -> Self {
        let now = self.provider.clock.now();
        self.locked = Some(Lockout {
            unknown_failures: 6,
            unknown_locked_at: Some(now),
            locked_at: Some(now),
            ..Lockout::default()
        });
        self
    }

    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.status = AccountStatus::Disabled;
        self
    }

    /// Not fully registered, so without a password.
    #[must_use]
    pub fn invited(mut self) -> Self {
        self.status = AccountStatus::Invited;
        self
    }

    pub async fn create(self) -> AccountId {
        let account = self.account().await;
        let unit = InsertPersonUnit { account, locked: self.locked };
        let (inserted, result) = self.provider.store.run(unit).await;
        result.unwrap();
        inserted.account.id
    }

    async fn account(&self) -> NewAccount {
        let (random, now) = (&self.provider.random, self.provider.clock.now());
        let set_at = now.checked_sub(self.password_age).unwrap();
        let phones = self.phone.iter().map(|(e164, kind)| NewPhone {
            id: PhoneId(random.uuid_v4()),
            number: E164::parse(e164).unwrap(),
            kind: *kind,
            verified_at: Some(now),
            usable_from: now,
        });
        NewAccount {
            id: AccountId(random.uuid_v4()),
            status: self.status,
            profile: profile(self.address.as_str()),
            locale: self.locale.clone(),
            primary_address: NewAddress {
                id: AddressId(random.uuid_v4()),
                address: self.address.clone(),
                verified_at: Some(now),
            },
            other_addresses: Vec::new(),
            phones: phones.collect(),
            groups: self.groups.iter().cloned().collect(),
            credential: self.stored_hash().await.map(|hash| Credential {
                hash,
                form: None,
                facts: PasswordFacts { set_at, jitter_days: 0 },
            }),
            now,
        }
    }

    async fn stored_hash(&self) -> Option<PasswordHash> {
        if self.status == AccountStatus::Invited {
            return None;
        }
        if let Some(hash) = &self.hash {
            return Some(hash.clone());
        }
        let password = SecretString::from(self.password.as_str());
        Some(self.provider.hashing.hash(QueueKey::Prefix(0), &password).await.unwrap())
    }
}

/// Named after the address: `alice@practice.example` is Alice Example.
fn profile(address: &str) -> Profile {
    let local = address.split('@').next().unwrap();
    let given = format!("{}{}", local[..1].to_ascii_uppercase(), &local[1..]);
    Profile {
        name: Some(format!("{given} Example")),
        given_name: Some(given),
        family_name: Some("Example".to_owned()),
        address: Some(PostalAddress {
            locality: Some("Springfield".to_owned()),
            country: Some("US".to_owned()),
            ..PostalAddress::default()
        }),
        ..Profile::default()
    }
}

/// Inserts an account, with what it is locked by.
struct InsertPersonUnit {
    account: NewAccount,
    locked: Option<Lockout>,
}

impl Unit for InsertPersonUnit {
    type Output = ();
    type Error = StoreError;

    const NAME: &'static str = "insert_person";

    async fn run(&self, tx: &Tx) -> Result<(), StoreError> {
        tx.insert_account(&self.account).await.unwrap();
        if let Some(lockout) = self.locked {
            tx.save_counters(self.account.id, &FailureCounters { lockout, device: None }).await?;
        }
        Ok(())
    }
}
