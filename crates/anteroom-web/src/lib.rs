//! HTTP: routes, cookies, form tokens, headers; outcomes become pages, redirects and JSON. Handlers decide nothing: each
//! parses, calls one use case, and turns its outcome into a response with one total match.
//!
//! ```text
//!   request ─► request_checks (host, size, time) ─► its body ─► PageContext (cookies, address, reference, language)
//!           ─► Form<T> (same origin, form token) ─► anteroom_flows ─► outcome ─► page | redirect | JSON
//! ```

mod authorization;
mod cookies;
mod development_outbox;
mod endpoints;
mod every_request;
mod fetch_metadata;
#[cfg(feature = "test-util")]
pub mod for_tests;
mod form_token;
mod forms;
mod once_an_hour;
mod origin;
mod page_context;
mod page_error;
mod page_token;
mod pages;
mod path_param;
mod paths;
mod received;
mod request_checks;
mod request_deadline;
mod request_log;
mod respond;
mod routes;
mod session_clock;
mod state;

pub use request_log::REQUESTS;
pub use routes::router;
pub use state::{ConfigurationError, Web, WebSettings};
