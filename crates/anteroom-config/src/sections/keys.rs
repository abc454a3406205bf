//! Keys at rest, keys that sign, and what hashing costs.

use anteroom_oidc::SigningAlgorithm;

use super::{HOUR, days};
use crate::diagnostics::ConfigFinding;
use crate::reader::kind::{boolean, duration, integer, list, word};
use crate::reader::{MASTER_KEY_FILE, Secret, SecretKeys, Section, key};
use crate::settings::{Hashing, SigningSettings};

pub(crate) struct KeysDraft {
    pub(crate) master_key: Option<Secret>,
    pub(crate) signing: SigningSettings,
}

pub(super) fn read_keys(top: &mut Section<'_, '_>) -> KeysDraft {
    const KEYS: SecretKeys = SecretKeys {
        file: MASTER_KEY_FILE,
        file_meaning: "File with the master key; `anteroom keys init` makes it. Required, unless \
            `master_key_env` is given.",
        env: "master_key_env",
        env_meaning: "Environment variable with the master key.",
    };
    let about = "The master key, under which everything secret in the database is sealed. Its loss costs all \
        passwords and tokens: keep a copy of it, away from the database's backups.";
    top.section("keys", about, |section| {
        KEYS.forbid_inline(section);
        let master_key = KEYS.read(section);
        if !section.was_given(KEYS.file) && !section.was_given(KEYS.env) && !section.cx.is_describing() {
            let finding = ConfigFinding::error("no master key is given");
            let finding = finding.at(section.place.clone(), "`master_key_file` is missing here");
            let help = "make one with `anteroom keys init` and name its file: \
                `[keys] master_key_file = \"master.key\"`";
            section.cx.report(finding.help(help));
        }
        KeysDraft { master_key, signing: read_signing(section) }
    })
}

fn read_signing(keys: &mut Section<'_, '_>) -> SigningSettings {
    let about = "The keys that sign tokens. They are made, rotated and retired by themselves.";
    keys.section("signing", about, |section| {
        let meaning = "What tokens can be signed with, each client's as it chooses. RS256 must be among them \
            (OpenID Connect Discovery §3).";
        let default = vec![SigningAlgorithm::Rs256, SigningAlgorithm::Es256, SigningAlgorithm::EdDsa];
        let algorithms = key("algorithms", list(word(SigningAlgorithm::ALL)), meaning);
        let algorithms = section.get_or(algorithms, default);
        let rotate_every = key("rotate_every", duration(days(7)..=days(730)), "How long a key signs.");
        let rotate_every = section.get_or(rotate_every.looser_above(), days(90));
        let meaning = "How long a key is published before it signs and after it has signed, for applications \
            that keep old lists of keys.";
        let overlap = key("overlap", duration(HOUR..=days(90)), meaning).looser_below();
        let signing = SigningSettings { algorithms, rotate_every, overlap: section.get_or(overlap, days(7)) };
        check_signing(section, &signing);
        signing
    })
}

fn check_signing(section: &Section<'_, '_>, signing: &SigningSettings) {
    if !signing.algorithms.contains(&SigningAlgorithm::Rs256) {
        let finding = ConfigFinding::error("tokens cannot be signed with RS256");
        let label = "RS256 must be among these: OpenID Connect Discovery §3 requires it of every provider";
        section.cx.report(finding.at(section.place_of("algorithms"), label));
    }
    if signing.overlap * 2 >= signing.rotate_every {
        let finding = ConfigFinding::error("signing keys overlap for longer than they sign");
        let place = section.place_of("overlap").or_else(|| section.place_of("rotate_every"));
        section.cx.report(finding.at(place, "`rotate_every` must be more than twice `overlap`"));
    }
}

pub(super) fn read_hashing(top: &mut Section<'_, '_>) -> Hashing {
    let about = "What hashing a password costs, in Argon2id's terms. The defaults are OWASP's minimum. Raised \
        values reach each password at its owner's next sign-in.";
    top.section("hashing", about, |section| {
        let memory_kib =
            section.get_or(key("memory_kib", integer(19_456..=262_144), "Memory, in KiB."), 19_456);
        let iterations = section.get_or(key("iterations", integer(2..=16), "Passes over the memory."), 2);
        let parallelism =
            section.get_or(key("parallelism", integer(1..=16), "Lanes, computed one after another."), 1);
        let meaning =
            "Whether hashes are keyed as well, so that a stolen database alone cannot be guessed against.";
        let pepper = section
            .get_or(key("pepper", boolean(), meaning).looser_when(|given, default| !given && *default), true);
        let meaning = "How many may wait for a hash on this node before others are told to come back later.";
        let queue = section.get_or(key("queue", integer(4..=10_000), meaning), 256);
        Hashing { memory_kib, iterations, parallelism, pepper, queue }
    })
}
