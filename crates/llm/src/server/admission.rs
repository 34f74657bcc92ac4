//! Who may generate now, who waits, who is sent away.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::openai::ApiError;

/// A bounded number of slots with a bounded queue in front, first come first served.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    /// Everybody inside: generating or waiting.
    places: Arc<Semaphore>,
    /// Those generating. Tokio's semaphore is fair, so it is the queue too.
    slots: Arc<Semaphore>,
}

/// The right to generate, given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _slot: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
}

impl Admission {
    pub(super) fn new(slots: usize, waiting: usize) -> Self {
        let slots = slots.clamp(1, Semaphore::MAX_PERMITS / 2);
        let places = slots + waiting.min(Semaphore::MAX_PERMITS / 2);
        Self {
            places: Arc::new(Semaphore::new(places)),
            slots: Arc::new(Semaphore::new(slots)),
        }
    }

    /// Waits for a slot. Dropping the future gives the place in the queue up.
    pub(super) async fn enter(&self) -> Result<Permit, ApiError> {
        let full = || ApiError::busy("the server is generating as much as it can; try again soon");
        let place = self
            .places
            .clone()
            .try_acquire_owned()
            .map_err(|_| full())?;
        let slot = self.slots.clone().acquire_owned().await;
        let slot = slot.map_err(|_| ApiError::unavailable("the server is shutting down"))?;
        Ok(Permit {
            _slot: slot,
            _place: place,
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_and_in_order() {
        let admission = Admission::new(1, 2);
        let first = admission.enter().await.unwrap();
        let (mut second, mut third) = (Box::pin(admission.enter()), Box::pin(admission.enter()));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        assert_eq!(admission.enter().await.unwrap_err().status, 429);
        drop(first);
        assert!((&mut third).now_or_never().is_none(), "the second is first");
        let second = second.await.unwrap();
        drop(second);
        assert!(third.await.is_ok());
    }

    #[tokio::test]
    async fn one_who_leaves_the_queue_makes_room() {
        let admission = Admission::new(1, 1);
        let _first = admission.enter().await.unwrap();
        let mut waiting = Box::pin(admission.enter());
        assert!((&mut waiting).now_or_never().is_none());
        assert!(admission.enter().await.is_err());
        drop(waiting);
        assert!(
            Box::pin(admission.enter()).now_or_never().is_none(),
            "waits, is not refused"
        );
    }
}
