//! Judging a database by its steps, and changing one that others use.

use super::*;
use crate::Store;
use crate::fixtures::*;
use crate::support;
use anteroom_crypto::Random;
use std::time::Duration;

#[test]
fn a_schema_one_step_ahead_is_usable_and_two_are_not() {
    let known: Vec<String> = STEPS.iter().map(|step| step.name.to_owned()).collect();
    let with =
        |more: &[&str]| known.iter().cloned().chain(more.iter().map(|&step| step.to_owned())).collect();
    for (applied, state, usable) in [
        (BTreeSet::new(), SchemaState::Pending(known.len()), false),
        (with(&[]), SchemaState::UpToDate, true),
        (with(&["9998_later"]), SchemaState::Newer(1), true),
        (with(&["9998_later", "9999_even_later"]), SchemaState::Newer(2), false),
    ] {
        assert_eq!(SchemaState::of(&applied), state);
        assert_eq!(state.is_usable(), usable, "{state:?}");
    }
}

/// A store on the schema of release 0.1.0, with an account, and connections of other programs to the same server.
async fn of_the_release_before(options: &StoreOptions) -> Store {
    let store = store_with(options, [1]).await;
    let (connection, _) = open_single(options).await.unwrap();
    for sql in ["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"] {
        connection.execute_unprepared(sql).await.unwrap();
    }
    apply(&connection, &STEPS[..2]).await.unwrap();
    connection
        .execute_unprepared(
            "INSERT INTO accounts (id, status, epoch, profile, unknown_failures, created_at, updated_at) \
             VALUES ('01000000-0000-0000-7000-800000000001', 'active', 0, '{}', 0, 0, 0)",
        )
        .await
        .unwrap();
    connection.close_by_ref().await.unwrap();
    store
}

fn patience(attempts: u32) -> MigrationRetry {
    let pause = Duration::from_millis(100);
    MigrationRetry { attempts, pause, spread: pause, random: Random::seeded(1) }
}

/// What a sign-in at a node of that release does: its account first, then its session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_and_a_sign_in_do_not_wait_for_each_other() {
    support::on_postgres(async |options| {
        let _store = of_the_release_before(&options).await;
        let (node, _) = open_single(&options).await.unwrap();
        let sign_in = node.begin().await.unwrap();
        sign_in.execute_unprepared("UPDATE accounts SET unknown_failures = 1").await.unwrap();
        let migration = tokio::spawn({
            let options = options.clone();
            async move { migrate_with(&options, &patience(30)).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        let session = "INSERT INTO sessions (id, account_id, epoch, browser_id, token_digest, auth_time, acr, amr, created_at, \
                       last_active_at) VALUES ('03000000-0000-0000-7000-800000000001', \
                       '01000000-0000-0000-7000-800000000001', 0, '1e000000-0000-0000-7000-800000000001', '\\x01', 0, \
                       'urn:anteroom:acr:pwd', '', 0, 0)";
        sign_in.execute_unprepared(session).await.unwrap();
        sign_in.commit().await.unwrap();
        assert_eq!(migration.await.unwrap(), Ok(1));
        node.close_by_ref().await.unwrap();
    })
    .await;
}

/// As `pg_dump` holds every table that it copies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_lets_nodes_serve_while_it_waits_for_a_backup() {
    support::on_postgres(async |options| {
        let _store = of_the_release_before(&options).await;
        let (backup, _) = open_single(&options).await.unwrap();
        let copying = backup.begin().await.unwrap();
        copying.execute_unprepared("LOCK TABLE grants IN ACCESS SHARE MODE").await.unwrap();

        let given_up = migrate_with(&options, &patience(1)).await;
        let Err(StoreError::TablesInUse { holders }) = &given_up else { panic!("{given_up:?}") };
        assert!(holders.contains("(anteroom, grants)"), "{holders}");

        let migration = tokio::spawn({
            let options = options.clone();
            async move { migrate_with(&options, &patience(30)).await }
        });
        let (node, _) = open_single(&options).await.unwrap();
        let begun = tokio::time::Instant::now();
        while begun.elapsed() < Duration::from_secs(3) {
            for sql in ["UPDATE accounts SET updated_at = 1", "UPDATE links SET expires_at = 0"] {
                let write = node.execute_unprepared(sql);
                tokio::time::timeout(Duration::from_millis(3_500), write).await.expect(sql).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!migration.is_finished());
        copying.commit().await.unwrap();
        assert_eq!(migration.await.unwrap(), Ok(1));
        for connection in [node, backup] {
            connection.close_by_ref().await.unwrap();
        }
    })
    .await;
}
