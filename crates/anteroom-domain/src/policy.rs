//! The operator's policy: every number that decides something, named, with its safe default.

use crate::limits::Limits;
use crate::link::RecoveryPolicy;
use crate::lockout::LockoutPolicy;
use crate::new_password::NewPasswordPolicy;
use crate::one_time_code::CodePolicy;
use crate::password::PasswordAgePolicy;
use crate::rate::{OwnNetworks, RateLimit};
use crate::session::SessionPolicy;
use crate::telephony::TelephonyPolicy;
use jiff::SignedDuration;
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub lockout: LockoutPolicy,
    pub password_age: PasswordAgePolicy,
    pub new_password: NewPasswordPolicy,
    pub codes: CodePolicy,
    pub recovery: RecoveryPolicy,
    pub telephony: TelephonyPolicy,
    pub session: SessionPolicy,
    pub sign_in: SignInPolicy,
    /// Where limits by address are raised.
    pub own_networks: OwnNetworks,
    pub limits: Limits,
    pub tokens: TokenPolicy,
    pub clients: ClientsPolicy,
    pub interaction: InteractionPolicy,
    pub invitation_lifetime: SignedDuration,
    /// A browser that has not passed a second factor for the account must do so once.
    pub new_devices_step_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInPolicy {
    /// Sign-ins of one address prefix.
    pub rate: RateLimit,
    /// A failed sign-in answers no sooner than this, whatever the hash cost.
    pub min_failure_time: SignedDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenPolicy {
    pub code_lifetime: SignedDuration,
    /// At most ten minutes: the longest that a resource server can lag behind a revocation.
    pub access_token_lifetime: SignedDuration,
    pub id_token_lifetime: SignedDuration,
    pub refresh_idle: SignedDuration,
    pub refresh_absolute: SignedDuration,
    /// How long a refresh token that was just used may be asked again for the same successor.
    pub refresh_retry: SignedDuration,
    /// Of clients that do not authenticate.
    pub repeat_elsewhere: RepeatFromOtherNetwork,
}

/// Whether the same successor is handed out to another network than the first time. A lost answer often is a change of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepeatFromOtherNetwork {
    Allow,
    Refuse,
}

impl RepeatFromOtherNetwork {
    pub const ALL: &'static [Self] = &[Self::Allow, Self::Refuse];
}

impl fmt::Display for RepeatFromOtherNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Refuse => "refuse",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientsPolicy {
    /// How long a client is absent from the configuration of every node before its grants end. Until then a file that was
    /// missing for a moment does no harm.
    pub end_grants_after: SignedDuration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InteractionPolicy {
    pub lifetime: SignedDuration,
    /// How long a form may stay open before it must be loaded again.
    pub form_lifetime: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lockout: LockoutPolicy { forgiven_failures: 5, known_devices_count_apart: true },
            password_age: PasswordAgePolicy {
                max_age_days: Some(90),
                warn_days: vec![14, 7, 1],
                jitter_days: 0,
            },
            new_password: NewPasswordPolicy::default(),
            codes: CodePolicy::default(),
            recovery: RecoveryPolicy::default(),
            telephony: TelephonyPolicy::default(),
            session: SessionPolicy {
                idle: SignedDuration::from_mins(30),
                absolute: SignedDuration::from_hours(12),
                switch_proof_after: SignedDuration::from_mins(5),
            },
            sign_in: SignInPolicy {
                rate: RateLimit { max: 300, window: SignedDuration::from_mins(5) },
                min_failure_time: SignedDuration::from_millis(250),
            },
            own_networks: OwnNetworks { networks: Vec::new(), factor: 10 },
            limits: Limits::default(),
            tokens: TokenPolicy {
                code_lifetime: SignedDuration::from_secs(60),
                access_token_lifetime: SignedDuration::from_mins(10),
                id_token_lifetime: SignedDuration::from_mins(10),
                refresh_idle: SignedDuration::from_hours(24 * 30),
                refresh_absolute: SignedDuration::from_hours(24 * 180),
                refresh_retry: SignedDuration::from_secs(60),
                repeat_elsewhere: RepeatFromOtherNetwork::Allow,
            },
            clients: ClientsPolicy { end_grants_after: SignedDuration::from_mins(10) },
            interaction: InteractionPolicy {
                lifetime: SignedDuration::from_hours(24),
                form_lifetime: SignedDuration::from_hours(12),
            },
            invitation_lifetime: SignedDuration::from_hours(24 * 7),
            new_devices_step_up: false,
        }
    }
}
