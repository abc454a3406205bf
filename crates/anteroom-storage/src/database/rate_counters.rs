//! Counters of limits: one small row for each limit, subject and window.

use crate::error::StoreError;
use crate::store::Tx;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::rate::{Wait, Window};
use jiff::Timestamp;
use sea_orm::{ConnectionTrait, Statement, Value};

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
        budgets: &[RateLimitCheck],
        now: Timestamp,
    ) -> Result<RateLimitResult, StoreError> {
        for (place, budget) in budgets.iter().enumerate() {
            let window = budget.rate.window(now);
            if self.spend_one(budget, window).await? {
                continue;
            }
            for counted in budgets.iter().take(place) {
                self.uncount(counted, now).await?;
            }
            return Ok(RateLimitResult::Refused { limit: budget.limit, wait: window.wait() });
        }
        Ok(RateLimitResult::Counted)
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
