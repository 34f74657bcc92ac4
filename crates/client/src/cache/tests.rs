use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::*;
use crate::Error;

#[tokio::test]
async fn many_askers_are_one_question() {
    let cache = Cache::<u8, u32>::new(8);
    let asked = Arc::new(AtomicUsize::new(0));
    let gate = Arc::new(Notify::new());
    let ask = || {
        let (asked, gate) = (asked.clone(), gate.clone());
        cache.get(1, move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            gate.notified().await;
            Ok(7)
        })
    };
    let all = join_all((0..50).map(|_| ask()));
    let (answers, ()) = tokio::join!(all, async {
        tokio::task::yield_now().await;
        gate.notify_one();
    });
    assert!(answers.iter().all(|answer| matches!(answer, Ok(7))));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(matches!(ask().await, Ok(7)));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failure_is_shared_and_not_kept() {
    let cache = Cache::<u8, u32>::new(8);
    let asked = Arc::new(AtomicUsize::new(0));
    let failing = || {
        let asked = asked.clone();
        cache.get(1, move || async move {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            Err(Error::Closed)
        })
    };
    let (first, second) = tokio::join!(failing(), failing());
    assert!(first.is_err() && second.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(matches!(cache.get(1, || async { Ok(3) }).await, Ok(3)));
}

#[tokio::test]
async fn the_asker_may_leave_and_a_forgotten_flight_is_not_inherited() {
    let cache = Cache::<u8, u32>::new(8);
    {
        let stuck = cache.get(1, std::future::pending);
        tokio::pin!(stuck);
        assert!(stuck.as_mut().now_or_never().is_none());
    }
    assert!(matches!(cache.get(1, || async { Ok(4) }).await, Ok(4)));

    let gate = Arc::new(Notify::new());
    let waiting = gate.clone();
    let mut leader = Box::pin(cache.get(2, move || async move {
        waiting.notified().await;
        Ok(5)
    }));
    assert!((&mut leader).now_or_never().is_none());
    let follower = cache.get(2, || async { Err(Error::Closed) });
    tokio::pin!(follower);
    assert!(follower.as_mut().now_or_never().is_none());
    drop(leader);
    gate.notify_one();
    assert!(matches!(follower.await, Ok(5)));
}

#[tokio::test]
async fn the_bound_holds_and_what_is_used_stays() {
    let cache = Cache::<u32, u32>::new(100);
    for key in 0..10_000 {
        assert!(cache.get(key, move || async move { Ok(key) }).await.is_ok());
        assert!(matches!(
            cache.get(0, || async { Err(Error::Closed) }).await,
            Ok(0)
        ));
        assert!(cache.len() <= 100);
    }
}

#[tokio::test]
async fn what_may_change_is_not_kept() {
    let cache = Cache::<u8, Option<u8>>::new(8);
    let absent = cache
        .get_if(1, Option::is_some, || async { Ok(None) })
        .await;
    assert!(matches!(absent, Ok(None)));
    let present = cache
        .get_if(1, Option::is_some, || async { Ok(Some(2)) })
        .await;
    assert!(matches!(present, Ok(Some(2))));
    assert!(matches!(
        cache.get(1, || async { Err(Error::Closed) }).await,
        Ok(Some(2))
    ));
}
