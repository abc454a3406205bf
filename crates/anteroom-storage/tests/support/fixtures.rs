//! People and things to store, each told from its like by a number.

use anteroom_crypto::{KeyedDigest, Keyring, PasswordHash, Random};
use anteroom_domain::account::{AccountEpoch, AccountStatus, GroupName, PhoneKind, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::device::KnownDevice;
use anteroom_domain::grant::Grant;
use anteroom_domain::ids::{
    AccountId, AddressId, BrowserId, DeviceId, GrantId, MessageId, PhoneId, SessionId,
};
use anteroom_domain::password::PasswordFacts;
use anteroom_domain::phone::E164;
use anteroom_domain::refresh::RefreshFamily;
use anteroom_domain::session::Session;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::{Acr, Amr, ClientId};
use anteroom_storage::{
    Credential, NewAccount, NewAddress, NewPhone, Store, StoreError, StoreOptions, Tx, Unit,
};
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

pub(crate) async fn store(options: &StoreOptions) -> Store {
    Store::connect(options).await.unwrap().with_keys(Arc::new(Keyring::for_tests(1)), Random::seeded(1))
}

/// A store that holds the accounts of these numbers.
pub(crate) async fn store_with<const N: usize>(options: &StoreOptions, accounts: [u8; N]) -> Store {
    let store = store(options).await;
    for number in accounts {
        store.write(move |tx| async move { tx.insert_account(&new_account(number)).await }).await.unwrap();
    }
    store
}

/// What a unit of a test does with the value that it is made of.
type UnitWork<V, T> = for<'a> fn(&'a Tx, &'a V) -> BoxFuture<'a, Result<T, StoreError>>;

struct ValueUnit<V, T> {
    value: V,
    work: UnitWork<V, T>,
}

impl<V: Send + Sync + 'static, T: Send + 'static> Unit for ValueUnit<V, T> {
    type Output = T;
    type Error = StoreError;

    const NAME: &'static str = "test";

    async fn run(&self, tx: &Tx) -> Result<T, StoreError> {
        (self.work)(tx, &self.value).await
    }
}

/// Runs `work` with `value` as one unit of work.
pub(crate) async fn write_with<V: Send + Sync + 'static, T: Send + 'static>(
    store: &Store,
    value: V,
    work: UnitWork<V, T>,
) -> Result<T, StoreError> {
    let (_, result) = store.run(ValueUnit { value, work }).await;
    result
}

/// Seconds after an arbitrary beginning.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn uuid(kind: u8, number: u8) -> Uuid {
    Uuid::from_bytes([kind, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number])
}

pub(crate) fn account_id(number: u8) -> AccountId {
    AccountId(uuid(1, number))
}

pub(crate) fn device_id(number: u8) -> DeviceId {
    DeviceId(uuid(2, number))
}

pub(crate) fn session_id(number: u8) -> SessionId {
    SessionId(uuid(3, number))
}

pub(crate) fn grant_id(number: u8) -> GrantId {
    GrantId(uuid(4, number))
}

pub(crate) fn message_id(number: u8) -> MessageId {
    MessageId(uuid(6, number))
}

pub(crate) fn digest(number: u8) -> KeyedDigest {
    KeyedDigest::from_slice(&[number; 32]).unwrap()
}

pub(crate) fn hash(pepper: u8) -> PasswordHash {
    let rest =
        "argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    PasswordHash::parse(&format!("v={pepper}${rest}")).unwrap()
}

pub(crate) fn address(number: u8) -> EmailAddress {
    EmailAddress::parse(&format!("Person{number}@demo.example")).unwrap()
}

pub(crate) fn groups<const N: usize>(names: [&str; N]) -> std::collections::BTreeSet<GroupName> {
    names.iter().map(|name| GroupName::parse(name).unwrap()).collect()
}

/// An active person with two addresses, a phone not yet verified before one that is, two groups and a password.
pub(crate) fn new_account(number: u8) -> NewAccount {
    let phone = |n: u8, verified_at| NewPhone {
        id: PhoneId(uuid(8 + n, number)),
        number: E164::parse(&format!("+120255501{n}{number}")).unwrap(),
        kind: PhoneKind::Cell,
        verified_at,
        usable_from: at(100),
    };
    NewAccount {
        id: account_id(number),
        status: AccountStatus::Active,
        profile: Profile { name: Some(format!("Person \"{number}\"")), ..Profile::default() },
        locale: number.is_multiple_of(2).then(|| "es".to_owned()),
        primary_address: NewAddress {
            id: AddressId(uuid(20, number)),
            address: address(number),
            verified_at: Some(at(0)),
        },
        other_addresses: vec![NewAddress {
            id: AddressId(uuid(21, number)),
            address: EmailAddress::parse(&format!("Other{number}@demo.example")).unwrap(),
            verified_at: None,
        }],
        phones: vec![phone(0, None), phone(1, Some(at(0)))],
        groups: groups(["staff", "front-desk"]),
        credential: Some(Credential {
            hash: hash(1),
            form: None,
            facts: PasswordFacts { set_at: at(-5), jitter_days: 3 },
        }),
        now: at(0),
    }
}

pub(crate) fn device(number: u8, account: u8) -> KnownDevice {
    KnownDevice {
        id: device_id(number),
        account: account_id(account),
        failures: u32::from(number),
        stepped_up_at: number.is_multiple_of(2).then(|| at(1)),
        reset_at: None,
        password_epoch: Some(AccountEpoch(0)),
        label: format!("Browser {number}"),
        created_at: at(1),
        last_seen_at: at(2),
    }
}

/// Its token has the digest of the same number.
pub(crate) fn session(number: u8, account: u8) -> Session {
    Session {
        id: session_id(number),
        account: account_id(account),
        epoch: AccountEpoch(0),
        browser: BrowserId(uuid(30, number)),
        device: None,
        auth_time: at(3),
        acr: Acr::Mfa,
        amr: [Amr::Pwd, Amr::Sms, Amr::Mfa].into_iter().collect(),
        created_at: at(3),
        last_active_at: at(4),
        ended_at: None,
        sid_by_sector: false,
        not_current_since: None,
    }
}

pub(crate) fn client_id(number: u8) -> ClientId {
    format!("client-{}", number % 3).parse().unwrap()
}

pub(crate) fn grant(number: u8, account: u8, session: u8, scope: &str) -> Grant {
    Grant {
        id: grant_id(number),
        client: client_id(number),
        account: account_id(account),
        session: session_id(session),
        epoch: AccountEpoch(0),
        scope: scope.parse().unwrap(),
        claims: None,
        resources: Vec::new(),
        nonce: None,
        auth_time: at(3),
        acr: Acr::Pwd,
        amr: [Amr::Pwd].into_iter().collect(),
        subjects: Some(SubjectNamespace::Public),
        sid_by_sector: false,
        created_at: at(5),
        revoked_at: None,
    }
}

pub(crate) fn family(grant: u8) -> RefreshFamily {
    RefreshFamily {
        grant: grant_id(grant),
        generation: 0,
        rotated_at: at(5),
        idle_expires_at: at(1000),
        expires_at: at(2000),
        rotated_from: None,
        last_audited: None,
        repeats: 0,
    }
}
