//! The worker: one attempt at a time, nothing lost, no message held up.

use anteroom_messaging::{Gateway, GatewayMethod, GatewayRequest, PhoneProvider, Senders};
use anteroom_storage::MessageStatus;
use jiff::SignedDuration;

use crate::doubles::{Answer, api, mail_server, mail_server_with_room};
use crate::office::{Office, mail, text};
use crate::sending::smtp;

fn gateway(port: u16) -> PhoneProvider {
    let request = GatewayRequest {
        method: GatewayMethod::Post,
        url: format!("http://127.0.0.1:{port}/"),
        headers: Vec::new(),
        body: Some("to={to}".to_owned()),
        secret: None,
        success: None,
    };
    PhoneProvider::Gateway(Gateway::new(request).unwrap())
}

#[tokio::test]
async fn a_message_in_the_hands_of_a_node_that_dies_goes_out_after_its_lease() {
    let office = Office::open().await;
    let (silent, working) = (api(&[Answer(0, "", "")]).await, api(&[Answer(200, "", "")]).await);
    let id = office.queue(text()).await;
    let dying = office.send_through(Senders { text: Some(gateway(silent.port)), ..Senders::default() });
    office.until(id, |state| state.status == MessageStatus::Sending).await;
    dying.kill().await;
    let next = office.send_through(Senders { text: Some(gateway(working.port)), ..Senders::default() });
    let other = office.queue(text()).await;
    assert_eq!(office.end_of(other).await, None);
    assert_eq!(working.got().len(), 1, "the lease of the first is not over");
    office.clock.advance(SignedDuration::from_secs(90));
    assert_eq!(office.end_of(id).await, None);
    next.stop().await;
    assert_eq!(working.got().len(), 2);
}

#[tokio::test]
async fn two_workers_send_each_message_once() {
    let (office, server) = (Office::open().await, mail_server().await);
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(office.queue(mail()).await);
    }
    let (first, second) = (office.send_through(smtp(server.port)), office.send_through(smtp(server.port)));
    for id in ids {
        assert_eq!(office.end_of(id).await, None);
    }
    first.stop().await;
    second.stop().await;
    assert_eq!(server.got().len(), 40);
}

#[tokio::test]
async fn a_provider_that_is_silent_holds_up_nobody_else() {
    let (office, server) = (Office::open().await, mail_server().await);
    let silent = api(&[Answer(0, "", "")]).await;
    for _ in 0..20 {
        office.queue(text()).await;
    }
    let senders = Senders { text: Some(gateway(silent.port)), ..smtp(server.port) };
    let running = office.send_through(senders);
    let id = office.queue(mail()).await;
    assert_eq!(office.end_of(id).await, None);
    assert!(silent.got().len() <= 16);
    running.kill().await;
}

#[tokio::test]
async fn a_code_that_nobody_takes_fails_at_once_and_mail_waits_for_a_server() {
    let office = Office::open().await;
    let (code, letter) = (office.queue(text()).await, office.queue(mail()).await);
    let running = office.send_through(Senders::default());
    assert_eq!(office.end_of(code).await.as_deref(), Some("not_configured"));
    running.stop().await;
    assert_eq!(office.until(letter, |_| true).await.status, MessageStatus::Queued);
}

#[tokio::test]
async fn what_nobody_takes_is_erased_when_its_time_is_over() {
    let office = Office::open().await;
    let id = office.queue(mail()).await;
    office.clock.advance(SignedDuration::from_mins(10));
    let running = office.send_through(Senders::default());
    office.until(id, |state| state.status == MessageStatus::Expired).await;
    assert!(office.is_erased().await);
    running.stop().await;
}

#[tokio::test]
async fn many_mails_go_over_two_connections_that_are_kept() {
    let (office, server) = (Office::open().await, mail_server_with_room(3, usize::MAX).await);
    let mut ids = Vec::new();
    for _ in 0..120 {
        ids.push(office.queue(mail()).await);
    }
    let running = office.send_through(smtp(server.port));
    for id in ids {
        assert_eq!(office.end_of(id).await, None);
    }
    running.stop().await;
    let (most, all) = server.connections();
    // Each takes fifty messages at most.
    assert!((1..=2).contains(&most) && (3..=6).contains(&all), "{most} {all}");
    assert_eq!(server.got().len(), 120);
}

/// The clock stands still, so a channel that paused would send nothing more.
#[tokio::test]
async fn a_mail_server_that_ends_a_connection_after_some_messages_gets_the_next_on_another() {
    let (office, server) = (Office::open().await, mail_server_with_room(usize::MAX, 3).await);
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(office.queue(mail()).await);
    }
    let running = office.send_through(smtp(server.port));
    for id in ids {
        assert_eq!(office.end_of(id).await, None);
    }
    running.stop().await;
    let (_, all) = server.connections();
    assert!(server.got().len() == 20 && all >= 7, "{all}");
}

/// A server without room says so before a recipient is named. That pauses the channel: one message tries it out, the others
/// are not charged with it.
#[tokio::test]
async fn a_mail_server_without_room_is_tried_by_one_message_and_charges_none() {
    let (office, full) = (Office::open().await, mail_server_with_room(0, 0).await);
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(office.queue(mail()).await);
    }
    let running = office.send_through(smtp(full.port));
    office.until_one(&ids, "busy").await;
    running.stop().await;
    // The two that were under way at once.
    assert!(full.connections().1 <= 2, "{:?}", full.connections());
    let (server, before) = (mail_server().await, full.connections().1);
    office.wait_out(5);
    let running = office.send_through(smtp(server.port));
    for id in ids {
        assert_eq!(office.end_of(id).await, None);
    }
    running.stop().await;
    assert_eq!((server.got().len(), full.connections().1), (10, before));
}
