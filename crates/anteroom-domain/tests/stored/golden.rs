//! The files themselves. A folder for each release has the forms that it was the first to write, a file for each form, and
//! in it each sample by its name.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::fmt::Debug;
use std::path::{Path, PathBuf};

/// The release that new samples belong to. The files of every release before it stay as they are.
const RELEASE_IN_THE_MAKING: &str = "0.2.0";
const RELEASES: &[&str] = &["0.1.0", RELEASE_IN_THE_MAKING];

/// A form of which samples are kept.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// JSON pointers to the objects in which members of a later release may stand.
    pub(crate) objects: &'static [&'static str],
}

impl Form {
    /// Each sample is what is read of the file, also where a later release wrote more, and has been written with all that
    /// nodes of the release before look for.
    pub(crate) fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(&self, samples: &[(&str, T)]) {
        let read = |value: Value| serde_json::from_value::<T>(value).unwrap();
        for (name, sample) in samples {
            let stored = self.stored(name, &serde_json::to_value(sample).unwrap());
            assert_eq!(&read(stored.clone()), sample, "{}: {name}", self.name);
            assert_eq!(&read(self.with_unknown_members(stored)), sample, "{}: {name}", self.name);
        }
        let names: Vec<&str> = samples.iter().map(|(name, _)| *name).collect();
        self.check_that_no_file_has_more_than(&names);
    }

    /// What the oldest release that knows the sample wrote, all of which is still in `written`.
    pub(crate) fn stored(&self, name: &str, written: &Value) -> Value {
        let stored = RELEASES.iter().find_map(|release| self.read(release).remove(name));
        let stored = stored.unwrap_or_else(|| self.add(name, written));
        assert!(has_all_of(written, &stored), "{}: {name} is written without parts of {stored}", self.name);
        stored
    }

    pub(crate) fn check_that_no_file_has_more_than(&self, names: &[&str]) {
        for release in RELEASES {
            let unknown = self.read(release).into_iter().find(|(name, _)| !names.contains(&name.as_str()));
            assert_eq!(unknown, None, "{}: a sample of {release} that no test reads", self.name);
        }
    }

    fn with_unknown_members(&self, mut value: Value) -> Value {
        for pointer in self.objects {
            if let Some(Value::Object(object)) = value.pointer_mut(pointer) {
                object.insert("of_a_later_release".to_owned(), json!({ "x": [1] }));
            }
        }
        value
    }

    fn read(&self, release: &str) -> Map<String, Value> {
        match std::fs::read(self.path(release)) {
            Ok(text) => serde_json::from_slice(&text).unwrap(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Map::new(),
            Err(error) => panic!("{}: {error}", self.path(release).display()),
        }
    }

    fn add(&self, name: &str, written: &Value) -> Value {
        let path = self.path(RELEASE_IN_THE_MAKING);
        let missing = std::env::var_os("UPDATE_STORED").is_none();
        assert!(!missing, "{} has no `{name}`: run the test once with UPDATE_STORED=1", path.display());
        let mut samples = self.read(RELEASE_IN_THE_MAKING);
        samples.insert(name.to_owned(), written.clone());
        let text = serde_json::to_string_pretty(&samples).unwrap() + "\n";
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        written.clone()
    }

    fn path(&self, release: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/stored")
            .join(release)
            .join(format!("{}.json", self.name))
    }
}

fn has_all_of(written: &Value, stored: &Value) -> bool {
    match (written, stored) {
        (Value::Object(written), Value::Object(stored)) => stored
            .iter()
            .all(|(name, value)| written.get(name).is_some_and(|written| has_all_of(written, value))),
        _ => written == stored,
    }
}
