//! Counters of limits: one small row for each limit, subject and window.
//!
//! A browser can send one form twice. So a form that was counted is an effect (`Tx::record_effect`), and for
//! [`ANSWER_REPEATED_FOR`] the same form is not counted again.

use crate::error::StoreError;
use crate::store::Tx;
use anteroom_domain::interaction::ANSWER_REPEATED_FOR;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::rate::{Wait, Window};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

/// What the window before this one still counts for: `RateLimit::admit`, in SQL.
macro_rules! before {
    () => {
        "COALESCE((SELECT earlier.count FROM rate_counters AS earlier \
         WHERE earlier.scope = $1 AND earlier.subject = $2 AND earlier.window_start = $4), 0) * $5 / $6"
    };
}

/// Counts one more if the limit allows it, and returns no row if not. The second condition sees the row as the last of several
/// concurrent statements has left it.
const SPEND: &str = concat!(
    "INSERT INTO rate_counters (scope, subject, window_start, count) SELECT $1, $2, $3, 1 WHERE ",
    before!(),
    " < $7 ON CONFLICT (scope, subject, window_start) DO UPDATE SET count = rate_counters.count + 1 \
     WHERE rate_counters.count + ",
    before!(),
    " < $7 RETURNING rate_counters.count"
);
const GIVE_BACK: &str =
    "UPDATE rate_counters SET count = count - 1 WHERE scope = $1 AND subject = $2 AND window_start = $3";

/// So often a form can be sent for one count. An identical form would otherwise be free of every limit for half a minute.
const SENT_FOR_ONE_COUNT: i32 = 4;

/// A form that is to be counted once, however often the browser sends it.
#[derive(Clone, Copy, Debug)]
pub struct CountedForm {
    /// Which of the form's counts it is: a form can count for several limits.
    pub count: Limit,
    /// Identifies the form and all that was entered in it.
    pub submission: Uuid,
}

/// Whether the limits allowed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitResult {
    Counted,
    /// This limit was reached, and nothing was counted.
    Refused {
        limit: Limit,
        wait: Wait,
    },
}

impl Tx {
    /// Counts one for each of the budgets, or for none where one of them is used up: counted and decided in one statement each,
    /// under the locks of this transaction. Pass the narrowest limit first: every transaction then locks counters in the same
    /// order, and none deadlock.
    pub async fn spend(
        &self,
        checks: &[RateLimitCheck],
        now: Timestamp,
    ) -> Result<RateLimitResult, StoreError> {
        for (place, budget) in checks.iter().enumerate() {
            let window = budget.rate.window(now);
            if self.spend_one(budget, window).await? {
                continue;
            }
            for counted in checks.iter().take(place) {
                self.uncount(counted, now).await?;
            }
            return Ok(RateLimitResult::Refused { limit: budget.limit, wait: window.wait() });
        }
        Ok(RateLimitResult::Counted)
    }

    /// Counts one for the first of these choices that allows it. Not for a form that was counted a moment ago: what the limits
    /// allowed once is allowed again when the browser repeats it.
    pub async fn spend_for_form(
        &self,
        form: Option<CountedForm>,
        choices: &[Vec<RateLimitCheck>],
        now: Timestamp,
    ) -> Result<RateLimitResult, StoreError> {
        let mut result = RateLimitResult::Counted;
        for checks in choices {
            result = self.spend(checks, now).await?;
            if result == RateLimitResult::Counted {
                if let Some(form) = form
                    && !self.note_form(form, now).await?
                    && self.repeat_form(form, now).await?
                {
                    for counted in checks {
                        self.uncount(counted, now).await?;
                    }
                }
                return Ok(result);
            }
        }
        match form {
            Some(form) if self.repeat_form(form, now).await? => Ok(RateLimitResult::Counted),
            _ => Ok(result),
        }
    }

    /// `false`: the form was counted a moment ago.
    async fn note_form(&self, form: CountedForm, now: Timestamp) -> Result<bool, StoreError> {
        let ends_at = now.checked_add(ANSWER_REPEATED_FOR).unwrap_or(Timestamp::MAX);
        self.record_effect(form.name().as_bytes(), now, ends_at).await
    }

    /// `true`: the form was counted a moment ago, and may be sent once more for that count.
    async fn repeat_form(&self, form: CountedForm, now: Timestamp) -> Result<bool, StoreError> {
        self.repeat_effect(form.name().as_bytes(), now, SENT_FOR_ONE_COUNT).await
    }

    async fn spend_one(&self, budget: &RateLimitCheck, window: Window) -> Result<bool, StoreError> {
        let values: [Value; 7] = [
            budget.limit.name().into(),
            budget.limit_key.as_str().into(),
            window.start.into(),
            window.previous_start.into(),
            window.left.into(),
            window.length.into(),
            i64::from(budget.rate.max).into(),
        ];
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), SPEND, values);
        Ok(self.conn.query_one_raw(statement).await?.is_some())
    }

    async fn uncount(&self, budget: &RateLimitCheck, now: Timestamp) -> Result<(), StoreError> {
        let start = budget.rate.window(now).start;
        let values: [Value; 3] = [budget.limit.name().into(), budget.limit_key.as_str().into(), start.into()];
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), GIVE_BACK, values);
        self.conn.execute_raw(statement).await?;
        Ok(())
    }
}

impl CountedForm {
    fn name(&self) -> String {
        format!("{} {}", self.count.name(), self.submission)
    }
}
