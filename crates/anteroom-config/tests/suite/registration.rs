//! `[registration]`: closed unless it is opened, and opened only with what it needs.

use crate::{BASE, assert_refused, assert_text, parse, parse_with};
use anteroom_domain::client::Entitlement;
use anteroom_domain::client_registration::{RegistrationMode, RegistrationPolicy};

#[test]
fn registration_is_closed_unless_it_is_opened() {
    let settings = parse(BASE).unwrap().settings.registration;
    assert_eq!(settings.policy, RegistrationPolicy::default());
    assert!(settings.policy.is_closed() && settings.initial_access_tokens.is_empty());
}

#[test]
fn everything_about_registered_clients_can_be_said() {
    let text = "[registration]\nmode = \"initial_access_token\"\ninitial_access_token_env = \"OTHER_SECRET\"\n\
        require_pkce = true\nscope = \"openid reports\"\ngroups = [\"staff\"]\nmax_clients = 5\n\
        rate = { max = 3, window = \"1h\" }\n[[groups]]\nname = \"staff\"\n";
    let configuration = parse_with(text).unwrap();
    assert!(configuration.warnings.is_empty(), "{}", configuration.warnings);
    let registration = configuration.settings.registration;
    assert_eq!(registration.initial_access_tokens.len(), 1);
    let policy = registration.policy;
    assert_eq!((policy.mode, policy.require_pkce), (RegistrationMode::InitialAccessToken, true));
    assert_eq!((policy.scope.to_string().as_str(), policy.max_clients), ("openid reports", 5));
    assert!(matches!(policy.admission, Entitlement::Groups(groups) if groups.len() == 1));
}

#[test]
fn an_open_registration_is_warned_of() {
    let configuration = parse_with("[registration]\nmode = \"open\"\n").unwrap();
    assert_text(
        &configuration.warnings.to_string(),
        r#"
warning: `mode` in `[registration]` is looser than the default
 --> anteroom.toml:5:8
  |
5 | mode = "open"
  |        ^^^^^^ the default is "closed""#,
    );
}

#[test]
fn a_registration_that_nobody_could_use_is_refused() {
    assert_refused(
        &format!("{BASE}[registration]\nmode = \"initial_access_token\"\n"),
        r#"
error: nobody could register
 --> anteroom.toml:5:8
  |
5 | mode = "initial_access_token"
  |        ^^^^^^^^^^^^^^^^^^^^^^ needs an initial access token
  |
  = help: make one with `anteroom client secret` and name its file with `initial_access_token_file`"#,
    );
    assert_refused(
        &format!("{BASE}[registration]\ngroups = [\"staf\"]\n[[groups]]\nname = \"staff\"\n"),
        r#"
error: group `staf` of `[registration]` is not defined
 --> anteroom.toml:5:11
  |
5 | groups = ["staf"]
  |           ^^^^^^ no `[[groups]]` has this name
  |
  = help: did you mean `staff`?"#,
    );
}

#[test]
fn an_initial_access_token_does_not_stand_in_the_text() {
    let found = parse_with("[registration]\ninitial_access_token = \"hunter2hunter2hunter2\"\n").unwrap_err();
    assert!(found.to_string().contains("name that with `initial_access_token_file`"), "{found}");
    assert!(!found.to_string().contains("hunter2"));
}
