//! `/account/profile`: the profile claims of the account that is signed in.

use anteroom_domain::profile::{EditableProfile, InvalidClaimValue, ProfileClaim, time_zones};
use anteroom_flows::context::active_session::ActiveSession;
use anteroom_flows::context::call::FormOwner;
use anteroom_flows::people::profile::{SaveOutcome, profile, save};
use anteroom_pages::{
    LanguageChoice, Locale, ProfileField, ProfileGroup, ProfileGroupName, ProfileInput, ProfilePage,
    ProfileProblem,
};
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::forms::{Form, FormFields, ReceivedForm};
use crate::page_context::PageContext;
use crate::page_error::{PageError, finish};
use crate::page_token::token_for;
use crate::pages::session_time::redirect_to_sign_in;
use crate::paths::{DASHBOARD, PROFILE};
use crate::respond::{PageResponse, see_other};

/// The fields in their order, with their `autocomplete` values. Other claims of an account cannot be edited here.
const GROUPS: [(ProfileGroupName, &[(ProfileClaim, &str)]); 4] = [
    (
        ProfileGroupName::Name,
        &[
            (ProfileClaim::Name, "name"),
            (ProfileClaim::GivenName, "given-name"),
            (ProfileClaim::MiddleName, "additional-name"),
            (ProfileClaim::FamilyName, "family-name"),
            (ProfileClaim::Nickname, "nickname"),
        ],
    ),
    (
        ProfileGroupName::About,
        &[
            (ProfileClaim::Birthdate, "bday"),
            (ProfileClaim::Gender, "sex"),
            (ProfileClaim::Locale, "language"),
            (ProfileClaim::Zoneinfo, "off"),
        ],
    ),
    (
        ProfileGroupName::Address,
        &[
            (ProfileClaim::StreetAddress, "street-address"),
            (ProfileClaim::Locality, "address-level2"),
            (ProfileClaim::Region, "address-level1"),
            (ProfileClaim::PostalCode, "postal-code"),
            (ProfileClaim::Country, "country-name"),
            (ProfileClaim::Formatted, "off"),
        ],
    ),
    (
        ProfileGroupName::Links,
        &[(ProfileClaim::Website, "url"), (ProfileClaim::Picture, "photo"), (ProfileClaim::Profile, "off")],
    ),
];

pub(crate) async fn show(RawQuery(query): RawQuery, context: PageContext) -> Response {
    finish(&context, shown(&context, query.as_deref() == Some("saved")).await).await
}

async fn shown(context: &PageContext, saved: bool) -> Result<Response, PageError> {
    match profile(&context.visit).await? {
        Some(live) => Ok(page(context, &live, &ProfileFeedback { saved, ..ProfileFeedback::default() })),
        None => redirect_to_sign_in(context).await,
    }
}

pub(crate) struct ProfileForm {
    entered: Vec<(ProfileClaim, String)>,
}

impl FormFields for ProfileForm {
    const NAME: FormName = FormName::Profile;
    const OF_CURRENT_SESSION: bool = true;

    fn read(sent: &ReceivedForm) -> Result<Self, PageError> {
        let fields = GROUPS.iter().flat_map(|(_, fields)| fields.iter());
        let entered = fields
            .filter_map(|(claim, _)| Some((*claim, sent.value_if_single(field_name(*claim))?.to_owned())));
        Ok(Self { entered: entered.collect() })
    }

    fn reload_path(_: &ReceivedForm) -> String {
        PROFILE.to_owned()
    }
}

pub(crate) async fn submit(Form { context, fields }: Form<ProfileForm>) -> Response {
    finish(&context, submitted(&context, &fields).await).await
}

async fn submitted(
    context: &PageContext,
    ProfileForm { entered }: &ProfileForm,
) -> Result<Response, PageError> {
    let entered: Vec<(ProfileClaim, &str)> =
        entered.iter().map(|(claim, text)| (*claim, text.as_str())).collect();
    match save(&context.visit, &entered).await? {
        SaveOutcome::Saved => Ok(see_other(&format!("{PROFILE}?saved"))),
        SaveOutcome::Bad { live, problems } => {
            Ok(page(context, &live, &ProfileFeedback { saved: false, entered, problems }))
        }
        SaveOutcome::NotSignedIn => redirect_to_sign_in(context).await,
    }
}

