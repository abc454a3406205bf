//! Writes every sample of every page and email, in every language, into a folder, to be looked at in a browser:
//! `cargo run -p anteroom-pages --example gallery -- OUT_DIR [THEME_DIR]`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anteroom_pages::{
    AccountLockedEmail, AddPhonePage, AuthenticatorAppEmail, ChooseAccountPage, CompleteRegistrationPage,
    ConsentPage, DashboardPage, EmailView, EnrolFactorPage, EnterCodePage, ErrorPage, ErrorReturnPage,
    FactorsPage, ForgotPasswordPage, FormPostPage, InvitationEmail, InvitationPage, Locale, NewPasswordPage,
    NoSecondFactorPage, NotEntitledPage, OutboxPage, Page, PageLayout, PasswordChangedEmail,
    PasswordChangedPage, PasswordExpiredPage, PasswordExpiresEmail, PhoneAddedEmail, ProfilePage,
    RecoveryEmail, RecoveryLinkPage, RecoveryRequestedPage, RedirectPage, RegistrationCompletedEmail,
    SignInPage, SignOutPage, SignedInAs, SignedOutPage, SupportContact, Theme, TokensElsewhereEmail,
    VerifyIdentityPage,
};

type Outcome = Result<(), Box<dyn Error>>;

struct Gallery {
    theme: Theme,
    folder: PathBuf,
}

fn main() -> Outcome {
    let mut arguments = env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().ok_or("which folder shall the gallery be written to?")?;
    let gallery = Gallery { theme: Theme::load(arguments.next().as_deref())?, folder };
    for locale in gallery.theme.locales() {
        gallery.pages(locale)?;
        gallery.emails(locale)?;
    }
    Ok(())
}

impl Gallery {
    fn pages(&self, locale: Locale) -> Outcome {
        self.page::<SignInPage>(locale)?;
        self.page::<ChooseAccountPage>(locale)?;
        self.page::<DashboardPage>(locale)?;
        self.page::<ConsentPage>(locale)?;
        self.page::<NotEntitledPage>(locale)?;
        self.page::<PasswordExpiredPage>(locale)?;
        self.page::<SignOutPage>(locale)?;
        self.page::<SignedOutPage>(locale)?;
        self.page::<ErrorPage>(locale)?;
        self.page::<ErrorReturnPage>(locale)?;
        self.page::<FormPostPage>(locale)?;
        self.page::<RedirectPage>(locale)?;
        self.page::<ForgotPasswordPage>(locale)?;
        self.page::<RecoveryRequestedPage>(locale)?;
        self.page::<RecoveryLinkPage>(locale)?;
        self.page::<VerifyIdentityPage>(locale)?;
        self.page::<EnterCodePage>(locale)?;
        self.page::<NewPasswordPage>(locale)?;
        self.page::<PasswordChangedPage>(locale)?;
        self.page::<NoSecondFactorPage>(locale)?;
        self.page::<InvitationPage>(locale)?;
        self.page::<AddPhonePage>(locale)?;
        self.page::<CompleteRegistrationPage>(locale)?;
        self.page::<FactorsPage>(locale)?;
        self.page::<ProfilePage>(locale)?;
        self.page::<EnrolFactorPage>(locale)?;
        self.page::<OutboxPage>(locale)
    }

    fn page<P: Page>(&self, locale: Locale) -> Outcome {
        let chrome = PageLayout {
            practice_name: "Riverside Dental & Medical".to_owned(),
            locale,
            demo: true,
            support_contact: Some(SupportContact {
                label: "the practice manager, extension 12".to_owned(),
                href: Some("tel:+12025550100".to_owned()),
            }),
            signed_in_as: Some(SignedInAs {
                name: "Alice Moreno".to_owned(),
                email: "alice@demo.example".to_owned(),
            }),
            session: None,
        };
        for (number, view) in P::samples().iter().enumerate() {
            // Opened from a folder, the page finds its assets beside it.
            let html = self.theme.render(&chrome, view)?.replace("\"/assets/", "\"assets/");
            for path in html.split('"').filter_map(|word| word.strip_prefix("assets/")) {
                let asset = self.theme.asset(path).ok_or_else(|| format!("no asset {path}"))?;
                self.write(Path::new("assets").join(path), &asset.bytes)?;
            }
            // What moves on by itself cannot be looked at.
            let html = ["form-post", "redirect", "signed-out"].iter().fold(html, |html, script| {
                let tag = format!("<script src=\"assets/{script}");
                html.replace(&tag, &tag.replace("src=", "data-src="))
            });
            let html = html.replace("<iframe src=", "<iframe data-src=");
            self.write(format!("{}-{number}.{}.html", P::TEMPLATE, locale.tag()), html.as_bytes())?;
        }
        Ok(())
    }

    fn emails(&self, locale: Locale) -> Outcome {
        self.email::<InvitationEmail>(locale)?;
        self.email::<AccountLockedEmail>(locale)?;
        self.email::<RecoveryEmail>(locale)?;
        self.email::<PasswordChangedEmail>(locale)?;
        self.email::<RegistrationCompletedEmail>(locale)?;
        self.email::<PasswordExpiresEmail>(locale)?;
        self.email::<PhoneAddedEmail>(locale)?;
        self.email::<AuthenticatorAppEmail>(locale)?;
        self.email::<TokensElsewhereEmail>(locale)?;
        Ok(())
    }

    fn email<M: EmailView>(&self, locale: Locale) -> Outcome {
        for view in M::samples() {
            let email = self.theme.render_email(locale, &view)?;
            let stem = format!("email-{}.{}", M::TEMPLATE, locale.tag());
            self.write(format!("{stem}.html"), email.html.as_bytes())?;
            self.write(format!("{stem}.txt"), format!("{}\n\n{}", email.subject, email.text).as_bytes())?;
        }
        Ok(())
    }

    fn write(&self, name: impl AsRef<Path>, bytes: &[u8]) -> Outcome {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&self.folder))?;
        Ok(fs::write(path, bytes)?)
    }
}
