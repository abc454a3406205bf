use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{Keyring, Random, passwords::Argon2Memory};

const STRANGER: QueueKey = QueueKey::Prefix(1);
const KNOWN: QueueKey = QueueKey::KnownDevice(1);

fn hasher() -> Arc<PasswordHasher> {
    Arc::new(PasswordHasher::cheap_for_tests(&Keyring::for_tests(1), Random::seeded(2)))
}

fn size(workers: usize, queue: usize) -> PoolSize {
    PoolSize { workers: NonZeroUsize::new(workers).unwrap(), queue: NonZeroUsize::new(queue).unwrap() }
}

fn running() -> HashPool {
    HashPool::start(hasher(), size(2, 1000)).unwrap()
}

/// A pool whose jobs run only when the test says so.
fn by_hand(queue: usize) -> HashPool {
    HashPool::without_workers(hasher(), size(1, queue))
}

/// Runs everything that waits, as a worker would.
fn drain(pool: &HashPool) {
    pool.shared.close();
    pool.shared.work();
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn secret(text: &str) -> SecretString {
    text.into()
}

#[tokio::test]
async fn hashes_and_verifies() {
    let pool = running();
    let hash = pool.hash(STRANGER, &secret("one")).await.unwrap();
    let right = pool.verify(KNOWN, &secret("one"), Some(&hash)).await;
    assert_eq!(right, Ok(PasswordVerification::Match { outdated: false }));
    let wrong = pool.verify(STRANGER, &secret("two"), Some(&hash)).await;
    assert_eq!(wrong, Ok(PasswordVerification::Mismatch));
    assert_eq!(pool.queued(), 0);
}

#[tokio::test]
async fn other_work_waits_in_line_and_hands_its_answer_back() {
    let pool = running();
    assert_eq!(pool.run(QueueKey::Account(1), || 6 * 7).await, Ok(42));
    assert_eq!(pool.run(QueueKey::Account(1), || -> u8 { panic!("a defect") }).await, Err(PoolError::Lost));
    assert_eq!(pool.hasher().hashes_computed(), 0);
}

#[tokio::test]
async fn an_unknown_address_costs_one_hash_like_any_other() {
    let pool = running();
    assert_eq!(pool.verify(STRANGER, &secret("one"), None).await, Ok(PasswordVerification::Mismatch));
    assert_eq!(pool.hasher().hashes_computed(), 1);
}

#[tokio::test]
async fn an_unreadable_hash_is_an_error_of_its_own() {
    let pool = running();
    let hash = pool.hash(STRANGER, &secret("one")).await.unwrap().encode().replacen("v=1", "v=7", 1);
    let hash = PasswordHash::parse(&hash).unwrap();
    let verdict = pool.verify(STRANGER, &secret("one"), Some(&hash)).await;
    assert_eq!(verdict, Err(PoolError::Hash(HashError::UnknownPepper(7))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_served_to_the_last() {
    let pool = Arc::new(running());
    let tasks: Vec<_> = (0..400)
        .map(|number: u64| {
            let pool = Arc::clone(&pool);
            let lane = if number.is_multiple_of(3) { KNOWN } else { QueueKey::Prefix(number % 7) };
            tokio::spawn(async move { pool.verify(lane, &secret("one"), None).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(PasswordVerification::Mismatch));
    }
    assert_eq!(pool.hasher().hashes_computed(), 400);
    assert_eq!(pool.queued(), 0);
}

#[test]
fn a_full_queue_refuses_and_says_when_to_come_again() {
    let pool = by_hand(2);
    let password = secret("one");
    for lane in [STRANGER, KNOWN] {
        let mut waits = Box::pin(pool.verify(lane, &password, None));
        assert!(poll(waits.as_mut()).is_pending());
        let mut refused = pin!(pool.hash(lane, &password));
        let full = PoolFull { retry_after: Duration::from_secs(1) };
        assert_eq!(poll(refused.as_mut()), Poll::Ready(Err(PoolError::Full(full))));
        assert!(poll(waits.as_mut()).is_pending());
    }
}

#[test]
fn the_displaced_caller_learns_of_it_at_once() {
    let pool = by_hand(4);
    let password = secret("one");
    let mut first = pin!(pool.verify(STRANGER, &password, None));
    let mut second = pin!(pool.verify(STRANGER, &password, None));
    let mut newcomer = pin!(pool.verify(QueueKey::Prefix(2), &password, None));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    assert!(poll(newcomer.as_mut()).is_pending());
    assert!(matches!(poll(second.as_mut()), Poll::Ready(Err(PoolError::Full(_)))));
    drain(&pool);
    assert_eq!(poll(first.as_mut()), Poll::Ready(Ok(PasswordVerification::Mismatch)));
    assert_eq!(poll(newcomer.as_mut()), Poll::Ready(Ok(PasswordVerification::Mismatch)));
}

#[test]
fn what_nobody_waits_for_is_not_computed() {
    let pool = by_hand(8);
    let password = secret("one");
    let mut dropped = Box::pin(pool.verify(STRANGER, &password, None));
    let mut kept = pin!(pool.verify(STRANGER, &password, None));
    assert!(poll(dropped.as_mut()).is_pending());
    assert!(poll(kept.as_mut()).is_pending());
    assert_eq!(pool.queued(), 2);
    drop(dropped);
    drain(&pool);
    assert_eq!(poll(kept.as_mut()), Poll::Ready(Ok(PasswordVerification::Mismatch)));
    assert_eq!(pool.hasher().hashes_computed(), 1);
}

#[test]
fn callers_who_hung_up_keep_nobody_out() {
    let pool = by_hand(4);
    let password = secret("one");
    for prefix in [2, 3] {
        assert!(poll(pin!(pool.verify(QueueKey::Prefix(prefix), &password, None))).is_pending());
    }
    let mut newcomer = pin!(pool.verify(STRANGER, &password, None));
    assert!(poll(newcomer.as_mut()).is_pending());
    assert_eq!(pool.queued(), 1);
    drain(&pool);
    assert_eq!(poll(newcomer.as_mut()), Poll::Ready(Ok(PasswordVerification::Mismatch)));
}

#[test]
fn working_memory_is_kept_while_there_is_work_and_freed_after_it() {
    let pool = by_hand(8);
    let password = secret("one");
    let mut first = pin!(pool.hash(STRANGER, &password));
    let mut second = pin!(pool.hash(STRANGER, &password));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    pool.shared.close();

    let mut scratch = Argon2Memory::default();
    for _ in 0..2 {
        pool.shared.next(&mut scratch).unwrap().run(pool.hasher(), &mut scratch);
        assert!(scratch.is_held());
    }
    assert!(pool.shared.next(&mut scratch).is_none());
    assert!(!scratch.is_held());
}

#[test]
fn a_job_lost_by_its_worker_is_an_error_and_no_endless_wait() {
    let pool = by_hand(8);
    let password = secret("one");
    let mut waits = pin!(pool.hash(STRANGER, &password));
    assert!(poll(waits.as_mut()).is_pending());
    drop(pool.shared.next(&mut Argon2Memory::default()));
    assert_eq!(poll(waits.as_mut()), Poll::Ready(Err(PoolError::Lost)));
}

#[tokio::test]
async fn dropping_the_pool_ends_its_threads() {
    let hasher = hasher();
    let pool = HashPool::start(Arc::clone(&hasher), size(3, 10)).unwrap();
    pool.verify(STRANGER, &secret("one"), None).await.unwrap();
    drop(pool);
    assert_eq!(Arc::strong_count(&hasher), 1, "no thread holds it any more");
}

#[test]
fn addresses_share_a_lane_by_subscriber() {
    let lane = |text: &str| QueueKey::of_address(text.parse().unwrap());
    assert_eq!(lane("192.0.2.1"), lane("::ffff:192.0.2.1"));
    assert_ne!(lane("192.0.2.1"), lane("192.0.2.2"));
    assert_eq!(lane("2001:db8:1:2300::1"), lane("2001:db8:1:23ff:ffff::2"));
    assert_ne!(lane("2001:db8:1:2300::1"), lane("2001:db8:1:2400::1"));
}

#[test]
fn the_default_size_follows_the_cores() {
    let size = PoolSize::default();
    assert_eq!(size.workers, thread::available_parallelism().unwrap());
    assert_eq!(size.queue.get(), size.workers.get() * 128);
}
