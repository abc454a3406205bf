//! A peer that is slow about a handshake holds no other up.

use anteroom_server::handshakes::{HandshakeLimits, Handshakes};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::practice::{Practice, head};

/// Nothing more comes on this connection.
async fn is_let_go(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.map_or(true, |read| read == 0)
}

#[tokio::test]
async fn a_silent_connection_is_let_go_when_its_time_is_over() {
    let (served, _follower) = Practice::new().open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let mut handshakes =
        Handshakes::within(HandshakeLimits { time: Duration::from_millis(1), ..HandshakeLimits::default() });
    let (stream, peer) = listener.accept().await.unwrap();
    handshakes.begin(&served, stream, peer);
    assert!(handshakes.next().await.is_none());
    assert!(is_let_go(silent).await);
}

#[tokio::test]
async fn handshakes_under_way_are_bounded_in_all_and_of_each_prefix() {
    let (served, _follower) = Practice::new().open();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut handshakes =
        Handshakes::within(HandshakeLimits { all: 3, each: 2, ..HandshakeLimits::default() });
    let mut kept = Vec::new();
    for (peer, is_taken) in [
        ("192.0.2.1:1", true),
        ("192.0.2.1:2", true),
        ("192.0.2.1:3", false),
        ("[2001:db8::1]:1", true),
        ("[2001:db8:0:1::1]:1", false),
    ] {
        let silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        handshakes.begin(&served, stream, peer.parse().unwrap());
        if is_taken {
            kept.push(silent);
        } else {
            assert!(is_let_go(silent).await, "{peer}");
        }
    }
    // With the server those that are under way go.
    drop(handshakes);
    for silent in kept {
        assert!(is_let_go(silent).await);
    }
}

#[tokio::test]
async fn a_stop_waits_for_no_handshake_and_ends_connections_that_are_idle() {
    let practice = Practice::new();
    let running = practice.serve().await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    // The beginning of a handshake that never goes on.
    silent.write_all(&[22, 3, 1]).await.unwrap();
    let mut idle = running.connect(&practice.connector()).await;
    assert!(head(&mut idle).await.starts_with("HTTP/1.1 200"));
    running.stop().await;
    assert!(is_let_go(silent).await);
    assert_eq!(idle.read(&mut [0; 16]).await.unwrap_or(0), 0);
}
