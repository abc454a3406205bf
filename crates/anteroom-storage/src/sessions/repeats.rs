//! A browser can submit one form twice. These statements find the result of the first submission, so that the second one gets the
//! same result and changes nothing.

use crate::entity::{code_attempts, one_time_codes, sessions};
use crate::error::StoreError;
use crate::row::RowRef;
use crate::sessions::session::session;
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_domain::ids::{AccountId, OneTimeCodeId};
use anteroom_domain::one_time_code::CodePurpose;
use anteroom_domain::session::Session;
use jiff::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait as _, EntityTrait, QueryFilter, QuerySelect, Statement, Value};
use uuid::Uuid;

/// One statement reads and writes, so that of two submissions at once the second one waits for the first.
const RECORD_EFFECT: &str = "INSERT INTO form_effects (name, ends_at, times) VALUES ($1, $2, 1) \
     ON CONFLICT (name) DO UPDATE SET ends_at = $2, times = 1 WHERE form_effects.ends_at <= $3 RETURNING times";
const REPEAT_EFFECT: &str =
    "UPDATE form_effects SET times = times + 1 WHERE name = $1 AND ends_at > $2 AND times < $3";

/// The digest of a submitted form, and the start of the time window in which its result is repeated.
#[derive(Clone, Copy, Debug)]
pub struct FormWindow<'a> {
    pub form: &'a KeyedDigest,
    pub since: Timestamp,
}

/// A session that has one of the secrets that were asked for.
#[derive(Clone, Debug)]
pub struct SessionBySecret {
    pub secret: KeyedDigest,
    pub session: Session,
    /// Whether this form created or renewed the session within the window.
    pub is_answer: bool,
}

impl Queries {
    /// The sessions that have one of these secrets, running or ended.
    pub async fn sessions_of_secrets(
        &self,
        secrets: &[KeyedDigest],
        answered: FormWindow<'_>,
    ) -> Result<Vec<SessionBySecret>, StoreError> {
        let rows = sessions::Entity::find()
            .filter(sessions::Column::TokenDigest.is_in(secrets.iter().map(|one| one.as_bytes().to_vec())))
            .all(&self.conn)
            .await?;
        let found = rows.iter().map(|row| {
            let place = RowRef { table: "sessions", id: &row.id };
            let same = row.answered_form.as_deref() == Some(answered.form.as_bytes());
            let recent = row.answered_at.is_some_and(|at| at > answered.since.as_millisecond());
            Ok(SessionBySecret {
                secret: place.digest("token_digest", &row.token_digest)?,
                session: session(row)?,
                is_answer: same && recent,
            })
        });
        found.collect()
    }

    /// Those of these secrets whose sessions run, and were begun or renewed by this form a moment ago.
    pub async fn secrets_from_form(
        &self,
        answered: FormWindow<'_>,
        secrets: &[KeyedDigest],
    ) -> Result<Vec<KeyedDigest>, StoreError> {
        let found: Vec<Vec<u8>> = sessions::Entity::find()
            .select_only()
            .column(sessions::Column::TokenDigest)
            .filter(sessions::Column::TokenDigest.is_in(secrets.iter().map(|one| one.as_bytes().to_vec())))
            .filter(sessions::Column::EndedAt.is_null())
            .filter(sessions::Column::AnsweredForm.eq(answered.form.as_bytes().to_vec()))
            .filter(sessions::Column::AnsweredAt.gt(answered.since.as_millisecond()))
            .into_tuple()
            .all(&self.conn)
            .await?;
        let place = RowRef { table: "sessions", id: &"token_digest" };
        found.iter().map(|digest| place.digest("token_digest", digest)).collect()
    }

    /// Whether a wrong code was counted under one of these identifiers.
    pub async fn is_wrong_code_counted(
        &self,
        account: AccountId,
        purpose: CodePurpose,
        entries: &[Uuid],
    ) -> Result<bool, StoreError> {
        let found: Option<Uuid> = code_attempts::Entity::find()
            .select_only()
            .column(code_attempts::Column::Id)
            .filter(code_attempts::Column::AccountId.eq(account.0))
            .filter(code_attempts::Column::Purpose.eq(purpose.as_str()))
            .filter(code_attempts::Column::Id.is_in(entries.iter().copied()))
            .into_tuple()
            .one(&self.conn)
            .await?;
        Ok(found.is_some())
    }

    /// When the code with this identifier was sent.
    pub async fn code_sent_at(&self, id: OneTimeCodeId) -> Result<Option<Timestamp>, StoreError> {
        let found: Option<i64> = one_time_codes::Entity::find_by_id(id.0)
            .select_only()
            .column(one_time_codes::Column::CreatedAt)
            .into_tuple()
            .one(&self.conn)
            .await?;
        let place = RowRef { table: "one_time_codes", id: &id };
        found.map(|millis| place.time("created_at", millis)).transpose()
    }
}

impl Tx {
    /// Records that a form has this effect until `ends_at` (`name`: of the form with what was entered, and of the effect). `false`: it
    /// has it already. Only submissions of the same form wait for the row.
    pub async fn record_effect(
        &self,
        name: &[u8],
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let values: [Value; 3] =
            [name.to_vec().into(), ends_at.as_millisecond().into(), now.as_millisecond().into()];
        let statement =
            Statement::from_sql_and_values(self.conn.get_database_backend(), RECORD_EFFECT, values);
        Ok(self.conn.query_one_raw(statement).await?.is_some())
    }

    /// Whether the form has this effect now, and was sent less often than `most` for it; if so, counts one time more.
    pub(crate) async fn repeat_effect(
        &self,
        name: &[u8],
        now: Timestamp,
        most: i32,
    ) -> Result<bool, StoreError> {
        let values: [Value; 3] = [name.to_vec().into(), now.as_millisecond().into(), most.into()];
        let statement =
            Statement::from_sql_and_values(self.conn.get_database_backend(), REPEAT_EFFECT, values);
        Ok(self.conn.execute_raw(statement).await?.rows_affected() > 0)
    }
}
