//! A server that is killed again and again while people and applications use it. Whatever it has answered for stays true:
//! passwords, locks, sessions, what was spent, the trail; and every message it has promised goes out.
//!
//! The server is the binary as it is shipped, with mail and texts going to doubles in this process. People take their
//! pages as they come, and reload when no answer came. The moments of the kills come from a seed that is printed;
//! `ANTEROOM_TEST_SEED` repeats one, and `ANTEROOM_TEST_KILLS` changes how many there are.
#![cfg(test)]

mod ledger;
mod people;
mod post;
mod server;
mod verdict;
mod walk;
mod world;

use anteroom_crypto::Random;
use anteroom_testkit::{Backend, on_both_databases};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

use people::Person;
use server::{Installation, Server};
use world::World;

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
    let seed = number("ANTEROOM_TEST_SEED").unwrap_or_else(|| Random::system().below(u32::MAX));
    let kills = number("ANTEROOM_TEST_KILLS").unwrap_or(KILLS);
    note(&format!("ANTEROOM_TEST_SEED={seed}, {kills} kills"));
    let post = post::Post::open().await;
    let installation = Installation::new(&backend, &post);
    let invited = installation.invite(PEOPLE).await;
    let world = Arc::new(World::new(&installation, post));
    let mut people: Vec<Person> =
        invited.into_iter().map(|(number, id)| Person::new(&world, (number, id), seed)).collect();
    people.reverse();
    let mut actors = JoinSet::new();
    let mut server = Server::start(&installation).await;
    let waiting = Arc::new(Mutex::new(people));
    for _ in 0..AT_ONCE {
        actors.spawn(act(Arc::clone(&world), Arc::clone(&waiting)));
    }
    let random = Random::seeded(seed.into());
    for life in 1..=kills {
        tokio::select! {
            () = world.answers(1 + random.below(LIVELY)) => {}
            Some(Err(failed)) = actors.join_next() => resume_unwind(failed.into_panic()),
        }
        tokio::time::sleep(Duration::from_micros(random.below(MOMENT).into())).await;
        server.kill();
        server = Server::start(&installation).await;
        world.live_again(life);
    }
    world.stop();
    let mut acquainted = Vec::new();
    for mut done in actors.join_all().await {
        acquainted.append(&mut done);
    }
    verdict::of_the_living(&mut acquainted).await;
    server.stop();
    installation.send_the_rest(&world.post).await;
    verdict::of_the_records(&installation, &world, &acquainted);
}

/// One after another lives through what people live through, until it is over.
async fn act(world: Arc<World>, waiting: Arc<Mutex<Vec<Person>>>) -> Vec<Person> {
    let mut done = Vec::new();
    while !world.is_stopping() {
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
