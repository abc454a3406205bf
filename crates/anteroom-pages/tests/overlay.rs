//! An operator's folder over the default theme: what it may change, and what is told when it is wrong.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use anteroom_pages::{
    DashboardPage, EmailView as _, Fault, InvitationEmail, Locale, Page, PageLayout, SignInPage,
    SignedOutPage, Theme,
};
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn faults(files: &[(&str, &str)]) -> Vec<Fault> {
    match Theme::load(Some(folder(files).path())) {
        Ok(_) => panic!("a broken theme was accepted"),
        Err(error) => error.faults,
    }
}

fn reported(files: &[(&str, &str)]) -> Vec<String> {
    faults(files).iter().map(ToString::to_string).collect()
}

fn rendered<P: Page>(theme: &Theme, view: &P) -> String {
    in_language(theme, Locale::En, view)
}

fn in_language<P: Page>(theme: &Theme, locale: Locale, view: &P) -> String {
    let chrome = PageLayout {
        practice_name: "Riverside Dental".to_owned(),
        locale,
        demo: false,
        support_contact: None,
        signed_in_as: None,
        session: None,
    };
    theme.render(&chrome, view).unwrap()
}

/// What ends sessions in applications, which no such page may do without.
const FRAMES: &str = "{{#each frames}}<iframe src=\"{{href this}}\"></iframe>{{/each}}";

/// A signed-out page with one line above the body.
fn signed_out(body: &str) -> String {
    format!("{{{{t \"signed-out-title\"}}}}\n{body}")
}

#[test]
fn a_folder_changes_what_it_has_and_leaves_the_rest() {
    let page =
        signed_out(&format!("{{{{> partials/own}}}} <a href=\"{{{{href continue_href}}}}\">on</a>{FRAMES}"));
    let folder = folder(&[
        ("README.md", "Our own theme."),
        ("pages/signed-out.hbs", &page),
        ("partials/own.hbs", "<p>Our own page</p>"),
        ("texts/en.ftl", "forgot-password = I forgot my password\n"),
        ("assets/app.css", "body { color: teal }"),
        ("assets/icons/schedule.svg", "<svg class=\"ours\"></svg>\n"),
        ("assets/our-lab.png", "not really an image"),
    ]);
    let theme = Theme::load(Some(folder.path())).unwrap();
    assert!(rendered(&theme, &SignedOutPage::samples()[0]).contains("<p>Our own page</p>"));
    let sign_in = rendered(&theme, &SignInPage::samples()[0]);
    assert!(sign_in.contains("I forgot my password") && sign_in.contains("Your Email Address"));
    assert_eq!(&*theme.asset("app.css").unwrap().bytes, b"body { color: teal }");
    assert!(theme.asset("show-password.js").is_some());
    for (icon, has) in [("schedule", true), ("our-lab.png", true), ("app", true), ("shedule", false)] {
        assert_eq!(theme.has_icon(icon), has, "{icon}");
    }
    let mut dashboard = DashboardPage::samples().remove(0);
    dashboard.tiles[1].icon = "our-lab.png".to_owned();
    let dashboard = rendered(&theme, &dashboard);
    assert!(dashboard.contains("<svg class=\"ours\"></svg>"));
    assert!(dashboard.contains("<img src=\"/assets/our-lab-"));
}

#[test]
fn a_page_need_not_say_all_that_the_default_one_says() {
    let folder = folder(&[("pages/signed-out.hbs", &format!("<p>Good bye</p>{FRAMES}"))]);
    let theme = Theme::load(Some(folder.path())).unwrap();
    assert!(rendered(&theme, &SignedOutPage::samples()[0]).starts_with("<p>Good bye</p>"));
    let warned: Vec<String> = theme.warnings().iter().map(ToString::to_string).collect();
    let missing = ["href", "continue_href"]
        .map(|link| format!("pages/signed-out.hbs: there is no link to `{link}`, as on the built-in page"));
    assert_eq!(warned[..2], missing);
    let script = "pages/signed-out.hbs: the script `restored.js` is missing, which the built-in page loads";
    assert_eq!(warned[2..], [script]);
}

#[test]
fn a_missing_folder_is_told() {
    let error = Theme::load(Some(Path::new("/nowhere/at/all"))).err().unwrap();
    assert!(matches!(error.faults[..], [Fault::Read { .. }]), "{error}");
}

