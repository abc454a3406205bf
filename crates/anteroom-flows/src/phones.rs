//! What of an account's phones is good for now.

use anteroom_domain::ids::AccountId;
use anteroom_domain::phone::{Method, Phone};
use jiff::Timestamp;

use crate::error::FlowError;
use crate::provider::Provider;
use crate::verification::Choice;

/// A way that a code can take to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub phone: Phone,
    pub method: Method,
}

impl Offer {
    pub const fn choice(&self) -> Choice {
        Choice::Phone { method: self.method, phone: self.phone.id }
    }
}

/// Every way to these phones, in the order in which they are on file.
pub(crate) fn offers<'a>(phones: impl IntoIterator<Item = &'a Phone>) -> Vec<Offer> {
    let ways =
        phones.into_iter().flat_map(|phone| phone.methods().iter().map(move |method| (phone, *method)));
    ways.map(|(phone, method)| Offer { phone: phone.clone(), method }).collect()
}

pub(crate) async fn usable(
    provider: &Provider,
    account: AccountId,
    now: Timestamp,
) -> Result<Vec<Phone>, FlowError> {
    let phones = provider.store.phones_of(account).await?;
    Ok(phones.into_iter().filter(|phone| phone.serves(now)).collect())
}
