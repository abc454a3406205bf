//! A mail server that takes everything, for tests of the worker, and an HTTP API that does as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone)]
pub(crate) struct Double<Behaviour, Got> {
    pub(crate) port: u16,
    told: Arc<Mutex<VecDeque<Behaviour>>>,
    got: Arc<Mutex<Vec<Got>>>,
}

impl<Behaviour: Copy, Got: Clone> Double<Behaviour, Got> {
    fn new(port: u16, told: &[Behaviour]) -> Self {
        Self { port, told: Arc::new(Mutex::new(told.iter().copied().collect())), got: Arc::default() }
    }

    pub(crate) fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    fn next(&self) -> Behaviour {
        let mut told = self.told.lock().unwrap();
        if told.len() > 1 { told.pop_front().unwrap() } else { *told.front().unwrap() }
    }
}

/// A mail server that takes everything, from as many connections at once as it has room for.
#[derive(Clone)]
pub(crate) struct MailDouble {
    pub(crate) port: u16,
    got: Arc<Mutex<Vec<String>>>,
    /// Connections now, the most there were at once, and all there ever were.
    connections: Arc<Mutex<[usize; 3]>>,
}

impl MailDouble {
    pub(crate) fn got(&self) -> Vec<String> {
        self.got.lock().unwrap().clone()
    }

    /// The most connections at once, and all of them.
    pub(crate) fn connections(&self) -> (usize, usize) {
        let [_, most, all] = *self.connections.lock().unwrap();
        (most, all)
    }

    fn opened(&self) -> usize {
        let mut counts = self.connections.lock().unwrap();
        let now = counts[0] + 1;
        *counts = [now, counts[1].max(now), counts[2] + 1];
        now
    }
}

pub(crate) async fn mail_server() -> MailDouble {
    mail_server_with_room(usize::MAX, usize::MAX).await
}

/// With room for so many connections at once, and so many messages on each.
pub(crate) async fn mail_server_with_room(room: usize, messages: usize) -> MailDouble {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let double = MailDouble { port, got: Arc::default(), connections: Arc::default() };
    let shared = double.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let shared = shared.clone();
            tokio::spawn(async move {
                if shared.opened() > room {
                    // The other side may have gone.
                    let _ = stream.write_all(b"421 too many connections\r\n").await;
                } else {
                    speak_smtp(stream, messages, &shared).await;
                }
                shared.connections.lock().unwrap()[0] -= 1;
            });
        }
    });
    double
}

async fn speak_smtp(stream: TcpStream, most: usize, double: &MailDouble) -> Option<()> {
    let (mut stream, mut messages) = (BufReader::new(stream), 0);
    stream.write_all(b"220 double ESMTP\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer = match line.get(..4)?.to_ascii_uppercase().as_str() {
            "EHLO" => "250 double\r\n".to_owned(),
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.ok()?;
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut message).await.ok()?;
                }
                double.got.lock().unwrap().push(message);
                messages += 1;
                "250 taken\r\n".to_owned()
            }
            "MAIL" if messages >= most => "421 too many messages on this connection\r\n".to_owned(),
            "QUIT" => return None,
            _ => "250 ok\r\n".to_owned(),
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

/// A status with a body and further headers; status 0 never answers, status 1 hangs up instead.
#[derive(Clone, Copy)]
pub(crate) struct Answer(pub(crate) u16, pub(crate) &'static str, pub(crate) &'static str);

#[derive(Clone, Debug)]
pub(crate) struct Got {
    /// With method, path and headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

pub(crate) async fn api(told: &[Answer]) -> Double<Answer, Got> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let double = Double::new(listener.local_addr().unwrap().port(), told);
    let shared = double.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let behaviour = shared.next();
            let shared = shared.clone();
            tokio::spawn(async move { speak_http(stream, behaviour, &shared).await });
        }
    });
    double
}

async fn speak_http(
    stream: TcpStream,
    Answer(status, headers, body): Answer,
    double: &Double<Answer, Got>,
) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.ok()?;
    double.got.lock().unwrap().push(Got { head, body: String::from_utf8(bytes).ok()? });
    match status {
        0 => return std::future::pending().await,
        1 => return None,
        _ => {}
    }
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} x\r\n{headers}Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}
