//! OpenID Connect Core §3.1.2.1 `acr_values`: voluntary, so unknown ones are ignored; Registration §2
//! `default_acr_values` where the request has none.

use crate::{
    authorization::{Parameter, context::Context},
    protocol_values::Acr,
};

pub(in crate::authorization) fn check(context: &Context<'_>) -> Vec<Acr> {
    match context.parameters.get(Parameter::AcrValues) {
        None => context.client.default_acr_values.clone(),
        Some(text) => {
            let mut values = Vec::new();
            for acr in text.split(' ').filter_map(|word| word.parse().ok()) {
                if !values.contains(&acr) {
                    values.push(acr);
                }
            }
            values
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{authorization::testing, client::ClientMetadataInput, protocol_values::Acr};

    #[test]
    fn core_3_1_2_1_acr_values_are_voluntary() {
        let asked = testing::request_with(&[(
            "acr_values",
            "gold urn:anteroom:acr:mfa  urn:anteroom:acr:pwd urn:anteroom:acr:mfa",
        )]);
        assert_eq!(testing::accepted(&asked).ask.acr_values, [Acr::Mfa, Acr::Pwd]);
    }

    #[test]
    fn registration_2_default_acr_values_stand_in() {
        let client = testing::client_from(&ClientMetadataInput {
            default_acr_values: vec![Acr::Mfa.to_string()],
            ..testing::input()
        });
        assert_eq!(
            testing::checked(&client, &testing::request_with(&[])).unwrap().ask.acr_values,
            [Acr::Mfa]
        );
    }
}
