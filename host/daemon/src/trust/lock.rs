//! `plugins.lock`: the component files that an operator accepted.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// The largest lock that is read, in bytes: some ten thousand plugins.
const MAX_BYTES: u64 = 4 << 20;

/// What every lock begins with.
const HEAD: &str = "\
# The plugins that were accepted, by the SHA-256 of their files. Written by
# `watchkeeper plugin install`, `update`, `remove` and `lock`; keep it with the
# configuration. It is enforced where `[plugins] locked = true`.
";

/// The accepted component files, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    #[serde(default, rename = "plugin", skip_serializing_if = "Vec::is_empty")]
    entries: Vec<Locked>,
}

/// One accepted component file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Locked {
    /// The name that it describes itself with.
    pub(crate) name: String,
    /// The version that it describes itself with.
    pub(crate) version: String,
    /// The file's name in the plugins folder.
    pub(crate) file: String,
    /// The file's digest, in lower-case hexadecimal.
    pub(crate) sha256: String,
    /// What it was installed from; `local` for a file that somebody put there.
    pub(crate) source: String,
    /// The capabilities that it asked for when it was accepted.
    #[serde(default)]
    pub(crate) asks: Vec<String>,
    /// The hosts that it asked for when it was accepted.
    #[serde(default)]
    pub(crate) hosts: Vec<String>,
    /// The trusted minisign key that had signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signer: Option<String>,
}

impl Lock {
    /// Reads a lock, or says what is wrong with it in words that follow its path.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "is missing".to_owned(),
            _ => format!("cannot be read: {error}"),
        })?;
        if metadata.len() > MAX_BYTES {
            return Err(format!("has more than {} MiB", MAX_BYTES >> 20));
        }
        let text = fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
        Self::parse(&text)
    }

    /// As [`Lock::read`]; a lock that is missing is an empty one.
    pub(crate) fn read_or_empty(path: &Path) -> anyhow::Result<Self> {
        if !path.try_exists().unwrap_or(true) {
            return Ok(Self::default());
        }
        Self::read(path).map_err(|problem| anyhow::anyhow!("{} {problem}", path.display()))
    }

    /// Writes the lock in one step: whoever reads it sees all of it, or what was
    /// there before.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = format!("{HEAD}{}", self.spelled_out()?);
        write_whole(path, text.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The entries, in the order of their names.
    pub(crate) fn entries(&self) -> &[Locked] {
        &self.entries
    }

    /// The entry of a file of the plugins folder.
    pub(crate) fn of_file(&self, file: &str) -> Option<&Locked> {
        self.entries.iter().find(|entry| entry.file == file)
    }

    /// The entry of the plugin that describes itself as `name`.
    pub(crate) fn of_plugin(&self, name: &str) -> Option<&Locked> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Adds an entry in place of those of the same file or name.
    pub(crate) fn put(&mut self, entry: Locked) {
        self.entries
            .retain(|other| other.file != entry.file && other.name != entry.name);
        self.entries.push(entry);
        self.entries.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// Takes the entry of a file out.
    pub(crate) fn remove_file(&mut self, file: &str) {
        self.entries.retain(|entry| entry.file != file);
    }

    fn parse(text: &str) -> Result<Self, String> {
        let lock: Self = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .and_then(|span| text.get(..span.start))
                .map_or(1, |before| before.matches('\n').count() + 1);
            format!("is wrong in line {line}: {}", error.message())
        })?;
        for entry in &lock.entries {
            let is_digest = entry.sha256.len() == 64
                && entry
                    .sha256
                    .bytes()
                    .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            if !is_digest {
                return Err(format!(
                    "is wrong: the sha256 of `{}` is no digest in lower-case hexadecimal",
                    entry.file
                ));
            }
        }
        let mut files: Vec<&str> = lock
            .entries
            .iter()
            .map(|entry| entry.file.as_str())
            .collect();
        files.sort_unstable();
        let twice = files
            .iter()
            .zip(files.iter().skip(1))
            .find(|(one, next)| one == next);
        match twice {
            Some((file, _)) => Err(format!("is wrong: it names {file} twice")),
            None => Ok(lock),
        }
    }

    fn spelled_out(&self) -> anyhow::Result<String> {
        let mut text = String::new();
        for entry in &self.entries {
            text.push_str("\n[[plugin]]\n");
            text.push_str(&toml::to_string(entry)?);
        }
        Ok(text)
    }
}

/// Writes a file so that no reader ever sees half of it, and so that it is on the
/// disk when this returns.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A name that no look at the plugins folder takes for a component.
    let partial = folder.join(format!(".{name}.{}.partial", fastrand::u64(..)));
    let written = (|| {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        fs::File::open(folder)?.sync_all()
    })();
    if written.is_err() {
        // What is left over is never loaded; it only takes room.
        _ = fs::remove_file(&partial);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str) -> Locked {
        Locked {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            file: format!("{name}.wasm"),
            sha256: "0".repeat(64),
            source: "local".to_owned(),
            asks: vec!["http".to_owned(), "dns".to_owned()],
            hosts: Vec::new(),
            signer: None,
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugins.lock");
        assert_eq!(Lock::read(&path), Err("is missing".to_owned()));
        assert_eq!(Lock::read_or_empty(&path).unwrap(), Lock::default());
        let mut lock = Lock::default();
        lock.put(entry("queue"));
        lock.put(Locked {
            signer: Some("RW".to_owned()),
            ..entry("a")
        });
        lock.write(&path).unwrap();
        assert_eq!(Lock::read(&path).unwrap(), lock);
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains(
                "\n[[plugin]]\nname = \"a\"\nversion = \"0.1.0\"\nfile = \"a.wasm\"\nsha256 = \"000"
            ),
            "{text}"
        );
        assert!(
            text.contains("asks = [\"http\", \"dns\"]\nhosts = []\n"),
            "{text}"
        );
        lock.put(Locked {
            version: "0.2.0".to_owned(),
            ..entry("queue")
        });
        assert_eq!(lock.entries().len(), 2);
        lock.remove_file("queue.wasm");
        assert!(lock.of_plugin("queue").is_none());
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, said) in [
            ("[[plugin]]\nname = 1\n", "is wrong in line 2"),
            ("[[plugin]]\nnmae = \"a\"\n", "is wrong in line 2"),
            (
                "[[plugin]]\nname=\"a\"\nversion=\"1\"\nfile=\"a.wasm\"\nsha256=\"0\"\nsource=\"\"\n",
                "the sha256 of `a.wasm`",
            ),
        ] {
            let problem = Lock::parse(text).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
        }
        let mut twice = Lock::default();
        twice.put(entry("a"));
        let text = twice.spelled_out().unwrap().repeat(2);
        assert!(Lock::parse(&text).unwrap_err().contains("a.wasm twice"));
    }
}
