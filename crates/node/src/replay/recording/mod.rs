//! A recording of a reference node: the files of one folder, read into types.
//!
//! Only `genesis.json` and `blocks.jsonl` must be there; of everything else, what is there is read. A file may be
//! compressed (`.gz`). Rows may lack keys and may have more than are named here: what a row does not say is not compared.
//! Whatever cannot be read is an error that names file and line.

mod block;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use chain::genesis::Document;
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

pub(crate) use block::Block;

use super::error::ReplayError;
use crate::limits::RECORDING_LINE_BYTES as LINE_BYTES;

/// Everything that was recorded.
#[derive(Debug)]
pub(crate) struct Recording {
    /// The genesis document.
    pub(crate) genesis: Document,
    /// Blocks with their results, contiguous.
    pub(crate) blocks: Vec<Block>,
    /// Transactions that were sent, in order.
    pub(crate) sent: Vec<Sent>,
    /// gRPC calls.
    pub(crate) queries: Vec<Query>,
    /// REST exchanges.
    pub(crate) rest: Vec<Rest>,
    /// JSON-RPC exchanges.
    pub(crate) rpc: Vec<Rpc>,
    /// WebSocket frames.
    pub(crate) frames: Vec<Frame>,
    /// Exported states.
    pub(crate) exports: Vec<Export>,
    /// Files that are not there.
    pub(crate) missing: Vec<&'static str>,
}

/// A transaction that was sent, or came into a block some other way.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sent {
    /// What the recorder wanted with it.
    #[serde(default)]
    pub(crate) intent: Option<String>,
    /// The RPC method it was sent by.
    #[serde(default)]
    pub(crate) broadcast: Option<String>,
    /// Height of the node when it was sent.
    #[serde(default)]
    pub(crate) sent_after_height: Option<i64>,
    /// The answer of CheckTx, inside that of the RPC method.
    #[serde(default)]
    pub(crate) check_tx: Option<Value>,
    /// The JSON-RPC error, when there was one.
    #[serde(default)]
    pub(crate) rpc_error: Option<Value>,
    /// What became of it.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) result: Inclusion,
    /// The bytes.
    #[serde(rename = "tx_hex", with = "hex_text")]
    pub(crate) tx: Vec<u8>,
    /// Line in its file.
    #[serde(skip)]
    pub(crate) line: usize,
}

impl Sent {
    /// Whether a block holds it.
    pub(crate) fn is_included(&self) -> bool {
        self.result.included == Some(true) || self.result.height.is_some()
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Inclusion {
    /// Whether a block holds it.
    #[serde(default)]
    pub(crate) included: Option<bool>,
    /// The block's height.
    #[serde(default)]
    pub(crate) height: Option<i64>,
}

/// A gRPC call and its answer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Query {
    /// The height asked for, or that of the node; none for "now, after everything".
    #[serde(default)]
    pub(crate) height: Option<i64>,
    /// Path of the method.
    pub(crate) method: String,
    /// Encoded request.
    #[serde(rename = "request_hex", default, with = "hex_text")]
    pub(crate) request: Vec<u8>,
    /// Encoded response; empty with an error.
    #[serde(rename = "response_hex", default, with = "hex_text")]
    pub(crate) response: Vec<u8>,
    /// Status.
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) grpc_code: i32,
    /// Text of the status.
    #[serde(default)]
    pub(crate) grpc_message: Option<String>,
    /// Metadata, initial and trailing.
    #[serde(default)]
    pub(crate) response_headers: Option<Vec<(String, String)>>,
    /// What was special about the call.
    #[serde(default)]
    pub(crate) note: Option<String>,
    /// Line in its file.
    #[serde(skip)]
    pub(crate) line: usize,
}

