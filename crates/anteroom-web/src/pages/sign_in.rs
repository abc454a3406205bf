//! `GET` and `POST /sign-in`.

use anteroom_domain::address::FoldedAddress;
use anteroom_domain::ids::SessionId;
use anteroom_domain::rate::Wait;
use anteroom_flows::interaction::choose_account::address_of;
use anteroom_flows::interaction::next::{Next, proceed};
use anteroom_flows::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use anteroom_flows::interaction::reopen::open_or_dashboard;
use anteroom_flows::people::sign_in::{Credentials, RefusalDisclosure, SignInOutcome, sign_in};
use anteroom_flows::sessions::new_session::NewCookies;
use anteroom_pages::{SignInNotice, SignInProblem, Wait as WaitText};
use axum::extract::RawQuery;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;

use crate::form_token::FormName;
use crate::forms::{FormFields, FormOrStale, ReceivedForm, SubmittedFields};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::pages::sign_in_form::SignInForm;
use crate::pages::step::{interaction_in, respond_to_form, show_page};
use crate::paths::SIGN_IN;
use crate::respond::with_cookies;

/// Longer than the longest allowed password, and short enough to bound the cost of hashing.
const MAX_PASSWORD_BYTES: usize = 1024;
const MAX_EMAIL_CHARS: usize = 320;

/// The form; a person who is signed in already is redirected to the next step.
pub(crate) async fn form(query: RawQuery, context: PageContext) -> Response {
    finish(&context, open_form(&context, query.0.as_deref().unwrap_or_default()).await).await
}

async fn open_form(context: &PageContext, query: &str) -> Result<Response, PageError> {
    let visit = &context.visit;
    let parameters = SignInQuery::parse(query);
    let interaction = match open_or_dashboard(visit, interaction_in(query).as_ref()).await? {
        Ok(interaction) => interaction,
        Err(InteractionNotFound) => return Err(PageError::interaction_expired()),
    };
    if parameters.another {
        let form = SignInForm::new(context, &interaction)?;
        let address = match parameters.account {
            Some(session) => address_of(visit, session).await?,
            None => None,
        };
        let form = match address {
            Some(address) => {
                let notice = Some(SignInNotice::AnotherAccountSince);
                SignInForm { email: address.as_str().to_owned(), notice, ..form }
            }
            None => form,
        };
        return Ok(form.respond(context, StatusCode::OK));
    }
    match proceed(visit, interaction.clone()).await? {
        Next::Page(_) if parameters.notice.is_some() => {
            let form = SignInForm::new(context, &interaction)?;
            Ok(SignInForm { notice: parameters.notice, ..form }.respond(context, StatusCode::OK))
        }
        next => show_page(context, next),
    }
}

/// The parameters of the sign-in page's address.
struct SignInQuery {
    /// Sign in with another account than the current one.
    another: bool,
    /// That other account's session, if it is signed in in this browser.
    account: Option<SessionId>,
    notice: Option<SignInNotice>,
}

impl SignInQuery {
    fn parse(query: &str) -> Self {
        let pairs = anteroom_oidc::form::UrlEncodedForm::decode(query.as_bytes()).ok();
        let once = |name: &'static str| pairs.as_ref().and_then(|pairs| pairs.once(name).ok().flatten());
        let says = |name: &'static str, value: &'static str| once(name).is_some_and(|got| got == value);
        let notices = [
            (("signed-out", "1"), SignInNotice::SignedOut),
            (("ended", "idle"), SignInNotice::SessionEnded),
            (("ended", "limit"), SignInNotice::SessionTooOld),
        ];
        let notice =
            notices.into_iter().find(|((name, value), _)| says(name, value)).map(|(_, notice)| notice);
        let account = once("account").and_then(|account| account.parse().ok());
        Self { another: says("another", "1"), account, notice }
    }
}

