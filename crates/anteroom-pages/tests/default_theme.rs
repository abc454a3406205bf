//! What the default theme promises: wording, field names, assets, emails.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;

use anteroom_pages::{
    AccountLockedEmail, AddPhonePage, ChoiceChannel, CodeCall, CodeText, EmailView, EnterCodePage, ErrorPage,
    ForgotPasswordPage, InvitationEmail, Locale, NewPasswordPage, Page, PageLayout, PasswordExpiredPage,
    RecoveryRequestedPage, SignInPage, SignInProblem, Theme, VerifyIdentityPage,
};

fn theme() -> Theme {
    Theme::load(None).unwrap()
}

fn chrome(locale: Locale) -> PageLayout {
    PageLayout {
        practice_name: "Riverside Dental".to_owned(),
        locale,
        demo: false,
        support_contact: None,
        signed_in_as: None,
        session: None,
    }
}

fn rendered<P: Page>(view: &P) -> String {
    theme().render(&chrome(Locale::En), view).unwrap()
}

fn sign_in(problem: Option<SignInProblem>) -> SignInPage {
    SignInPage { problem, ..SignInPage::samples().remove(0) }
}

/// What people read: the tags gone.
fn words(html: &str) -> String {
    let words = html.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text.trim());
    words.filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_sample_is_rendered_in_every_language() {
    // A folder, even an empty one, is what makes the whole theme be held to its samples.
    let folder = tempfile::tempdir().unwrap();
    Theme::load(Some(folder.path())).unwrap();
}

