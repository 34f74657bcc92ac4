//! Every socket: listeners, dialers, limits, deadlines and the tracked spawner.
//!
//! The other crates send and receive; whether, where to, how much and for how long is decided
//! here, so that no actor can forget it. What is sent never enters this crate.
//!
//! What must hold
//! - TCP_NODELAY is set on every accepted and every dialled socket;
//! - every await on the network has a deadline, every body and every head a size;
//! - every task is counted by a [`Tasks`] scope, and a shutdown waits for it;
//! - `clippy.toml` at the root of the workspace bans raw bind, connect and serve elsewhere.
//!
//! Start with [`listen()`] and [`serve()`] for the way in, [`Dialer`] and [`Client`] for the way out,
//! [`Tasks`] for what runs between.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod activity;
pub mod address;
pub mod body;
pub mod dial;
pub mod error;
pub mod host;
pub mod limits;
pub mod listen;
pub mod local;
pub mod serve;
pub mod stream;
pub mod tasks;
pub mod tls;

pub use address::{AddressPolicy, Refused};
pub use body::{LimitedBody, RequestBody, ResponseBody};
pub use dial::{Client, ClientOptions, Deadlines, DialOptions, Dialer, Version, connect_tcp};
pub use error::{BoxError, NetError, Side};
pub use host::HostCheck;
pub use listen::{Accepted, ListenLimits, Listener, listen};
pub use local::{LocalAddress, LocalListener, LocalStream, listen_local};
pub use serve::{Peer, ServeLimits, Server, serve};
pub use stream::Stream;
pub use tasks::{Task, TaskError, Tasks};
pub use tls::{Roots, ServerTls};
