use secrecy::SecretString;

use crate::{errors::TokenError, form::UrlEncodedForm, wire::wire_enum};

wire_enum! {
    /// RFC 7009 §2.1.
    pub enum TokenTypeHint("a token type hint of RFC 7009") {
        AccessToken = "access_token",
        RefreshToken = "refresh_token",
    }
}

/// A request about a token: introspection (RFC 7662 §2.1) and revocation (RFC 7009 §2.1) ask alike.
#[derive(Debug, Clone)]
pub struct TokenLookup {
    pub token: SecretString,
    /// Where to look first; a hint that is not known is none.
    pub hint: Option<TokenTypeHint>,
}

impl TokenLookup {
    pub fn parse(form: &UrlEncodedForm) -> Result<Self, TokenError> {
        let token = form.once("token")?.ok_or(TokenError::invalid_request("token is missing"))?;
        let hint = form.once("token_type_hint")?.and_then(|text| text.parse().ok());
        Ok(Self { token: token.into(), hint })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc7009_2_1_token_is_required_and_the_hint_only_a_hint() {
        let parse = |body: &str| TokenLookup::parse(&UrlEncodedForm::decode(body.as_bytes()).unwrap());
        assert_eq!(
            parse("token=t&token_type_hint=refresh_token").unwrap().hint,
            Some(TokenTypeHint::RefreshToken)
        );
        assert_eq!(parse("token=t&token_type_hint=other").unwrap().hint, None);
        assert!(parse("token_type_hint=access_token").is_err());
        assert!(parse("token=a&token=b").is_err());
    }
}
