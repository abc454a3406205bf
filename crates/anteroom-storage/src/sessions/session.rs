//! Rows of sessions: reads that are not frequent (see `frequent_queries`), all writes, and the clients to notify when a session ends.

use crate::entity::{grants, sessions};
use crate::error::StoreError;
use crate::row::{RowRef, amr_text};
use crate::store::{Queries, Tx};
use anteroom_crypto::KeyedDigest;
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::ids::{AccountId, BrowserId, DeviceId, SessionId};
use anteroom_domain::session::{Session, SessionEnd, SessionPolicy};
use anteroom_domain::subject::{SessionSid, SubjectNamespace};
use anteroom_oidc::ClientId;
use jiff::Timestamp;
use sea_orm::sea_query::{Expr, LockType};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, JoinType, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    Select, Set, UpdateMany,
};
use uuid::Uuid;

/// The digest of a session's secret, and of the form whose submission created or renewed the session.
#[derive(Clone, Copy, Debug)]
pub struct SessionSecret {
    pub digest: KeyedDigest,
    pub form: Option<KeyedDigest>,
}

impl From<&KeyedDigest> for SessionSecret {
    fn from(digest: &KeyedDigest) -> Self {
        Self { digest: *digest, form: None }
    }
}

impl From<&Self> for SessionSecret {
    fn from(secret: &Self) -> Self {
        *secret
    }
}

/// A client that was given something in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionClient {
    pub session: SessionSid,
    pub client: ClientId,
    /// By which kind of `sub` it knew the person then; `None` where release 0.1.0 wrote the grant.
    pub subject_kind: Option<SubjectNamespace>,
}

/// The session, the client, the sector under which it knew the person, the session's own row, and its `pairwise_sid`.
type ParticipantRow = (Uuid, String, Option<String>, Option<Uuid>, Option<bool>);

fn session_client((id, client, sector, row, by_sector): ParticipantRow) -> Result<SessionClient, StoreError> {
    // A session's row outlives the notices of its sign-out. If the row is missing all the same, the `sid` is derived per
    // sector, which discloses least.
    let by_sector = row.is_none() || by_sector == Some(true);
    Ok(SessionClient {
        session: SessionSid { id: SessionId(id), by_sector },
        client: RowRef { table: "grants", id: &id }.parsed("client_id", &client)?,
        subject_kind: sector.as_deref().map(SubjectNamespace::from_text),
    })
}

fn still_participates() -> Condition {
    let over = GrantEnd::SignOutHostChanged.as_str();
    Condition::any().add(grants::Column::RevokeReason.is_null()).add(grants::Column::RevokeReason.ne(over))
}

