//! `GET` and `POST /sign-in`.

use anteroom_domain::address::FoldedAddress;
use anteroom_domain::ids::SessionId;
use anteroom_domain::rate::Wait;
use anteroom_flows::interaction::choose_account::address_of;
use anteroom_flows::interaction::next::{Next, proceed};
use anteroom_flows::interaction::open_interaction::{InteractionNotFound, InteractionRef, OpenInteraction};
use anteroom_flows::interaction::reopen::open_or_dashboard;
use anteroom_flows::people::sign_in::{Credentials, LockDisclosure, SignInOutcome, sign_in};
use anteroom_flows::sessions::new_session::NewCookies;
use anteroom_pages::{SignInNotice, SignInProblem, Wait as WaitText};
use axum::extract::RawQuery;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use secrecy::SecretString;

use crate::asker::PageContext;
use crate::failure::{PageError, finish};
use crate::form_token::FormName;
use crate::forms::{FormFields, FormOrStale, ReceivedForm, SubmittedFields};
use crate::pages::sign_in_form::SignInForm;
use crate::pages::step::{go, show, waiting_in};
use crate::respond::with_cookies;

/// Longer than the longest password allowed, shorter than what hashing should be fed.
const MAX_PASSWORD_BYTES: usize = 1024;
const MAX_EMAIL_BYTES: usize = 320;

/// The form, or straight on for a person who is signed in already.
pub(crate) async fn form(asker: PageContext, query: RawQuery) -> Response {
    finish(&asker, open_form(&asker, query.0.as_deref().unwrap_or_default()).await).await
}

async fn open_form(asker: &PageContext, query: &str) -> Result<Response, PageError> {
    let visit = &asker.visit;
    let wish = SignInQuery::parse(query);
    let carried = match open_or_dashboard(visit, waiting_in(query)).await? {
        Ok(carried) => carried,
        Err(InteractionNotFound) => return Err(PageError::interaction_expired()),
    };
    if wish.another {
        let form = SignInForm::new(asker, &carried)?;
        let address = match wish.account {
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
        return Ok(form.respond(asker, StatusCode::OK));
    }
    match proceed(visit, carried.clone()).await? {
        Next::Page(_) if wish.notice.is_some() => {
            let form = SignInForm::new(asker, &carried)?;
            Ok(SignInForm { notice: wish.notice, ..form }.respond(asker, StatusCode::OK))
        }
        onward => show(asker, onward),
    }
}

/// What an address may ask of the sign-in page.
struct SignInQuery {
    /// To sign in with another account than the current one.
    another: bool,
    /// Which one, where it is signed in in this browser.
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

/// In a task of its own: a browser that hangs up after the hash was computed is counted all the same.
pub(crate) async fn submit(FormOrStale { asker, fields }: FormOrStale<SignInFields>) -> Response {
    let attempt = tokio::spawn(async move { finish(&asker, submitted(&asker, fields).await).await });
    attempt.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn submitted(
    asker: &PageContext,
    fields: SubmittedFields<SignInFields>,
) -> Result<Response, PageError> {
    let (entered, problem) = match fields {
        SubmittedFields::Stale(entered) => (entered, Some(SignInProblem::Stale)),
        SubmittedFields::Good(entered) => {
            let missing = entered.missing();
            (entered, missing)
        }
    };
    if let Some(problem) = problem {
        let waiting = entered.waiting;
        let Ok(carried) = open_or_dashboard(&asker.visit, waiting).await? else {
            return Err(PageError::interaction_expired());
        };
        return refused(asker, &carried, entered.email, problem);
    }
    let credentials = Credentials {
        address: FoldedAddress::from_entered(&entered.email),
        password: entered.password,
        waiting: entered.waiting,
    };
    match sign_in(&asker.visit, credentials).await? {
        // Signed in also where the way onward ends on an error page.
        SignInOutcome::SignedIn { cookies, onward } => {
            Ok(remember(asker, cookies, finish(asker, go(asker, onward)).await))
        }
        SignInOutcome::Proven { onward } => go(asker, onward),
        SignInOutcome::Refused { told: LockDisclosure::Nothing, carried } => {
            refused(asker, &carried, entered.email, SignInProblem::Refused)
        }
        SignInOutcome::Refused { told: LockDisclosure::Locked, carried } => {
            refused(asker, &carried, entered.email, SignInProblem::LockedHere)
        }
        SignInOutcome::Refused { told: LockDisclosure::NoCookies, carried } => {
            refused(asker, &carried, entered.email, SignInProblem::NoCookies)
        }
        SignInOutcome::RateLimited { wait, carried } => {
            limited(asker, &carried, entered.email, wait, |wait| SignInProblem::RateLimited { wait })
        }
        SignInOutcome::TooManySignIns { wait, carried } => {
            limited(asker, &carried, entered.email, wait, |wait| SignInProblem::TooManySignIns { wait })
        }
        SignInOutcome::Gone => Err(PageError::interaction_expired()),
    }
}

pub(crate) struct SignInFields {
    email: String,
    password: SecretString,
    password_is_empty: bool,
    waiting: Option<InteractionRef>,
}

impl FormFields for SignInFields {
    const NAME: FormName = FormName::SignIn;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let password = sent.field("password");
        // Too long to be anyone's: as wrong as any other, without feeding the hash a novel.
        let password = if password.len() > MAX_PASSWORD_BYTES { "\u{0}" } else { password };
        Ok(Self {
            email: sent.line("email", MAX_EMAIL_BYTES),
            password_is_empty: password.is_empty(),
            password: password.into(),
            waiting: sent.interaction_ref()?,
        })
    }

    fn reload_path(sent: &ReceivedForm) -> String {
        sent.again("/sign-in")
    }
}

impl SignInFields {
    /// What can be said before anything is looked up.
    fn missing(&self) -> Option<SignInProblem> {
        let (email, password) = (self.email.is_empty(), self.password_is_empty);
        (email || password).then_some(SignInProblem::Missing { email, password })
    }
}

fn refused(
    asker: &PageContext,
    carried: &OpenInteraction,
    email: String,
    problem: SignInProblem,
) -> Result<Response, PageError> {
    let form = SignInForm { email, problem: Some(problem), ..SignInForm::new(asker, carried)? };
    Ok(form.respond(asker, StatusCode::UNPROCESSABLE_ENTITY))
}

fn limited(
    asker: &PageContext,
    carried: &OpenInteraction,
    email: String,
    wait: Wait,
    problem: impl FnOnce(WaitText) -> SignInProblem,
) -> Result<Response, PageError> {
    let seconds = u64::try_from(wait.0.as_secs()).unwrap_or(1).max(1);
    let problem = Some(problem(WaitText::seconds(seconds)));
    let form = SignInForm { email, problem, ..SignInForm::new(asker, carried)? };
    let mut response = form.respond(asker, StatusCode::TOO_MANY_REQUESTS);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

pub(crate) fn remember(asker: &PageContext, cookies: NewCookies, response: Response) -> Response {
    let (provider, secure) = (&asker.web.provider, asker.web.secure_cookies());
    let mut jar = asker.jar.clone();
    jar.sessions = cookies.sessions;
    jar.remember_device(cookies.device);
    let device = jar.device_cookie(secure, &provider.keyring);
    with_cookies(with_cookies(response, &jar.of_other_sessions(secure)), &[device])
}
