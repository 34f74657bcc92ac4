//! Every limit of this crate, each with how the number was found.

/// Pairs read from the store in one go while walking a prefix. Large enough that the seek is amortised, small enough
/// that a walk which stops early reads little: 256 pairs of about 300 bytes are 75 KiB.
pub const SCAN_CHUNK: usize = 256;

/// Page size of a query without page request: the SDK's.
pub const PAGE_DEFAULT: u64 = 100;

/// Characters of a denomination: the SDK's pattern `[a-zA-Z][a-zA-Z0-9/:._-]{2,127}`.
pub const DENOM_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;

/// Longest life of an unordered transaction in nanoseconds: the SDK's ten minutes.
pub const UNORDERED_TTL_NANOS: i128 = 600 * 1_000_000_000;

/// Gas for the nonce of an unordered transaction, each signer: the SDK's.
pub const UNORDERED_GAS: u64 = 2_240;

/// Messages inside of one `MsgExec`, all levels and itself counted: what the SDK unpacks.
pub const AUTHZ_MESSAGES_MAX: u32 = 100;

/// Levels of `MsgExec` inside of one another, the innermost message counted: what the SDK unpacks.
pub const AUTHZ_NESTING_MAX: u32 = 10;

/// Gas for each entry of the queue of expirations that is looked at: the SDK's.
pub const AUTHZ_QUEUE_GAS: u64 = 20;

/// Gas for each entry of an authorization's list that is looked at: the SDK's.
pub const AUTHZ_LIST_GAS: u64 = 10;

/// Expired fee allowances removed at the end of one block: the SDK's.
pub const FEEGRANT_PRUNED_MAX: usize = 200;

/// Expired fee allowances removed by one message: the SDK's.
pub const FEEGRANT_PRUNED_BY_MESSAGE_MAX: usize = 75;

/// Rows of the state that one query may read. On MainNet the largest answer, all suppliers without a page limit, reads
/// 5,250 suppliers with about 15 services each and two records a service: 165,000. A million rows take about two seconds.
pub const QUERY_ROWS_MAX: u64 = 1_000_000;

/// Gas that a simulation may use where the chain itself bounds no transaction: ten times the dearest one that our own
/// networks allow, and about two seconds of work.
pub const SIMULATE_GAS_MAX: u64 = 1_200_000_000;

/// Bytes of a transaction that are looked at at all. CometBFT's mempool takes 1 MiB by default and LocalNet 100 MB; a
/// transaction cannot be larger than a block, whose template is 63 MiB.
pub const TX_BYTES_MAX: usize = 66_060_288;

/// Most that a block may be allowed to have, in bytes: CometBFT's 100 MiB.
pub const BLOCK_BYTES_MAX: i64 = 104_857_600;

/// Gas for each candidate of a session that a message asks for. Drawing from 100,000 candidates takes some 0.1 s the
/// first time, once for the block's claims of that session together; 10 gas each make a claim there cost what writing
/// 30 KiB does.
pub const SESSION_CANDIDATE_GAS: u64 = 10;

/// Candidates of all services together that a process remembers: 70 bytes each, hence 70 MB; MainNet has 5,000 suppliers
/// of 80 services (chain specification 8.2), 100,000 entries.
pub const CANDIDATES_REMEMBERED: usize = 1_000_000;

/// Drawn sessions that a process remembers, 50 operators or 4 KiB each: 33 MB. MainNet has some 200 pairs of application
/// and service, and claims ask for sessions that ended up to two sessions ago.
pub const DRAWS_REMEMBERED: usize = 8_192;

/// Highest gas limit of one transaction: the SDK's 2^63 - 1.
pub const GAS_LIMIT_MAX: u64 = 9_223_372_036_854_775_807;

/// Versions of the state that are kept by default: 1,000 blocks, more than twice the longest claim life cycle.
pub const KEEP_RECENT: u64 = 1_000;

/// Superseded entries dropped in one commit, so that lowering `keep_recent` does not make one commit take minutes: a
/// settlement block of 3,000 claims supersedes about 60,000.
pub const PRUNE_PER_COMMIT: usize = 200_000;

/// Memory of the store's page cache: 256 MiB holds the whole state of MainNet's size (5,000 suppliers, 300 services).
pub const STORE_CACHE_BYTES: usize = 256 * 1_024 * 1_024;

/// Bytes that a missing signature is charged for in a simulation: a signature, its key and their wrapping, as the SDK.
pub const SIMULATED_SIGNATURE_BYTES: u64 = 64 + 33 + 16;

/// Gas that a missing fee is charged for in a simulation: the transfer of one coin from an account that exists to the fee
/// collector costs 14,000 to 16,000. Wallets simulate without a fee and add two fifths to what that used; of a plain transfer
/// the fee is more than that.
pub const SIMULATED_FEE_GAS: u64 = 16_000;

/// Characters of a service id: the reference's.
pub const MAX_SERVICE_ID_CHARS: usize = 42;

/// Characters of a service name: the reference's.
pub const MAX_SERVICE_NAME_CHARS: usize = 169;

/// Compute units of one relay: the reference's 2 times 2^20.
pub const MAX_COMPUTE_UNITS_PER_RELAY: u64 = 2_097_152;

/// Bytes of the card of a service or a gateway: the reference's 256 KiB.
pub const MAX_METADATA_CARD_BYTES: usize = 262_144;

/// Smallest spend limit of an application a session, in upokt: the reference's 1 POKT.
pub const MIN_SPEND_LIMIT_UPOKT: u64 = 1_000_000;

/// Tables of ring members and key images kept for verifying proofs, 43 KiB each: 44 MiB hold the rings of some 200
/// applications with one gateway, more than MainNet has (chain specification 8.2).
pub const RING_TABLES: usize = 1_024;

/// Largest bonus multiplier for over-served applications: the reference's.
pub const MAX_OVERSERVICING_BONUS_MULTIPLIER: u64 = 1_000;

/// Bytes of a chunk of a snapshot. CometBFT sends 16 MB at most in one message; 4 MiB keep what a broken peer costs small,
/// and 32,768 chunks suffice for 128 GiB.
pub const SNAPSHOT_CHUNK_BYTES: usize = 4 * 1_024 * 1_024;

/// Chunks of a snapshot: their hashes must fit into CometBFT's 4 MB for a snapshot's description.
pub const SNAPSHOT_CHUNKS: usize = 32_768;

/// Bytes of a key or a value in a snapshot: nothing larger than a block can be in the state.
pub const SNAPSHOT_VALUE_BYTES: usize = 128 * 1_024 * 1_024;

/// Pairs of a snapshot put into the tree together: their nodes take about 20 MB while it is updated.
pub const IMPORT_PAIRS: usize = 16_384;

/// Bytes of a validator's name: the SDK's.
pub const MONIKER_BYTES: usize = 70;

/// Bytes of a validator's identity: the SDK's.
pub const IDENTITY_BYTES: usize = 3_000;

/// Bytes of a validator's website: the SDK's.
pub const WEBSITE_BYTES: usize = 140;

/// Bytes of a validator's security contact: the SDK's.
pub const SECURITY_CONTACT_BYTES: usize = 140;

/// Bytes of what a validator says of itself: the SDK's.
pub const DETAILS_BYTES: usize = 280;