#[test]
fn sign_in_has_the_fields_and_labels_that_scripts_and_password_managers_rely_on() {
    let html = rendered(&sign_in(None));
    for expected in [
        "<label for=\"email\">Your Email Address</label>",
        "id=\"email\" name=\"email\" value=\"alice@demo.example\" autocomplete=\"username\"",
        "<label for=\"password\">Your Password</label>",
        "id=\"password\" name=\"password\" autocomplete=\"current-password\"",
        "<button class=\"button wide\" type=\"submit\">Sign In</button>",
        ">Forgot Password</a>",
        ">Complete your registration</a>",
        "to continue to Schedule",
    ] {
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
}

#[test]
fn a_refused_sign_in_differs_by_the_address_and_the_token_alone() {
    let one = sign_in(Some(SignInProblem::Refused));
    let other = SignInPage {
        email: "nobody@elsewhere.example".to_owned(),
        form_token: "T".repeat(43),
        ..one.clone()
    };
    let neutral = |view: &SignInPage| rendered(view).replace(&view.email, "").replace(&view.form_token, "");
    assert_eq!(neutral(&one), neutral(&other));
    let words = words(&rendered(&one));
    for way in ["A typing mistake", "A different account", "Forgotten, or locked", "Not fully registered"] {
        assert!(words.contains(way), "{way} is not in {words}");
    }
    assert_eq!(words.matches("Forgot Password").count(), 1);
    assert_eq!(words.matches("Complete your registration").count(), 1);
}

#[test]
fn missing_fields_are_named_at_the_top_and_at_the_field() {
    let html = rendered(&sign_in(Some(SignInProblem::Missing { email: false, password: true })));
    assert!(html.contains("<a href=\"#password\">Enter your password</a>"));
    assert!(html.contains("aria-describedby=\"problem password-problem\" aria-invalid=\"true\""));
    assert!(!html.contains("href=\"#email\"") && !html.contains("email-problem"));
}

#[test]
fn every_error_has_a_heading_and_a_text_of_its_own_in_every_language() {
    let theme = theme();
    for locale in Locale::ALL {
        let mut headings = BTreeSet::new();
        let mut texts = BTreeSet::new();
        let pages: Vec<ErrorPage> =
            ErrorPage::samples().into_iter().filter(|page| page.reference.is_some()).collect();
        for page in &pages {
            let html = theme.render(&chrome(locale), page).unwrap();
            let between = |from: &str, to: &str| {
                html.split_once(from)
                    .and_then(|(_, rest)| rest.split_once(to))
                    .map(|(text, _)| text.to_owned())
            };
            let heading = between("<h1 id=\"error-", "</h1>").unwrap();
            headings.insert(heading.split_once("\">").unwrap().1.to_owned());
            texts.insert(between("<p class=\"lead\">", "</p>").unwrap());
            assert!(html.contains("<code id=\"reference\">7K3M-Q9TX</code>"));
        }
        assert_eq!((headings.len(), texts.len()), (pages.len(), pages.len()), "{locale:?}");
    }
}

#[test]
fn dates_and_times_read_as_the_language_writes_them() {
    let theme = theme();
    let expired = &PasswordExpiredPage::samples()[0];
    let locked = &AccountLockedEmail::samples()[0];
    let table = [
        (Locale::En, "August 3, 2026", "November 23, 2026 at 4:05 p.m. (EST)"),
        (Locale::Es, "3 de agosto de 2026", "23 de noviembre de 2026 a las 16:05 (EST)"),
    ];
    for (locale, date, moment) in table {
        assert!(theme.render(&chrome(locale), expired).unwrap().contains(date), "{date}");
        let text = theme.render_email(locale, locked).unwrap().text;
        assert!(text.contains(moment), "{text}");
    }
}

#[test]
fn an_email_has_a_subject_of_one_line_and_escapes_only_its_html() {
    let view = InvitationEmail {
        practice: "Smith & Sons\r\nBcc: all@example.com".to_owned(),
        ..InvitationEmail::samples().remove(0)
    };
    let email = theme().render_email(Locale::En, &view).unwrap();
    assert_eq!(email.subject, "Your invitation to Smith & Sons Bcc: all@example.com");
    assert!(email.text.contains("Smith & Sons") && email.text.contains(&view.link));
    assert!(email.html.contains("Smith &amp; Sons") && email.html.contains(&view.link));
}

#[test]
fn assets_are_kept_for_good_under_their_hash_and_found_under_any() {
    let theme = theme();
    let html = theme.render(&chrome(Locale::En), &sign_in(None)).unwrap();
    let (_, rest) = html.split_once("href=\"/assets/app-").unwrap();
    let hash = rest.split_once(".css").unwrap().0;
    let hashed = theme.asset(&format!("app-{hash}.css")).unwrap();
    assert!(hashed.immutable);
    assert_eq!(hashed.content_type, "text/css; charset=utf-8");
    assert_eq!(hashed.etag, format!("\"{hash}\""));
    for changing in ["app.css", "app-0123456789abcdef.css"] {
        let asset = theme.asset(changing).unwrap();
        assert!(!asset.immutable && asset.bytes == hashed.bytes, "{changing}");
    }
    for unknown in ["", "app", "other.css", "../layout.hbs", "icons", "app-0123456789abcdef.js"] {
        assert!(theme.asset(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn a_page_loads_little() {
    let theme = theme();
    let size = |name: &str| theme.asset(name).unwrap().bytes.len();
    let assets = size("app.css") + size("show-password.js") + size("favicon.svg");
    assert!(assets + rendered(&sign_in(None)).len() < 40_000, "{assets} bytes of assets");
}

#[test]
fn the_journeys_have_the_fields_and_labels_that_scripts_and_password_managers_rely_on() {
    let [forgot, asked, verify, code, password, phone] = [
        rendered(&ForgotPasswordPage::samples()[0]),
        rendered(&RecoveryRequestedPage::samples()[0]),
        rendered(&VerifyIdentityPage::samples()[0]),
        rendered(&EnterCodePage::samples()[0]),
        rendered(&NewPasswordPage::samples()[0]),
        rendered(&AddPhonePage::samples()[0]),
    ];
    for (html, expected) in [
        (&forgot, "id=\"email\" name=\"email\" value=\"alice@demo.example\" autocomplete=\"username\""),
        (&forgot, ">Continue</button>"),
        (&asked, "id=\"code\" name=\"code\" autocomplete=\"one-time-code\""),
        (&asked, "data-waiting=\"/recover/waiting?interaction"),
        (&verify, ">Verify your identity</h1>"),
        (&verify, "type=\"radio\" name=\"method\" value=\"text:1\" required checked"),
        (&verify, ">Send Code</button>"),
        (&code, "id=\"code\" name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\""),
        (&code, ">Re-Send Code</button>"),
        (&code, ">Change Delivery Method</a>"),
        (&password, "name=\"username\" value=\"alice@demo.example\" autocomplete=\"username\" readonly"),
        (&password, "id=\"new_password\" name=\"new_password\" autocomplete=\"new-password\""),
        (&password, "id=\"confirm_password\" name=\"confirm_password\" autocomplete=\"new-password\""),
        (&password, "<li data-rule=\"length\" data-min=\"12\" data-max=\"128\">"),
        (&password, ">Change Password</button>"),
        (&phone, "id=\"phone\" name=\"phone\" value=\"\" autocomplete=\"tel\""),
        (&phone, "name=\"phone_kind\" value=\"cell\""),
        (&phone, "name=\"phone_kind\" value=\"landline\""),
    ] {
        assert!(html.contains(expected), "{expected} is not in {html}");
    }
}

#[test]
fn each_form_of_a_page_carries_its_own_token() {
    let page = &EnterCodePage::samples()[0];
    let html = rendered(page);
    let forms: Vec<&str> = html.split("<form").skip(1).collect();
    let token = |token: &str| format!("name=\"form_token\" value=\"{token}\"");
    assert_eq!(forms.len(), 2);
    assert!(forms[0].contains(&token(&page.form_token)));
    assert!(forms[1].contains(&token(&page.resend_form_token)));
}

#[test]
fn an_authenticator_app_is_sent_nothing() {
    let pages = EnterCodePage::samples().into_iter();
    for page in pages.filter(|page| page.channel == ChoiceChannel::Totp) {
        assert!(!rendered(&page).contains("/verify/send"));
    }
}

#[test]
fn a_text_ends_with_the_line_that_binds_its_code_to_the_site() {
    let text = CodeText {
        practice: "Smith & Sons".to_owned(),
        code: "402918".to_owned(),
        minutes: 10,
        host: "id.example".to_owned(),
    };
    for locale in Locale::ALL {
        let text = theme().render_text(locale, &text).unwrap();
        assert!(text.starts_with("402918 ") && text.contains("Smith & Sons"), "{text}");
        assert_eq!(text.lines().last(), Some("@id.example #402918"));
    }
}

#[test]
fn a_call_says_the_digits_twice_and_none_of_them_before_a_key_was_pressed() {
    let call = CodeCall::new("Smith & Sons".to_owned(), "402918");
    for locale in Locale::ALL {
        let script = theme().render_call(locale, &call).unwrap();
        assert_eq!(script.code_spoken.matches("4 … 0 … 2 … 9 … 1 … 8.").count(), 2);
        for part in [script.prompt, script.again, script.goodbye] {
            assert!(!part.is_empty() && !part.contains(|c: char| c.is_ascii_digit()), "{part}");
        }
    }
}
