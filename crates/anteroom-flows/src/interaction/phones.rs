//! The ways to send a code to an account's phones.
//!
//! A phone and a method are offered if the phone accepts codes now, its kind can receive the method, and the operator has
//! configured the method. A method that is not configured is never offered: the code would not arrive.

use anteroom_domain::account::PhoneKind;
use anteroom_domain::ids::AccountId;
use anteroom_domain::phone::{DeliveryMethod, Phone};
use anteroom_domain::telephony::allowed;
use jiff::Timestamp;

use crate::context::call::Call;
use crate::error::FlowError;
use crate::interaction::verification_model::CodeDestination;

/// Each phone with each method that can reach it, in the order of the phones.
pub(crate) fn destinations<'a>(
    call: &Call,
    phones: impl IntoIterator<Item = &'a Phone>,
) -> Vec<CodeDestination> {
    let offer = |phone: &Phone, method| CodeDestination { phone: phone.clone(), method };
    let ways = |phone: &'a Phone| methods(call, phone.kind).map(move |method| offer(phone, method));
    phones.into_iter().flat_map(ways).collect()
}

/// The configured methods that a phone of this kind can receive.
pub fn methods(call: &Call, kind: PhoneKind) -> impl Iterator<Item = DeliveryMethod> {
    kind.methods().iter().copied().filter(|method| call.methods().contains(method))
}

/// Whether a phone of this kind can receive codes at all.
pub(crate) fn can_receive_codes(call: &Call, kind: PhoneKind) -> bool {
    methods(call, kind).next().is_some()
}

/// Whether a message is sent to the phone by this method. The operator may have excluded the number since it was added.
pub(crate) fn is_sent(call: &Call, phone: &Phone, method: DeliveryMethod) -> bool {
    let allowed = allowed(&phone.number, &call.snapshot().policy.telephony).is_ok();
    allowed && methods(call, phone.kind).any(|sent| sent == method)
}

/// Whether a code of a registered account may be sent to the phone now.
pub(crate) fn can_be_used(call: &Call, phone: &Phone) -> bool {
    phone.accepts_codes(call.now) && can_receive_codes(call, phone.kind)
}

pub(crate) async fn usable_phones(call: &Call, account: AccountId) -> Result<Vec<Phone>, FlowError> {
    let phones = call.store().phones_of(account).await?;
    Ok(phones.into_iter().filter(|phone| can_be_used(call, phone)).collect())
}

/// Why no phone of an account can receive a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPhone {
    /// The account has no phone.
    Missing,
    /// A phone was added, and is used from this time on.
    Waits(Timestamp),
    /// No method is configured that these phones, or any phones, can receive.
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
