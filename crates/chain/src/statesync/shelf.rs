//! Snapshots on disk: one folder each, named after height and format.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use prost::Message as _;
use tendermint_proto::v0_38::abci;

use super::{FORMAT, Manifest, stream};
use crate::error::ChainError;
use crate::limits;
use crate::store::{Recorded, Snapshot, View as _};

/// An immutable state and what is recorded about it: what a snapshot is made of. Holding one keeps its pages from being
/// reused, nothing else.
#[derive(Debug)]
pub struct Source {
    pub(crate) view: Snapshot,
    pub(crate) recorded: Recorded,
}

impl Source {
    /// Height of the state.
    pub fn height(&self) -> i64 {
        self.recorded.block.height
    }
}

/// The folder of a node's snapshots. Clones are the same folder.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    keep: usize,
}

impl Shelf {
    /// Opens a folder, making it if it is missing; `keep` newest snapshots stay in it. What a killed process left
    /// unfinished is removed.
    ///
    /// # Errors
    /// When the folder cannot be used.
    pub fn open(folder: &Path, keep: usize) -> Result<Self, ChainError> {
        let wrong = |error: io::Error| failed(folder, &error);
        fs::create_dir_all(folder).map_err(wrong)?;
        for entry in fs::read_dir(folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            if entry.file_name().to_string_lossy().starts_with("partial") {
                fs::remove_dir_all(entry.path()).map_err(wrong)?;
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            keep: keep.max(1),
        })
    }

    /// Heights of the finished snapshots, newest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn heights(&self) -> Result<Vec<i64>, ChainError> {
        let wrong = |error: io::Error| failed(&self.folder, &error);
        let mut heights: Vec<i64> = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(wrong)? {
            let name = entry.map_err(wrong)?.file_name();
            let name = name.to_string_lossy();
            let parts = name.split_once('-');
            if let Some((height, format)) = parts
                && format == FORMAT.to_string()
                && let Ok(height) = height.parse()
            {
                heights.push(height);
            }
        }
        heights.sort_unstable_by(|a, b| b.cmp(a));
        Ok(heights)
    }

    /// All finished snapshots as peers are told of them, newest first.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&self) -> Result<Vec<abci::Snapshot>, ChainError> {
        let mut list = Vec::new();
        for height in self.heights()? {
            let path = self.place(height).join("manifest");
            let metadata = fs::read(&path).map_err(|error| failed(&path, &error))?;
            let manifest = Manifest::decode(metadata.as_slice())
                .map_err(|error| ChainError::corrupt(path.display().to_string(), error))?;
            list.push(abci::Snapshot {
                height: u64::try_from(height).unwrap_or(0),
                format: FORMAT,
                chunks: u32::try_from(manifest.chunks.len()).unwrap_or(u32::MAX),
                hash: crypto::hash::sha256(&metadata).to_vec().into(),
                metadata: metadata.into(),
            });
        }
        Ok(list)
    }

    /// A chunk; `None` where there is none, for instance because a newer snapshot took its place meanwhile.
    pub fn chunk(&self, height: i64, format: u32, index: u32) -> Option<Vec<u8>> {
        if format != FORMAT {
            return None;
        }
        fs::read(self.place(height).join(index.to_string())).ok()
    }

    /// Writes a snapshot and removes those that are too many. Takes as long as reading the whole state does.
    ///
    /// # Errors
    /// When the store or the folder fails; then nothing is on the shelf.
    pub fn write(&self, source: &Source) -> Result<Manifest, ChainError> {
        let height = source.height();
        let partial = self.folder.join(format!("partial-{height}"));
        let wrong = |error: io::Error| failed(&partial, &error);
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(wrong)?;
        }
        fs::create_dir(&partial).map_err(wrong)?;
        let manifest = write_chunks(&partial, source)?;
        write_file(&partial.join("manifest"), &manifest.encode_to_vec()).map_err(wrong)?;
        let place = self.place(height);
        if !place.exists() {
            fs::rename(&partial, &place).map_err(wrong)?;
            // The rename itself must survive a power failure, or an old snapshot may be gone without a new one.
            File::open(&self.folder)
                .and_then(|folder| folder.sync_all())
                .map_err(wrong)?;
        }
        for old in self.heights()?.into_iter().skip(self.keep) {
            let place = self.place(old);
            fs::remove_dir_all(&place).map_err(|error| failed(&place, &error))?;
        }
        Ok(manifest)
    }

    fn place(&self, height: i64) -> PathBuf {
        self.folder.join(format!("{height}-{FORMAT}"))
    }
}

fn write_chunks(folder: &Path, source: &Source) -> Result<Manifest, ChainError> {
    let block = &source.recorded.block;
    let mut manifest = Manifest {
        chain_id: block.chain_id.clone(),
        height: block.height,
        seconds: block.time.seconds,
        nanos: block.time.nanos,
        block_hash: block.hash.clone(),
        root: source.recorded.root.to_vec(),
        pairs: 0,
        chunks: Vec::new(),
    };
    let mut buffer = Vec::new();
    let mut from: Option<Vec<u8>> = None;
    loop {
        let low = from.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let (view, limit) = (&source.view, limits::SCAN_CHUNK);
        let pairs = view.range(low, Bound::Unbounded, false, limit)?;
        for (key, value) in &pairs {
            stream::put(&mut buffer, key, value);
            manifest.pairs = manifest.pairs.saturating_add(1);
        }
        while buffer.len() >= limits::SNAPSHOT_CHUNK_BYTES {
            let rest = buffer.split_off(limits::SNAPSHOT_CHUNK_BYTES);
            write_chunk(folder, &mut manifest, &buffer)?;
            buffer = rest;
        }
        let Some((last, _)) = pairs.into_iter().next_back() else {
            break;
        };
        from = Some(last);
    }
    if !buffer.is_empty() || manifest.chunks.is_empty() {
        write_chunk(folder, &mut manifest, &buffer)?;
    }
    Ok(manifest)
}

fn write_chunk(folder: &Path, manifest: &mut Manifest, chunk: &[u8]) -> Result<(), ChainError> {
    let path = folder.join(manifest.chunks.len().to_string());
    write_file(&path, chunk).map_err(|error| failed(&path, &error))?;
    manifest.chunks.push(crypto::hash::sha256(chunk).to_vec());
    Ok(())
}

fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn failed(path: &Path, error: &io::Error) -> ChainError {
    ChainError::Store(format!("snapshot {}: {error}", path.display()))
}
