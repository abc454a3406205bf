//! A mail server and a gateway for texts that take everything, and what they got.

use axum::extract::{Form, State};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a person waits for a message before asking for another. What was in the server's hands when it was killed
/// takes longer: it goes out when the lease is over.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) id: String,
    /// An address, or a number.
    pub(crate) to: String,
    pub(crate) text: String,
    /// In which life of the server it came.
    pub(crate) life: u32,
}

pub(crate) struct Post {
    pub(crate) smtp: u16,
    pub(crate) gateway: u16,
    /// How often the server has been killed.
    pub(crate) lives: watch::Sender<u32>,
    got: Mutex<Vec<Delivery>>,
    arrived: watch::Sender<usize>,
}

impl Post {
    pub(crate) async fn open() -> Arc<Self> {
        let bind = async || TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (smtp, gateway) = (bind().await, bind().await);
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        let post = Arc::new(Self {
            smtp: port(&smtp),
            gateway: port(&gateway),
            lives: watch::Sender::new(0),
            got: Mutex::default(),
            arrived: watch::Sender::new(0),
        });
        let shared = Arc::clone(&post);
        tokio::spawn(async move {
            while let Ok((stream, _)) = smtp.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { shared.speak_smtp(stream).await });
            }
        });
        let app = axum::Router::new().route("/text", post_route()).with_state(Arc::clone(&post));
        tokio::spawn(async move { axum::serve(gateway, app).await.unwrap() });
        post
    }

    /// All that came, oldest first.
    pub(crate) fn got(&self) -> Vec<Delivery> {
        self.got.lock().unwrap().clone()
    }

    /// What came for a person, oldest first, each message once.
    fn got_for(&self, to: &str, containing: &str) -> Vec<Delivery> {
        let mut own = self.got();
        own.retain(|delivery| delivery.to == to && delivery.text.contains(containing));
        let mut seen = Vec::new();
        own.retain(|delivery| {
            let is_new = !seen.contains(&delivery.id);
            seen.push(delivery.id.clone());
            is_new
        });
        own
    }

    /// The newest of more than `known` messages, with how many there are; none where it does not come in time.
    pub(crate) async fn next(&self, to: &str, containing: &str, known: usize) -> Option<(Delivery, usize)> {
        let look = async {
            let mut arrived = self.arrived.subscribe();
            loop {
                arrived.borrow_and_update();
                let own = self.got_for(to, containing);
                if own.len() > known {
                    return (own[own.len() - 1].clone(), own.len());
                }
                arrived.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, look).await.ok()
    }

    fn take(&self, id: &str, to: &str, text: String) {
        let delivery = Delivery { id: id.to_owned(), to: to.to_owned(), text, life: *self.lives.borrow() };
        self.got.lock().unwrap().push(delivery);
        self.arrived.send_modify(|count| *count += 1);
    }

    async fn speak_smtp(&self, stream: TcpStream) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 double ESMTP\r\n").await.ok()?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let answer: &[u8] = match line.get(..4)? {
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await.ok()?;
                    let mut mail = String::new();
                    while !mail.ends_with("\r\n.\r\n") {
                        if stream.read_line(&mut mail).await.ok()? == 0 {
                            return None;
                        }
                    }
                    let header = |name: &str| mail.lines().find_map(|line| line.strip_prefix(name));
                    self.take(header("Message-ID: ")?, header("To: ")?, readable(&mail));
                    b"250 taken\r\n"
                }
                "QUIT" => return None,
                _ => b"250 ok\r\n",
            };
            stream.write_all(answer).await.ok()?;
        }
    }
}

fn post_route() -> axum::routing::MethodRouter<Arc<Post>> {
    axum::routing::post(
        async |State(office): State<Arc<Post>>, Form(fields): Form<BTreeMap<String, String>>| {
            office.take(&fields["id"], &fields["to"], fields["text"].clone());
        },
    )
}

/// Quoted-printable (RFC 2045 §6.7), as far as links and codes need it.
fn readable(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=")
}

/// The link in a mail; its text comes before its HTML.
pub(crate) fn link(mail: &str, path: &str) -> String {
    let found = mail.split_whitespace().find(|word| word.contains(path));
    found.unwrap_or_else(|| panic!("no {path} in {mail}")).to_owned()
}

/// The code in a mail that can be typed instead of following its link.
pub(crate) fn typed_code(mail: &str) -> String {
    let is_code = |line: &&str| {
        line.len() == 11
            && line.split('-').all(|half| half.len() == 5 && half.chars().all(|c| c.is_ascii_alphanumeric()))
    };
    mail.lines().find(is_code).unwrap_or_else(|| panic!("no code in {mail}")).to_owned()
}

/// The digits that a text begins with.
pub(crate) fn digits(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}
