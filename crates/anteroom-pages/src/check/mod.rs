//! Checks a theme's templates against the views. Handlebars in strict mode refuses `{{missing}}`, but `{{#if missing}}`
//! passes silently, and an error appears only when a page takes that branch. So each template is walked for each page
//! with the shape of its samples, and afterwards every sample is rendered in every language.

mod markup;
mod required_elements;
pub(crate) mod shape;
pub(crate) mod signature;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::emails::{
    AccountLockedEmail, AuthenticatorAppEmail, EmailView, InvitationEmail, PasswordChangedEmail,
    PasswordExpiresEmail, PhoneAddedEmail, RecoveryEmail, RegistrationCompletedEmail, TokensElsewhereEmail,
};
use crate::error::Fault;
use crate::locale::Locale;
use crate::page_layout::PageLayout;
use crate::phone::{self, CodeCall, CodeText, PhoneAddedText};
use crate::templates::{Templates, context};
use crate::views::{
    AddPhonePage, ChooseAccountPage, CompleteRegistrationPage, ConsentPage, DashboardPage, EnrolFactorPage,
    EnterCodePage, ErrorPage, ErrorReturnPage, FactorsPage, ForgotPasswordPage, FormPostPage, InvitationPage,
    NewPasswordPage, NoSecondFactorPage, NotEntitledPage, OutboxPage, Page, PasswordChangedPage,
    PasswordExpiredPage, ProfilePage, RecoveryLinkPage, RecoveryRequestedPage, RedirectPage, SignInPage,
    SignOutPage, SignedOutPage, VerifyIdentityPage,
};
pub(crate) use required_elements::{ComparedThemes, required_elements_present};
use shape::Shape;
use walk::TemplateWalk;

/// A page or email with every value that its templates may get.
struct SampledView {
    templates: Vec<String>,
    /// The view's fields, one object per sample.
    views: Vec<Value>,
    has_layout: bool,
    /// Whether the page may warn before its session ends.
    in_session: bool,
}

fn page<P: Page>() -> SampledView {
    let views = P::samples().iter().filter_map(|view| serde_json::to_value(view).ok()).collect();
    SampledView {
        templates: vec![format!("pages/{}", P::TEMPLATE)],
        views,
        has_layout: true,
        in_session: P::IN_SESSION,
    }
}

fn email<M: EmailView>() -> SampledView {
    let views = M::samples().iter().filter_map(|view| serde_json::to_value(view).ok()).collect();
    let parts = ["subject.txt", "txt", "html"];
    let templates = parts.map(|part| format!("emails/{}.{part}", M::TEMPLATE)).into();
    SampledView { templates, views, has_layout: false, in_session: false }
}

/// A message to a phone.
fn phone_message<V: Serialize>(templates: &[&str], samples: &[V]) -> SampledView {
    let views = samples.iter().filter_map(|view| serde_json::to_value(view).ok()).collect();
    let templates = templates.iter().map(|name| (*name).to_owned()).collect();
    SampledView { templates, views, has_layout: false, in_session: false }
}

/// Every page, email and message to a phone. New ones have to be added here.
fn all() -> Vec<SampledView> {
    vec![
        page::<SignInPage>(),
        page::<ChooseAccountPage>(),
        page::<DashboardPage>(),
        page::<ConsentPage>(),
        page::<NotEntitledPage>(),
        page::<PasswordExpiredPage>(),
        page::<SignOutPage>(),
        page::<SignedOutPage>(),
        page::<ErrorPage>(),
        page::<ErrorReturnPage>(),
        page::<FormPostPage>(),
        page::<RedirectPage>(),
        page::<ForgotPasswordPage>(),
        page::<RecoveryRequestedPage>(),
        page::<RecoveryLinkPage>(),
        page::<VerifyIdentityPage>(),
        page::<EnterCodePage>(),
        page::<NewPasswordPage>(),
        page::<PasswordChangedPage>(),
        page::<NoSecondFactorPage>(),
        page::<InvitationPage>(),
        page::<AddPhonePage>(),
        page::<CompleteRegistrationPage>(),
        page::<FactorsPage>(),
        page::<ProfilePage>(),
        page::<EnrolFactorPage>(),
        page::<OutboxPage>(),
        email::<InvitationEmail>(),
        email::<AccountLockedEmail>(),
        email::<RecoveryEmail>(),
        email::<PasswordChangedEmail>(),
        email::<RegistrationCompletedEmail>(),
        email::<PasswordExpiresEmail>(),
        email::<PhoneAddedEmail>(),
        email::<AuthenticatorAppEmail>(),
        email::<TokensElsewhereEmail>(),
        phone_message(&[phone::TEXT], &CodeText::samples()),
        phone_message(&[phone::PHONE_ADDED], &PhoneAddedText::samples()),
        phone_message(
            &[phone::CALL_PROMPT, phone::CALL_CODE, phone::CALL_AGAIN, phone::CALL_GOODBYE],
            &CodeCall::samples(),
        ),
    ]
}

/// Walks every template; texts and partials that no template uses are reported.
pub(crate) fn templates(theme: &Templates, new_partials: &[String], faults: &mut Vec<Fault>) {
    let mut used_texts = BTreeSet::new();
    let mut used_templates = BTreeSet::new();
    for sampled in all() {
        let shape = Shape::of(&contexts(&sampled, Locale::En));
        for template in &sampled.templates {
            let mut walk = TemplateWalk::new(theme.registry(template), &theme.texts, &shape);
            walk.page(template);
            used_texts.append(&mut walk.used_texts);
            used_templates.append(&mut walk.used_templates);
            for fault in walk.faults {
                if !faults.contains(&fault) {
                    faults.push(fault);
                }
            }
        }
    }
    let unused = new_partials.iter().filter(|name| !used_templates.contains(*name));
    faults.extend(unused.map(|name| Fault::UnusedFile { file: format!("{name}.hbs") }));
    theme.texts.unused(&used_texts, faults);
}

/// Renders every sample in every language.
pub(crate) fn renderings(theme: &Templates, faults: &mut Vec<Fault>) {
    for sampled in all() {
        let shape = Shape::of(&sampled.views);
        let views = sampled.views.iter().flat_map(|view| shape::with_gaps(view, &shape)).collect();
        let sampled = SampledView { views, ..sampled };
        for locale in theme.texts.locales() {
            let contexts = contexts(&sampled, locale);
            for template in &sampled.templates {
                let failed =
                    contexts.iter().find_map(|context| theme.rendered(template, context.clone()).err());
                faults.extend(failed.map(|reason| Fault::Render {
                    template: template.clone(),
                    locale,
                    reason,
                }));
            }
        }
    }
}

fn contexts(sampled: &SampledView, locale: Locale) -> Vec<Value> {
    let frames: Vec<Option<PageLayout>> = if sampled.has_layout {
        PageLayout::samples(locale).into_iter().map(Some).collect()
    } else {
        vec![None]
    };
    let pairs = frames.iter().flat_map(|frame| sampled.views.iter().map(move |view| (frame, view)));
    pairs.filter_map(|(frame, view)| context(frame.as_ref(), locale, view).ok()).collect()
}
