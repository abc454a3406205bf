//! One rule for each file; `order.rs` says in which order they run.

pub(super) mod acr_values;
pub(super) mod claims;
pub(super) mod client_id;
pub(super) mod display;
pub(super) mod id_token_hint;
pub(super) mod locales;
pub(super) mod login_hint;
pub(super) mod max_age;
pub(super) mod nonce;
pub(super) mod once;
pub(super) mod pkce;
pub(super) mod prompt;
pub(super) mod redirect_uri;
pub(super) mod registration;
pub(super) mod request_object;
pub(super) mod resource;
pub(super) mod response_mode;
pub(super) mod response_type;
pub(super) mod scope;
pub(super) mod size;
pub(super) mod state;