/// What the page shows beside the stored profile.
#[derive(Default)]
struct ProfileFeedback<'a> {
    saved: bool,
    entered: Vec<(ProfileClaim, &'a str)>,
    problems: Vec<(ProfileClaim, InvalidClaimValue)>,
}

fn page(context: &PageContext, live: &ActiveSession, feedback: &ProfileFeedback<'_>) -> Response {
    let described = EditableProfile::of(&live.account);
    let value = |claim| {
        let entered = feedback.entered.iter().find(|(name, _)| *name == claim).map(|(_, text)| *text);
        entered.or(described.get(claim)).unwrap_or_default().to_owned()
    };
    let problem = |claim| feedback.problems.iter().find(|(name, _)| *name == claim).map(|(_, why)| of(*why));
    let field = |(claim, autocomplete): &(ProfileClaim, &str)| ProfileField {
        name: field_name(*claim).to_owned(),
        input: input(*claim),
        value: value(*claim),
        autocomplete: (*autocomplete).to_owned(),
        hinted: is_hinted(*claim),
        problem: problem(*claim),
    };
    let view = ProfilePage {
        form_token: token_for(context, FormName::Profile, FormOwner::of(live)),
        session: live.session.id.to_string(),
        groups: GROUPS
            .iter()
            .map(|(name, fields)| ProfileGroup { name: *name, fields: fields.iter().map(field).collect() })
            .collect(),
        languages: languages(&context.web.theme().locales(), &value(ProfileClaim::Locale)),
        time_zones: time_zones(),
        saved: feedback.saved,
        problem: !feedback.problems.is_empty(),
        dashboard_href: DASHBOARD.to_owned(),
    };
    let status = if view.problem { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let frame =
        PageResponse::of(context).signed_in(&live.account).of_session(&live.session).isolated_from_opener();
    frame.page(status, &view)
}

/// The languages of our mails, and the account's own if it is another.
fn languages(ours: &[Locale], own: &str) -> Vec<LanguageChoice> {
    let ours = ours.iter().map(Locale::tag);
    let other = Some(own).filter(|own| !own.is_empty() && ours.clone().all(|tag| tag != *own));
    let all = ours.chain(other);
    all.map(|tag| LanguageChoice { tag: tag.to_owned(), chosen: tag == own }).collect()
}

/// The field's name; a part of the address has no prefix.
fn field_name(claim: ProfileClaim) -> &'static str {
    let name = claim.as_str();
    name.strip_prefix("address.").unwrap_or(name)
}

const fn input(claim: ProfileClaim) -> ProfileInput {
    match claim {
        ProfileClaim::Locale => ProfileInput::Language,
        ProfileClaim::Zoneinfo => ProfileInput::Zone,
        ProfileClaim::Formatted | ProfileClaim::StreetAddress => ProfileInput::Lines,
        ProfileClaim::Website | ProfileClaim::Picture | ProfileClaim::Profile => ProfileInput::Link,
        _ => ProfileInput::Line,
    }
}

const fn is_hinted(claim: ProfileClaim) -> bool {
    matches!(
        claim,
        ProfileClaim::Name | ProfileClaim::Birthdate | ProfileClaim::Zoneinfo | ProfileClaim::Formatted
    )
}

const fn of(problem: InvalidClaimValue) -> ProfileProblem {
    match problem {
        InvalidClaimValue::TooLong(_) => ProfileProblem::TooLong,
        InvalidClaimValue::Control => ProfileProblem::Control,
        InvalidClaimValue::NotALink => ProfileProblem::NotALink,
        InvalidClaimValue::NotADate => ProfileProblem::NotADate,
        InvalidClaimValue::NotAZone => ProfileProblem::NotAZone,
        InvalidClaimValue::NotALanguage => ProfileProblem::NotALanguage,
    }
}
