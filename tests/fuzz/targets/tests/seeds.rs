//! Every seed, and a fixed number of inputs made from the seeds by edits that are the same each time.
//!
//! `ANTEROOM_FUZZ_CASES` makes more of them; `UPDATE_SEEDS=1` writes the seeds that have to be signed or sealed.
#![cfg(test)]

use anteroom_fuzz_targets::{TARGETS, Verdict, made_seeds, run};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const CASES: u32 = 400;

/// Pieces that mean something to one parser or another.
const PIECES: &[&[u8]] = &[
    b"",
    b"&",
    b"=",
    b"%00",
    b"%",
    b"+",
    b".",
    b"..",
    b",",
    b";",
    b":",
    b"/",
    b"//",
    b"\\",
    b"?",
    b"#",
    b"@",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"'",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"\xe2\x80\xae",
    b"-",
    b"0",
    b"1e999",
    b"-1",
    b"9223372036854775808",
    b"null",
    b"true",
    b"[[",
    b"\\u0000",
    b"*",
    b"http://",
    b"localhost",
    b"[::1]",
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds")
}

/// Name and content, in the order of their names.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder().join(target)).unwrap().map(Result::unwrap);
    let mut seeds: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

#[derive(Clone, Debug)]
enum Edit {
    Put(Index, Vec<u8>),
    Cut(Index, usize),
    Repeat(Index, usize),
    Flip(Index, u8),
    /// Goes on as another seed does from there.
    Cross(Index, Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Edit::Put(at, piece.to_vec())),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Put(at, bytes)),
        3 => (at(), 1_usize..40).prop_map(|(at, length)| Edit::Cut(at, length)),
        2 => (at(), 1_usize..60).prop_map(|(at, length)| Edit::Repeat(at, length)),
        3 => (at(), 0_u8..8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (at(), at(), at()).prop_map(|(at, seed, from)| Edit::Cross(at, seed, from)),
    ]
}

fn apply(edit: Edit, bytes: &mut Vec<u8>, seeds: &[(String, Vec<u8>)]) {
    let place = |at: Index, length: usize| at.index(length + 1);
    match edit {
        Edit::Put(at, piece) => {
            let at = place(at, bytes.len());
            bytes.splice(at..at, piece);
        }
        Edit::Cut(at, length) => {
            let at = place(at, bytes.len());
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Edit::Repeat(at, length) => {
            let at = place(at, bytes.len());
            let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        Edit::Flip(at, bit) => {
            let at = place(at, bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << bit;
            }
        }
        Edit::Cross(at, seed, from) => {
            let (_, other) = &seeds[seed.index(seeds.len())];
            bytes.truncate(place(at, bytes.len()));
            bytes.extend_from_slice(&other[place(from, other.len())..]);
        }
    }
}

/// Held to their names, then edited.
fn holds(target: &str) {
    let seeds = seeds(target);
    for (name, seed) in &seeds {
        let expected = match name.split('-').next() {
            Some("good") => Verdict::Accepted,
            Some("bad") => Verdict::Refused,
            _ => panic!("{target}/{name}: neither good nor bad"),
        };
        assert_eq!(run(target, seed), expected, "{target}/{name}");
    }
    for verdict in ["good", "bad"] {
        assert!(seeds.iter().any(|(name, _)| name.starts_with(verdict)), "{target}: no {verdict} seed");
    }
    let cases = std::env::var("ANTEROOM_FUZZ_CASES").ok().map_or(CASES, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_096, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let inputs = (any::<Index>(), prop::collection::vec(edit(), 1..8)).prop_map(|(seed, edits)| {
        let (_, mut bytes) = seeds[seed.index(seeds.len())].clone();
        for edit in edits {
            apply(edit, &mut bytes, &seeds);
        }
        bytes
    });
    let found = runner.run(&inputs, |input| {
        run(target, &input);
        Ok(())
    });
    if let Err(TestError::Fail(reason, input)) = found {
        panic!("{target}: {reason}\nfor {:?}", String::from_utf8_lossy(&input));
    }
}

/// A test of each target's name, and one that none is missing.
macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                holds(stringify!($name));
            }
        )+

        #[test]
        fn every_target_has_a_test_and_seeds_and_a_binary() {
            let tested = BTreeSet::from([$(stringify!($name).to_owned()),+]);
            let targets: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
            assert_eq!(tested, targets);
            for (what, suffix) in [("../seeds", ""), ("../fuzz_targets", ".rs")] {
                let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(what)).unwrap();
                let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
                let names: BTreeSet<String> =
                    names.map(|name| name.strip_suffix(suffix).unwrap_or(&name).to_owned()).collect();
                assert_eq!(names, targets, "{what}");
            }
        }
    };
}

targets! {
    authorization_request, claims_parameter, client_assertion, client_assertion_claims, client_jwks, configuration,
    credentials, encrypted, headers, logout_request, our_jwt, people, redirect_uri, registration,
    request_object, request_object_claims, sealed, webfinger, wire_names,
}

#[test]
fn seeds_that_are_made_are_as_they_would_be_made_now() {
    for (target, name, content) in made_seeds() {
        let path = folder().join(target).join(name);
        if std::env::var_os("UPDATE_SEEDS").is_some() {
            fs::write(&path, &content).unwrap();
        }
        assert_eq!(
            fs::read_to_string(&path).unwrap_or_default(),
            content,
            "{target}/{name}: UPDATE_SEEDS=1 writes it"
        );
    }
}
