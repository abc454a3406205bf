//! "Add a phone": the page of a registration.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::phone::{DeliveryMethod, Phone};
use anteroom_flows::interaction::phones::methods;
use anteroom_flows::people::register::NewNumber;
use anteroom_pages::{AddPhonePage, AddPhoneProblem, PhoneKindChoice, PhoneOnFile, PhoneWays};
use axum::http::StatusCode;
use axum::response::Response;

use crate::form_token::FormName;
use crate::page_token::token_for;
use crate::pages::step_view::StepView;

/// A phone that was refused, shown again with the problem.
pub(crate) struct RefusedPhone {
    pub(super) entered: NewNumber,
    pub(super) problem: AddPhoneProblem,
}

pub(crate) fn page(shown: StepView<'_>, phones: &[Phone], refused: Option<RefusedPhone>) -> Response {
    let ways = |kind| ways(methods(&shown.context.visit, kind));
    let on_file = |phone: &Phone| {
        let to_verify = phone.verified_at.is_none() && ways(phone.kind).is_some();
        PhoneOnFile {
            number: phone.number.masked(),
            landline: phone.kind == PhoneKind::Landline,
            verified: phone.verified_at.is_some(),
            verify_value: to_verify.then(|| phone.id.to_string()),
        }
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let kind = refused.as_ref().and_then(|refused| refused.entered.kind);
    let view = AddPhonePage {
        form_token: token_for(shown.context, FormName::RegisterPhone, shown.owner),
        done_form_token: token_for(shown.context, FormName::PhonesDone, shown.owner),
        interaction: shown.interaction,
        phones: phones.iter().map(on_file).collect(),
        can_continue: phones.iter().any(|phone| phone.verified_at.is_some()),
        phone: refused.as_ref().map(|refused| refused.entered.text.clone()).unwrap_or_default(),
        kind: kind.map(|kind| match kind {
            PhoneKind::Cell => PhoneKindChoice::Cell,
            PhoneKind::Landline => PhoneKindChoice::Landline,
        }),
        problem: refused.map(|refused| refused.problem),
        cell: ways(PhoneKind::Cell),
        landline: ways(PhoneKind::Landline).is_some(),
    };
    shown.frame.page(status, &view)
}

/// `None` if no code can be sent to such a phone, so the page does not ask for one.
fn ways(methods: impl Iterator<Item = DeliveryMethod>) -> Option<PhoneWays> {
    methods.fold(None, |ways, method| match (ways, method) {
        (None, DeliveryMethod::Text) => Some(PhoneWays::Texts),
        (None, DeliveryMethod::Call) => Some(PhoneWays::Calls),
        (Some(_), _) => Some(PhoneWays::Both),
    })
}
