//! What of an account's phones is good for now: the one place that says which ways a code may take.
//!
//! A way is offered where the phone serves, its kind takes it, and something is configured that sends it. What would not
//! be sent is never offered, so that no person waits for it.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::ids::AccountId;
use anteroom_domain::phone::{DeliveryMethod, Phone};
use anteroom_domain::telephony::allowed;
use jiff::Timestamp;

use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::verification_model::CodeDestination;

/// Every way to these phones, in the order in which they are on file.
pub(crate) fn offers<'a>(call: &Call, phones: impl IntoIterator<Item = &'a Phone>) -> Vec<CodeDestination> {
    let offer = |phone: &Phone, method| CodeDestination { phone: phone.clone(), method };
    let ways = |phone: &'a Phone| methods(call, phone.kind).map(move |method| offer(phone, method));
    phones.into_iter().flat_map(ways).collect()
}

/// What takes a code to such a phone: its kind takes it, and something is configured that sends it.
pub fn methods(call: &Call, kind: PhoneKind) -> impl Iterator<Item = DeliveryMethod> {
    kind.methods().iter().copied().filter(|method| call.methods().contains(method))
}

/// Whether a code gets to such a phone at all.
pub(crate) fn can_receive_codes(call: &Call, kind: PhoneKind) -> bool {
    methods(call, kind).next().is_some()
}

/// Whether something goes to it this way, to a number that the operator still allows.
pub(crate) fn is_sent(call: &Call, phone: &Phone, method: DeliveryMethod) -> bool {
    let allowed = allowed(&phone.number, &call.snapshot().policy.telephony).is_ok();
    allowed && methods(call, phone.kind).any(|sent| sent == method)
}

/// Whether a code of a registered account may go to it now.
pub(crate) fn serves(call: &Call, phone: &Phone) -> bool {
    phone.accepts_codes(call.now) && can_receive_codes(call, phone.kind)
}

pub(crate) async fn usable_phones(call: &Call, account: AccountId) -> Result<Vec<Phone>, FlowError> {
    let phones = call.store().phones_of(account).await?;
    Ok(phones.into_iter().filter(|phone| serves(call, phone)).collect())
}

/// Why no phone of a person can take a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPhone {
    /// There is none.
    Missing,
    /// One was added a while ago, and serves from this time on.
    Waits(Timestamp),
    /// Nothing is configured that sends codes to the phones that are there, or to any.
    NoMethod,
}

impl NoPhone {
    pub(crate) fn of(call: &Call, phones: &[Phone], now: Timestamp) -> Self {
        if call.methods().is_empty() || phones.iter().any(|phone| phone.accepts_codes(now)) {
            return Self::NoMethod;
        }
        let reached = phones.iter().filter(|phone| can_receive_codes(call, phone.kind));
        reached.map(|phone| phone.usable_from).min().map_or(Self::Missing, Self::Waits)
    }
}
