//! Reading configuration and writing files that must be whole.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

/// Reads a TOML file. The error names the file, the line and the key.
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

/// Adds the line to an error about a value: of its dotted key, in every table of an array of tables that has it.
pub(crate) fn at_line(file: &Path, key: &str, error: impl std::error::Error) -> anyhow::Error {
    let text = fs::read_to_string(file).unwrap_or_default();
    let parts: Vec<&str> = key.split('.').collect();
    let mut offsets = Vec::new();
    if let Ok(table) = DeTable::parse(&text) {
        find(table.get_ref(), &parts, &mut offsets);
    }
    let line = |offset: usize| {
        text.bytes()
            .take(offset)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    };
    let mut lines: Vec<usize> = offsets.into_iter().map(line).collect();
    lines.sort_unstable();
    let lines: Vec<String> = lines.into_iter().map(|line| line.to_string()).collect();
    if lines.is_empty() {
        return anyhow!("{error}");
    }
    anyhow!("{error} (line {})", lines.join(" or "))
}

/// Where the keys of this path begin.
fn find(table: &DeTable<'_>, path: &[&str], offsets: &mut Vec<usize>) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    for (key, value) in table.iter().filter(|(key, _)| key.get_ref() == first) {
        match value.get_ref() {
            _ if rest.is_empty() => offsets.push(key.span().start),
            DeValue::Table(inner) => find(inner, rest, offsets),
            DeValue::Array(list) => {
                for item in list.iter() {
                    if let DeValue::Table(inner) = item.get_ref() {
                        find(inner, rest, offsets);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Writes a file whole or not at all: a reader never sees half of it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let partial = path.with_extension("partial");
    let write = || -> std::io::Result<()> {
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .create(true)
            .write(true)
            .truncate(true)
            .mode(mode)
            .open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Writes a TOML file with a line that says what it is, unless it exists: people edit these.
pub(crate) fn write_toml_once(
    path: &Path,
    about: &str,
    value: &impl serde::Serialize,
) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let text = format!("# {about}\n{}", toml::to_string(value)?);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    write_atomically(path, text.as_bytes(), 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_every_line_its_value_may_stand_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.toml");
        fs::write(
            &file,
            "a = 1\n[[s]]\nid = 1\n\n[[s]]\nid = 2\n[t]\nid = 3\n",
        )
        .unwrap();
        let text = |key: &str| at_line(&file, key, std::fmt::Error).to_string();
        assert!(text("a").ends_with("(line 1)"), "{}", text("a"));
        assert!(text("s.id").ends_with("(line 3 or 6)"), "{}", text("s.id"));
        assert!(text("t.id").ends_with("(line 8)"), "{}", text("t.id"));
        assert!(!text("none").contains("line"));
    }
}
