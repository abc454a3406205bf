//! The pages of interactions and of an account. The page of each step is rendered by a file without a handler, so that
//! the files depend on each other in one direction: handlers (one file for each form) use `step`, which responds with
//! the page of the next step, and `step` uses the rendering files.

pub(crate) mod add_phone_page;
pub(crate) mod choose_account;
pub(crate) mod consent;
pub(crate) mod dashboard;
pub(crate) mod expired_password;
pub(crate) mod factors;
pub(crate) mod forgot_password;
pub(crate) mod new_password;
pub(crate) mod new_password_page;
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
pub(crate) mod step_view;
pub(crate) mod verify;
pub(crate) mod verify_pages;
