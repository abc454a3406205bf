use super::*;
use crate::engine::Conn;
use crate::entity::{
    account_addresses, account_groups, accounts, grants, password_credentials, phones, refresh_tokens,
};
use crate::fixtures::*;
use crate::messages::leases::LEASES_ON_SQLITE;
use crate::support::{self, on_both_databases};
use crate::{InsertGrantResult, Store, StoreError, StoreOptions};
use anteroom_domain::account::{AccountEpoch, AccountStatus, GroupName, VerifiedPhone};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::grant::GrantEnd;
use anteroom_domain::lockout::{FailureCounters, Lockout};
use anteroom_domain::refresh::RefreshFamily;
use anteroom_domain::subject::SubjectNamespace;
use anteroom_oidc::authorization::ClaimsRequest;
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder};

on_both_databases!(
    accounts_are_what_the_entities_say,
    the_sign_in_view_is_what_the_entities_say,
    sessions_by_tokens_are_what_the_entities_say,
    worlds_are_what_the_entities_say,
);

/// Three accounts; the second is locked, in no group, and without phone and password.
async fn peopled(options: &StoreOptions) -> Store {
    let store = store_with(options, [1, 3]).await;
    store
        .write(|tx| async move {
            let bare = crate::NewAccount {
                phones: Vec::new(),
                groups: groups([]),
                credential: None,
                status: AccountStatus::Invited,
                ..new_account(2)
            };
            tx.insert_account(&bare).await?;
            let lockout = Lockout {
                unknown_failures: 6,
                unknown_locked_at: Some(at(7)),
                locked_at: Some(at(8)),
                earlier_failures: 5,
            };
            tx.save_counters(account_id(2), &FailureCounters { lockout, device: None }).await?;
            for number in 1..=12 {
                tx.insert_device(&device(number, if number == 12 { 3 } else { 1 })).await?;
            }
            tx.insert_session(&Session { device: Some(device_id(1)), ..session(1, 1) }, &digest(1)).await?;
            tx.insert_session(&Session { sid_by_sector: true, ..session(2, 3) }, &digest(2)).await?;
            Ok::<_, crate::InsertAccountError>(())
        })
        .await
        .unwrap();
    store
}

/// The account, put together from the entities of its tables.
async fn by_entities(conn: &Conn, id: AccountId) -> Account {
    let row = accounts::Entity::find_by_id(id.0).one(conn).await.unwrap().unwrap();
    let address = account_addresses::Entity::find()
        .filter(account_addresses::Column::AccountId.eq(id.0))
        .filter(account_addresses::Column::IsPrimary.eq(true));
    let address = address.one(conn).await.unwrap().unwrap();
    let phone = phones::Entity::find()
        .filter(phones::Column::AccountId.eq(id.0))
        .filter(phones::Column::VerifiedAt.is_not_null())
        .order_by_asc(phones::Column::Position);
    let groups = account_groups::Entity::find().filter(account_groups::Column::AccountId.eq(id.0));
    let time = |millis: i64| jiff::Timestamp::from_millisecond(millis).unwrap();
    Account {
        id,
        status: AccountStatus::parse(&row.status).unwrap(),
        epoch: AccountEpoch(row.epoch),
        profile: serde_json::from_str(&row.profile).unwrap(),
        primary_address: EmailAddress::parse(&address.address).unwrap(),
        address_verified: address.verified_at.is_some(),
        phone: phone.one(conn).await.unwrap().map(|phone| VerifiedPhone(phone.e164)),
        locale: row.locale,
        groups: groups
            .all(conn)
            .await
            .unwrap()
            .iter()
            .map(|row| GroupName::parse(&row.group_name).unwrap())
            .collect(),
        lockout: Lockout {
            unknown_failures: u32::try_from(row.unknown_failures).unwrap(),
            unknown_locked_at: row.unknown_locked_at.map(time),
            locked_at: row.locked_at.map(time),
            earlier_failures: u32::try_from(row.earlier_failures).unwrap(),
        },
        created_at: time(row.created_at),
        updated_at: time(row.updated_at),
    }
}