/// A REST exchange.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Rest {
    /// Path and query.
    pub(crate) path: String,
    /// HTTP method; GET when absent.
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// Header `x-cosmos-block-height` of the request.
    #[serde(default)]
    pub(crate) request_height: Option<i64>,
    /// Body of the request.
    #[serde(default)]
    pub(crate) request_body: Option<String>,
    /// HTTP status.
    #[serde(default)]
    pub(crate) status: Option<u16>,
    /// Headers of the response.
    #[serde(default)]
    pub(crate) headers: Option<serde_json::Map<String, Value>>,
    /// Body of the response.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// Whether the body was cut.
    #[serde(default)]
    pub(crate) truncated: Option<bool>,
    /// Line in its file.
    #[serde(skip)]
    pub(crate) line: usize,
}

/// A JSON-RPC exchange over HTTP.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Rpc {
    /// Height of the node; none for "after everything".
    #[serde(default)]
    pub(crate) height: Option<i64>,
    /// `GET` or `POST`; told by the request when absent.
    #[serde(default)]
    pub(crate) kind: Option<String>,
    /// A path for GET; an object or raw text for POST.
    pub(crate) request: Value,
    /// HTTP status.
    #[serde(default)]
    pub(crate) status: Option<u16>,
    /// Body of the response.
    #[serde(default)]
    pub(crate) body: Option<String>,
    /// Whether the body was cut.
    #[serde(default)]
    pub(crate) truncated: Option<bool>,
    /// Line in its file.
    #[serde(skip)]
    pub(crate) line: usize,
}

/// A WebSocket frame.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Frame {
    /// Which connection.
    pub(crate) conn: String,
    /// `c2s` or `s2c`.
    pub(crate) dir: String,
    /// The text.
    pub(crate) frame: String,
    /// Height of the node when it was seen.
    #[serde(default)]
    pub(crate) height: Option<i64>,
    /// Line in its file.
    #[serde(skip)]
    pub(crate) line: usize,
}

/// An exported state.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    /// Height of the state.
    pub(crate) height: i64,
    /// The document.
    pub(crate) document: Value,
    /// Name of the file.
    pub(crate) file: String,
}

impl Recording {
    /// Reads a folder.
    ///
    /// # Errors
    /// [`ReplayError::File`] and [`ReplayError::Row`].
    pub(crate) fn read(folder: &Path) -> Result<Self, ReplayError> {
        let mut missing = Vec::new();
        let path = folder.join("genesis.json");
        let genesis_text = text(&path)?;
        let genesis = Document::parse(&genesis_text)
            .map_err(|error| ReplayError::row(&path, error_line(&error.reason), error))?;
        let blocks = blocks(folder, &genesis)?;
        let sent = optional(folder, "txs.jsonl", &mut missing, |row: &mut Sent| {
            &mut row.line
        })?;
        let queries = optional(folder, "queries.jsonl", &mut missing, |row: &mut Query| {
            &mut row.line
        })?;
        let rest = optional(folder, "rest.jsonl", &mut missing, |row: &mut Rest| {
            &mut row.line
        })?;
        let rpc = optional(folder, "rpc.jsonl", &mut missing, |row: &mut Rpc| {
            &mut row.line
        })?;
        let frames = optional(
            folder,
            "websocket.jsonl",
            &mut missing,
            |row: &mut Frame| &mut row.line,
        )?;
        let exports = exports(&folder.join("exports"), &mut missing)?;
        Ok(Self {
            genesis,
            blocks,
            sent,
            queries,
            rest,
            rpc,
            frames,
            exports,
            missing,
        })
    }

    /// Height of the last block.
    pub(crate) fn last_height(&self) -> i64 {
        self.blocks.last().map_or(0, |block| block.height)
    }
}

fn blocks(folder: &Path, genesis: &Document) -> Result<Vec<Block>, ReplayError> {
    let Some(path) = find(folder, "blocks.jsonl") else {
        let path = folder.join("blocks.jsonl");
        let source = std::io::Error::new(
            std::io::ErrorKind::NotFound,
            "missing, and no blocks.jsonl.gz either: a recording has one of them beside its genesis.json",
        );
        return Err(ReplayError::File { path, source });
    };
    let mut blocks = Vec::new();
    let mut next = genesis.initial_height.value();
    for (line, row) in rows::<Value>(&path)? {
        let block = Block::read(row).map_err(|reason| ReplayError::row(&path, line, reason))?;
        if block.height != next {
            let reason = format!("block {} where {next} must follow", block.height);
            return Err(ReplayError::row(&path, line, reason));
        }
        next = next.saturating_add(1);
        blocks.push(block);
    }
    Ok(blocks)
}

