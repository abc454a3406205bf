//! Multiple Response Types §2.1 and §3: `response_mode` defaults by response type, and `query` is refused where
//! tokens would end up in logs and referrers.

use crate::{
    authorization::{Parameter, context::Context, error::RuleViolation},
    protocol_values::{ResponseMode, ResponseType},
};

pub(in crate::authorization) fn check(
    context: &Context<'_>,
    response_type: ResponseType,
) -> Result<ResponseMode, RuleViolation> {
    const PARAMETER: Parameter = Parameter::ResponseMode;
    let Some(text) = context.parameters.get(PARAMETER) else {
        return Ok(response_type.default_mode());
    };
    let refuse = |description| RuleViolation::invalid_request(PARAMETER, description).received(text);
    let mode: ResponseMode = text.parse().map_err(|_| refuse("the response mode is not supported"))?;
    if !context.capabilities.response_modes.contains(&mode) {
        return Err(refuse("the response mode is not supported"));
    }
    if mode == ResponseMode::Query && response_type.default_mode() == ResponseMode::Fragment {
        return Err(refuse("tokens cannot be returned in the query"));
    }
    Ok(mode)
}

#[cfg(test)]
mod tests {
    use crate::{
        authorization::testing,
        protocol_values::{ResponseMode, ResponseType},
    };

    #[test]
    fn multiple_response_types_3_query_is_refused_for_tokens() {
        for kind in ResponseType::ALL {
            for mode in ResponseMode::ALL {
                let mut pairs = testing::request_changed("response_type", kind.as_str());
                pairs.extend([("nonce", "n"), ("response_mode", mode.as_str())]);
                let refused = testing::checked(&testing::client(), &pairs).is_err();
                assert_eq!(refused, *kind != ResponseType::Code && *mode == ResponseMode::Query);
            }
        }
    }

    #[test]
    fn multiple_response_types_2_1_unknown_mode_is_refused() {
        let error = testing::refused(&testing::request_with(&[("response_mode", "query.jwt")]));
        assert_eq!(error.received.as_deref(), Some("query.jwt"));
    }
}