#[test]
fn an_unknown_variable_is_found_wherever_it_hides() {
    for (body, variable) in [
        ("{{missing}}", "missing"),
        ("{{#if missing}}x{{/if}}", "missing"),
        ("{{#if application_name}}{{else}}{{#if missing.deeper}}x{{/if}}{{/if}}", "missing.deeper"),
        ("{{#if (is missing \"x\")}}x{{/if}}", "missing"),
        ("{{#unless chrome.practice}}x{{/unless}}", "chrome.practice"),
        ("{{#if application_name}}x{{else if missing}}y{{/if}}", "missing"),
        ("{{#with chrome}}{{#if continue_href}}x{{/if}}{{/with}}", "continue_href"),
        ("{{@root.missing}}", "@root.missing"),
        ("{{> partials/contact own=missing}}", "missing"),
        ("<a href=\"{{href missing}}\">x</a>", "missing"),
        ("{{t \"back-to\" application=missing}}", "missing"),
    ] {
        let faults = faults(&[("pages/signed-out.hbs", &signed_out(body))]);
        let found = |fault: &Fault| match fault {
            Fault::UnknownVariable { place, variable: found } => {
                found == variable && place.file == "pages/signed-out.hbs" && place.line == 2
            }
            _ => false,
        };
        assert!(faults.iter().any(found), "{body}: {faults:?}");
    }
}

#[test]
fn variables_are_looked_up_where_handlebars_looks() {
    let dashboard =
        "{{#each tiles}}{{name}}{{this.icon}}{{@index}}{{@root.email}}{{../person_name}}{{/each}}";
    let default =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../themes/default/pages/dashboard.hbs"));
    let page = format!("{}{dashboard}", default.unwrap());
    let folder = folder(&[("pages/dashboard.hbs", &page)]);
    let html = rendered(&Theme::load(Some(folder.path())).unwrap(), &DashboardPage::samples()[0]);
    assert!(html.contains("Scheduleschedule0alice@demo.exampleAlice Moreno"), "{html}");
    let wrong = page.replace("{{this.icon}}", "{{email}}");
    assert!(
        reported(&[("pages/dashboard.hbs", &wrong)])[0].contains("`email` is not a variable of this page")
    );
}

#[test]
fn each_mistake_is_told_with_its_place() {
    let table = [
        ("{{{continue_href}}}", "pages/signed-out.hbs:2:1: unescaped output is not allowed"),
        ("{{& continue_href}}", "pages/signed-out.hbs:2:1: unescaped output is not allowed"),
        ("{{> partials/none}}", "pages/signed-out.hbs:2:1: there is no partial `partials/none`"),
        (
            "{{lookup chrome \"demo\"}}",
            "pages/signed-out.hbs:2:1: `lookup` is not a helper, or not used like this",
        ),
        ("{{#each continue_href}}{{/each}}", "pages/signed-out.hbs:2:1: `continue_href` is not a list"),
        (
            "{{chrome}}",
            "pages/signed-out.hbs:2:1: `chrome` is a list or a group, not a value that can be written",
        ),
        ("{{t continue_href}}", "pages/signed-out.hbs:2:1: the text's id has to be written out"),
        ("{{t \"no-such-text\"}}", "pages/signed-out.hbs:2:1: there is no text `no-such-text`"),
        (
            "{{t \"back-to\" app=continue_href}}",
            "pages/signed-out.hbs:2:1: the text `back-to` takes `application`, but is given `app`",
        ),
        (
            "{{t \"continue\" name=continue_href}}",
            "pages/signed-out.hbs:2:1: the text `continue` takes no variables, but is given `name`",
        ),
    ];
    for (body, expected) in table {
        let reported = reported(&[("pages/signed-out.hbs", &signed_out(body))]);
        assert!(reported.iter().any(|fault| fault == expected), "{body}: {reported:?}");
    }
    let syntax = reported(&[("pages/signed-out.hbs", "<p>\n{{#if application_name}}")]);
    assert!(syntax[0].starts_with("pages/signed-out.hbs:2:"), "{syntax:?}");
}

#[test]
fn what_only_shows_when_rendered_is_found_by_rendering() {
    // Without an application there is nothing to put into the text.
    let reported =
        reported(&[("pages/signed-out.hbs", &signed_out("{{t \"back-to\" application=application_name}}"))]);
    assert!(reported[0].starts_with("pages/signed-out cannot be rendered in `en`"), "{reported:?}");
    assert!(reported[0].contains("nothing to put for `application`"), "{reported:?}");
}

