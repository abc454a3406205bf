//! The pages of people's journeys, one file for each form.

pub(crate) mod choose_account;
pub(crate) mod consent;
pub(crate) mod dashboard;
pub(crate) mod expired_password;
pub(crate) mod factors;
pub(crate) mod forgot_password;
pub(crate) mod new_password;
pub(crate) mod not_entitled;
pub(crate) mod profile;
pub(crate) mod recover;
pub(crate) mod register;
pub(crate) mod register_phones;
pub(crate) mod session_time;
pub(crate) mod sign_in;
pub(crate) mod sign_in_form;
pub(crate) mod sign_out;
pub(crate) mod step;
pub(crate) mod verify;
