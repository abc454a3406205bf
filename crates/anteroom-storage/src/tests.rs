//! What can only be shown by looking at the tables themselves.

use crate::engine::Conn;
use crate::engine::options::Location;
use crate::fixtures::*;
use crate::support::{self, on_both_databases};
use crate::{SchemaState, Store, StoreError, StoreOptions, migrate, schema_state};
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::message::{Mail, Message, MessageBody};
use anteroom_domain::refresh::{AuditedRefresh, RefreshFamily};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;

on_both_databases!(
    a_row_that_cannot_be_parsed_is_named,
    a_lock_shows_what_was_committed_while_waiting_for_it,
    what_a_message_says_is_sealed_in_its_row,
    a_database_is_opened_only_by_a_release_that_fits,
    migrating_at_once_applies_each_step_once,
    what_release_0_1_0_has_rotated_is_not_counted,
);

async fn execute(store: &Store, sql: &'static str) {
    let unit = store.write(move |tx| async move {
        tx.conn.execute_unprepared(sql).await?;
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
}

async fn texts(conn: &Conn, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(conn.get_database_backend(), sql);
    let rows = conn.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn a_row_that_cannot_be_parsed_is_named(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    store.write(|tx| async move { tx.insert_session(&session(1, 1), &digest(1)).await }).await.unwrap();
    let (account, session) = (account_id(1).to_string(), session_id(1).to_string());
    for (sql, table, column, id) in [
        ("UPDATE sessions SET acr = 'gold'", "sessions", "acr", &session),
        ("UPDATE sessions SET acr = 'urn:anteroom:acr:pwd', amr = 'pwd palm'", "sessions", "amr", &session),
        ("UPDATE sessions SET amr = '', auth_time = 9000000000000000000", "sessions", "auth_time", &session),
        ("UPDATE accounts SET status = 'dormant'", "accounts", "status", &account),
        ("UPDATE accounts SET status = 'active', profile = '{'", "accounts", "profile", &account),
        (
            "UPDATE accounts SET profile = '{}', unknown_failures = -1",
            "accounts",
            "unknown_failures",
            &account,
        ),
        ("UPDATE password_credentials SET hash = '$2b$10$'", "password_credentials", "hash", &account),
        ("UPDATE account_addresses SET address = 'nobody'", "account_addresses", "address", &account),
    ] {
        execute(&store, sql).await;
        let corrupt = StoreError::Corrupt { table, column, id: id.clone() };
        if table == "sessions" {
            assert_eq!(store.session(session_id(1)).await, Err(corrupt.clone()), "{sql}");
            assert_eq!(
                store.code_with_context(account_id(1), session_id(1), &client_id(1)).await,
                Err(corrupt)
            );
        } else {
            let view = store.sign_in_view(&address(1).folded(), &[]).await;
            assert_eq!(view.map(drop), Err(corrupt), "{sql}");
            execute(&store, "UPDATE accounts SET unknown_failures = 0 WHERE unknown_failures < 0").await;
        }
    }
}

/// A transaction that waits for the lock must not decide on the password of before.
async fn a_lock_shows_what_was_committed_while_waiting_for_it(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let (locked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let first = tokio::spawn({
        let (store, locked, go_on) = (store.clone(), Arc::clone(&locked), Arc::clone(&go_on));
        async move {
            let unit = store.write(move |tx| {
                let (locked, go_on) = (Arc::clone(&locked), Arc::clone(&go_on));
                async move {
                    tx.lock_account(account_id(1)).await?;
                    locked.notify_one();
                    go_on.notified().await;
                    tx.raise_epoch(account_id(1)).await?;
                    tx.replace_hash(account_id(1), &hash(1), &hash(2)).await
                }
            });
            unit.await
        }
    });
    locked.notified().await;
    let second = tokio::spawn({
        let store = store.clone();
        async move { store.write(|tx| async move { tx.lock_account(account_id(1)).await }).await }
    });
    // On SQLite the second does not even begin before the first has ended.
    if store.conn.get_database_backend() == DbBackend::Postgres {
        let waiting = "SELECT 'waits' FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while texts(&store.conn, waiting).await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
    go_on.notify_one();
    assert!(first.await.unwrap().unwrap());
    let seen = second.await.unwrap().unwrap().unwrap();
    assert_eq!(seen.account.epoch, AccountEpoch(1));
    assert_eq!(seen.credential.unwrap().hash.encode(), hash(2).encode());
}

async fn what_a_message_says_is_sealed_in_its_row(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        for number in 1..=2 {
            let message = Message {
                id: message_id(number),
                account: None,
                locale: None,
                body: MessageBody::Email {
                    to: address(number),
                    mail: Mail::AccountLocked { at: at(0), link: "https://s3cret.example/".to_owned() },
                },
                reference: None,
                created_at: at(0),
                expires_at: at(1),
            };
            tx.enqueue(&message).await?;
        }
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
    let sql = "SELECT sealed_payload FROM messages";
    let statement = Statement::from_string(store.conn.get_database_backend(), sql);
    for row in store.conn.query_all_raw(statement).await.unwrap() {
        let payload: Vec<u8> = row.try_get_by_index(0).unwrap();
        assert!(!String::from_utf8_lossy(&payload).contains("s3cret"));
    }
    assert_eq!(store.newest_messages(9).await.unwrap().len(), 2);
    let no_longer_opens = |read: Result<Vec<Message>, StoreError>| {
        matches!(read, Err(StoreError::Corrupt { table: "messages", column: "sealed_payload", .. }))
    };
    // Nor can another be made the recipient.
    execute(&store, "UPDATE messages SET recipient = 'x' || recipient").await;
    assert!(no_longer_opens(store.newest_messages(9).await));
    execute(&store, "UPDATE messages SET recipient = substr(recipient, 2)").await;
    assert_eq!(store.newest_messages(9).await.unwrap().len(), 2);
    // The payload of one row means nothing in another.
    execute(
        &store,
        "UPDATE messages SET sealed_payload = (SELECT m.sealed_payload FROM messages m WHERE m.id <> messages.id)",
    )
    .await;
    assert!(no_longer_opens(store.newest_messages(9).await));
}

fn steps() -> usize {
    anteroom_migrations::STEPS.len()
}

async fn a_database_is_opened_only_by_a_release_that_fits(options: StoreOptions) {
    assert_eq!(schema_state(&options).await, Ok(SchemaState::UpToDate));
    let store = store(&options).await;
    for (sql, state, usable) in [
        ("INSERT INTO seaql_migrations VALUES ('9998_later', 0)", SchemaState::Newer(1), true),
        ("INSERT INTO seaql_migrations VALUES ('9999_even_later', 0)", SchemaState::Newer(2), false),
        ("DELETE FROM seaql_migrations", SchemaState::Pending(steps()), false),
    ] {
        execute(&store, sql).await;
        assert_eq!(schema_state(&options).await, Ok(state));
        let opened = Store::connect(&options).await;
        assert_eq!(opened.map(drop), if usable { Ok(()) } else { Err(StoreError::Schema(state)) });
        if let SchemaState::Newer(_) = state {
            let migrated = migrate(&options).await;
            assert_eq!(migrated, if usable { Ok(0) } else { Err(StoreError::Schema(state)) });
        }
    }
}

async fn migrating_at_once_applies_each_step_once(options: StoreOptions) {
    let options = match &options.location {
        Location::Sqlite(path) => StoreOptions::sqlite(path.with_file_name("empty.db")),
        Location::Postgres(_) => {
            execute(&store(&options).await, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
            options
        }
    };
    assert_eq!(schema_state(&options).await, Ok(SchemaState::Pending(steps())));
    let nodes: Vec<_> = (0..4)
        .map(|_| {
            let options = options.clone();
            tokio::spawn(async move { migrate(&options).await })
        })
        .collect();
    let mut applied = 0;
    for node in nodes {
        applied += node.await.unwrap().unwrap();
    }
    assert_eq!(applied, steps());
    assert_eq!(schema_state(&options).await, Ok(SchemaState::UpToDate));
}

/// An entry of the audit trail is counted from there, and a node of that release has written one for each of its refreshes.
async fn what_release_0_1_0_has_rotated_is_not_counted(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let entered = AuditedRefresh { generation: 1, at: at(50), from: None };
    let next = RefreshFamily { generation: 1, last_audited: Some(entered), ..family(1) };
    let unit = store.write(move |tx| async move {
        tx.insert_session(&session(1, 1), &digest(1)).await?;
        tx.insert_grant(&grant(1, 1, 1, "openid offline_access"), at(2000)).await?;
        tx.insert_family(&family(1)).await?;
        tx.rotate_family(&next, 0).await
    });
    assert!(unit.await.unwrap());
    let read = async || store.grant_with_context(grant_id(1)).await.unwrap().unwrap().family.unwrap();
    assert_eq!(read().await.last_audited, Some(entered));
    execute(&store, "UPDATE refresh_tokens SET generation = generation + 1").await;
    let family = read().await;
    assert_eq!((family.generation, family.last_audited, family.counted_before(3)), (2, None, None));
}

/// Without either, deleting an account would be refused or would read whole tables.
#[tokio::test]
async fn every_foreign_key_says_what_happens_and_has_an_index() {
    support::on_sqlite(async |options| {
        let store = store(&options).await;
        let keys = "SELECT m.name || ' ' || f.\"from\" || ' ' || f.on_delete FROM sqlite_schema m \
                    JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'";
        let indexed = "SELECT m.name || ' ' || c.name FROM sqlite_schema m JOIN pragma_index_list(m.name) i \
                       JOIN pragma_index_info(i.name) c ON c.seqno = 0 WHERE m.type = 'table'";
        let indexed: BTreeSet<_> = texts(&store.conn, indexed).await.into_iter().collect();
        let keys = texts(&store.conn, keys).await;
        assert!(keys.len() > 10);
        for key in keys {
            let (column, action) = key.split_at(key.find(" CASCADE").or(key.find(" SET NULL")).expect(&key));
            assert!(indexed.contains(column), "no index begins with {column} ({action})");
        }
    })
    .await;
}

#[tokio::test]
async fn both_databases_have_the_same_columns_and_indexes() {
    let sqlite_columns = "SELECT m.name || '.' || c.name || CASE c.\"notnull\" WHEN 1 THEN '' ELSE ' NULL' END \
                          FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'";
    let sqlite_indexes = "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
    let postgres_columns = "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'NO' THEN '' ELSE ' NULL' END \
                            FROM information_schema.columns WHERE table_schema = 'public'";
    let postgres_indexes = "SELECT CAST(indexname AS text) FROM pg_indexes WHERE schemaname = 'public' \
                            AND indexname NOT LIKE '%\\_key' AND indexname NOT LIKE '%\\_pkey'";
    support::on_postgres(async |postgres| {
        support::on_sqlite(async |sqlite| {
            let (sqlite, postgres) = (store(&sqlite).await, store(&postgres).await);
            for (one, other) in [(sqlite_columns, postgres_columns), (sqlite_indexes, postgres_indexes)] {
                let one: BTreeSet<_> = texts(&sqlite.conn, one).await.into_iter().collect();
                let other: BTreeSet<_> = texts(&postgres.conn, other).await.into_iter().collect();
                assert!(one.len() > 20);
                assert_eq!(one, other);
            }
        })
        .await;
    })
    .await;
}
