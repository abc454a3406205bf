//! The authorization request: RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.
//!
//! [`Parameters`] are what arrived; [`check`] holds them against the rules, each in a file of its own under
//! `rules/`, in the one order written down in `order.rs`, and makes an [`AuthorizationRequest`] of them: what is asked ([`RequestContent`]), and
//! where it is answered ([`ResponseDelivery`]).
//!
//! Until the client and its redirect URI are known good, an error can only be a page: a redirect would make this
//! provider an open one. After that, every error goes back to the client.

mod ask;
mod claims_request;
mod context;
mod error;
mod order;
mod parameters;
mod reply;
mod request;
mod request_object;
mod rules;

#[cfg(test)]
mod testing;

pub use ask::{AcrRequirement, RequestContent};
pub use claims_request::{ClaimRequest, ClaimRequests, ClaimsRequest};
pub use error::{AuthorizationError, ErrorDestination};
pub use order::{EarlyRefusal, ValidRequest, check, refuse};
pub use parameters::{Parameter, Parameters};
pub use reply::{RedirectDelivery, ResponseDelivery};
pub use request::AuthorizationRequest;
pub use request_object::{
    AcceptedObject, RequestObject, RequestObjectError, RequestObjectRules, RequestObjectSource,
};
