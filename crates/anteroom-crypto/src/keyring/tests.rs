use proptest::prelude::*;

use super::*;

struct Fixture {
    master: MasterKey,
    random: Random,
    sealed: Vec<SealedKey>,
}

impl Fixture {
    fn new() -> Self {
        let random = Random::seeded(11);
        let master = MasterKey::generate(&random);
        let sealed = Keyring::generate_missing(&master, &[], &random, 1_000);
        Self { master, random, sealed }
    }

    fn rotate(&mut self, purpose: KeyPurpose) {
        let key = Keyring::rotate(&self.master, purpose, &self.sealed, &self.random, 2_000);
        self.sealed.push(key);
    }

    fn open(&self) -> Keyring {
        Keyring::open(&self.master, &self.sealed).unwrap()
    }

    fn open_error(&self) -> KeyringError {
        Keyring::open(&self.master, &self.sealed).unwrap_err()
    }
}

#[test]
fn the_first_start_makes_one_key_for_every_purpose_and_the_second_none() {
    let Fixture { master, random, sealed } = Fixture::new();
    assert_eq!(sealed.iter().map(|key| key.purpose).collect::<Vec<_>>(), KeyPurpose::ALL);
    assert!(sealed.iter().all(|key| key.version == 1 && key.created_at_ms == 1_000));
    assert!(Keyring::generate_missing(&master, &sealed, &random, 2_000).is_empty());
}

#[test]
fn a_purpose_that_a_new_release_brings_gets_its_key() {
    let Fixture { master, random, mut sealed } = Fixture::new();
    let taken = sealed.remove(3);
    let missing = Keyring::open(&master, &sealed).unwrap_err();
    assert_eq!(missing, KeyringError::Missing(taken.purpose));
    let made = Keyring::generate_missing(&master, &sealed, &random, 2_000);
    assert_eq!(made.iter().map(|key| key.purpose).collect::<Vec<_>>(), [taken.purpose]);
}

#[test]
fn rotation_seals_under_the_new_key_and_still_opens_the_old() {
    let mut fixture = Fixture::new();
    let before = fixture.open();
    let old = before.sealer(KeyPurpose::OutboxSeal).seal(&fixture.random, b"aad", b"old");
    let digest = before.mac(KeyPurpose::TokenHash).digest("session", b"data");
    fixture.rotate(KeyPurpose::OutboxSeal);
    fixture.rotate(KeyPurpose::TokenHash);

    let after = fixture.open();
    let sealer = after.sealer(KeyPurpose::OutboxSeal);
    assert_eq!(**sealer.open(b"aad", &old).unwrap(), *b"old");
    let new = sealer.seal(&fixture.random, b"aad", b"new");
    assert_eq!(**sealer.open(b"aad", &new).unwrap(), *b"new");
    let unknown = before.sealer(KeyPurpose::OutboxSeal).open(b"aad", &new).unwrap_err();
    assert_eq!(unknown, SealError::UnknownVersion(2));

    let mac = after.mac(KeyPurpose::TokenHash);
    assert_ne!(mac.digest("session", b"data"), digest);
    assert!(mac.verify("session", b"data", &digest));
    assert_eq!(mac.digests("session", b"data"), [mac.digest("session", b"data"), digest]);
}

#[test]
fn rotation_leaves_what_lasts_as_it_was() {
    let mut fixture = Fixture::new();
    let digest = |keyring: &Keyring| keyring.mac(KeyPurpose::Subject).first_key_digest("sub", b"data");
    let before = digest(&fixture.open());
    fixture.rotate(KeyPurpose::Subject);
    fixture.rotate(KeyPurpose::Subject);
    assert_eq!(digest(&fixture.open()), before);
    assert_ne!(fixture.open().mac(KeyPurpose::Subject).digest("sub", b"data"), before);
}

#[test]
fn versions_count_up_within_their_purpose() {
    let mut fixture = Fixture::new();
    fixture.rotate(KeyPurpose::Pepper);
    fixture.rotate(KeyPurpose::Pepper);
    fixture.rotate(KeyPurpose::AuditMac);
    let versions = |purpose| {
        let of_purpose = fixture.sealed.iter().filter(|key| key.purpose == purpose);
        of_purpose.map(|key| key.version).collect::<Vec<_>>()
    };
    assert_eq!(versions(KeyPurpose::Pepper), [1, 2, 3]);
    assert_eq!(versions(KeyPurpose::AuditMac), [1, 2]);
    assert_eq!(versions(KeyPurpose::Subject), [1]);
    assert_eq!(fixture.open().peppers().newest().0, 3);
}

