//! The configuration that comes with Anteroom: it is accepted, and the defaults it shows are the defaults.

use anteroom_config::{Configuration, reference_markdown};
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

const EXAMPLE: &str = include_str!("../../../../config/anteroom.toml");
const CLIENTS: &[(&str, &str)] = &[
    ("schedule.toml", include_str!("../../../../config/clients.d/schedule.toml")),
    ("secure-mail.toml", include_str!("../../../../config/clients.d/secure-mail.toml")),
];

/// The example with the secrets that it names.
fn unpack(main: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["clients.d", "secrets"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("anteroom.toml"), main).unwrap();
    for (name, text) in CLIENTS {
        fs::write(folder.path().join("clients.d").join(name), text).unwrap();
    }
    for (name, secret) in [("master.key", "q".repeat(43)), ("schedule", "a-secret-of-good-length".to_owned())]
    {
        let file = folder.path().join("secrets").join(name);
        fs::write(&file, secret).unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn load(main: &str) -> Configuration {
    load_in(&unpack(main))
}

fn load_in(folder: &TempDir) -> Configuration {
    let env =
        |name: &str| (name == "SECURE_MAIL_CLIENT_SECRET").then(|| "a-secret-of-good-length".to_owned());
    Configuration::load(&folder.path().join("anteroom.toml"), &env).unwrap()
}

/// `# key = value` becomes `key = value`; prose stays a comment.
fn uncommented(text: &str, only: impl Fn(&str) -> bool) -> String {
    let uncomment = |line: &str| {
        let key = line.strip_prefix("# ").filter(|rest| key_of(rest).is_some_and(&only));
        key.unwrap_or(line).to_owned() + "\n"
    };
    text.lines().map(uncomment).collect()
}

fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    key.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some(key)
}

/// Where a secret could rest instead, and what depends on something else: no defaults.
fn is_alternative(key: &str) -> bool {
    matches!(
        key,
        "url_file" | "url_env" | "max_connections" | "master_key_env" | "folder" | "checkpoints_file"
    )
}

#[test]
fn the_example_is_accepted_without_a_warning() {
    let configuration = load(EXAMPLE);
    assert!(configuration.warnings.is_empty(), "{}", configuration.warnings);
    let ids: Vec<_> = configuration.settings.clients.iter().map(|c| c.metadata.client_id.as_str()).collect();
    assert_eq!(ids, ["schedule", "secure-mail"]);
    assert_eq!(CLIENTS.len(), fs::read_dir(config_folder().join("clients.d")).unwrap().count());
}

fn config_folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

#[test]
fn the_defaults_in_comments_are_the_defaults() {
    let text = uncommented(EXAMPLE, |key| !is_alternative(key));
    assert_ne!(text, EXAMPLE);
    let folder = unpack(&text);
    let shown = load_in(&folder);
    fs::write(folder.path().join("anteroom.toml"), EXAMPLE).unwrap();
    let real = load_in(&folder);
    assert!(shown.warnings.is_empty(), "{}", shown.warnings);
    assert_eq!(shown.digest, real.digest);
    assert_eq!(format!("{:?}", shown.settings), format!("{:?}", real.settings));
}

#[test]
fn the_example_shows_every_key() {
    let text = uncommented(EXAMPLE, |_| true);
    // What has no default is shown behind two signs.
    let lines = text.lines().map(|line| line.strip_prefix("## ").unwrap_or(line));
    let shown: BTreeSet<&str> = lines.filter_map(key_of).collect();
    let page = reference_markdown();
    let main_sections =
        page.split("\n## ").filter(|section| !section.contains("clients") || section.starts_with("Top"));
    let documented = main_sections.flat_map(|section| {
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect::<Vec<_>>()
    });
    // Written as one inline table.
    let missing: Vec<&str> =
        documented.filter(|key| !shown.contains(key) && !["max", "window"].contains(key)).collect();
    assert_eq!(missing, [""; 0]);
}