async fn accounts_are_what_the_entities_say(options: StoreOptions) {
    let store = peopled(&options).await;
    for number in 1..=3 {
        let expected = by_entities(&store.conn, account_id(number)).await;
        assert_eq!(expected.groups.len(), if number == 2 { 0 } else { 2 });
        let other = FoldedAddress::from_entered(&format!("OTHER{number}@demo.example"));
        assert_eq!(store.account(account_id(number)).await.unwrap().as_ref(), Some(&expected));
        for address in [address(number).folded(), other] {
            assert_eq!(store.account_by_address(&address).await.unwrap().as_ref(), Some(&expected));
        }
        let locked = store.account_with_credential(account_id(number)).await.unwrap().unwrap();
        assert_eq!(locked.account, expected);
        assert_eq!(locked.credential.map(|it| it.hash.encode()), credential_hash(&store, number).await);
    }
    assert_eq!(store.account(account_id(9)).await.unwrap(), None);
    let all = store.accounts(None, 10).await.unwrap();
    assert_eq!(all.iter().map(|account| account.id).collect::<Vec<_>>(), [1, 2, 3].map(account_id));
    let second = store.accounts(Some(&address(1).folded()), 1).await.unwrap();
    assert_eq!(second, [by_entities(&store.conn, account_id(2)).await]);
}

async fn credential_hash(store: &Store, number: u8) -> Option<String> {
    let row = password_credentials::Entity::find_by_id(account_id(number).0).one(&store.conn).await.unwrap();
    row.map(|row| row.hash)
}

async fn the_sign_in_view_is_what_the_entities_say(options: StoreOptions) {
    let store = peopled(&options).await;
    revoke_device(&store, 4).await;
    for (number, named, expected) in [
        (1, vec![], vec![]),
        // The fourth is revoked, the twelfth another account's, and there is no thirteenth.
        (1, vec![2, 4, 12, 13], vec![2]),
        (1, (1..=12).collect(), vec![1, 2, 3, 5, 6, 7, 8, 9, 10, 11]),
        (2, vec![1, 2], vec![]),
        (3, vec![12], vec![12]),
    ] {
        let named: Vec<DeviceId> = named.into_iter().map(device_id).collect();
        let view = store.sign_in_view(&address(number).folded(), &named).await.unwrap().unwrap();
        assert_eq!(view.account, by_entities(&store.conn, account_id(number)).await);
        assert_eq!(
            view.credential.as_ref().map(|it| it.hash.encode()),
            credential_hash(&store, number).await
        );
        let facts = store.password_facts(account_id(number)).await.unwrap();
        assert_eq!(view.credential.map(|it| it.facts), facts);
        let mut devices = view.devices;
        devices.sort_by_key(|device| device.id);
        let mut expected_devices = Vec::new();
        for device in expected {
            expected_devices.push(store.device(device_id(device)).await.unwrap().unwrap());
        }
        assert_eq!(devices, expected_devices);
    }
    assert!(store.sign_in_view(&address(9).folded(), &[device_id(1)]).await.unwrap().is_none());
}

