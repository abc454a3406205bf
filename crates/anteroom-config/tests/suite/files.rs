//! Several files: included, watched, taken up whole.

use crate::{BASE, WEB_CLIENT, assert_text, env};
use anteroom_config::{Configuration, ConfigurationFile};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        fs::create_dir(folder.0.path().join("clients.d")).unwrap();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("anteroom.toml")
    }

    /// Complaints as if the folder were the working directory.
    fn refused(&self) -> String {
        let found = Configuration::load(&self.main(), &env).unwrap_err().to_string();
        found.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn main_text() -> String {
    format!("include = [\"clients.d/*.toml\"]\n{BASE}")
}

fn client(id: &str) -> String {
    WEB_CLIENT.replace("\"web\"", &format!("\"{id}\""))
}

fn ids(configuration: &Configuration) -> Vec<&str> {
    configuration.settings.clients.iter().map(|client| client.metadata.client_id.as_str()).collect()
}

#[test]
fn included_files_are_read_in_order() {
    let main = format!("{}{}", main_text(), client("own"));
    let folder = Folder::new(&[
        ("anteroom.toml", &main),
        ("clients.d/b.toml", &client("b")),
        ("clients.d/a.toml", &client("a")),
        ("clients.d/c.toml~", "left by an editor"),
    ]);
    assert_eq!(ids(&Configuration::load(&folder.main(), &env).unwrap()), ["own", "a", "b"]);
}

#[test]
fn errors_of_all_files_come_at_once() {
    let main = format!("{}[log]\nlevel = \"loud\"\n{}", main_text(), client("web"));
    let folder = Folder::new(&[
        ("anteroom.toml", &main),
        ("clients.d/web.toml", &format!("{}tile.name = 1\n[log]\n", client("web"))),
    ]);
    assert_text(
        &folder.refused(),
        r#"
error: bad value for `level` in `[log]`
 --> anteroom.toml:6:9
  |
6 | level = "loud"
  |         ^^^^^^ must be one of: error, warn, info, debug, trace

error: client `web` is defined twice
 --> clients.d/web.toml:2:13
  |
2 | client_id = "web"
  |             ^^^^^ defined again here
  |
 ::: anteroom.toml:8:13
  |
8 | client_id = "web"
  |             ----- first defined here

error: a tile that leads nowhere
 --> clients.d/web.toml:5:1
  |
5 | tile.name = 1
  | ^^^^ `launch_url` is missing here
  |
  = help: give the client an `initiate_login_uri`, which starts its sign-in, or the tile a `launch_url`

error: bad value for `name` in `[clients.tile]`
 --> clients.d/web.toml:5:13
  |
5 | tile.name = 1
  |             ^ expected a string, found an integer

error: `log` belongs in the main file
 --> clients.d/web.toml:6:2
  |
6 | [log]
  |  ^^^ an included file holds `[[clients]]` and `[[groups]]` only"#,
    );
}

#[test]
fn an_included_file_that_is_missing_is_refused_and_a_pattern_without_match_is_not() {
    let missing = format!("include = [\"clients.d/web.toml\"]\n{BASE}");
    let folder = Folder::new(&[("anteroom.toml", &missing)]);
    assert!(folder.refused().starts_with("error: cannot read clients.d/web.toml: "), "{}", folder.refused());
    folder.write("anteroom.toml", &main_text());
    let configuration = Configuration::load(&folder.main(), &env).unwrap();
    let warnings: Vec<_> = configuration.warnings.iter().map(|found| found.message).collect();
    assert_eq!(warnings, ["an include that includes nothing"]);
}

/// "Could not look" is not "nothing is there": a server would go on without its clients.
#[test]
fn a_folder_that_cannot_be_listed_is_refused_and_not_empty() {
    let folder = Folder::new(&[("anteroom.toml", &main_text()), ("clients.d/a.toml", &client("a"))]);
    let (clients, away) = (folder.0.path().join("clients.d"), folder.0.path().join("away"));
    let mut source = ConfigurationFile::new(folder.main());
    source.load(&env).unwrap();
    fs::rename(&clients, &away).unwrap();
    assert!(source.poll(&env).is_none());
    assert!(source.poll(&env).unwrap().is_err());
    assert!(source.poll(&env).is_none(), "said once");
    assert_eq!(folder.refused().matches("error: ").count(), 1, "{}", folder.refused());
    assert!(folder.refused().starts_with("error: cannot list clients.d/*.toml: "), "{}", folder.refused());
    // What stands in its place is no folder, or leads to itself.
    fs::write(&clients, "").unwrap();
    assert!(folder.refused().starts_with("error: cannot list clients.d/*.toml: "), "{}", folder.refused());
    fs::remove_file(&clients).unwrap();
    symlink(&clients, &clients).unwrap();
    assert!(folder.refused().starts_with("error: cannot list clients.d/*.toml: "), "{}", folder.refused());
    fs::remove_file(&clients).unwrap();
    fs::rename(&away, &clients).unwrap();
    assert!(source.poll(&env).is_none());
    assert_eq!(ids(&source.poll(&env).unwrap().unwrap()), ["a"]);
}

#[test]
fn a_match_that_is_no_readable_file_is_refused() {
    let folder = Folder::new(&[("anteroom.toml", &main_text()), ("clients.d/a.toml", &client("a"))]);
    let place = folder.0.path().join("clients.d/b.toml");
    for target in ["nowhere", "b.toml"] {
        symlink(target, &place).unwrap();
        let refused = folder.refused();
        assert!(refused.starts_with("error: cannot read clients.d/b.toml: "), "{target}: {refused}");
        fs::remove_file(&place).unwrap();
    }
    let pipe = std::process::Command::new("mkfifo").arg(&place).status().unwrap();
    assert!(pipe.success());
    assert!(folder.refused().contains("clients.d/b.toml is not a file"), "{}", folder.refused());
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    assert_eq!(ids(&Configuration::load(&folder.main(), &env).unwrap()), ["a"], "a folder is no match");
}

#[test]
fn what_may_stand_in_a_broken_file_is_not_called_missing() {
    let main = format!("{}{}groups = [\"front-desk\"]\n", main_text(), client("web"));
    let folder = Folder::new(&[
        ("anteroom.toml", &main),
        ("clients.d/groups.toml", "[[groups]\nname = \"front-desk\"\n"),
    ]);
    assert_eq!(folder.refused().matches("error").count(), 1, "{}", folder.refused());
}

#[test]
fn a_source_takes_up_what_has_changed_and_settled() {
    let folder = Folder::new(&[("anteroom.toml", &main_text()), ("clients.d/a.toml", &client("a"))]);
    let mut source = ConfigurationFile::new(folder.main());
    let first = source.load(&env).unwrap();
    assert!(source.poll(&env).is_none());

    folder.write("clients.d/b.toml", &client("b"));
    assert!(source.poll(&env).is_none(), "somebody may still be writing");
    let second = source.poll(&env).unwrap().unwrap();
    assert_eq!(ids(&second), ["a", "b"]);
    assert_ne!(second.digest, first.digest);
    assert!(source.poll(&env).is_none());

    fs::remove_file(folder.0.path().join("clients.d/b.toml")).unwrap();
    assert!(source.poll(&env).is_none());
    assert_eq!(source.poll(&env).unwrap().unwrap().digest, first.digest);
}

#[test]
fn a_bad_change_is_refused_once_and_mended_later() {
    let folder = Folder::new(&[("anteroom.toml", &main_text()), ("clients.d/a.toml", &client("a"))]);
    let mut source = ConfigurationFile::new(folder.main());
    source.load(&env).unwrap();

    folder.write("clients.d/a.toml", "[[clients]");
    assert!(source.poll(&env).is_none());
    assert!(source.poll(&env).unwrap().is_err());
    assert!(source.poll(&env).is_none(), "said once");

    folder.write("clients.d/a.toml", &client("a"));
    assert!(source.poll(&env).is_none());
    assert_eq!(ids(&source.poll(&env).unwrap().unwrap()), ["a"]);
}

#[test]
fn a_changed_secret_is_a_change() {
    let main = main_text().replace("master_key_env = \"MASTER_KEY\"", "master_key_file = \"master\"");
    let folder =
        Folder::new(&[("anteroom.toml", &main), ("master", "one"), ("clients.d/a.toml", &client("a"))]);
    let mut source = ConfigurationFile::new(folder.main());
    source.load(&env).unwrap();
    folder.write("master", "two");
    assert!(source.poll(&env).is_none());
    assert!(source.poll(&env).unwrap().is_ok());
}

#[test]
fn file_names_are_relative_to_the_file_that_names_them() {
    let folder = Folder::new(&[
        ("anteroom.toml", &main_text()),
        (
            "clients.d/a.toml",
            &client("a").replace("secret_env = \"CLIENT_SECRET\"", "secret_file = \"../secret\""),
        ),
        ("secret", "a-secret-of-good-length"),
    ]);
    assert!(Configuration::load(&folder.main(), &env).is_ok());
    let text = format!("include = [\"a.toml\"]\n{BASE}");
    let found = Configuration::parse_str("/nonexistent/anteroom.toml", &text, &env).unwrap_err();
    assert!(found.to_string().contains(&Path::new("/nonexistent/a.toml").display().to_string()), "{found}");
}
