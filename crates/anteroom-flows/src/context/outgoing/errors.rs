//! Describes why a request to an address failed, by its cause.

use std::error::Error;
use std::io;
use url::Url;

use super::OutgoingError;

/// Host and port of the address, without its path and query.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The HTTP client's own message is "error sending request"; its sources name the cause: a refused connection, a certificate, a
/// name that does not resolve, or a refusal of our resolver.
pub(super) fn no_answer(url: &Url, error: &reqwest::Error) -> OutgoingError {
    let causes = || std::iter::successors(Some(error as &(dyn Error + 'static)), |&cause| cause.source());
    let refusal = causes().find_map(|cause| cause.downcast_ref::<OutgoingError>());
    if let Some(OutgoingError::Forbidden(what, rule)) = refusal {
        return OutgoingError::Forbidden(what.clone(), *rule);
    }
    let is_refused = |cause: &(dyn Error + 'static)| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
    };
    let cause = if causes().any(is_refused) {
        "connection refused: nothing listens there".to_owned()
    } else if error.is_timeout() {
        "it took too long".to_owned()
    } else {
        causes().last().map(ToString::to_string).unwrap_or_default()
    };
    // A signature does not verify where another authority has the name of a trusted one.
    let help = if cause.contains("UnknownIssuer") || cause.contains("BadSignature") {
        ". Its certificate authority is not trusted by this system; name your own in `outgoing.ca_file`"
    } else {
        ""
    };
    OutgoingError::NoAnswer(place(url), format!("{cause}{help}"))
}
