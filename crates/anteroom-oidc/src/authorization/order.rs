//! The order in which the rules run, set here and nowhere else. Results that a later rule needs are passed to it as arguments.

use super::context::Context;
use super::{
    AuthorizationError, AuthorizationRequest, Parameter, Parameters, RedirectDelivery, RequestContent,
    ResponseDelivery, error::RuleViolation, rules,
};
use crate::{
    capabilities::Capabilities,
    client::ClientMetadata,
    errors::AuthorizationErrorCode,
    protocol_values::{ClientId, ResponseMode, ResponseType, ScopeSet},
    response::ResponseTarget,
};

/// A request that kept every rule, and whose it is.
#[derive(Debug, Clone)]
pub struct ValidRequest<'c> {
    pub client: &'c ClientMetadata,
    pub request: AuthorizationRequest,
    /// What was asked for and left out, being unknown or not registered; for the operator's log.
    pub ignored_scope: ScopeSet,
}

/// Holds a request against the rules. `find` looks the client up; it is asked once at most.
pub fn check<'c>(
    parameters: &Parameters,
    capabilities: &Capabilities,
    find: impl FnOnce(&ClientId) -> Option<&'c ClientMetadata>,
) -> Result<ValidRequest<'c>, AuthorizationError> {
    // Errors of these are pages.
    rules::size::check(parameters).map_err(RuleViolation::on_page)?;
    let client = rules::client_id::check(parameters, find).map_err(RuleViolation::on_page)?;
    let redirect = rules::redirect_uri::check(parameters, client).map_err(RuleViolation::on_page)?;

    // Errors of all others go to the redirect URI. The values of a request object belong among the parameters before
    // any of this runs, so that they meet the same rules.
    let context = Context { parameters, client, capabilities };
    match check_known_client(&context, &redirect) {
        Ok((request, ignored_scope)) => Ok(ValidRequest { client, request, ignored_scope }),
        Err(refusal) => Err(refusal.back_to(ResponseTarget {
            redirect_uri: redirect.uri,
            response_mode: response_mode_of_errors(parameters),
            state: rules::state::usable(parameters),
        })),
    }
}

/// Why a request is refused before the rules have seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlyRefusal {
    /// The client is held to pushing its requests (RFC 9126 §6).
    NotPushed,
    /// The client is held to signed request objects (RFC 9101 §10.5).
    NotSigned,
    UnusableUri,
    UnsignedObject,
    UnusableObject,
    /// Request objects were fetched for the person's network too often.
    FetchedTooOften,
}

impl EarlyRefusal {
    const fn error_parts(self) -> (AuthorizationErrorCode, Parameter, &'static str) {
        use AuthorizationErrorCode as Code;
        match self {
            Self::NotPushed => {
                (Code::InvalidRequest, Parameter::RequestUri, "the client must push its requests (RFC 9126)")
            }
            Self::NotSigned => {
                (Code::InvalidRequest, Parameter::Request, "the client must sign its requests (RFC 9101)")
            }
            Self::UnusableUri => {
                let text = "the request_uri does not lead to a request that can be used";
                (Code::InvalidRequestUri, Parameter::RequestUri, text)
            }
            Self::UnsignedObject => {
                let text = "request objects of this client must be signed";
                (Code::RequestNotSupported, Parameter::Request, text)
            }
            Self::UnusableObject => {
                (Code::InvalidRequestObject, Parameter::Request, "the request object is not valid")
            }
            Self::FetchedTooOften => {
                let text = "request objects were fetched too often; try again in some minutes";
                (Code::TemporarilyUnavailable, Parameter::RequestUri, text)
            }
        }
    }
}

