//! Mails that warn before a password expires, each sent once. The dashboard shows the same warning.

use anteroom_domain::account::Account;
use anteroom_domain::ids::{AccountId, MessageId};
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::password::ExpiryWarning;
use anteroom_storage::{AgeingPassword, Tx, Unit};
use jiff::SignedDuration;

use crate::context::call::Call;
use crate::error::FlowError;

/// Passwords that one query reads.
const BATCH: u64 = 200;
/// A warning that is a day late says the wrong number of days.
const LIFETIME: SignedDuration = SignedDuration::from_hours(20);

/// One round over all warnings that may be due. Returns how many were sent.
pub async fn send_due(call: &Call) -> Result<usize, FlowError> {
    let (snapshot, now) = (call.snapshot(), call.now);
    let policy = &snapshot.policy.password_age;
    let Some(set_before) = policy.warn_those_set_before(now) else { return Ok(0) };
    let (mut after, mut count): (Option<AccountId>, usize) = (None, 0);
    loop {
        let batch = call.store().ageing_passwords(set_before, after, BATCH).await?;
        let Some(last) = batch.last() else { return Ok(count) };
        after = Some(last.account);
        for ageing in &batch {
            if let Some(warning) = policy.warning_due(ageing.facts, ageing.warned, now) {
                count += usize::from(send(call, *ageing, warning).await?);
            }
        }
    }
}

async fn send(call: &Call, ageing: AgeingPassword, warning: ExpiryWarning) -> Result<bool, FlowError> {
    let Some(account) = call.store().account(ageing.account).await? else { return Ok(false) };
    let message = mail(call, account, warning);
    call.store().run(SendExpiryWarning { ageing, threshold: warning.threshold, message }).await.1
}

struct SendExpiryWarning {
    ageing: AgeingPassword,
    threshold: u16,
    message: Message,
}

impl Unit for SendExpiryWarning {
    /// `false`: another node has sent it.
    type Output = bool;
    type Error = FlowError;

    const NAME: &'static str = "send_expiry_warning";

    async fn run(&self, tx: &Tx) -> Result<bool, FlowError> {
        let first = tx.mark_warned(&self.ageing, self.threshold).await?;
        if first {
            tx.enqueue(&self.message).await?;
        }
        Ok(first)
    }
}

fn mail(call: &Call, account: Account, warning: ExpiryWarning) -> Message {
    Message {
        id: MessageId(call.new_id()),
        account: Some(account.id),
        locale: account.locale,
        body: MessageBody::Email {
            to: account.primary_address,
            mail: Mail::PasswordExpires {
                days: warning.days_left,
                link: call.snapshot().issuer.endpoint("/change-password").to_string(),
            },
        },
        reference: None,
        created_at: call.now,
        expires_at: call.after(LIFETIME),
    }
}
