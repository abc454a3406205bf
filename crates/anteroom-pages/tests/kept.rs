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

fn reported(folder: &TempDir) -> Vec<String> {
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
    let lost = |page: &str, what: &str| format!("pages/{page}.hbs: {what}, which the built-in one has");
    let field = |page: &str, form: &str, field: &str| {
        lost(page, &format!("the form that posts to `{form}` has no `{field}` with its value"))
    };
    let of_sign_in = |name: &str| field("sign-in", "/sign-in", name);
    let no_form = || lost("sign-in", "no form that posts to `/sign-in`");
    let fields = "{{> partials/form-fields}}";
    let password = "<input type=\"password\" id=\"password\" name=\"password\"";
    let (misnamed, shown) =
        ("<input id=\"password\" name=\"pass\"", "<input id=\"password\" name=\"password\"");
    let hidden = "name=\"form_token\" value=\"{{form_token}}\"";
    for (path, from, to, expected) in [
        ("pages/sign-in.hbs", fields, "", of_sign_in("form_token")),
        ("pages/sign-in.hbs", fields, "", of_sign_in("interaction")),
        ("pages/sign-in.hbs", password, misnamed, of_sign_in("password")),
        ("pages/sign-in.hbs", password, shown, of_sign_in("password")),
        ("pages/sign-in.hbs", "name=\"email\"", "name=\"address\"", of_sign_in("email")),
        ("pages/sign-in.hbs", "type=\"submit\"", "type=\"button\"", of_sign_in("button")),
        ("pages/sign-in.hbs", "action=\"/sign-in\"", "action=\"/signin\"", no_form()),
        ("pages/sign-in.hbs", "method=\"post\"", "method=\"get\"", no_form()),
        // The token of another form is none.
        (
            "pages/enter-code.hbs",
            "form_token=resend_form_token",
            "form_token=form_token",
            field("enter-code", "/verify/send", "form_token"),
        ),
        ("pages/consent.hbs", "value=\"deny\"", "value=\"no\"", field("consent", "/consent", "decision")),
        // A partial is in many pages, and each of them is told.
        ("partials/form-fields.hbs", hidden, "name=\"token\"", of_sign_in("form_token")),
        ("partials/form-fields.hbs", hidden, "name=\"token\"", field("consent", "/consent", "form_token")),
        ("pages/signed-out.hbs", "<iframe ", "<span ", lost("signed-out", "the frames are missing")),
        ("pages/enrol-factor.hbs", "{{secret}}", "", lost("enrol-factor", "`secret` is missing")),
    ] {
        let reported = reported(&changed(path, from, to));
        assert!(reported.contains(&expected), "{from} → {to}: {reported:#?}");
    }
}

#[test]
fn a_page_that_is_empty_is_told_for_every_form() {
    let reported = reported(&with("pages/enter-code.hbs", "<p>Nothing here</p>"));
    for form in ["/verify/code", "/verify/send", "/register/phone/another"] {
        let expected =
            format!("pages/enter-code.hbs: no form that posts to `{form}`, which the built-in one has");
        assert!(reported.contains(&expected), "{reported:#?}");
    }
    assert_eq!(reported.len(), 3, "each once: {reported:#?}");
}

#[test]
fn a_message_keeps_its_links_and_codes() {
    let html_link = "href=\"{{href button_link}}\"";
    for (path, from, template, lost) in [
        ("emails/recovery.txt.hbs", "{{link}}", "emails/recovery.txt", "the link `link`"),
        ("emails/recovery.txt.hbs", "{{code}}", "emails/recovery.txt", "`code`"),
        ("emails/recovery.html.hbs", "{{code}}", "emails/recovery.html", "`code`"),
        (
            "emails/account-locked.txt.hbs",
            "{{reset_link}}",
            "emails/account-locked.txt",
            "the link `reset_link`",
        ),
        ("emails/button.html.hbs", html_link, "emails/invitation.html", "the link `link`"),
        ("messages/phone-added.text.txt.hbs", "{{link}}", "messages/phone-added.text.txt", "the link `link`"),
        ("messages/code.call.code.txt.hbs", "{{this}}", "messages/code.call.code.txt", "`digits`"),
    ] {
        let reported = reported(&changed(path, from, ""));
        let expected = format!("{template}.hbs: {lost} is missing, which the built-in one has");
        assert!(reported.contains(&expected), "{from}: {reported:#?}");
    }
    let reported = reported(&with("messages/code.text.txt.hbs", "{{practice}} sends a code"));
    assert_eq!(reported, ["messages/code.text.txt.hbs: `code` is missing, which the built-in one has"]);
}

#[test]
fn a_page_may_be_arranged_otherwise() {
    let page = "{{#> layout page_title=(t \"sign-in-title\") page_shape=\"entry\" page_identity=false page_support=true}}\n\
        <h1>{{t \"sign-in-title\"}}</h1>\n<a href=\"{{href registration_href}}\">{{t \"invited\"}}</a>\n\
        <button form=own>{{t \"sign-in-button\"}}</button><textarea name=email form=own>{{email}}</textarea>\n\
        <form id='own' action='/sign-in' METHOD=POST><input name=remember><input name=password type=password>\n\
        {{> partials/form-fields}}</form> <a href=\"{{href forgot_password_href}}\">{{t \"forgot-password\"}}</a>\n\
        <script type=module src=\"{{asset \"secrets.js\"}}\"></script>{{/layout}}";
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
            changed("pages/sign-in.hbs", "{{asset \"secrets.js\"}}", "{{asset \"redirect.js\"}}"),
            "pages/sign-in.hbs: the script `secrets.js` is missing, which the built-in page loads",
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
