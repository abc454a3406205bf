//! A server that is killed again and again while people and applications use it. Whatever it has answered for stays true:
//! passwords, locks, sessions, what was spent, the trail; and every message it has promised goes out.
//!
//! The server is the binary as it is shipped, with mail and texts going to doubles in this process. People take their
//! pages as they come, and reload when no answer came. The moments of the kills come from a seed that is printed;
//! `ANTEROOM_TEST_SEED` repeats one, and `ANTEROOM_TEST_KILLS` changes how many there are.
#![cfg(test)]

mod cluster;
mod ledger;
mod node_clock;
mod people;
mod post;
mod postgres_crash;
mod postgres_standby;
mod scenario;
mod server;
mod torture;
mod verdict;
mod walk;

use anteroom_crypto::Random;
use anteroom_testkit::{Backend, on_both_databases};
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

use people::Person;
use scenario::Scenario;
use server::{Installation, Server};

on_both_databases!(what_was_answered_for_outlives_fifty_kills);

const KILLS: u32 = 50;
/// People who do something at the same time.
const AT_ONCE: usize = 6;
/// More than the kills leave time for.
const PEOPLE: u32 = 100;
/// Answers of a life before its kill comes due, at most.
const LIVELY: u32 = 40;
/// The kill comes within so many microseconds after that, in the middle of whatever is under way.
const MOMENT: u32 = 20_000;

async fn what_was_answered_for_outlives_fifty_kills(backend: Backend) {
    let kills = number("ANTEROOM_TEST_KILLS").unwrap_or(KILLS);
    let post = post::Post::open().await;
    let installation = Installation::new(tempfile::tempdir().unwrap(), backend.url(), &post);
    let seed = seed();
    note(&format!("{kills} kills"));
    let scenario = Scenario::new(&installation, post);
    let mut load = Load::begin(installation, scenario, seed).await;
    let random = Random::seeded(seed.into());
    for life in 1..=kills {
        load.answers(1 + random.below(LIVELY)).await;
        tokio::time::sleep(Duration::from_micros(random.below(MOMENT).into())).await;
        load.kill_and_start_again().await;
        load.scenario.live_again(life);
    }
    load.end().await;
}

/// A server at work: people who use it, and what must be true at the end.
struct Load {
    installation: Installation,
    scenario: Arc<Scenario>,
    server: Server,
    actors: JoinSet<Vec<Person>>,
}

impl Load {
    async fn begin(installation: Installation, scenario: Scenario, seed: u32) -> Self {
        let invited = installation.invite(PEOPLE).await;
        let scenario = Arc::new(scenario);
        let mut people: Vec<Person> =
            invited.into_iter().map(|(number, id)| Person::new(&scenario, number, id, seed)).collect();
        people.reverse();
        let server = Server::start(&installation).await;
        let waiting = Arc::new(Mutex::new(people));
        let mut actors = JoinSet::new();
        for _ in 0..AT_ONCE {
            actors.spawn(act(Arc::clone(&scenario), Arc::clone(&waiting)));
        }
        Self { installation, scenario, server, actors }
    }

    /// Until so many more answers have come. A person who finds something untrue ends the test.
    async fn answers(&mut self, more: u32) {
        let scenario = Arc::clone(&self.scenario);
        self.until(scenario.answers(more)).await;
    }

    async fn until(&mut self, what: impl Future<Output = ()>) {
        tokio::select! {
            () = what => {}
            Some(Err(failed)) = self.actors.join_next() => resume_unwind(failed.into_panic()),
        }
    }

    async fn kill_and_start_again(&mut self) {
        self.server.kill();
        self.server = Server::start(&self.installation).await;
    }

    /// The installation as it is left, with everything judged.
    async fn end(self) -> Installation {
        self.scenario.stop();
        let mut acquainted = Vec::new();
        for mut done in self.actors.join_all().await {
            acquainted.append(&mut done);
        }
        verdict::of_the_living(&mut acquainted).await;
        self.server.stop();
        self.installation.send_the_rest(&self.scenario.post).await;
        verdict::of_the_records(&self.installation, &self.scenario, &acquainted);
        self.installation
    }
}

/// Repeats a run where the variable names one.
fn seed() -> u32 {
    let seed = number("ANTEROOM_TEST_SEED").unwrap_or_else(|| Random::system().below(u32::MAX));
    note(&format!("ANTEROOM_TEST_SEED={seed}"));
    seed
}

/// One after another lives through what people live through, until it is over.
async fn act(scenario: Arc<Scenario>, waiting: Arc<Mutex<Vec<Person>>>) -> Vec<Person> {
    let mut done = Vec::new();
    while !scenario.is_stopping() {
        let next = waiting.lock().unwrap().pop();
        let mut person = next.unwrap_or_else(|| panic!("there are too few people for so many kills"));
        person.live().await;
        done.push(person);
    }
    done
}

fn number(variable: &str) -> Option<u32> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

/// Shown when a test fails, and with `--nocapture`.
#[expect(clippy::print_stdout, reason = "a seed is of use only where it can be read")]
fn note(text: &str) {
    println!("{text}");
}
