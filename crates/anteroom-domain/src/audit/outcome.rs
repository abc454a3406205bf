//! Whether an event is an act that succeeded, or one that was refused or went wrong.

use super::{Event, Outcome};

impl Event {
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::SignInRefused { .. }
            | Self::AccountLocked { .. }
            | Self::PasswordExpiredNoticed
            | Self::LinkRefused { .. }
            | Self::OneTimeCodeRefused { .. }
            | Self::OneTimeCodeNotChecked { .. }
            | Self::CodeNotSent { .. }
            | Self::NewPasswordRefused { .. }
            | Self::PhoneRefused { .. }
            | Self::ConsentDenied { .. }
            | Self::AccessRefused
            | Self::TokenRefused { .. }
            | Self::CodeReplayed { .. }
            | Self::RefreshReplayed { .. }
            | Self::RefreshUnknownGeneration { .. }
            | Self::ClientRegistrationRefused { .. }
            | Self::ClientAuthenticationFailed { .. }
            | Self::RequestRefused { .. }
            | Self::ErrorShown { .. }
            | Self::LogoutUndelivered { .. }
            | Self::MessageFailed { .. }
            | Self::RateLimited { .. } => Outcome::Failure,
            Self::SignedIn { .. }
            | Self::RecoveryAsked { .. }
            | Self::RecoveryMailQueued { .. }
            | Self::LinkFollowed
            | Self::CodeSent { .. }
            | Self::CodeAccepted { .. }
            | Self::PasswordReset
            | Self::PasswordChanged { .. }
            | Self::PhoneAdded { .. }
            | Self::PhoneVerified { .. }
            | Self::PhonesRemoved { .. }
            | Self::AuthenticatorAppAdded { .. }
            | Self::AuthenticatorAppRemoved
            | Self::RegistrationCompleted
            | Self::ProfileChanged { .. }
            | Self::InvitationAsked { .. }
            | Self::AccountChosen
            | Self::SignedOut { .. }
            | Self::ConsentGiven { .. }
            | Self::AuthorizationCodeRedeemed { .. }
            | Self::TokensReleased { .. }
            | Self::TokenRefreshed { .. }
            | Self::RefreshRepeated { .. }
            | Self::GrantRevoked { .. }
            | Self::TokenRevoked
            | Self::ClientTokensGranted { .. }
            | Self::ClientRegistered
            | Self::ClientUpdated { .. }
            | Self::ClientDeleted { .. }
            | Self::ClientGrantsEnded { .. }
            | Self::LogoutDelivered
            | Self::MessageSent { .. }
            | Self::AccountInvited { .. }
            | Self::AccountDisabled
            | Self::AccountEnabled
            | Self::GroupAdded { .. }
            | Self::GroupRemoved { .. }
            | Self::SigningKeyCreated { .. }
            | Self::SigningKeyBroughtForward { .. }
            | Self::SigningKeyRetired { .. }
            | Self::EncryptionKeyCreated { .. }
            | Self::EncryptionKeyRetired { .. }
            | Self::TrailPruned { .. }
            | Self::ConfigurationChanged { .. }
            | Self::DatabaseAccepted { .. } => Outcome::Success,
        }
    }
}
