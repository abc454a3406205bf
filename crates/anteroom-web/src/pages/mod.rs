//! The pages of people's journeys, one file for each form.

pub(crate) mod choose_account;
pub(crate) mod consent;
pub(crate) mod dashboard;
pub(crate) mod expired_password;
pub(crate) mod later;
pub(crate) mod not_entitled;
pub(crate) mod sign_in;
pub(crate) mod sign_in_form;
pub(crate) mod sign_out;
pub(crate) mod step;
