//! Fetches request objects, and limits how many are fetched at once and how often.
//!
//! Any browser or program can send the `request_uri` of any client to the authorization endpoint, and anyone can register clients
//! whose hosts never answer. So requests without a session leave a part of the limits to people who are signed in, one client to
//! others, frames to pages that a person opens, and clients that registered themselves to those of the configuration.

use anteroom_domain::client::Client;
use anteroom_domain::ids::AccountId;
use anteroom_domain::limits::{Limit, RateLimitCheck};
use anteroom_domain::rate::AddressPrefix;
use url::Url;

use crate::context::browser::FetchContext;
use crate::context::call::{Call, Visit};
use crate::context::limits::{of_address, of_one, spend};
use crate::context::outgoing::{FetchKind, FetchRequest, Outgoing, OutgoingError, Party, Share};
use crate::error::FlowError;
use crate::sessions::browser_sessions::active_sessions;

/// In bytes. The rules of the authorization endpoint would refuse a larger request.
const LARGEST: usize = 16 * 1024;

/// Fetches at once, on one node, of one client in the configuration.
const OF_CLIENT: usize = 8;
/// Of those, for requests without a session.
const OF_CLIENT_WITHOUT_SESSION: usize = 4;
/// For requests without a session, of all clients; the rest is for people who are signed in.
const WITHOUT_SESSION: usize = 24;
/// Of one client, for one account.
const OF_ACCOUNT_AT_CLIENT: usize = 4;
/// Of one client that registered itself, from one host, and for one network.
const OF_REGISTERED: usize = 4;

/// What a fetch is counted for. The limits of one account hold for all its browsers together: two browsers could otherwise use up
/// the fetches of one client.
#[derive(Clone, Copy)]
enum Requester {
    Account(AccountId),
    /// No account is signed in.
    Anonymous,
}

/// What is fetched, for whom.
struct RequestUri<'a> {
    client: &'a Client,
    url: &'a Url,
    outgoing: &'a Outgoing,
    requester: Requester,
    network: AddressPrefix,
}

/// Fetches a request object. It is counted once a slot is free, so that a request which is not fetched costs nothing.
pub(crate) async fn fetch(
    visit: &Visit,
    client: &Client,
    url: &Url,
) -> Result<Result<Vec<u8>, OutgoingError>, FlowError> {
    let live = active_sessions(visit).await?.into_iter().next();
    let outgoing = visit.outgoing_for(client.id());
    let wanted = RequestUri {
        client,
        url,
        outgoing,
        requester: live.map_or(Requester::Anonymous, |live| Requester::Account(live.account.id)),
        network: AddressPrefix::network(visit.address),
    };
    let shares = wanted.shares();
    let slot = match outgoing.reserve(FetchRequest { what: FetchKind::RequestObject, shares }) {
        Ok(slot) => slot,
        Err(error) => return Ok(Err(error)),
    };
    spend(visit, wanted.checks(visit, visit.browser.fetch_context)).await?;
    Ok(outgoing.get_in(&slot, url, LARGEST).await)
}

impl RequestUri<'_> {
    fn shares(&self) -> Vec<Share> {
        let id = self.client.id().as_str();
        let mut shares = match self.requester {
            Requester::Account(account) => {
                vec![Share::new(Party::AccountAtClient, &format!("{} {id}", account.0), OF_ACCOUNT_AT_CLIENT)]
            }
            Requester::Anonymous => vec![Share::new(Party::Anonymous, "", WITHOUT_SESSION)],
        };
        if self.outgoing.is_of_registered() {
            let host = self.url.host_str().unwrap_or_default();
            shares.push(Share::new(Party::Client, id, OF_REGISTERED));
            shares.push(Share::new(Party::Host, host, OF_REGISTERED));
            shares.push(Share::new(Party::Network, &self.network.to_string(), OF_REGISTERED));
            return shares;
        }
        shares.push(Share::new(Party::Client, id, OF_CLIENT));
        if matches!(self.requester, Requester::Anonymous) {
            shares.push(Share::new(Party::AnonymousAtClient, id, OF_CLIENT_WITHOUT_SESSION));
        }
        shares
    }

    fn checks(&self, call: &Call, fetch_context: FetchContext) -> Vec<RateLimitCheck> {
        let kind = if fetch_context == FetchContext::Page { "" } else { " within a page" };
        let of = |limit, name: &str| {
            let checks = match self.requester {
                Requester::Account(account) => vec![of_one(call, limit, &account.0)],
                Requester::Anonymous => of_address(call, limit),
            };
            let name = name.to_owned();
            checks.into_iter().map(move |check| RateLimitCheck {
                limit_key: format!("{}{kind}{name}", check.limit_key),
                ..check
            })
        };
        let of_client = format!(" {}", self.client.id().as_str());
        let mut checks: Vec<RateLimitCheck> = of(Limit::RequestUri, "").collect();
        if self.outgoing.is_of_registered() {
            checks.extend(of(Limit::RequestUriOfRegistered, ""));
            checks.extend(of(Limit::RequestUriOfRegisteredClient, &of_client));
        } else {
            checks.extend(of(Limit::RequestUriOfClient, &of_client));
        }
        checks
    }
}
