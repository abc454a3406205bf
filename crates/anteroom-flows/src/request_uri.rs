//! Fetching a request object: who may have how many fetched at once, and how often.
//!
//! Anybody can send a browser, or a program, to the authorization endpoint with the `request_uri` of any client, and a stranger
//! can register clients whose hosts never answer. Strangers leave something to people who are signed in, one client to others,
//! frames to pages that a person opens, and clients that registered themselves to those of the configuration.

use anteroom_domain::client::Client;
use anteroom_domain::limits::{Budget, Limit};
use anteroom_domain::rate::AddressPrefix;
use url::Url;

use crate::browser::Loads;
use crate::call::Visit;
use crate::error::FlowError;
use crate::limits::{of_address, of_one, spend};
use crate::outgoing::{Fetch, Fetched, Outgoing, OutgoingError, Share};
use crate::visitor::{Live, live_sessions};

/// Whatever is larger is none that the rules would let pass.
const LARGEST: usize = 16 * 1024;

/// At once, on one node, of a client in the configuration.
const OF_CLIENT: usize = 8;
/// Of those, for requests without a session.
const OF_CLIENT_FOR_STRANGERS: usize = 4;
/// For requests without a session, of all clients: the rest is for people who are signed in.
const FOR_STRANGERS: usize = 24;
/// Of one client, for one session.
const OF_SESSION_AT_CLIENT: usize = 4;
/// Of one client that registered itself, from one host, and for one network.
const OF_REGISTERED: usize = 4;

/// It is counted once there is room for it: what is not fetched costs nothing.
pub(crate) async fn fetch(
    visit: &Visit,
    client: &Client,
    place: &Url,
) -> Result<Result<Vec<u8>, OutgoingError>, FlowError> {
    let live = live_sessions(visit).await?.into_iter().next();
    let outgoing = visit.outgoing_for(client.id());
    let shares = shares(visit, (client, place), (&outgoing, live.as_ref()));
    let slot = match outgoing.reserve(Fetch { what: Fetched::RequestObject, shares: &shares }) {
        Ok(slot) => slot,
        Err(error) => return Ok(Err(error)),
    };
    let budgets = budgets(visit, (client, outgoing.is_of_registered()), live.as_ref());
    spend(visit, budgets).await?;
    Ok(outgoing.get_in(&slot, place, LARGEST).await)
}

fn shares(
    visit: &Visit,
    (client, place): (&Client, &Url),
    (outgoing, live): (&Outgoing, Option<&Live>),
) -> Vec<Share> {
    let id = client.id().as_str();
    let mut shares = match live {
        Some(live) => {
            let name = format!("{} {id}", live.session.id.0);
            vec![Share::new("session at client", &name, OF_SESSION_AT_CLIENT)]
        }
        None => vec![Share::new("strangers", "", FOR_STRANGERS)],
    };
    if outgoing.is_of_registered() {
        let network = AddressPrefix::network(visit.address).to_string();
        shares.push(Share::new("client", id, OF_REGISTERED));
        shares.push(Share::new("host", place.host_str().unwrap_or_default(), OF_REGISTERED));
        shares.push(Share::new("network", &network, OF_REGISTERED));
    } else {
        shares.push(Share::new("client", id, OF_CLIENT));
        if live.is_none() {
            shares.push(Share::new("strangers at client", id, OF_CLIENT_FOR_STRANGERS));
        }
    }
    shares
}

fn budgets(visit: &Visit, (client, is_registered): (&Client, bool), live: Option<&Live>) -> Vec<Budget> {
    let id = client.id().as_str();
    let kind = if visit.browser.loads == Loads::Page { "" } else { " within a page" };
    let of = |limit, name: &str| {
        let budgets = match live {
            Some(live) => vec![of_one(visit, limit, &live.account.id.0)],
            None => of_address(visit, limit),
        };
        let name = name.to_owned();
        budgets
            .into_iter()
            .map(move |budget| Budget { subject: format!("{}{kind}{name}", budget.subject), ..budget })
    };
    let of_registered = is_registered.then(|| of(Limit::RequestUriOfRegistered, ""));
    of(Limit::RequestUri, "")
        .chain(of(Limit::RequestUriOfClient, &format!(" {id}")))
        .chain(of_registered.into_iter().flatten())
        .collect()
}
