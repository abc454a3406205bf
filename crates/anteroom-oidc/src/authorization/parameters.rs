use std::collections::BTreeMap;

use crate::{
    form::{self, UrlEncodedForm},
    protocol_values::ClientId,
    wire::wire_enum,
};

wire_enum! {
    /// The parameters of an authorization request that mean something here; every other is ignored
    /// (RFC 6749 §3.1).
    pub enum Parameter("a parameter of the authorization request") {
        ClientId = "client_id",
        RedirectUri = "redirect_uri",
        ResponseType = "response_type",
        ResponseMode = "response_mode",
        Scope = "scope",
        State = "state",
        Nonce = "nonce",
        CodeChallenge = "code_challenge",
        CodeChallengeMethod = "code_challenge_method",
        Prompt = "prompt",
        MaxAge = "max_age",
        Claims = "claims",
        AcrValues = "acr_values",
        IdTokenHint = "id_token_hint",
        LoginHint = "login_hint",
        Display = "display",
        UiLocales = "ui_locales",
        ClaimsLocales = "claims_locales",
        Resource = "resource",
        Request = "request",
        RequestUri = "request_uri",
        Registration = "registration",
    }
}

/// An authorization request as it arrived: known names, text values, in no order.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Parameters(BTreeMap<Parameter, Vec<String>>);

impl Parameters {
    pub fn from_pairs<N: AsRef<str>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            let value = value.into();
            if value.is_empty() {
                continue; // RFC 6749 §3.1: sent without a value is not sent
            }
            if let Ok(name) = name.as_ref().parse::<Parameter>() {
                parameters.0.entry(name).or_default().push(value);
            }
        }
        parameters
    }

    pub fn get(&self, name: Parameter) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    pub fn all(&self, name: Parameter) -> &[String] {
        self.0.get(&name).map_or(&[], Vec::as_slice)
    }

    pub fn is_repeated(&self, name: Parameter) -> bool {
        self.all(name).len() > 1
    }

    /// The client that the request says it is from, for looking it up before the rules run.
    pub fn client_id(&self) -> Option<ClientId> {
        if self.is_repeated(Parameter::ClientId) {
            return None;
        }
        self.get(Parameter::ClientId)?.parse().ok()
    }

    /// The same request, from a client that has proven who it is (RFC 9126 §2.1).
    #[must_use]
    pub fn from_client(mut self, client: &ClientId) -> Self {
        self.0.insert(Parameter::ClientId, vec![client.as_str().to_owned()]);
        self
    }

    /// OpenID Connect Core §6.1: a value in the request object replaces the one outside; a parameter that the object lacks keeps
    /// its outside value.
    #[must_use]
    pub fn superseded_by(mut self, inner: Self) -> Self {
        self.0.remove(&Parameter::Request);
        self.0.remove(&Parameter::RequestUri);
        self.0.extend(inner.0);
        self
    }

    /// The same request as a query, repetitions included: for redirecting a POST to a GET.
    pub fn to_query(&self) -> String {
        form::encode(self.iter().map(|(name, value)| (name.as_str(), value)))
    }

    /// The same with the least escaping, for storage. [`UrlEncodedForm::decode`] reads either.
    pub fn to_compact_query(&self) -> String {
        form::encode_compactly(self.iter().map(|(name, value)| (name.as_str(), value)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Parameter, &str)> {
        self.0.iter().flat_map(|(name, values)| values.iter().map(|value| (*name, value.as_str())))
    }
}

impl From<&UrlEncodedForm> for Parameters {
    fn from(form: &UrlEncodedForm) -> Self {
        Self::from_pairs(form.pairs().iter().map(|(name, value)| (name, value.as_str())))
    }
}
