//! What a theme may word and arrange as it likes, and may not leave out.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use anteroom_pages::Theme;
use tempfile::TempDir;

fn default(path: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../themes/default");
    fs::read_to_string(folder.join(path)).unwrap()
}

/// A theme with one file of the built-in one changed.
fn changed(path: &str, from: &str, to: &str) -> TempDir {
    let before = default(path);
    let after = before.replace(from, to);
    assert_ne!(before, after, "{path} has no {from}");
    with(path, &after)
}

fn with(path: &str, content: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, content).unwrap();
    folder
}

fn told(folder: &TempDir) -> Vec<String> {
    match Theme::load(Some(folder.path())) {
        Ok(_) => panic!("a theme was accepted that lacks something"),
        Err(error) => error.faults.iter().map(ToString::to_string).collect(),
    }
}

fn warned(folder: &TempDir) -> Vec<String> {
    let theme = Theme::load(Some(folder.path())).unwrap();
    theme.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn a_page_keeps_its_forms_with_their_tokens_fields_and_buttons() {
    let sign_in = |what: &str| {
        format!(
            "pages/sign-in.hbs: the form that posts to `/sign-in` has no {what}, which the built-in one has"
        )
    };
    let field = |name: &str| sign_in(&format!("`{name}` with its value"));
    let password = "<input type=\"password\" id=\"password\" name=\"password\"";
    let token = "name=\"form_token\" value=\"{{form_token}}\"";
    let resend = "form_token=resend_form_token";
    let posts = |form: &str| format!("no form that posts to `{form}`, which the built-in one has");
    for (path, from, to, expected) in [
        ("pages/sign-in.hbs", "{{> partials/form-fields}}", "", field("form_token")),
        ("pages/sign-in.hbs", "{{> partials/form-fields}}", "", field("interaction")),
        ("pages/sign-in.hbs", password, "<input id=\"password\" name=\"pass\"", field("password")),
        ("pages/sign-in.hbs", password, "<input id=\"password\" name=\"password\"", field("password")),
        ("pages/sign-in.hbs", "name=\"email\"", "name=\"address\"", field("email")),
        ("pages/sign-in.hbs", "type=\"submit\"", "type=\"button\"", field("button")),
        ("pages/sign-in.hbs", "action=\"/sign-in\"", "action=\"/signin\"", format!("pages/sign-in.hbs: {}", posts("/sign-in"))),
        ("pages/sign-in.hbs", "method=\"post\"", "method=\"get\"", format!("pages/sign-in.hbs: {}", posts("/sign-in"))),
        (
            "pages/enter-code.hbs",
            resend,
            "form_token=form_token",
            "pages/enter-code.hbs: the form that posts to `/verify/send` has no `form_token` with its value, which the \
             built-in one has"
                .to_owned(),
        ),
        (
            "pages/consent.hbs",
            "value=\"deny\"",
            "value=\"no\"",
            "pages/consent.hbs: the form that posts to `/consent` has no `decision` with its value, which the built-in one has"
                .to_owned(),
        ),
        // A partial is in many pages, and each of them is told.
        ("partials/form-fields.hbs", token, "name=\"token\" value=\"{{form_token}}\"", field("form_token")),
        ("pages/signed-out.hbs", "<iframe ", "<span ", "pages/signed-out.hbs: the frames are missing, which the built-in one has".to_owned()),
        ("pages/enrol-factor.hbs", "{{secret}}", "", "pages/enrol-factor.hbs: `secret` is missing, which the built-in one has".to_owned()),
    ] {
        let told = told(&changed(path, from, to));
        assert!(told.contains(&expected), "{from} → {to}: {told:#?}");
    }
}

#[test]
fn a_page_that_is_empty_is_told_for_every_form() {
    let told = told(&with("pages/enter-code.hbs", "<p>Nothing here</p>"));
    for form in ["/verify/code", "/verify/send", "/register/phone/another"] {
        let expected =
            format!("pages/enter-code.hbs: no form that posts to `{form}`, which the built-in one has");
        assert!(told.contains(&expected), "{told:#?}");
    }
    assert_eq!(told.len(), 3, "each once: {told:#?}");
}

#[test]
fn a_message_keeps_its_links_and_codes() {
    for (path, from, expected) in [
        ("emails/recovery.txt.hbs", "{{link}}", "emails/recovery.txt.hbs: the link `link` is missing"),
        ("emails/recovery.txt.hbs", "{{code}}", "emails/recovery.txt.hbs: `code` is missing"),
        ("emails/recovery.html.hbs", "{{code}}", "emails/recovery.html.hbs: `code` is missing"),
        (
            "emails/account-locked.txt.hbs",
            "{{reset_link}}",
            "emails/account-locked.txt.hbs: the link `reset_link` is missing",
        ),
        (
            "emails/button.html.hbs",
            "href=\"{{href button_link}}\"",
            "emails/invitation.html.hbs: the link `link` is missing",
        ),
        (
            "messages/phone-added.text.txt.hbs",
            "{{link}}",
            "messages/phone-added.text.txt.hbs: the link `link` is missing",
        ),
        (
            "messages/code.call.code.txt.hbs",
            "{{this}}",
            "messages/code.call.code.txt.hbs: `digits` is missing",
        ),
    ] {
        let told = told(&changed(path, from, ""));
        let expected = format!("{expected}, which the built-in one has");
        assert!(told.contains(&expected), "{from}: {told:#?}");
    }
    let told = told(&with("messages/code.text.txt.hbs", "{{practice}} sends a code"));
    assert_eq!(told, ["messages/code.text.txt.hbs: `code` is missing, which the built-in one has"]);
}

#[test]
fn a_page_may_be_arranged_otherwise() {
    let page = "{{#> layout page_title=(t \"sign-in-title\") page_shape=\"entry\" page_identity=false page_support=true}}\n\
        <h1>{{t \"sign-in-title\"}}</h1>\n<a href=\"{{href registration_href}}\">{{t \"invited\"}}</a>\n\
        <button form=own>{{t \"sign-in-button\"}}</button><textarea name=email form=own>{{email}}</textarea>\n\
        <form id='own' action='/sign-in' METHOD=POST><input name=remember><input name=password type=password>\n\
        {{> partials/form-fields}}</form> <a href=\"{{href forgot_password_href}}\">{{t \"forgot-password\"}}</a>\n{{/layout}}";
    assert_eq!(warned(&with("pages/sign-in.hbs", page)), [""; 0]);
}

#[test]
fn what_the_policy_stops_and_a_way_that_is_gone_are_warned_of() {
    let added = |what: &str| changed("layout.hbs", "</head>", &format!("{what}</head>"));
    for (folder, expected) in [
        (
            added("<script src=\"https://cdn.example/x.js\"></script>"),
            "pages/sign-in.hbs: `https://cdn.example/x.js` is not loaded: a page loads from its own origin alone",
        ),
        (
            added("<link rel=stylesheet href=//cdn.example/x.css>"),
            "pages/sign-in.hbs: `//cdn.example/x.css` is not loaded: a page loads from its own origin alone",
        ),
        (
            added("<style>body { color: teal }</style>"),
            "pages/sign-in.hbs: `<style>` has no effect: scripts and styles are files under `assets`",
        ),
        (
            added("<script>alert(1)</script>"),
            "pages/sign-in.hbs: `<script>` has no effect: scripts and styles are files under `assets`",
        ),
        (
            changed("layout.hbs", "<body ", "<body style=\"color: teal\" "),
            "pages/dashboard.hbs: `style=` has no effect: scripts and styles are files under `assets`",
        ),
        (
            changed("pages/sign-in.hbs", "novalidate", "onsubmit=\"check()\""),
            "pages/sign-in.hbs: `onsubmit=` has no effect: scripts and styles are files under `assets`",
        ),
        (
            changed("pages/sign-in.hbs", "{{href forgot_password_href}}", "/help"),
            "pages/sign-in.hbs: there is no link to `forgot_password_href`, as on the built-in page",
        ),
        (
            changed("layout.hbs", "{{#if chrome.session}}{{> partials/session}}{{else if", "{{#if"),
            "pages/dashboard.hbs: no warning before the session ends: `{{> partials/session}}` is missing",
        ),
    ] {
        let warned = warned(&folder);
        assert!(warned.iter().any(|warning| warning == expected), "{expected}: {warned:#?}");
    }
    // What an application brings is named in the policy of that page, and mails have no other way than styles of their own.
    assert_eq!(warned(&changed("pages/consent.hbs", "class=\"logo\"", "class=\"sign\"")), [""; 0]);
    assert_eq!(warned(&changed("emails/frame.html.hbs", "#0a6b6a", "#0a6b6b")), [""; 0]);
}