/// Runs in a task of its own, so that the attempt is counted even if the browser closes the connection after hashing.
pub(crate) async fn submit(FormOrStale { context, fields }: FormOrStale<SignInFields>) -> Response {
    let attempt = tokio::spawn(async move { finish(&context, submitted(&context, fields).await).await });
    attempt.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn submitted(
    context: &PageContext,
    fields: SubmittedFields<SignInFields>,
) -> Result<Response, PageError> {
    let (entered, problem) = match fields {
        SubmittedFields::InvalidToken(entered) => (entered, Some(SignInProblem::Stale)),
        SubmittedFields::Valid(entered) => {
            let missing = entered.missing();
            (entered, missing)
        }
    };
    if let Some(problem) = problem {
        let interaction_ref = entered.interaction_ref;
        let Ok(interaction) = open_or_dashboard(&context.visit, interaction_ref.as_ref()).await? else {
            return Err(PageError::interaction_expired());
        };
        return refused(context, &interaction, entered.email, problem);
    }
    let credentials = Credentials {
        address: FoldedAddress::from_entered(&entered.email),
        password: entered.password,
        interaction_ref: entered.interaction_ref,
    };
    match sign_in(&context.visit, credentials).await? {
        // The person is signed in even if the next step is an error page.
        SignInOutcome::SignedIn { cookies, next } => {
            Ok(remember(context, cookies, finish(context, respond_to_form(context, next)).await))
        }
        SignInOutcome::Proven { next } => respond_to_form(context, next),
        SignInOutcome::Refused { disclosure: RefusalDisclosure::Nothing, interaction } => {
            refused(context, &interaction, entered.email, SignInProblem::Refused)
        }
        SignInOutcome::Refused { disclosure: RefusalDisclosure::Locked, interaction } => {
            refused(context, &interaction, entered.email, SignInProblem::LockedHere)
        }
        SignInOutcome::Refused { disclosure: RefusalDisclosure::NoCookies, interaction } => {
            refused(context, &interaction, entered.email, SignInProblem::NoCookies)
        }
        SignInOutcome::RateLimited { wait, interaction } => {
            limited(context, &interaction, entered.email, wait, |wait| SignInProblem::RateLimited { wait })
        }
        SignInOutcome::TooManySignIns { wait, interaction } => {
            limited(context, &interaction, entered.email, wait, |wait| SignInProblem::TooManySignIns { wait })
        }
        SignInOutcome::InteractionNotFound => Err(PageError::interaction_expired()),
    }
}

pub(crate) struct SignInFields {
    email: String,
    password: SecretString,
    password_is_empty: bool,
    interaction_ref: Option<InteractionRef>,
}

impl FormFields for SignInFields {
    const NAME: FormName = FormName::SignIn;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let password = sent.field("password");
        // A password longer than any allowed one is wrong; it is replaced before hashing, so that it costs no more than
        // another.
        let password = if password.len() > MAX_PASSWORD_BYTES { "\u{0}" } else { password };
        Ok(Self {
            email: sent.line("email", MAX_EMAIL_CHARS),
            password_is_empty: password.is_empty(),
            password: password.into(),
            interaction_ref: sent.interaction_ref()?,
        })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.reload_path_or(SIGN_IN)
    }
}

impl SignInFields {
    /// The problem that is known without looking anything up.
    fn missing(&self) -> Option<SignInProblem> {
        let (email, password) = (self.email.is_empty(), self.password_is_empty);
        (email || password).then_some(SignInProblem::Missing { email, password })
    }
}

fn refused(
    context: &PageContext,
    interaction: &OpenInteraction,
    email: String,
    problem: SignInProblem,
) -> Result<Response, PageError> {
    let form = SignInForm { email, problem: Some(problem), ..SignInForm::new(context, interaction)? };
    Ok(form.respond(context, StatusCode::UNPROCESSABLE_ENTITY))
}

fn limited(
    context: &PageContext,
    interaction: &OpenInteraction,
    email: String,
    wait: Wait,
    problem: impl FnOnce(WaitText) -> SignInProblem,
) -> Result<Response, PageError> {
    let seconds = u64::try_from(wait.0.as_secs()).unwrap_or(1).max(1);
    let problem = Some(problem(WaitText::seconds(seconds)));
    let form = SignInForm { email, problem, ..SignInForm::new(context, interaction)? };
    let mut response = form.respond(context, StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

pub(crate) fn remember(context: &PageContext, cookies: NewCookies, response: Response) -> Response {
    let (provider, secure) = (&context.web.provider, context.web.secure_cookies());
    let mut jar = context.jar.clone();
    jar.sessions = cookies.sessions;
    jar.remember_device(cookies.device);
    let device = jar.device_cookie(secure, &provider.keyring);
    with_cookies(with_cookies(response, &jar.of_other_sessions(secure)), &[device])
}