async fn revoke_device(store: &Store, number: u8) {
    let sql = "UPDATE known_devices SET revoked_at = 1 WHERE id = $1";
    let unit = store.write(move |tx| async move {
        let values = [device_id(number).0.into()];
        tx.conn
            .execute_raw(Statement::from_sql_and_values(tx.conn.get_database_backend(), sql, values))
            .await?;
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
}

async fn sessions_by_tokens_are_what_the_entities_say(options: StoreOptions) {
    let store = peopled(&options).await;
    assert!(store.sessions_by_tokens(&[]).await.unwrap().is_empty());
    assert!(store.sessions_by_tokens(&[digest(9)]).await.unwrap().is_empty());
    for wanted in [vec![1], vec![2, 9, 1], vec![9, 10, 11, 12, 13, 14, 15, 16, 1, 17, 2]] {
        let digests: Vec<KeyedDigest> = wanted.iter().copied().map(digest).collect();
        let mut found = store.sessions_by_tokens(&digests).await.unwrap();
        found.sort_by_key(|found| found.session.id);
        let known: Vec<u8> = (1..=2).filter(|number| wanted.contains(number)).collect();
        assert_eq!(found.len(), known.len());
        for (found, number) in found.iter().zip(known) {
            assert_eq!(found.digest, digest(number));
            assert_eq!(Some(&found.session), store.session(session_id(number)).await.unwrap().as_ref());
            assert_eq!(found.account, by_entities(&store.conn, found.session.account).await);
        }
    }
}

async fn worlds_are_what_the_entities_say(options: StoreOptions) {
    let store = peopled(&options).await;
    let claims: ClaimsRequest =
        serde_json::from_str(r#"{"userinfo":{"email":{"essential":true}},"id_token":{"acr":{"value":"x"}}}"#)
            .unwrap();
    let rich = anteroom_domain::grant::Grant {
        claims: Some(claims),
        resources: vec!["https://api.demo.example/".to_owned()],
        nonce: Some("n-0S6".parse().unwrap()),
        subjects: Some(SubjectNamespace::Pairwise("app.demo.example".to_owned())),
        sid_by_sector: true,
        ..grant(1, 1, 1, "openid offline_access schedule:read")
    };
    let written = write_with(&store, rich.clone(), |tx, rich| {
        Box::pin(async move {
            assert_eq!(tx.insert_grant(rich, at(2000)).await?, InsertGrantResult::Inserted);
            tx.insert_family(&family(1)).await?;
            assert_eq!(
                tx.insert_grant(&grant(2, 3, 2, "openid"), at(2000)).await?,
                InsertGrantResult::Inserted
            );
            let agreed = "openid schedule:read".parse().unwrap();
            tx.save_consent(account_id(1), &client_id(1), &agreed, at(4)).await?;
            tx.revoke_grant(grant_id(2), GrantEnd::ClientRevoked, at(9)).await?;
            Ok(())
        })
    });
    written.await.unwrap();
    let CodeRecord { account, session, agreed } =
        store.code_with_context(account_id(1), session_id(1), &client_id(1)).await.unwrap().unwrap();
    assert_eq!(agreed.to_string(), "openid schedule:read");
    assert_eq!(account, by_entities(&store.conn, account_id(1)).await);
    assert_eq!(session, store.session(session_id(1)).await.unwrap());
    // Another account's session is none.
    let others = store.code_with_context(account_id(1), session_id(2), &client_id(2)).await.unwrap().unwrap();
    assert_eq!((others.session, others.agreed.is_empty()), (None, true));
    assert!(store.code_with_context(account_id(9), session_id(1), &client_id(1)).await.unwrap().is_none());

    let record = store.grant_with_context(grant_id(1)).await.unwrap().unwrap();
    assert_eq!(record.grant, rich);
    assert_eq!((record.account, record.session, record.agreed), (account, session, agreed));
    let row = refresh_tokens::Entity::find_by_id(grant_id(1).0).one(&store.conn).await.unwrap().unwrap();
    assert_eq!(record.family.map(|family| i64::from(family.generation)), Some(row.generation));
    assert_eq!(record.family, Some(RefreshFamily { ..family(1) }));

    let record = store.grant_with_context(grant_id(2)).await.unwrap().unwrap();
    let row = grants::Entity::find_by_id(grant_id(2).0).one(&store.conn).await.unwrap().unwrap();
    assert_eq!(record.grant.revoked_at.map(jiff::Timestamp::as_millisecond), row.revoked_at);
    assert_eq!(record.grant.scope.to_string(), row.scopes);
    assert_eq!((record.family, record.agreed.is_empty()), (None, true));
    assert!(store.grant_with_context(grant_id(9)).await.unwrap().is_none());
}

#[tokio::test]
async fn no_hot_read_scans_a_table() {
    support::on_sqlite(async |options| {
        let store = peopled(&options).await;
        for sql in [
            ACCOUNT,
            ACCOUNT_BY_ADDRESS,
            ACCOUNTS,
            LOCKED_ACCOUNT,
            SIGN_IN_VIEW,
            SESSIONS_BY_TOKENS,
            CODE_WITH_CONTEXT,
            GRANT_WITH_CONTEXT,
        ] {
            let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
            for row in store.conn.query_all_raw(explain).await.unwrap() {
                let step: String = row.try_get_by_index(3).unwrap();
                assert!(!step.starts_with("SCAN"), "{sql}\n{step}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_lease_of_what_people_wait_for_reads_no_invitation() {
    support::on_sqlite(async |options| {
        let store = peopled(&options).await;
        for (sql, index) in LEASES_ON_SQLITE.into_iter().zip(["messages_awaited", "messages_due"]) {
            let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
            let rows = store.conn.query_all_raw(explain).await.unwrap();
            let steps: Vec<String> = rows.iter().map(|row| row.try_get_by_index(3).unwrap()).collect();
            assert!(steps.iter().any(|step| step.contains(&format!("USING INDEX {index}"))), "{steps:?}");
            assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{steps:?}");
        }
    })
    .await;
}
