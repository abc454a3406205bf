//! Grants, tokens, clients and what became of them.

use super::Detail;

pub(super) fn sentence(kind: &str, detail: &Detail) -> Option<String> {
    Some(match kind {
        "code_redeemed" => {
            format!("The application was given tokens for the sign-in, with scope {}.", detail.text("scope"))
        }
        "tokens_released" => {
            format!("The application was given tokens at sign-in, with scope {}.", detail.text("scope"))
        }
        "token_refused" => format!("The application was refused tokens: {}.", detail.text("reason")),
        "code_replayed" => {
            "An authorization code was used a second time. It was refused, and what the first use gave has ended."
                .to_owned()
        }
        "grant_revoked" => {
            let why = why_tokens_ended(&detail.text("reason"))?;
            format!("The application's tokens have ended: {why}.")
        }
        "token_revoked" => "The application gave back a token of its own.".to_owned(),
        "client_tokens_granted" => {
            format!("The application was given tokens for itself, {} times in a minute.", detail.number("count"))
        }
        "client_registered" => "The application registered itself.".to_owned(),
        // Entries of release 0.1.0 do not say how many.
        "client_updated" if detail.number("grants") == 0 => {
            "The application changed its registration.".to_owned()
        }
        "client_updated" => format!(
            "The application changed its registration; sign-ins that ended with it: {}.",
            detail.number("grants")
        ),
        "client_grants_ended" => {
            let why = why_all_grants_ended(&detail.text("reason"))?;
            format!("All sign-ins of the application have ended, because {why}: {}.", detail.number("grants"))
        }
        "client_deleted" => format!(
            "The application took back its registration; sign-ins that ended with it: {}.",
            detail.number("grants")
        ),
        "client_registration_refused" => {
            format!("An application's registration was refused: {}.", detail.text("reason"))
        }
        "client_authentication_failed" => {
            format!("The application did not prove who it is: {}.", detail.text("reason"))
        }
        "request_refused" => format!("The application's request was wrong: {}.", detail.text("reason")),
        "logout_delivered" => "The application was told that the session has ended.".to_owned(),
        "logout_undelivered" => format!(
            "The application could not be told that the session has ended, in {} tries.",
            detail.number("attempts")
        ),
        _ => return None,
    })
}

fn why_tokens_ended(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "code_replayed" => "its code was used twice",
        "refresh_replayed" => "an old refresh token was used again",
        "commits_lost" => "the database has lost what was written about them",
        "database_accepted" => "the database had gone back, and an operator went on with it",
        "client_revoked" => "the application gave them back",
        "session_ended" => "the session has ended",
        "password_changed" => "the password was reset or changed",
        "not_admitted" => "the application does not admit the account any more",
        "client_deleted" => "the application is registered no more",
        _ => return None,
    })
}

fn why_all_grants_ended(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "client_removed" => "it is in no node's configuration any more",
        "subjects_changed" => "it knows people by other identifiers now",
        "operator_ended" => "an operator ended them",
        _ => return None,
    })
}