#[test]
fn texts_are_the_same_in_every_language() {
    let page = signed_out("{{t \"ours\"}}");
    for (english, spanish, expected) in [
        ("ours = Ours", "", "texts/es.ftl: the text `ours` is missing"),
        ("", "ours = Nuestro", "texts/en.ftl: the text `ours` is missing"),
        (
            "ours = Ours",
            "ours = { $name }",
            "texts/es.ftl: the text `ours` has other variables or choices than it should: in addition `$name`",
        ),
    ] {
        let files = [("pages/signed-out.hbs", &*page), ("texts/en.ftl", english), ("texts/es.ftl", spanish)];
        assert!(reported(&files).iter().any(|fault| fault == expected), "{expected}");
    }
    let reported = reported(&[
        ("texts/en.ftl", "forgot-pasword = I forgot"),
        ("texts/es.ftl", "forgot-pasword = Olvidé"),
    ]);
    assert_eq!(reported[0], "texts/en.ftl: the text `forgot-pasword` is not used by any page or email");
}

#[test]
fn a_choice_that_one_language_lacks_is_told_of_the_file_that_lacks_it() {
    let channel = "channel = { $channel ->\n    [email] Email\n   *[call] Call\n }\n";
    assert_eq!(
        reported(&[("texts/en.ftl", channel)]),
        ["texts/en.ftl: the text `channel` has other variables or choices than it should: without `[text]`"]
    );
}

#[test]
fn a_language_of_the_themes_own_says_the_rest_in_english() {
    let folder = folder(&[("texts/de.ftl", "forgot-password = Passwort vergessen\n")]);
    let theme = Theme::load(Some(folder.path())).unwrap();
    let german = Locale::from_tag("de").unwrap();
    assert_eq!(theme.locales(), [Locale::En, Locale::Es, german]);
    assert_eq!(Locale::of_theme(Some(folder.path())), theme.locales());
    let page = in_language(&theme, german, &SignInPage::samples()[0]);
    assert!(page.contains("<html lang=\"de\"") && page.contains("Passwort vergessen"), "{page}");
    assert!(page.contains("Your Email Address"), "{page}");
    let email = theme.render_email(german, &InvitationEmail::samples()[0]).unwrap();
    assert!(!email.subject.is_empty());
    assert_eq!(
        reported(&[("texts/de.ftl", "forgot-pasword = Passwort vergessen")])[0],
        "texts/de.ftl: the text `forgot-pasword` is not used by any page or email"
    );
}

#[test]
fn what_systems_and_editors_leave_behind_is_passed_over_with_a_word() {
    let left = ["Thumbs.db", "assets/desktop.ini", "texts/en.ftl~", "pages/sign-in.hbs.bak", "__MACOSX/x"];
    let files: Vec<(&str, &str)> = left.iter().map(|file| (*file, "x")).collect();
    let theme = Theme::load(Some(folder(&files).path())).unwrap();
    let mut expected =
        ["Thumbs.db", "assets/desktop.ini", "texts/en.ftl~", "pages/sign-in.hbs.bak", "__MACOSX"];
    expected.sort_unstable();
    assert_eq!(theme.ignored_files(), expected);
}

#[test]
fn a_broken_text_file_is_told_with_its_line() {
    let reported = reported(&[("texts/es.ftl", "skip = Ir\nthis is not fluent\n")]);
    assert!(reported[0].starts_with("texts/es.ftl:2:"), "{reported:?}");
}

#[test]
fn a_file_that_would_change_nothing_is_told() {
    for (file, content, expected) in [
        ("pages/sign_in.hbs", "x", "pages/sign_in.hbs: no such file belongs to a theme"),
        (
            "texts/french.ftl",
            "skip = x",
            "texts/french.ftl: no such file belongs to a theme; texts are in a file that is named by the code of its language, \
             such as texts/fr.ftl",
        ),
        ("style.css", "x", "style.css: no such file belongs to a theme"),
        ("partials/aplication.hbs", "x", "partials/aplication.hbs: no page or email includes it"),
        (
            "assets/page.html",
            "x",
            "assets/page.html: not an image, style sheet, script or font that pages may load",
        ),
        ("assets/icons/ours.svg", "<?xml?><svg/>", "assets/icons/ours.svg: an icon has to begin with <svg"),
    ] {
        assert_eq!(reported(&[(file, content)]), [expected], "{file}");
    }
}
