//! Making links for mails, and the code of ten characters that can be typed instead.

use anteroom_crypto::{KeyPurpose, KeyedDigest, OpaqueToken};
use anteroom_domain::ids::{AccountId, BrowserId, LinkId};
use anteroom_domain::link::{EmailedLink, LinkKind};
use jiff::SignedDuration;

use crate::context::call::Call;

const TOKEN_CONTEXT: &str = "link";
const MAILED_CODE_CONTEXT: &str = "link typed";
/// Crockford's alphabet, in which no character looks like another. Ten of 32 are 50 bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const MAILED_CODE_LENGTH: usize = 10;

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
    pub mailed_code: String,
}

pub(crate) fn new_link(
    call: &Call,
    LinkIdentity { id, kind, account }: LinkIdentity,
    asked_by: Option<BrowserId>,
    lifetime: SignedDuration,
) -> NewLink {
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    let token = call.random().token();
    let mailed_code = draw_mailed_code(call);
    let link = EmailedLink {
        id,
        kind,
        account,
        token: mac.digest(TOKEN_CONTEXT, token.as_bytes()),
        mailed_code: asked_by.map(|_| mac.digest(MAILED_CODE_CONTEXT, &mailed_code_data(id, &mailed_code))),
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
    let (left, right) = mailed_code.split_at_checked(MAILED_CODE_LENGTH / 2).unwrap_or((&mailed_code, ""));
    NewLink { link, token, mailed_code: format!("{left}-{right}") }
}

fn draw_mailed_code(call: &Call) -> String {
    let draw = || usize::try_from(call.random().below(32)).ok().and_then(|place| ALPHABET.get(place));
    (0..MAILED_CODE_LENGTH).filter_map(|_| draw()).map(|byte| char::from(*byte)).collect()
}

fn mailed_code_data(id: LinkId, mailed_code: &str) -> Vec<u8> {
    [id.0.as_bytes(), mailed_code.as_bytes()].concat()
}

/// The digests by which the store finds the token of a link, one for each version of the hashing key.
pub(crate) fn token_digests(call: &Call, token: &OpaqueToken) -> Vec<KeyedDigest> {
    call.keyring().mac(KeyPurpose::TokenHash).digests(TOKEN_CONTEXT, token.as_bytes())
}

/// Whether what a person typed is the code of this link's mail.
pub(crate) fn is_mailed_code_of(call: &Call, link: &EmailedLink, entered: &str) -> bool {
    let mac = call.keyring().mac(KeyPurpose::TokenHash);
    let data = mailed_code_data(link.id, &normalised(entered));
    link.mailed_code.is_some_and(|mailed_code| mac.verify(MAILED_CODE_CONTEXT, &data, &mailed_code))
}

/// In any case and grouping, with the letters that people take for digits.
fn normalised(entered: &str) -> String {
    let letters = entered.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
    let digits = letters.map(|c| match c {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    digits.take(MAILED_CODE_LENGTH + 1).collect()
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
