//! Every limit of this crate, each with how the number was found.

use std::time::Duration;

/// Transactions waiting at most: CometBFT's default.
pub const MEMPOOL_TXS: usize = 5_000;

/// Bytes waiting at most: CometBFT's default of 1 GiB would hold 16 full blocks; 256 MiB are four of our largest.
pub const MEMPOOL_BYTES: usize = 256 * 1024 * 1024;

/// Transactions of one first signer waiting at most, so that one account cannot fill the mempool. A supplier sends one
/// transaction a session; a faucet at full speed some hundred a block.
pub const MEMPOOL_PER_SENDER: usize = 500;

/// Bytes of one transaction. LocalNet's 100 MB would not fit into a block; the chain itself reads no more than this.
pub const TX_BYTES: usize = chain::limits::TX_BYTES_MAX;

/// Hashes of transactions seen, so that a repetition is refused cheaply: CometBFT's default.
pub const MEMPOOL_CACHE: usize = 10_000;

/// Bytes of a block that its transactions may not take: header (626), commit of one validator (203), framing (22),
/// rounded up.
pub const BLOCK_OVERHEAD: i64 = 2_048;

/// Bytes of a block where the chain sets no limit: CometBFT's.
pub const BLOCK_BYTES: i64 = 104_857_600;

/// Requests to the driver that wait while it makes a block. A settlement block takes under a second, in which a
/// thousand senders may ask.
pub const DRIVER_QUEUE: usize = 4_096;

/// Memory of the block store's page cache. Readers mostly want the latest blocks; the rest is on disk.
pub const STORE_CACHE_BYTES: usize = 64 * 1024 * 1024;

/// Blocks that a search without an indexed condition looks through, newest first: some seconds of work.
pub const SEARCH_BLOCKS: u64 = 20_000;

/// Transactions or blocks that a search collects before it is cut into pages.
pub const SEARCH_RESULTS: usize = 100_000;

/// Entries of a page: CometBFT's.
pub const PAGE_MAX: usize = 100;

/// Pages of 100 validators asked of CometBFT: its largest set has 10,000.
pub const VALIDATOR_PAGES: u32 = 100;

/// Entries of a page that does not say: CometBFT's.
pub const PAGE_DEFAULT: usize = 30;

/// Block metas in one answer of `blockchain`: CometBFT's.
pub const BLOCK_METAS: i64 = 20;

/// Bytes of an RPC or gRPC request: the reference's (chain specification 6.6).
pub const REQUEST_BYTES: u64 = 100_000_000;

/// Bytes of the questions in one reflection stream. A question has some dozen bytes; grpcurl asks a few hundred at most.
pub const REFLECTION_BYTES: u64 = 1_000_000;

/// Requests in one JSON-RPC batch. Clients batch a handful.
pub const BATCH: usize = 100;

/// How long `broadcast_tx_commit` waits for its block: CometBFT's.
pub const BROADCAST_COMMIT: Duration = Duration::from_secs(10);

/// Subscriptions of one connection: CometBFT allows 5 a client; two relay miners of ours may share a proxy.
pub const SUBSCRIPTIONS: usize = 16;

/// Characters of a query: CometBFT's 512.
pub const QUERY_CHARS: usize = 512;

/// Bytes of a frame that a WebSocket client may send: a transaction in base64 and its envelope.
pub const FRAME_BYTES: usize = 2 * TX_BYTES;

/// Pings on a silent WebSocket: the reference sends one every 27 s.
pub const WEBSOCKET_PING: Duration = Duration::from_secs(27);

/// A WebSocket that has answered nothing for this long is gone: a bit more than three pings.
pub const WEBSOCKET_SILENCE: Duration = Duration::from_secs(90);

/// A gRPC or RPC connection without a request is kept this long: clients of POKT hold one for days and ping it, and
/// reconnecting costs them a failed call.
pub const CONNECTION_IDLE: Duration = Duration::from_secs(24 * 3_600);

/// Bytes of one ABCI message: CometBFT's own limit of 100 MiB, which a block of its largest size fits into.
pub const ABCI_FRAME_BYTES: usize = 104_857_600;

/// Queries and simulations of the state that run at the same time: they keep 8 cores busy with one waiting for each, and
/// no client can take every thread of the node.
pub const QUERIES_AT_ONCE: usize = 16;

/// Queries that wait for a turn: a miner of 1,000 suppliers and a gateway of 200 applications ask for each of theirs at a
/// block, in under a second at 0.2 ms a query.
pub const QUERIES_WAITING: usize = 4_096;

/// ABCI connections at the same time: CometBFT opens four, a second one that takes over after a restart four more.
pub const ABCI_CONNECTIONS: usize = 16;

/// How long the rest of an ABCI frame may take, and an answer to be taken: both ends are on one machine.
pub const ABCI_STALL: Duration = Duration::from_secs(30);

/// Bytes of answers that wait for a flush. A recheck of 5,000 transactions answers with about 300 KiB.
pub const ABCI_OUTPUT_BYTES: usize = 256 * 1024;

/// Room made for each read of an ABCI connection: a proposal arrives in a few reads, an idle connection costs little.
pub const ABCI_READ_BYTES: usize = 64 * 1024;

/// Snapshots made every so many blocks unless configured: at five seconds a block one in about 80 minutes.
pub const SNAPSHOT_INTERVAL: u64 = 1_000;

/// Snapshots kept unless configured: one that peers may be fetching while the next is written.
pub const SNAPSHOTS_KEPT: usize = 2;

/// Bytes of a line of a recording. The largest recorded block with its results has 200 kB; a settlement of 6,000 claims
/// comes to some 100 MB (chain specification 8.2).
pub const RECORDING_LINE_BYTES: u64 = 1 << 30;

/// Where a node with blocks of its own says that it listens for peers: nowhere. CosmJS refuses a status without an address.
pub const NO_PEERS: &str = "tcp://127.0.0.1:0";