impl Queries {
    pub async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        let row = sessions::Entity::find_by_id(id.0).one(&self.conn).await?;
        row.as_ref().map(session).transpose()
    }

    /// Whether a session of the browser, ended or not, is [`Session::is_of_another_since`].
    pub async fn has_other_account_at_browser_since(
        &self,
        browser: BrowserId,
        account: AccountId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        let at = at.as_millisecond();
        let since = Condition::any()
            .add(sessions::Column::AuthTime.gt(at))
            .add(sessions::Column::LastActiveAt.gt(at));
        // Each has an index.
        for ended in [sessions::Column::EndedAt.is_null(), sessions::Column::EndedAt.is_not_null()] {
            let found: Option<Uuid> = sessions::Entity::find()
                .select_only()
                .column(sessions::Column::Id)
                .filter(sessions::Column::BrowserId.eq(browser.0))
                .filter(ended)
                .filter(sessions::Column::AccountId.ne(account.0))
                .filter(since.clone())
                .into_tuple()
                .one(&self.conn)
                .await?;
            if found.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those of an account that have not ended, whether or not they have lapsed.
    pub async fn sessions_of_account(&self, account: AccountId) -> Result<Vec<Session>, StoreError> {
        let rows = sessions::Entity::find()
            .filter(sessions::Column::AccountId.eq(account.0))
            .filter(sessions::Column::EndedAt.is_null())
            .order_by_asc(sessions::Column::CreatedAt)
            .all(&self.conn)
            .await?;
        rows.iter().map(session).collect()
    }

    /// Of those of an account that have not ended, the ones that were used last; at most `most`.
    pub async fn sessions_used_last(
        &self,
        account: AccountId,
        most: u64,
    ) -> Result<Vec<Session>, StoreError> {
        let rows = sessions::Entity::find()
            .filter(sessions::Column::AccountId.eq(account.0))
            .filter(sessions::Column::EndedAt.is_null())
            .order_by_desc(sessions::Column::LastActiveAt)
            .order_by_desc(sessions::Column::Id)
            .limit(most)
            .all(&self.conn)
            .await?;
        rows.iter().map(session).collect()
    }

    /// Each client that was given something in one of these sessions, for the notices of its end: once for each kind of `sub`
    /// under which it was. Without those that get notices at another host since.
    pub async fn clients_of_sessions(&self, ids: &[SessionId]) -> Result<Vec<SessionClient>, StoreError> {
        let of_session = grants::Entity::belongs_to(sessions::Entity)
            .from(grants::Column::SessionId)
            .to(sessions::Column::Id);
        let participants: Select<grants::Entity> = grants::Entity::find()
            .select_only()
            .column(grants::Column::SessionId)
            .column(grants::Column::ClientId)
            .column(grants::Column::SubjectSector)
            .column(sessions::Column::Id)
            .column(sessions::Column::SidBySector)
            .join(JoinType::LeftJoin, of_session.into())
            .filter(grants::Column::SessionId.is_in(ids.iter().map(|id| id.0)))
            .filter(still_participates())
            .order_by_asc(grants::Column::SessionId)
            .order_by_asc(grants::Column::ClientId)
            .order_by_asc(grants::Column::SubjectSector)
            .distinct();
        let participants: Vec<ParticipantRow> = participants.into_tuple().all(&self.conn).await?;
        participants.into_iter().map(session_client).collect()
    }

    /// Sessions that have outlived a limit and were not ended yet, the longest idle first.
    pub async fn lapsed_sessions(
        &self,
        policy: SessionPolicy,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<Session>, StoreError> {
        let before = |length| now.checked_sub(length).unwrap_or(Timestamp::MIN).as_millisecond();
        let lapsed = Condition::any()
            .add(sessions::Column::LastActiveAt.lte(before(policy.idle)))
            .add(sessions::Column::AuthTime.lte(before(policy.absolute)));
        let rows = sessions::Entity::find()
            .filter(sessions::Column::EndedAt.is_null())
            .filter(lapsed)
            .order_by_asc(sessions::Column::LastActiveAt)
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.iter().map(session).collect()
    }
}

impl Queries {
    /// Those that have not ended, whether or not they have lapsed.
    pub(crate) async fn running_sessions(&self) -> Result<u64, StoreError> {
        let running = sessions::Entity::find().filter(sessions::Column::EndedAt.is_null());
        Ok(running.count(&self.conn).await?)
    }

    /// Sessions of an earlier epoch of their account that were not ended when it was raised.
    pub async fn sessions_of_old_epochs(&self, limit: u64) -> Result<Vec<Session>, StoreError> {
        const PASSED: &str = "EXISTS (SELECT 1 FROM accounts a WHERE a.id = sessions.account_id AND a.epoch <> sessions.epoch)";
        let rows = sessions::Entity::find()
            .filter(sessions::Column::EndedAt.is_null())
            .filter(Expr::cust(PASSED))
            .limit(limit)
            .all(&self.conn)
            .await?;
        rows.iter().map(session).collect()
    }
}

impl Tx {
    pub async fn insert_session(
        &self,
        session: &Session,
        secret: impl Into<SessionSecret>,
    ) -> Result<(), StoreError> {
        let SessionSecret { digest: token, form } = secret.into();
        let row = sessions::ActiveModel {
            id: Set(session.id.0),
            token_digest: Set(token.as_bytes().to_vec()),
            account_id: Set(session.account.0),
            epoch: Set(session.epoch.0),
            browser_id: Set(session.browser.0),
            device_id: Set(session.device.map(|device| device.0)),
            auth_time: Set(session.auth_time.as_millisecond()),
            acr: Set(session.acr.as_str().to_owned()),
            amr: Set(amr_text(session.amr)),
            created_at: Set(session.created_at.as_millisecond()),
            last_active_at: Set(session.last_active_at.as_millisecond()),
            ended_at: Set(session.ended_at.map(Timestamp::as_millisecond)),
            end_reason: Set(None),
            sid_by_sector: Set(session.sid_by_sector.then_some(true)),
            left_at: Set(session.not_current_since.map(Timestamp::as_millisecond)),
            answered_form: Set(form.map(|form| form.as_bytes().to_vec())),
            answered_at: Set(form.map(|_| session.last_active_at.as_millisecond())),
        };
        sessions::Entity::insert(row).exec_without_returning(&self.conn).await?;
        Ok(())
    }

    /// The same session proven again, under a new secret. `false`: it has ended, or is of another epoch.
    pub async fn renew_session(
        &self,
        session: &Session,
        secret: impl Into<SessionSecret>,
    ) -> Result<bool, StoreError> {
        let SessionSecret { digest: token, form } = secret.into();
        let answered_at = form.map(|_| session.last_active_at.as_millisecond());
        let renewed = running(session.id)
            .col_expr(sessions::Column::TokenDigest, Expr::value(token.as_bytes().to_vec()))
            .col_expr(sessions::Column::BrowserId, Expr::value(session.browser.0))
            .col_expr(sessions::Column::DeviceId, Expr::value(session.device.map(|device| device.0)))
            .col_expr(sessions::Column::AuthTime, Expr::value(session.auth_time.as_millisecond()))
            .col_expr(sessions::Column::Acr, Expr::value(session.acr.as_str()))
            .col_expr(sessions::Column::Amr, Expr::value(amr_text(session.amr)))
            .col_expr(sessions::Column::LastActiveAt, Expr::value(session.last_active_at.as_millisecond()))
            .col_expr(
                sessions::Column::LeftAt,
                Expr::value(session.not_current_since.map(Timestamp::as_millisecond)),
            )
            .col_expr(sessions::Column::AnsweredForm, Expr::value(form.map(|form| form.as_bytes().to_vec())))
            .col_expr(sessions::Column::AnsweredAt, Expr::value(answered_at))
            .filter(sessions::Column::AccountId.eq(session.account.0))
            .filter(sessions::Column::Epoch.eq(session.epoch.0))
            .exec(&self.conn)
            .await?;
        Ok(renewed.rows_affected == 1)
    }

    /// Whether the session runs and is of this epoch. Its row is locked until the transaction ends, so that a sign-out at the same
    /// moment comes before this unit, or waits for it.
    pub async fn lock_running_session(&self, id: SessionId, epoch: AccountEpoch) -> Result<bool, StoreError> {
        let running: Option<Uuid> = sessions::Entity::find_by_id(id.0)
            .select_only()
            .column(sessions::Column::Id)
            .filter(sessions::Column::Epoch.eq(epoch.0))
            .filter(sessions::Column::EndedAt.is_null())
            .lock(LockType::Share)
            .into_tuple()
            .one(&self.conn)
            .await?;
        Ok(running.is_some())
    }

    pub async fn touch_session(&self, id: SessionId, now: Timestamp) -> Result<(), StoreError> {
        running(id)
            .col_expr(sessions::Column::LastActiveAt, Expr::value(now.as_millisecond()))
            .filter(sessions::Column::LastActiveAt.lt(now.as_millisecond()))
            .exec(&self.conn)
            .await?;
        Ok(())
    }

    /// Records that another account is the current one of the browser from now on. A session that was not the current one
    /// already keeps its time. Returns whether one was.
    pub async fn mark_not_current(&self, sessions: &[SessionId], now: Timestamp) -> Result<bool, StoreError> {
        if sessions.is_empty() {
            return Ok(false);
        }
        let marked = sessions::Entity::update_many()
            .col_expr(sessions::Column::LeftAt, Expr::value(now.as_millisecond()))
            .filter(sessions::Column::Id.is_in(sessions.iter().map(|id| id.0)))
            .filter(sessions::Column::LeftAt.is_null())
            .filter(sessions::Column::EndedAt.is_null())
            .exec(&self.conn)
            .await?;
        Ok(marked.rows_affected > 0)
    }

    /// Records that the session is the current one of its browser again.
    pub async fn mark_current(&self, id: SessionId) -> Result<(), StoreError> {
        let none: Option<i64> = None;
        running(id).col_expr(sessions::Column::LeftAt, Expr::value(none)).exec(&self.conn).await?;
        Ok(())
    }

    /// Ends those that run, and returns them; the others had ended before.
    pub async fn end_sessions(
        &self,
        ids: &[SessionId],
        end: SessionEnd,
        now: Timestamp,
    ) -> Result<Vec<SessionId>, StoreError> {
        let ended = sessions::Entity::update_many()
            .col_expr(sessions::Column::EndedAt, Expr::value(now.as_millisecond()))
            .col_expr(sessions::Column::EndReason, Expr::value(end.as_str()))
            .filter(sessions::Column::Id.is_in(ids.iter().map(|id| id.0)))
            .filter(sessions::Column::EndedAt.is_null())
            .exec_with_returning(&self.conn)
            .await?;
        Ok(ended.iter().map(|row| SessionId(row.id)).collect())
    }
}

fn running(id: SessionId) -> UpdateMany<sessions::Entity> {
    sessions::Entity::update_many()
        .filter(sessions::Column::Id.eq(id.0))
        .filter(sessions::Column::EndedAt.is_null())
}

pub(crate) fn session(row: &sessions::Model) -> Result<Session, StoreError> {
    let place = RowRef { table: "sessions", id: &row.id };
    Ok(Session {
        id: SessionId(row.id),
        account: AccountId(row.account_id),
        epoch: AccountEpoch(row.epoch),
        browser: BrowserId(row.browser_id),
        device: row.device_id.map(DeviceId),
        auth_time: place.time("auth_time", row.auth_time)?,
        acr: place.parsed("acr", &row.acr)?,
        amr: place.amr("amr", &row.amr)?,
        created_at: place.time("created_at", row.created_at)?,
        last_active_at: place.time("last_active_at", row.last_active_at)?,
        ended_at: place.optional_time("ended_at", row.ended_at)?,
        sid_by_sector: row.sid_by_sector == Some(true),
        not_current_since: place.optional_time("left_at", row.left_at)?,
    })
}
