//! HTTP: routes, cookies, form tokens, headers; outcomes become pages, redirects and JSON. Handlers decide nothing: each
//! parses, calls one use case, and turns its outcome into a response with one total match.
//!
//! ```text
//!   request ─► guard (host, size, time) ─► Asker (cookies, address, reference, language)
//!           ─► Form<T> (same origin, form token) ─► anteroom_flows ─► outcome ─► page | redirect | JSON
//! ```

mod authorization;
mod cookies;
mod dev;
mod endpoints;
mod failure;
#[cfg(feature = "test-util")]
pub mod for_tests;
mod form_token;
mod forms;
mod guard;
mod once_an_hour;
mod opened;
mod origin;
mod page_context;
mod pages;
mod patience;
mod respond;
mod routes;
mod segment;
mod state;
mod traced;

pub use routes::router;
pub use state::{ConfigurationError, Web, WebSettings};
pub use traced::REQUESTS;
