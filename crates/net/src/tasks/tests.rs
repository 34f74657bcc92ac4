use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const SOON: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_shutdown_asks_and_waits() {
    let tasks = Tasks::new();
    let ended = Arc::new(AtomicBool::new(false));
    let (inside, flag) = (tasks.clone(), ended.clone());
    tasks.spawn(async move {
        inside.cancelled().await;
        tokio::task::yield_now().await;
        flag.store(true, Ordering::SeqCst);
    });
    assert_eq!(tasks.len(), 1);
    tasks.shutdown(SOON).await.unwrap();
    assert!(ended.load(Ordering::SeqCst));
    assert!(tasks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_will_not_end_is_dropped_and_reported() {
    let tasks = Tasks::new();
    let deaf = tasks.spawn(std::future::pending::<()>());
    let error = tasks.shutdown(SOON).await.unwrap_err();
    assert!(
        matches!(error, NetError::ShutdownTimeout { left: 1, .. }),
        "{error}"
    );
    assert_eq!(deaf.await, Err(TaskError::Dropped));
}

#[tokio::test]
async fn a_child_ends_alone_and_a_parent_ends_its_children() {
    let parent = Tasks::new();
    let (one, two) = (parent.child(), parent.child());
    for child in [&one, &two] {
        let scope = child.clone();
        child.spawn(async move { scope.cancelled().await });
    }
    assert_eq!((parent.len(), one.len(), two.len()), (2, 1, 1));
    one.shutdown(SOON).await.unwrap();
    assert_eq!((parent.len(), two.len()), (1, 1));
    assert!(!parent.is_cancelled() && !two.is_cancelled());
    parent.shutdown(SOON).await.unwrap();
    assert!(two.is_cancelled() && two.is_empty());
}

#[tokio::test]
async fn results_panics_and_aborts_reach_the_handle() {
    let tasks = Tasks::new();
    assert_eq!(tasks.spawn(async { 7 }).await, Ok(7));
    assert_eq!(tasks.spawn_blocking(|| 8).await, Ok(8));
    let bug = tasks.spawn(async { panic!("a bug") }).await;
    assert_eq!(
        bug,
        Err::<(), _>(TaskError::Panicked {
            message: "a bug".to_owned()
        })
    );
    let pending = tasks.spawn(std::future::pending::<()>());
    pending.abort();
    assert_eq!(pending.await, Err(TaskError::Dropped));
    assert!(tasks.is_empty());
}