/// Refuses a request before the rules run: it was not pushed although it must be, or its request object is unusable.
/// The client is told if the outer parameters name a registered redirect URI; the reason is for the operator's log.
pub fn refuse(
    parameters: &Parameters,
    client: &ClientMetadata,
    failure: EarlyRefusal,
    reason: &str,
) -> AuthorizationError {
    let (code, parameter, description) = failure.error_parts();
    let refusal = RuleViolation::new(code, parameter, description).received(reason);
    match rules::redirect_uri::check(parameters, client) {
        // An unregistered redirect URI is reported first: without a good one the error cannot go to the client at all.
        Err(unregistered) if parameters.get(Parameter::RedirectUri).is_some() => unregistered.on_page(),
        // Without redirect_uri outside the request object, the object may name another one than the registered default; so the
        // error goes to a page.
        Ok(redirect) if redirect.given => refusal.back_to(ResponseTarget {
            redirect_uri: redirect.uri,
            response_mode: response_mode_of_errors(parameters),
            state: rules::state::usable(parameters),
        }),
        _ => refusal.on_page(),
    }
}

fn check_known_client(
    context: &Context<'_>,
    redirect: &rules::redirect_uri::Requested,
) -> Result<(AuthorizationRequest, ScopeSet), RuleViolation> {
    rules::once::check(context)?;
    let state = rules::state::check(context)?;
    rules::request_object::check(context)?;
    rules::registration::check(context)?;
    let response_type = rules::response_type::check(context)?;
    let response_mode = rules::response_mode::check(context, response_type)?;
    let rules::scope::CheckedScope { scope, ignored } = rules::scope::check(context, response_type)?;

    let nonce = rules::nonce::check(context, response_type)?;
    let reply = RedirectDelivery {
        code_challenge: rules::pkce::check(context, response_type)?,
        redirect_uri: redirect.uri.clone(),
        redirect_uri_given: redirect.given,
        response_type,
        response_mode,
        state,
    };
    let ask = RequestContent {
        nonce,
        prompt: rules::prompt::check(context)?,
        max_age: rules::max_age::check(context)?,
        claims: rules::claims::check(context)?,
        acr_values: rules::acr_values::check(context),
        id_token_hint: rules::id_token_hint::check(context)?,
        login_hint: rules::login_hint::check(context),
        display: rules::display::check(context),
        ui_locales: rules::locales::check(context, Parameter::UiLocales),
        claims_locales: rules::locales::check(context, Parameter::ClaimsLocales),
        resource: rules::resource::check(context)?,
        client_id: context.client.client_id.clone(),
        scope,
    };
    let request = AuthorizationRequest { ask, reply: ResponseDelivery::Redirect(reply) };
    Ok((request, ignored))
}

