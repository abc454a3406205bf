use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::account::AccountEpoch;
use anteroom_domain::ids::{BrowserId, InteractionId};
use anteroom_domain::interaction::{
    Destination, FactorMethod, Interaction, InteractionProof, InteractionState, PassedFactor, ProofKind,
};
use anteroom_oidc::ScopeSet;
use anteroom_storage::{StoreError, StoreOptions};

on_both_databases!(
    an_interaction_is_read_as_it_was_written_until_it_is_finished,
    consent_grows_and_two_answers_at_once_are_both_kept,
);

fn interaction_id(number: u8) -> InteractionId {
    InteractionId(message_id(number).0)
}

fn interaction(number: u8) -> Interaction {
    Interaction {
        id: interaction_id(number),
        state: InteractionState::new(Destination::Dashboard, BrowserId(interaction_id(9).0), at(1)),
        proof: None,
        created_at: at(2),
        expires_at: at(1000),
        finished_at: None,
        authorization_response: None,
    }
}

fn proven(number: u8) -> Interaction {
    let mut proven = interaction(number);
    proven.state.account = Some(account_id(1));
    proven.proof = Some(InteractionProof {
        account: account_id(1),
        epoch: AccountEpoch(0),
        at: at(3),
        kind: ProofKind::ExpiredPassword { acknowledged: true },
        device: None,
        factor: Some(PassedFactor { at: at(4), method: FactorMethod::Call }),
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
    assert!(!store.is_agreed_to(&client).await.unwrap());
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
    let other = "client-2".parse().unwrap();
    assert_eq!(store.consent(account_id(1), &other).await.unwrap(), None);
    assert!(store.is_agreed_to(&client).await.unwrap() && !store.is_agreed_to(&other).await.unwrap());
}
