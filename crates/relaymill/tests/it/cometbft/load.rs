//! Transfers from one account, sent to one node after the other, until told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::cosmos::bank::v1beta1::MsgSend;
use serde_json::json;

use super::wallet::{Wallet, upokt};
use crate::support::chain::Chain;

/// Transfers a second: enough that no block is empty, little enough for two cores that run a dozen processes.
const PAUSE: Duration = Duration::from_millis(50);

/// A thread that sends.
pub(super) struct Load {
    stop: Arc<AtomicBool>,
    accepted: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Load {
    /// Sends from `wallet` to itself by way of `node`, which must stay up.
    pub(super) fn start(mut wallet: Wallet, node: Chain) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let accepted = Arc::new(AtomicUsize::new(0));
        let (stopping, counted) = (Arc::clone(&stop), Arc::clone(&accepted));
        let thread = std::thread::spawn(move || {
            let message = MsgSend {
                from_address: wallet.address(),
                to_address: wallet.address(),
                amount: vec![upokt(1)],
            };
            while !stopping.load(Ordering::Relaxed) {
                let bytes = wallet.sign(&message);
                let answer = node.try_call(
                    "broadcast_tx_sync",
                    &json!({ "tx": STANDARD.encode(bytes) }),
                );
                match answer {
                    Ok(answer) if answer["code"] == 0 => {
                        counted.fetch_add(1, Ordering::Relaxed);
                    }
                    // The sequence was not used up; what became of the others is looked at again.
                    _ => wallet.resume(&node),
                }
                std::thread::sleep(PAUSE);
            }
        });
        Self {
            stop,
            accepted,
            thread: Some(thread),
        }
    }

    /// Stops, and tells how many transfers the node accepted.
    pub(super) fn stop(mut self) -> usize {
        self.end();
        self.accepted.load(Ordering::Relaxed)
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.end();
    }
}
