//! Counters of rate limits: one small row for each subject and window.

use crate::StoreError;
use crate::entity::rate_counters;
use crate::row::{Place, count_column};
use crate::store::{Reads, Tx};
use anteroom_domain::rate::{RateLimit, WindowCounts};
use jiff::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Statement};

const COUNT: &str = "INSERT INTO rate_counters (scope, subject, window_start, count) VALUES ($1, $2, $3, $4) \
     ON CONFLICT (scope, subject, window_start) DO UPDATE SET count = rate_counters.count + excluded.count";

impl Reads {
    /// The window that `now` lies in and the one before it.
    pub async fn counts(
        &self,
        scope: &str,
        subject: &str,
        limit: RateLimit,
        now: Timestamp,
    ) -> Result<WindowCounts, StoreError> {
        let (current, previous) = (limit.window_start(now), limit.previous_window_start(now));
        let rows = rate_counters::Entity::find()
            .filter(rate_counters::Column::Scope.eq(scope))
            .filter(rate_counters::Column::Subject.eq(subject))
            .filter(rate_counters::Column::WindowStart.is_in([current, previous]))
            .all(&self.conn)
            .await?;
        let mut counts = WindowCounts::default();
        for row in rows {
            let count = Place { table: "rate_counters", id: &row.scope }.number("count", row.count)?;
            if row.window_start == current { counts.current = count } else { counts.previous = count }
        }
        Ok(counts)
    }
}

impl Tx {
    pub async fn count(
        &self,
        scope: &str,
        subject: &str,
        window_start: i64,
        by: u32,
    ) -> Result<(), StoreError> {
        let values = [scope.into(), subject.into(), window_start.into(), count_column(by).into()];
        let statement = Statement::from_sql_and_values(self.conn.get_database_backend(), COUNT, values);
        self.conn.execute_raw(statement).await?;
        Ok(())
    }
}
