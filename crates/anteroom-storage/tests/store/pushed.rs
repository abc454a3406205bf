//! Pushed authorization requests.

use crate::fixtures::*;
use crate::support::on_both_databases;
use anteroom_domain::ids::BrowserId;
use anteroom_domain::pushed_request::PushedRequest;
use anteroom_storage::{StoreError, StoreOptions};

on_both_databases!(
    rfc9126_7_3_a_pushed_request_is_for_the_first_browser_that_comes,
    rfc9126_4_a_pushed_request_that_was_answered_is_over,
);

async fn rfc9126_7_3_a_pushed_request_is_for_the_first_browser_that_comes(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        let (client, other) = ("client-1".parse().unwrap(), "client-2".parse().unwrap());
        let (here, there) = (BrowserId(account_id(1).0), BrowserId(account_id(2).0));
        let request = PushedRequest {
            client: "client-1".parse().unwrap(),
            parameters: "scope=openid".to_owned(),
            expires_at: at(90),
        };
        for number in [1, 2] {
            tx.insert_pushed_request(&request, &digest(number)).await?;
        }
        // Neither another client nor an unknown name takes it.
        assert_eq!(tx.take_pushed_request(&[digest(1)], &other, here, at(0)).await?, None);
        assert_eq!(tx.take_pushed_request(&[digest(3)], &client, here, at(0)).await?, None);
        let both = [digest(3), digest(1)];
        let taken = tx.take_pushed_request(&both, &client, here, at(0)).await?.unwrap();
        assert_eq!((taken.digest, taken.parameters.as_str()), (digest(1), "scope=openid"));
        assert_eq!(taken.ends_at, at(1800));
        assert_eq!(tx.take_pushed_request(&both, &client, there, at(1)).await?, None);
        // The same browser may come again, and the time of waiting does not count any more.
        let again = tx.take_pushed_request(&both, &client, here, at(1700)).await?;
        assert_eq!(again.unwrap().ends_at, at(1800));
        assert_eq!(tx.take_pushed_request(&both, &client, here, at(1800)).await?, None);
        // No browser came in time.
        assert_eq!(tx.take_pushed_request(&[digest(2)], &client, here, at(90)).await?, None);
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
}

async fn rfc9126_4_a_pushed_request_that_was_answered_is_over(options: StoreOptions) {
    let store = store(&options).await;
    let unit = store.write(|tx| async move {
        let (client, here) = ("client-1".parse().unwrap(), BrowserId(account_id(1).0));
        let request = PushedRequest {
            client: "client-1".parse().unwrap(),
            parameters: "scope=openid".to_owned(),
            expires_at: at(90),
        };
        tx.insert_pushed_request(&request, &digest(1)).await?;
        assert!(tx.take_pushed_request(&[digest(1)], &client, here, at(0)).await?.is_some());
        assert!(tx.end_pushed_request(&digest(1), at(5)).await?);
        assert!(!tx.end_pushed_request(&digest(1), at(5)).await?);
        assert_eq!(tx.take_pushed_request(&[digest(1)], &client, here, at(5)).await?, None);
        Ok::<_, StoreError>(())
    });
    unit.await.unwrap();
}
