//! What a change of the configuration is called, and whether it waits for the next start.

use crate::{BASE, WEB_CLIENT, env, parse};
use anteroom_config::{Changes, Configuration, PartDigests, reference_markdown};
use std::collections::BTreeSet;
use std::fs;

const GATEWAY: &str = "provider = \"http\"\nhttp.url = \"https://gateway.example/?to={to}&text={text}\"\n";

/// A change of each section, the names of what it changes, and whether that waits for the next start.
fn table() -> Vec<(String, &'static [&'static str], bool)> {
    let row = |more: &str, names: &'static [&'static str], waits: bool| (more.to_owned(), names, waits);
    vec![
        row("[practice]\nname = \"Practice\"\n", &["practice.name"], false),
        row("[practice]\ntime_zone = \"America/Chicago\"\n", &["practice.time_zone"], false),
        row("[practice]\ndefault_locale = \"es\"\n", &["practice.default_locale"], true),
        row("[server]\nlisten = \"[::]:80\"\n", &["server.listen"], true),
        row(
            "[server.tls]\ncertificate = \"c\"\nkey = \"k\"\n",
            &["server.tls.certificate", "server.tls.key"],
            true,
        ),
        row("[database]\nurl = \"sqlite:b.db\"\n", &["database.url"], true),
        row("[keys.signing]\noverlap = \"8d\"\n", &["keys.signing.overlap"], true),
        row("[policy.session]\nidle = \"10m\"\n", &["policy.session.idle"], false),
        row("[policy]\nprofile = \"nist-800-63b-4\"\n", &["policy.profile"], false),
        row(
            "[registration]\ninitial_access_token_env = \"CLIENT_SECRET\"\n",
            &["registration.initial_access_token_env"],
            false,
        ),
        row("[hashing]\nqueue = 9\n", &["hashing.queue"], true),
        row("[outgoing]\nallow = [\"10.0.0.0/8\"]\n", &["outgoing.allow"], true),
        row("[theme]\nfolder = \"t\"\n", &["theme.folder"], false),
        row("[audit]\nretention = \"7000d\"\n", &["audit.retention"], true),
        row(
            "[email]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\n",
            &["email.from", "email.host"],
            true,
        ),
        row(
            &format!(
                "[twilio]\naccount_sid = \"AC{}\"\nauth_token_env = \"CLIENT_SECRET\"\n",
                "0".repeat(32)
            ),
            &["twilio.account_sid", "twilio.auth_token_env"],
            true,
        ),
        row(&format!("[text]\n{GATEWAY}"), &["text.http.url", "text.provider"], true),
        row(
            &format!("[voice]\n{GATEWAY}http.waits_for_key = true\n"),
            &["voice.http.url", "voice.http.waits_for_key", "voice.provider"],
            true,
        ),
        row("[dev]\noutbox = true\n", &["dev.outbox"], true),
        row("[log]\nlevel = \"warn\"\n", &["log.level"], true),
        row("[[groups]]\nname = \"front-desk\"\n", &["groups.front-desk"], false),
        row(WEB_CLIENT, &["clients.web"], false),
    ]
}

fn with(more: &str) -> PartDigests {
    // All that the table has may be set under https.
    let read = parse(&format!("{}{more}", BASE.replace("http:", "https:")));
    read.unwrap_or_else(|problems| panic!("{more}{}", problems.render(false))).digests
}

#[test]
fn each_section_is_taken_up_or_waits_and_is_called_by_its_name() {
    let started = with("");
    for (more, names, waits) in table() {
        let changed = with(&more);
        let waiting = if waits { names } else { &[] };
        let expected =
            Changes { changed: names.iter().map(ToString::to_string).collect(), waiting: Vec::new() };
        let found = Changes::of(&changed, &started, &started);
        assert_eq!(found.changed, expected.changed, "{more}");
        assert_eq!(found.waiting, waiting, "{more}");
        // Taken out again.
        assert_eq!(Changes::of(&started, &changed, &started), expected, "{more}");
    }
}

#[test]
fn the_table_has_every_section_of_the_reference_and_both_agree() {
    let page = reference_markdown();
    let name =
        |title: &str| title.trim_matches(['[', ']']).split(['.', ']']).next().unwrap_or_default().to_owned();
    let chapters: Vec<&str> = page.split("\n## `").skip(1).collect();
    let table: BTreeSet<String> =
        table().iter().map(|(more, ..)| name(more.lines().next().unwrap())).collect();
    let sections: BTreeSet<String> =
        chapters.iter().map(|chapter| name(chapter.lines().next().unwrap())).collect();
    assert_eq!(table, sections);
    let marked = chapters.iter().filter(|chapter| chapter.contains("\n*At start.*\n"));
    let marked: BTreeSet<String> = marked.map(|chapter| name(chapter.lines().next().unwrap())).collect();
    let waiting =
        self::table().into_iter().filter(|(_, names, waits)| *waits && names != &["practice.default_locale"]);
    assert_eq!(marked, waiting.map(|(more, ..)| name(more.lines().next().unwrap())).collect());
    let list = "`practice.default_locale`, `[server]`, `[database]`, `[keys]`, `[hashing]`, `[outgoing]`, `[audit]`, `[email]`, \
        `[twilio]`, `[text]`, `[voice]`, `[dev]`, `[log]`.";
    assert!(page.contains(list), "{page}");
}

#[test]
fn what_waits_is_said_until_it_is_as_it_was_at_the_start() {
    let (started, port) = (with(""), "[server]\nlisten = \"[::]:80\"\n");
    let (waiting, later) = (with(port), with(&format!("{port}[practice]\nname = \"Practice\"\n")));
    let found = Changes::of(&later, &waiting, &started);
    assert_eq!(
        (found.changed, found.waiting),
        (vec!["practice.name".to_owned()], vec!["server.listen".to_owned()])
    );
    assert_eq!(Changes::of(&started, &later, &started).waiting, Vec::<String>::new());
    let (spelled, again) = (with("[server]\nlisten = \"127.0.0.1:8080\"\n"), with(""));
    assert_eq!(Changes::of(&spelled, &again, &started), Changes { changed: Vec::new(), waiting: Vec::new() });
}

#[test]
fn another_content_of_a_file_is_a_change_of_the_key_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let email = "[email]\nhost = \"mail.example\"\nfrom = \"a@b.example\"\nusername = \"a\"\npassword_file = \"password\"\n";
    let client = WEB_CLIENT.replace("secret_env = \"CLIENT_SECRET\"", "secret_file = \"secret\"");
    fs::write(file("anteroom.toml"), format!("{BASE}{email}{client}")).unwrap();
    let load = |password: &str, secret: &str| {
        fs::write(file("password"), password).unwrap();
        fs::write(file("secret"), secret).unwrap();
        Configuration::load(&file("anteroom.toml"), &env).unwrap().digests
    };
    let started = load("one", "a-secret-of-good-length");
    assert!(!format!("{started:?}").contains("mail.example"));
    let renewed = load("two", "a-secret-of-good-length");
    let password = vec!["email.password_file".to_owned()];
    assert_eq!(
        Changes::of(&renewed, &started, &started),
        Changes { changed: password.clone(), waiting: password.clone() }
    );
    let both = load("two", "another-secret-of-good-length");
    assert_eq!(
        Changes::of(&both, &renewed, &started),
        Changes { changed: vec!["clients.web".to_owned()], waiting: password }
    );
}