fn exports(folder: &Path, missing: &mut Vec<&'static str>) -> Result<Vec<Export>, ReplayError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            missing.push("exports");
            return Ok(Vec::new());
        }
        Err(source) => {
            let path = folder.to_owned();
            return Err(ReplayError::File { path, source });
        }
    };
    let mut exports = Vec::new();
    for entry in entries {
        let path = entry
            .map_err(|source| ReplayError::File {
                path: folder.to_owned(),
                source,
            })?
            .path();
        let file = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let file = file.unwrap_or_default();
        let height = file
            .strip_prefix("height-")
            .and_then(|rest| rest.split('.').next())
            .and_then(|height| height.parse().ok());
        // Other files may lie beside.
        let Some(height) = height else { continue };
        let text = text(&path)?;
        let document = serde_json::from_str(&text)
            .map_err(|error| ReplayError::row(&path, error.line(), error))?;
        exports.push(Export {
            height,
            document,
            file,
        });
    }
    exports.sort_by_key(|export| export.height);
    Ok(exports)
}

/// The line that a message of serde_json names.
fn error_line(reason: &str) -> usize {
    let after = reason.rsplit_once("at line ").map_or("", |(_, rest)| rest);
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap_or(1)
}

/// The file of a name, compressed or not.
fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    [folder.join(format!("{name}.gz")), folder.join(name)]
        .into_iter()
        .find(|path| path.exists())
}

fn optional<T: DeserializeOwned>(
    folder: &Path,
    name: &'static str,
    missing: &mut Vec<&'static str>,
    line_of: impl Fn(&mut T) -> &mut usize,
) -> Result<Vec<T>, ReplayError> {
    let Some(path) = find(folder, name) else {
        missing.push(name);
        return Ok(Vec::new());
    };
    let numbered = rows::<T>(&path)?.into_iter();
    Ok(numbered
        .map(|(line, mut row)| {
            *line_of(&mut row) = line;
            row
        })
        .collect())
}

fn reader(path: &Path) -> Result<Box<dyn Read>, ReplayError> {
    let file = File::open(path).map_err(|source| ReplayError::File {
        path: path.to_owned(),
        source,
    })?;
    Ok(if path.extension().is_some_and(|end| end == "gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    })
}

fn text(path: &Path) -> Result<String, ReplayError> {
    let mut text = String::new();
    reader(path)?
        .take(LINE_BYTES)
        .read_to_string(&mut text)
        .map_err(|source| ReplayError::File {
            path: path.to_owned(),
            source,
        })?;
    Ok(text)
}

/// Rows with their lines, counted from 1. Empty lines are no rows.
fn rows<T: DeserializeOwned>(path: &Path) -> Result<Vec<(usize, T)>, ReplayError> {
    let mut reader = BufReader::new(reader(path)?);
    let mut rows = Vec::new();
    let mut buffer = Vec::new();
    for line in 1.. {
        buffer.clear();
        let read = (&mut reader)
            .take(LINE_BYTES)
            .read_until(b'\n', &mut buffer);
        let read = read.map_err(|error| ReplayError::row(path, line, error))?;
        if read == 0 {
            break;
        }
        if buffer.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let row =
            serde_json::from_slice(&buffer).map_err(|error| ReplayError::row(path, line, error))?;
        rows.push((line, row));
    }
    Ok(rows)
}

/// A value; `null` is the default.
fn or_default<'de, D: Deserializer<'de>, T>(de: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(de)?.unwrap_or_default())
}

/// Bytes as hex text; `null` is empty.
mod hex_text {
    use serde::{Deserialize, Deserializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(de: D) -> Result<Vec<u8>, D::Error> {
        let text = Option::<String>::deserialize(de)?.unwrap_or_default();
        hex::decode(text).map_err(serde::de::Error::custom)
    }
}
