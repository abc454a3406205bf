//! The table as phones and apps change, by this release and by the one before.

use crate::fixtures::*;
use crate::store::Store;
use crate::support::on_both_databases;
use crate::{FirstCode, NewPhone, StoreError, StoreOptions};
use anteroom_domain::account::PhoneKind;
use anteroom_domain::ids::{AuthenticatorAppId, PhoneId};
use anteroom_domain::phone::E164;
use anteroom_domain::totp::{AuthenticatorApp, TimeStep};
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

on_both_databases!(
    a_phone_or_app_is_an_authenticator_once_it_was_proven_and_until_it_is_removed,
    what_release_0_1_0_writes_beside_is_entered,
    a_removed_authenticator_is_swept,
);

/// One line for each row of account 1: its kind, and in seconds when it was added, serves, was used and was removed.
async fn rows(store: &Store) -> Vec<String> {
    let second = |column: &str| format!("coalesce(CAST({column} / 1000 - 1800000000 AS text), '-')");
    let sql = format!(
        "SELECT kind || ' ' || {} || ' ' || {} || ' ' || {} || ' ' || {} FROM authenticators WHERE account_id = $1 \
         ORDER BY kind, added_at, id",
        second("added_at"),
        second("usable_from"),
        second("last_used_at"),
        second("removed_at")
    );
    let statement =
        Statement::from_sql_and_values(store.conn.get_database_backend(), sql, [account_id(1).0.into()]);
    let rows = store.conn.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

async fn execute(store: &Store, sql: &'static str) {
    let write = store.write(move |tx| async move {
        tx.conn.execute_unprepared(sql).await?;
        Ok::<_, StoreError>(())
    });
    write.await.unwrap();
}

fn app() -> AuthenticatorApp {
    AuthenticatorApp {
        id: AuthenticatorAppId(Uuid::from_u128(1)),
        account: account_id(1),
        secret_sealed: vec![1, 2, 3],
        confirmed_at: None,
        usable_from: at(20),
        last_step: None,
        created_at: at(20),
    }
}

async fn a_phone_or_app_is_an_authenticator_once_it_was_proven_and_until_it_is_removed(
    options: StoreOptions,
) {
    // Of the account's two phones one is verified, and serves from 100 on.
    let store = store_with(&options, [1, 2]).await;
    let verified = "phone 0 100 - -";
    assert_eq!(rows(&store).await, [verified]);

    let phone = NewPhone {
        id: PhoneId(Uuid::from_u128(2)),
        number: E164::parse("+12025550199").unwrap(),
        kind: PhoneKind::Cell,
        verified_at: None,
        usable_from: at(10),
    };
    let id = phone.id;
    let written = write_with(&store, phone, |tx, phone| {
        Box::pin(async move {
            tx.insert_phone(account_id(1), phone, at(10)).await?;
            tx.begin_app(&app()).await
        })
    });
    written.await.unwrap();
    assert_eq!(rows(&store).await, [verified], "nothing was proven");

    let write = store.write(move |tx| async move {
        tx.use_phone(account_id(1), id, at(11)).await?;
        let code = FirstCode { step: TimeStep(5), at: at(30), usable_from: at(40) };
        tx.confirm_app(account_id(1), app().id, code).await
    });
    assert!(write.await.unwrap());
    assert_eq!(rows(&store).await, ["app 30 40 30 -", verified, "phone 11 10 11 -"]);

    let write = store.write(move |tx| async move {
        tx.use_phone(account_id(1), id, at(50)).await?;
        assert!(!tx.use_step(app().id, TimeStep(5), at(51)).await?, "a code counts once");
        tx.use_step(app().id, TimeStep(6), at(52)).await
    });
    assert!(write.await.unwrap());
    assert_eq!(rows(&store).await, ["app 30 40 52 -", verified, "phone 11 10 50 -"]);

    let write = store.write(move |tx| async move {
        // The one that does not serve yet goes with a reset.
        tx.remove_waiting_phones(account_id(1), at(60)).await?;
        tx.remove_app(account_id(1), app().id, at(61)).await
    });
    assert!(write.await.unwrap());
    assert_eq!(rows(&store).await, ["app 30 40 52 61", "phone 0 100 - 60", "phone 11 10 50 -"]);
    assert_eq!(store.backfill_authenticators(at(70)).await, Ok(0));
}

async fn what_release_0_1_0_writes_beside_is_entered(options: StoreOptions) {
    let store = store_with(&options, [1, 2]).await;
    execute(&store, "DELETE FROM authenticators").await;
    assert_eq!(store.backfill_authenticators(at(5)).await, Ok(2));
    assert_eq!(rows(&store).await, ["phone 0 100 - -"]);
    assert_eq!(store.backfill_authenticators(at(6)).await, Ok(0));

    execute(&store, "UPDATE phones SET verified_at = 1800000007000 WHERE verified_at IS NULL").await;
    execute(&store, "UPDATE phones SET usable_from = 1800000008000 WHERE usable_from = 1800000100000").await;
    assert_eq!(store.backfill_authenticators(at(9)).await, Ok(2));
    assert_eq!(rows(&store).await, ["phone 0 8 - -", "phone 7 8 - -"]);

    execute(&store, "DELETE FROM phones").await;
    assert_eq!(store.backfill_authenticators(at(10)).await, Ok(2));
    assert_eq!(rows(&store).await, ["phone 0 8 - 10", "phone 7 8 - 10"]);
}

async fn a_removed_authenticator_is_swept(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    store.write(|tx| async move { tx.remove_phones(account_id(1), at(1)).await }).await.unwrap();
    for (seconds, left) in [(86_400, 1), (86_402, 0)] {
        store.sweep(at(seconds), 100, crate::Sweeps::FREQUENT).await.unwrap();
        assert_eq!(rows(&store).await.len(), left, "{seconds}");
    }
}
