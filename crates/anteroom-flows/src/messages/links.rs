//! Making links for mails, and the code of ten characters that can be typed instead.

use anteroom_crypto::{KeyPurpose, KeyedDigest, OpaqueToken};
use anteroom_domain::ids::{AccountId, BrowserId, LinkId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use jiff::SignedDuration;

use crate::context::call::Call;

const TOKEN_CONTEXT: &str = "link";
const TYPED_CONTEXT: &str = "link typed";
/// Crockford's alphabet, in which no character looks like another. Ten of 32 are 50 bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TYPED_LENGTH: usize = 10;

/// The identifier of a link, its kind, and the account that it is for.
#[derive(Clone, Copy)]
pub(crate) struct LinkIdentity {
    pub id: LinkId,
    pub kind: LinkKind,
    pub account: Option<AccountId>,
}

/// A link with the secrets that only its mail carries.
pub(crate) struct NewLink {
    pub link: EmailedLink,
    pub token: OpaqueToken,
    /// As the mail shows it, in two groups.
    pub typed: String,
}

pub(crate) fn new_link(
    call: &Call,
    LinkIdentity { id, kind, account }: LinkIdentity,
    asked_by: Option<BrowserId>,
    lifetime: SignedDuration,
) -> NewLink {
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    let token = call.random().token();
    let typed = draw_typed(call);
    let link = EmailedLink {
        id,
        kind,
        account,
        token: mac.digest(TOKEN_CONTEXT, token.as_bytes()),
        mailed_code: asked_by.map(|_| mac.digest(TYPED_CONTEXT, &typed_data(id, &typed))),
        browser: asked_by,
        interaction: None,
        mailed_code_attempts: 0,
        created_at: call.now,
        expires_at: call.after(lifetime),
        used_at: None,
        followed_in: None,
        ended_at: None,
        completed_at: None,
    };
    let (left, right) = typed.split_at_checked(TYPED_LENGTH / 2).unwrap_or((&typed, ""));
    NewLink { link, token, typed: format!("{left}-{right}") }
}

fn draw_typed(call: &Call) -> String {
    let draw = || usize::try_from(call.random().below(32)).ok().and_then(|place| ALPHABET.get(place));
    (0..TYPED_LENGTH).filter_map(|_| draw()).map(|byte| char::from(*byte)).collect()
}

fn typed_data(id: LinkId, typed: &str) -> Vec<u8> {
    [id.0.as_bytes(), typed.as_bytes()].concat()
}

/// The digests by which the store finds the token of a link, one for each version of the hashing key.
pub(crate) fn token_digests(call: &Call, token: &OpaqueToken) -> Vec<KeyedDigest> {
    call.keyring().mac(KeyPurpose::TokenHash).digests(TOKEN_CONTEXT, token.as_bytes())
}

/// Whether what a person typed is the code of this link's mail.
pub(crate) fn is_typed_code_of(call: &Call, link: &EmailedLink, entered: &str) -> bool {
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    let data = typed_data(link.id, &normalised(entered));
    link.mailed_code.is_some_and(|typed| mac.verify(TYPED_CONTEXT, &data, &typed))
}

/// In any case and grouping, with the letters that people take for digits.
fn normalised(entered: &str) -> String {
    let letters = entered.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    let digits = letters.map(|c| match c {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    digits.take(TYPED_LENGTH + 1).collect()
}

#[cfg(test)]
mod tests {
    use super::normalised;

    #[test]
    fn a_typed_code_is_read_as_people_write_it() {
        assert_eq!(normalised(" abcde-fghj2 "), "ABCDEFGHJ2");
        assert_eq!(normalised("o1i l2"), "01112");
    }
}
