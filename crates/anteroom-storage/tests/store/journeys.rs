use crate::fixtures::*;
use crate::support::{self, on_both_databases};
use anteroom_domain::account::Epoch;
use anteroom_domain::ids::{BrowserId, InteractionId, LinkId};
use anteroom_domain::interaction::{Destination, Interaction, Journey, Proof};
use anteroom_oidc::{Acr, Amr, ScopeSet};
use anteroom_storage::{Invitation, StoreError, StoreOptions};

on_both_databases!(
    an_interaction_is_read_as_it_was_written_until_it_is_finished,
    consent_grows_and_two_answers_at_once_are_both_kept,
    an_invitation_is_sent_once_for_each_token,
);

fn interaction_id(number: u8) -> InteractionId {
    InteractionId(message_id(number).0)
}

fn interaction(number: u8) -> Interaction {
    Interaction {
        id: interaction_id(number),
        journey: Journey {
            destination: Destination::Dashboard,
            browser: BrowserId(interaction_id(9).0),
            began_at: at(1),
            account: None,
            consented_by: None,
            insists_on: None,
        },
        proof: None,
        created_at: at(2),
        expires_at: at(1000),
        finished_at: None,
    }
}

fn proven(number: u8) -> Interaction {
    let mut proven = interaction(number);
    proven.journey.account = Some(account_id(1));
    proven.proof = Some(Proof {
        account: account_id(1),
        epoch: Epoch(0),
        at: at(3),
        acr: Acr::Pwd,
        amr: [Amr::Pwd].into_iter().collect(),
        device: None,
    });
    proven
}

async fn an_interaction_is_read_as_it_was_written_until_it_is_finished(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        assert!(tx.insert_interaction(&interaction(1), &digest(1)).await?);
        assert!(tx.insert_interaction(&proven(2), &digest(2)).await?);
        // A handle that is taken keeps its row, and the transaction goes on.
        assert!(!tx.insert_interaction(&proven(3), &digest(1)).await?);
        Ok(())
    });
    let inserted: Result<(), StoreError> = unit.await;
    inserted.unwrap();
    // Any version of the key that the handle was hashed with.
    assert_eq!(store.interaction(&[digest(8), digest(1)]).await.unwrap(), Some(interaction(1)));
    assert_eq!(store.interaction(&[digest(2)]).await.unwrap(), Some(proven(2)));
    assert_eq!(store.interaction(&[digest(8)]).await.unwrap(), None);
    assert_eq!(store.interaction(&[]).await.unwrap(), None);

    let unit = store.write(|tx| async move {
        tx.save_interaction(&proven(1)).await?;
        assert!(tx.finish_interaction(interaction_id(1), at(9)).await?);
        assert!(!tx.finish_interaction(interaction_id(1), at(10)).await?);
        tx.save_interaction(&interaction(1)).await
    });
    unit.await.unwrap();
    let finished = Interaction { finished_at: Some(at(9)), ..proven(1) };
    assert_eq!(store.interaction(&[digest(1)]).await.unwrap(), Some(finished));
}

async fn consent_grows_and_two_answers_at_once_are_both_kept(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let client = "client-1".parse().unwrap();
    assert_eq!(store.consent(account_id(1), &client).await.unwrap(), None);
    let answers: Vec<_> = ["openid email", "openid phone", "profile", "groups"]
        .into_iter()
        .map(|scope| {
            let store = store.clone();
            tokio::spawn(async move {
                let unit = store.write(move |tx| async move {
                    let (client, agreed): (_, ScopeSet) =
                        ("client-1".parse().unwrap(), scope.parse().unwrap());
                    tx.save_consent(account_id(1), &client, &agreed, at(9)).await
                });
                unit.await
            })
        })
        .collect();
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    let agreed = store.consent(account_id(1), &client).await.unwrap().unwrap();
    assert_eq!(agreed, "openid email phone profile groups".parse().unwrap());
    assert_eq!(store.consent(account_id(1), &"client-2".parse().unwrap()).await.unwrap(), None);
}

async fn an_invitation_is_sent_once_for_each_token(options: StoreOptions) {
    let store = store_with(&options, [1]).await;
    let invite = |number: u8, token: u8| {
        store.write(move |tx| async move {
            let invitation = Invitation {
                id: LinkId(message_id(number).0),
                account: account_id(1),
                token: digest(token),
                created_at: at(0),
                expires_at: at(9),
            };
            tx.insert_invitation(&invitation).await
        })
    };
    assert_eq!(invite(1, 1).await, Ok(()));
    assert_eq!(invite(2, 2).await, Ok(()));
    assert!(matches!(invite(3, 2).await, Err(StoreError::Duplicate(what)) if what.contains("token_digest")));
}
