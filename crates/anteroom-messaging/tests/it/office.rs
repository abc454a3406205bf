//! An outbox with a worker beside it, and a clock in the test's hand.

use anteroom_crypto::{Keyring, Random};
use anteroom_domain::account::{AccountStatus, Profile};
use anteroom_domain::address::EmailAddress;
use anteroom_domain::clock::Clock;
use anteroom_domain::ids::{AccountId, AddressId, MessageId};
use anteroom_domain::message::{Channel, Mail, Message, MessageBody, OneTimeCodeText};
use anteroom_domain::phone::E164;
use anteroom_messaging::{Rendered, Script, Senders, Worker};
use anteroom_pages::{CallScript, Email};
use anteroom_storage::{
    MessageState, MessageStatus, NewAccount, NewAddress, Store, StoreError, StoreOptions, migrate,
};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub(crate) const TO: &str = "+12025550143";

pub(crate) struct Office {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    _folder: TempDir,
}

pub(crate) struct Running {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
}

impl Running {
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }

    /// As a power cut does.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

const fn with_jitter(seconds: i64) -> i64 {
    seconds + seconds / 4 + 1
}

pub(crate) fn keyring() -> Arc<Keyring> {
    Arc::new(Keyring::for_tests(1))
}

impl Office {
    pub(crate) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = StoreOptions::sqlite(folder.path().join("anteroom.db"));
        migrate(&options).await.unwrap();
        let random = Random::seeded(1);
        let store = Store::connect(&options).await.unwrap().with_keys(keyring(), random.clone());
        let clock = Clock::manual(Timestamp::from_second(1_800_000_000).unwrap());
        Self { store, clock, random, _folder: folder }
    }

    /// An account of a person with this name.
    pub(crate) async fn person(&self, name: &str) -> AccountId {
        let id = AccountId(self.random.uuid_v4());
        let account = NewAccount {
            id,
            status: AccountStatus::Invited,
            profile: Profile { name: Some(name.to_owned()), ..Profile::default() },
            locale: None,
            primary_address: NewAddress {
                id: AddressId(self.random.uuid_v4()),
                address: EmailAddress::parse("alice@demo.example").unwrap(),
                verified_at: None,
            },
            other_addresses: Vec::new(),
            phones: Vec::new(),
            groups: BTreeSet::new(),
            credential: None,
            now: self.clock.now(),
        };
        let unit = self.store.write(move |tx| {
            let account = account.clone();
            async move { tx.insert_account(&account).await }
        });
        unit.await.unwrap();
        id
    }

    pub(crate) async fn queue(&self, body: MessageBody) -> MessageId {
        self.queue_for(None, body).await
    }

    pub(crate) async fn queue_for(&self, account: Option<AccountId>, body: MessageBody) -> MessageId {
        let now = self.clock.now();
        let message = Message {
            id: MessageId(self.random.uuid_v4()),
            account,
            locale: None,
            body,
            reference: None,
            created_at: now,
            expires_at: now.checked_add(SignedDuration::from_mins(10)).unwrap(),
        };
        let id = message.id;
        let unit = self.store.write(move |tx| {
            let message = message.clone();
            async move { tx.enqueue(&message).await }
        });
        unit.await.unwrap();
        id
    }

    pub(crate) fn send_through(&self, senders: Senders) -> Running {
        let worker = Worker {
            store: self.store.clone(),
            clock: self.clock.clone(),
            senders,
            writer: Box::new(|message| Ok(rendered(message))),
            is_stopped_by_rollback: Box::new(|| false),
        };
        let (stop, stopped) = watch::channel(false);
        Running { task: tokio::spawn(async move { worker.run(stopped).await }), stop }
    }

    /// Waits until a message is in a state.
    pub(crate) async fn until(&self, id: MessageId, reached: impl Fn(&MessageState) -> bool) -> MessageState {
        let look = async {
            loop {
                let state = self.store.message_state(id).await.unwrap().unwrap();
                if reached(&state) {
                    return state;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), look).await.unwrap()
    }

    /// Waits until what is queued for a channel is to be tried in so many seconds of the office's clock, and up to a quarter
    /// of them later.
    pub(crate) async fn tries_again_in(&self, channel: Channel, seconds: i64) {
        let due = async |seconds| {
            let then = self.clock.now().checked_add(SignedDuration::from_secs(seconds)).unwrap();
            self.store.are_messages_due(channel, then).await.unwrap()
        };
        let look = async {
            while due(seconds - 1).await || !due(with_jitter(seconds)).await {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), look).await.unwrap();
    }

    /// As far as a wait of so many seconds may reach.
    pub(crate) fn wait_out(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(with_jitter(seconds)));
    }

    /// What became of a message when it is over: its reason, or none where it was sent.
    pub(crate) async fn end_of(&self, id: MessageId) -> Option<String> {
        let over = |state: &MessageState| matches!(state.status, MessageStatus::Sent | MessageStatus::Failed);
        self.until(id, over).await.last_error
    }

    /// The reason why a message waits for another attempt.
    pub(crate) async fn delay_of(&self, id: MessageId) -> String {
        let state = self.until(id, |state| state.last_error.is_some()).await;
        assert_eq!(state.status, MessageStatus::Sending);
        state.last_error.unwrap()
    }

    /// Waits until one of several messages waits for this reason.
    pub(crate) async fn until_one(&self, ids: &[MessageId], reason: &str) {
        let look = async {
            loop {
                for id in ids {
                    let state = self.store.message_state(*id).await.unwrap().unwrap();
                    if state.last_error.as_deref() == Some(reason) {
                        return;
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), look).await.unwrap();
    }

    pub(crate) async fn is_erased(&self) -> bool {
        let left: Result<_, StoreError> = self.store.newest_messages(10).await;
        left.unwrap().is_empty()
    }
}

pub(crate) fn mail() -> MessageBody {
    let to = EmailAddress::parse("alice@demo.example").unwrap();
    MessageBody::Email {
        to,
        mail: Mail::PasswordExpires { days: 7, link: "https://id.practice.example/".to_owned() },
    }
}

pub(crate) fn number() -> E164 {
    E164::parse(TO).unwrap()
}

fn code() -> OneTimeCodeText {
    OneTimeCodeText { digits: "402918".to_owned(), minutes: 10 }
}

pub(crate) fn text() -> MessageBody {
    MessageBody::Text { to: number(), code: code() }
}

pub(crate) fn call() -> MessageBody {
    MessageBody::Call { to: number(), code: code() }
}

fn rendered(message: &Message) -> Rendered {
    match &message.body {
        MessageBody::Email { to, .. } => {
            let email = Email {
                subject: "Your password expires — soon".to_owned(),
                text: "Seven days are left.".to_owned(),
                html: "<p>Seven days are left.</p>".to_owned(),
            };
            Rendered::Email { to: to.clone(), email }
        }
        MessageBody::Unaddressed { .. } => Rendered::Unaddressed,
        MessageBody::Text { to, code } => {
            Rendered::Text { to: to.clone(), body: format!("code {} & more", code.digits) }
        }
        MessageBody::Notice { to, notice } => {
            Rendered::Text { to: to.clone(), body: notice.kind().as_str().to_owned() }
        }
        MessageBody::Call { to, code } => {
            let words = CallScript {
                prompt: "Press <any> key.".to_owned(),
                code_spoken: code.digits.clone(),
                again: "Again?".to_owned(),
                goodbye: "Goodbye.".to_owned(),
            };
            let script = Script { language: "en-US", words };
            Rendered::Call { to: to.clone(), script }
        }
    }
}
