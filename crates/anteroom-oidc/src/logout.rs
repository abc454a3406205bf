//! RP-Initiated Logout 1.0, Front-Channel Logout 1.0, and login initiated by a third party (OpenID Connect Core §4).

use thiserror::Error;
use url::Url;

use crate::{
    display_text::shorten,
    form::{self, Repeated, UrlEncodedForm},
    jwt::UnverifiedHint,
    protocol_values::{ClientId, Issuer, RedirectUri, State, language_tags},
    response::with_query,
};

/// RP-Initiated Logout §2, as it arrived and in good form; nothing of it is believed yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EndSessionRequest {
    pub id_token_hint: Option<UnverifiedHint>,
    /// There was a hint that cannot even be read. It is worth as much as one that does not verify.
    pub unreadable_hint: bool,
    pub client_id: Option<ClientId>,
    /// To be held against what the client registered.
    pub post_logout_redirect_uri: Option<String>,
    pub state: Option<State>,
    pub ui_locales: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EndSessionRequestError {
    #[error(transparent)]
    Repeated(#[from] Repeated),
    #[error("{parameter} is malformed: {received:?}")]
    Malformed { parameter: &'static str, received: String },
}

impl EndSessionRequest {
    pub fn parse(form: &UrlEncodedForm) -> Result<Self, EndSessionRequestError> {
        let hint = form.once("id_token_hint")?.filter(|text| !text.is_empty());
        let id_token_hint: Option<UnverifiedHint> = hint.and_then(|text| text.parse().ok());
        Ok(Self {
            unreadable_hint: hint.is_some() && id_token_hint.is_none(),
            id_token_hint,
            client_id: parsed(form, "client_id")?,
            post_logout_redirect_uri: form.once("post_logout_redirect_uri")?.map(str::to_owned),
            state: parsed(form, "state")?,
            ui_locales: language_tags(form.once("ui_locales")?.unwrap_or_default()),
        })
    }
}

fn parsed<T: std::str::FromStr>(
    form: &UrlEncodedForm,
    name: &'static str,
) -> Result<Option<T>, EndSessionRequestError> {
    let Some(text) = form.once(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| malformed(name, text))
}

fn malformed(parameter: &'static str, received: &str) -> EndSessionRequestError {
    EndSessionRequestError::Malformed { parameter, received: shorten(received) }
}

/// RP-Initiated Logout §3: back to the client with its `state` and nothing else.
pub fn post_logout_location(uri: &RedirectUri, state: Option<&State>) -> String {
    match state {
        None => uri.as_str().to_owned(),
        Some(state) => with_query(uri.as_str(), &form::encode([("state", state.as_str())])),
    }
}

/// Front-Channel Logout §2: what is loaded in a frame. `iss` and `sid` are there whether or not the client requires
/// them; what it registered in its query stays.
pub fn front_channel_location(frontchannel_logout_uri: &Url, issuer: &Issuer, sid: &str) -> Url {
    let mut url = frontchannel_logout_uri.clone();
    url.query_pairs_mut().append_pair("iss", issuer.as_str()).append_pair("sid", sid);
    url
}

/// OpenID Connect Core §4: the URL of an application's tile on the dashboard; the application then starts a sign-in at this
/// provider.
pub fn third_party_login_location(
    initiate_login_uri: &Url,
    issuer: &Issuer,
    login_hint: Option<&str>,
    target_link_uri: Option<&Url>,
) -> String {
    let mut parameters = vec![("iss", issuer.as_str())];
    parameters.extend(login_hint.map(|hint| ("login_hint", hint)));
    parameters.extend(target_link_uri.map(|uri| ("target_link_uri", uri.as_str())));
    with_query(initiate_login_uri.as_str(), &form::encode(parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<EndSessionRequest, EndSessionRequestError> {
        EndSessionRequest::parse(&UrlEncodedForm::decode(query.as_bytes()).unwrap())
    }

    #[test]
    fn rp_initiated_logout_2_parameters() {
        let request = parse(
            "id_token_hint=e30.e30.c2ln&client_id=app&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2F\
             &state=a%20b&ui_locales=es_MX%20en&unknown=1",
        )
        .unwrap();
        assert!(request.id_token_hint.is_some());
        assert_eq!(request.post_logout_redirect_uri.as_deref(), Some("https://app.example/"));
        assert_eq!(request.state.unwrap().as_str(), "a b");
        assert_eq!(request.ui_locales, ["es-MX", "en"]);
        assert_eq!(parse("").unwrap(), EndSessionRequest::default());
    }

    #[test]
    fn rp_initiated_logout_2_malformed_parameters_are_named() {
        let Err(EndSessionRequestError::Malformed { parameter, .. }) = parse("state=%0A") else { panic!() };
        assert_eq!(parameter, "state");
        let unreadable = parse("id_token_hint=x").unwrap();
        assert_eq!((unreadable.id_token_hint, unreadable.unreadable_hint), (None, true));
        assert_eq!(parse("state=a&state=a"), Err(EndSessionRequestError::Repeated(Repeated("state"))));
    }

    #[test]
    fn rp_initiated_logout_3_state_is_returned_and_nothing_else() {
        let uri = RedirectUri::parse("https://app.example/out?x=1").unwrap();
        let state: State = "s&t".parse().unwrap();
        assert_eq!(post_logout_location(&uri, Some(&state)), "https://app.example/out?x=1&state=s%26t");
        assert_eq!(post_logout_location(&uri, None), "https://app.example/out?x=1");
    }

    #[test]
    fn front_channel_2_iss_and_sid_beside_what_was_registered() {
        let issuer = Issuer::parse("https://id.example").unwrap();
        for (uri, expected) in [
            ("https://app.example/out", "https://app.example/out?iss=https%3A%2F%2Fid.example&sid=s-1"),
            (
                "https://app.example/out?t=7",
                "https://app.example/out?t=7&iss=https%3A%2F%2Fid.example&sid=s-1",
            ),
        ] {
            let location = front_channel_location(&Url::parse(uri).unwrap(), &issuer, "s-1");
            assert_eq!(location.as_str(), expected);
        }
    }

    #[test]
    fn core_4_third_party_initiated_login() {
        let start = Url::parse("https://app.example/start?tenant=7").unwrap();
        let issuer = Issuer::parse("https://id.example").unwrap();
        let target = Url::parse("https://app.example/day/1").unwrap();
        assert_eq!(
            third_party_login_location(&start, &issuer, Some("alice@demo.example"), Some(&target)),
            "https://app.example/start?tenant=7&iss=https%3A%2F%2Fid.example&login_hint=alice%40demo.example\
             &target_link_uri=https%3A%2F%2Fapp.example%2Fday%2F1"
        );
        assert_eq!(
            third_party_login_location(&start, &issuer, None, None),
            "https://app.example/start?tenant=7&iss=https%3A%2F%2Fid.example"
        );
    }
}