#[test]
fn no_key_opens_in_the_place_of_another() {
    let refused = |purpose, version| KeyringError::Unopened { purpose, version, source: SealError::Refused };

    let mut fixture = Fixture::new();
    let (first, second) = (fixture.sealed[0].sealed.clone(), fixture.sealed[1].sealed.clone());
    (fixture.sealed[0].sealed, fixture.sealed[1].sealed) = (second, first);
    assert_eq!(fixture.open_error(), refused(fixture.sealed[0].purpose, 1));

    let mut fixture = Fixture::new();
    fixture.sealed[4].version = 2;
    assert_eq!(fixture.open_error(), refused(fixture.sealed[4].purpose, 2));

    let mut fixture = Fixture::new();
    let copy = fixture.sealed[5].clone();
    fixture.sealed.push(copy);
    let KeyringError::Duplicate { version: 1, .. } = fixture.open_error() else { panic!() };
}

#[test]
fn another_master_key_opens_nothing() {
    let Fixture { sealed, random, .. } = Fixture::new();
    let error = Keyring::open(&MasterKey::generate(&random), &sealed).unwrap_err();
    assert!(matches!(error, KeyringError::Unopened { source: SealError::Refused, .. }));
}

#[test]
fn resealing_moves_every_key_to_the_new_master_key() {
    let mut fixture = Fixture::new();
    fixture.rotate(KeyPurpose::CodeSeal);
    let new = MasterKey::generate(&fixture.random);
    let resealed = Keyring::reseal(&fixture.master, &new, &fixture.sealed, &fixture.random).unwrap();
    assert!(Keyring::open(&fixture.master, &resealed).is_err());
    let rows = |keys: &[SealedKey]| {
        keys.iter().map(|key| (key.purpose, key.version, key.created_at_ms)).collect::<Vec<_>>()
    };
    assert_eq!(rows(&resealed), rows(&fixture.sealed));

    let sealed = fixture.open().sealer(KeyPurpose::CodeSeal).seal(&fixture.random, b"", b"code");
    let opened = Keyring::open(&new, &resealed).unwrap();
    assert_eq!(**opened.sealer(KeyPurpose::CodeSeal).open(b"", &sealed).unwrap(), *b"code");
    assert!(Keyring::reseal(&new, &fixture.master, &fixture.sealed, &fixture.random).is_err());
}

#[test]
fn purposes_and_uses_have_nothing_in_common() {
    let keyring = Fixture::new().open();
    let random = Random::seeded(1);
    let sealed = keyring.sealer(KeyPurpose::CodeSeal).seal(&random, b"", b"code");
    assert_eq!(keyring.sealer(KeyPurpose::InteractionSeal).open(b"", &sealed), Err(SealError::Refused));
    let digest = keyring.mac(KeyPurpose::FormMac).digest("", b"");
    assert!(!keyring.mac(KeyPurpose::DeviceMac).verify("", b"", &digest));
    let raw = RawKey::new([1; 32]);
    assert_ne!(raw.subkey("seal"), raw.subkey("mac"));
}

#[test]
fn does_not_print() {
    let fixture = Fixture::new();
    let keyring = fixture.open();
    assert_eq!(format!("{keyring:?}"), "Keyring([redacted])");
    assert_eq!(format!("{:?}", keyring.sealer(KeyPurpose::CodeSeal)), "Sealer([redacted])");
    assert_eq!(format!("{:?}", keyring.mac(KeyPurpose::FormMac)), "Mac([redacted])");
    assert_eq!(
        format!("{:?}", fixture.sealed[0]),
        "SealedKey { purpose: Pepper, version: 1, created_at_ms: 1000, .. }"
    );
}

proptest! {
    #[test]
    fn an_altered_row_never_opens(row in 0_usize..12, at: prop::sample::Index, flip in 1_u8..) {
        let mut fixture = Fixture::new();
        let sealed = &mut fixture.sealed[row].sealed;
        let at = at.index(sealed.len());
        sealed[at] ^= flip;
        let unopened = matches!(fixture.open_error(), KeyringError::Unopened { .. });
        prop_assert!(unopened);
    }
}