/// How an error is returned: as the response would have been, as far as the request says so clearly.
fn response_mode_of_errors(parameters: &Parameters) -> ResponseMode {
    let once = |name| parameters.get(name).filter(|_| !parameters.is_repeated(name));
    let response_type: Option<ResponseType> =
        once(Parameter::ResponseType).and_then(|text| text.parse().ok());
    let default = response_type.map_or(ResponseMode::Query, ResponseType::default_mode);
    match once(Parameter::ResponseMode).and_then(|text| text.parse().ok()) {
        Some(ResponseMode::Query) | None => default,
        Some(mode) => mode,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        authorization::{ErrorDestination, testing},
        protocol_values::Issuer,
        response::AuthorizationResponse,
    };

    #[test]
    fn core_3_1_2_1_smallest_request_is_accepted() {
        let request = testing::accepted(&testing::request_with(&[]));
        assert_eq!(request.redirect().redirect_uri.as_str(), testing::REDIRECT_URI);
        assert_eq!(
            (request.redirect().response_type, request.redirect().response_mode),
            (ResponseType::Code, ResponseMode::Query)
        );
        assert!(request.ask.is_openid() && request.redirect().redirect_uri_given);
    }

    #[test]
    fn rfc6749_3_1_unknown_parameters_and_order_do_not_matter() {
        let mut pairs = testing::request_with(&[("x", "1"), ("x", "2"), ("prompt", ""), ("foo[]", "ü")]);
        let forwards = testing::accepted(&pairs);
        pairs.reverse();
        assert_eq!(testing::accepted(&pairs), forwards);
        assert!(forwards.ask.prompt.is_empty());
    }

    #[test]
    fn rfc6749_4_1_2_1_errors_redirect_only_once_client_and_redirect_uri_are_good() {
        for (pairs, on_page) in [
            (testing::request_without("client_id"), true),
            (testing::request_changed("client_id", "stranger"), true),
            (testing::request_changed("redirect_uri", "https://evil.example/"), true),
            (testing::request_without("response_type"), false),
            (testing::request_changed("scope", "\"bad\""), false),
            (testing::request_changed("prompt", "none login"), false),
        ] {
            let error = testing::refused(&pairs);
            assert_eq!(error.destination == ErrorDestination::Page, on_page, "{error}");
        }
    }

    #[test]
    fn rfc6749_4_1_2_1_a_request_object_that_does_not_count_hides_no_bad_redirect_uri() {
        let client = testing::client();
        let refused = |pairs: &[(&str, &str)]| {
            let parameters = Parameters::from_pairs(pairs.iter().copied());
            let error = refuse(&parameters, &client, EarlyRefusal::UnsignedObject, "unsigned");
            (error.parameter, error.destination == ErrorDestination::Page)
        };
        let evil = testing::request_changed("redirect_uri", "https://evil.example/");
        let twice = testing::request_with(&[("redirect_uri", testing::REDIRECT_URI)]);
        for (pairs, parameter, on_page) in [
            (evil, Parameter::RedirectUri, true),
            (twice, Parameter::RedirectUri, true),
            // It may stand inside.
            (testing::request_without("redirect_uri"), Parameter::Request, true),
            (testing::request_with(&[]), Parameter::Request, false),
        ] {
            assert_eq!(refused(&pairs), (parameter, on_page), "{pairs:?}");
        }
    }

    #[test]
    fn multiple_response_types_2_1_errors_return_as_the_response_would() {
        for (response_type, response_mode, expected) in [
            ("code", "", ResponseMode::Query),
            ("code", "query", ResponseMode::Query),
            ("code", "fragment", ResponseMode::Fragment),
            ("code", "form_post", ResponseMode::FormPost),
            ("id_token", "", ResponseMode::Fragment),
            ("id_token", "query", ResponseMode::Fragment),
            ("nonsense", "", ResponseMode::Query),
            ("nonsense", "form_post", ResponseMode::FormPost),
        ] {
            let mut pairs = testing::request_changed("response_type", response_type);
            pairs.push(("response_mode", response_mode));
            pairs.push(("prompt", "none login"));
            let error = testing::refused(&pairs);
            let ErrorDestination::Redirect(target) = &error.destination else { panic!("{error}") };
            assert_eq!(target.response_mode, expected, "{response_type} {response_mode}");
        }
    }

    #[test]
    fn rfc6749_4_1_2_1_error_carries_state_and_issuer() {
        let error = testing::refused(&testing::request_with(&[("prompt", "none login"), ("state", "s/1")]));
        assert_eq!(error.code, AuthorizationErrorCode::InvalidRequest);
        let issuer = Issuer::parse("https://id.example").unwrap();
        let Some(AuthorizationResponse::Redirect(location)) = error.response(&issuer) else { panic!() };
        assert!(location.starts_with("https://app.example/cb?error=invalid_request&error_description="));
        assert!(location.ends_with("&state=s%2F1&iss=https%3A%2F%2Fid.example"), "{location}");
    }

    proptest! {
        #[test]
        fn no_request_panics(
            pairs in prop::collection::vec((prop::sample::select(Parameter::ALL), ".{0,40}"), 0..12)
        ) {
            let mut all = testing::request_with(&[]);
            all.extend(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let client = testing::client();
            let parameters = Parameters::from_pairs(all);
            let _ = check(&parameters, &testing::capabilities(), |_| Some(&client));
        }

        #[test]
        fn a_request_led_from_post_to_get_is_the_same(
            pairs in prop::collection::vec((prop::sample::select(Parameter::ALL), ".{0,40}"), 0..12)
        ) {
            let parameters = Parameters::from_pairs(pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())));
            let form = crate::form::UrlEncodedForm::decode(parameters.to_query().as_bytes()).unwrap();
            prop_assert!(Parameters::from(&form) == parameters);
        }
    }
}
