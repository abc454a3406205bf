use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::audit::{Actor, AuditEntry, Event};
use anteroom_domain::ids::AuditId;
use anteroom_domain::reference::RequestReference;
use anteroom_oidc::Acr;
use anteroom_storage::{AuditRecord, StoreError, StoreOptions};

on_both_databases!(
    an_entry_is_found_by_its_reference_and_authentic,
    a_change_of_any_column_is_noticed,
    the_entry_of_an_act_that_failed_is_not_there,
);

fn reference(number: u8) -> RequestReference {
    RequestReference::from_random([number; 5])
}

fn audit_id(number: u8) -> AuditId {
    AuditId(message_id(number).0)
}

fn entry(number: u8) -> AuditEntry {
    AuditEntry {
        id: audit_id(number),
        at: at(i64::from(number)),
        actor: Actor::Account(account_id(1)),
        subject: Some(account_id(2)),
        client: Some("client-1".parse().unwrap()),
        session: Some(session_id(1)),
        ip_address: Some("2001:db8::1".parse().unwrap()),
        reference: Some(reference(number % 2)),
        event: Event::SignedIn { acr: Acr::Pwd, device: Some(device_id(1)), new_device: true },
    }
}

async fn an_entry_is_found_by_its_reference_and_authentic(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        for number in 1..=3 {
            tx.append(&entry(number)).await?;
        }
        let event = Event::RateLimited { scope: "sign_in", count: 7 };
        let bare = AuditEntry {
            actor: Actor::System,
            subject: None,
            client: None,
            session: None,
            ip_address: None,
            reference: None,
            event,
            ..entry(4)
        };
        tx.append(&bare).await
    });
    let appended: Result<(), StoreError> = unit.await;
    appended.unwrap();
    let found = store.entries_by_reference(&reference(1).to_string()).await.unwrap();
    assert_eq!(found.iter().map(|record| record.id).collect::<Vec<_>>(), [audit_id(1), audit_id(3)]);
    assert_eq!((found[0].kind.as_str(), found[0].outcome.as_str()), ("signed_in", "success"));
    assert_eq!(found[0].address.as_deref(), Some("2001:db8::1"));
    let detail: serde_json::Value = serde_json::from_str(&found[0].detail).unwrap();
    assert_eq!(detail["new_device"], true);
    assert_eq!(detail.get("kind"), None);

    let recent = store.recent_entries(2).await.unwrap();
    assert_eq!(recent.iter().map(|record| record.id).collect::<Vec<_>>(), [audit_id(4), audit_id(3)]);
    assert_eq!((recent[0].kind.as_str(), recent[0].outcome.as_str()), ("rate_limited", "failure"));
    assert!(found.iter().chain(&recent).all(|record| store.verify_mac(record)));
}

async fn a_change_of_any_column_is_noticed(options: StoreOptions) {
    let store = store(&options).await;
    store.write(|tx| async move { tx.append(&entry(1)).await }).await.unwrap();
    let record = store.recent_entries(1).await.unwrap().remove(0);
    let changes: [fn(&mut AuditRecord); 14] = [
        |record| record.id = audit_id(9),
        |record| record.at = at(99),
        |record| record.kind.push('x'),
        |record| record.outcome.push('x'),
        |record| record.actor.push('x'),
        |record| record.actor_account = None,
        |record| record.subject = Some(account_id(1)),
        |record| record.client = None,
        |record| record.session = None,
        |record| record.address = Some("2001:db8::2".to_owned()),
        |record| record.reference = None,
        |record| record.detail.push(' '),
        |record| record.mac = digest(1),
        // The same text, cut elsewhere.
        |record| {
            record.kind.push_str(&std::mem::take(&mut record.outcome));
        },
    ];
    assert!(store.verify_mac(&record));
    for (place, change) in changes.into_iter().enumerate() {
        let mut changed = record.clone();
        change(&mut changed);
        assert!(!store.verify_mac(&changed), "change {place}");
    }
}

async fn the_entry_of_an_act_that_failed_is_not_there(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        tx.append(&entry(1)).await?;
        Err::<(), _>(StoreError::Statement("on purpose".to_owned()))
    });
    assert!(unit.await.is_err());
    assert!(store.recent_entries(1).await.unwrap().is_empty());
}
