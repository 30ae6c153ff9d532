//! What an import reads, and why it may fail.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The largest text that is read, in bytes. A backup of a thousand monitors has
/// three million.
const MAX_TEXT: u64 = 64 << 20;

/// The most files of one folder.
const MAX_FILES: usize = 1_000;

/// What is to be read.
#[derive(Clone, Debug)]
pub struct Input {
    /// Where it is.
    pub source: Source,
    /// Variables of the environment by name, for the values that the foreign
    /// file takes from there and that are no secrets, such as host names. May be
    /// empty; what is missing is reported.
    pub environment: BTreeMap<String, String>,
}

/// Where a configuration is.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file; for Gatus also a folder of them.
    Path(PathBuf),
    /// A text, with the name that it goes by in the report.
    Text {
        /// The name of the file that it stands for.
        name: String,
        /// What stands in it; UTF-8, or the import fails.
        bytes: Vec<u8>,
    },
}

impl Input {
    /// A file or folder.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self {
            source: Source::Path(path.into()),
            environment: BTreeMap::new(),
        }
    }

    /// A text with the name of the file that it stands for.
    pub fn text(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            source: Source::Text {
                name: name.into(),
                bytes: bytes.into(),
            },
            environment: BTreeMap::new(),
        }
    }

    /// With these variables of the environment.
    #[must_use]
    pub fn with_environment(mut self, environment: BTreeMap<String, String>) -> Self {
        self.environment = environment;
        self
    }

    /// How it is called in the report.
    pub(crate) fn name(&self) -> String {
        match &self.source {
            Source::Path(path) => path.display().to_string(),
            Source::Text { name, .. } => name.clone(),
        }
    }

    /// The one text that it stands for.
    pub(crate) fn single(&self) -> Result<(String, String), ImportError> {
        match &self.source {
            Source::Path(path) => Ok((path.display().to_string(), text_of(path)?)),
            Source::Text { name, bytes } => Ok((name.clone(), utf8(name, bytes.clone())?)),
        }
    }

    /// The texts that it stands for: those files of a folder, and of the folders
    /// in it, whose names end in one of these, in the order of their names.
    pub(crate) fn several(
        &self,
        extensions: &[&str],
    ) -> Result<Vec<(String, String)>, ImportError> {
        let Source::Path(path) = &self.source else {
            return Ok(vec![self.single()?]);
        };
        if !path.is_dir() {
            return Ok(vec![self.single()?]);
        }
        let mut files = Vec::new();
        gather(path, extensions, 8, &mut files)?;
        if files.is_empty() {
            let wanted = extensions.join(" or *.");
            return Err(ImportError::new(
                path.display().to_string(),
                format!("the folder holds no *.{wanted} file"),
                "name the file itself",
            ));
        }
        files.sort();
        let read = |file: &PathBuf| Ok((file.display().to_string(), text_of(file)?));
        files.iter().map(read).collect()
    }
}

/// Why an import failed: the file cannot be read at all. Displays as
/// `FILE:LINE: WHAT` and, on a second line, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// The file.
    pub file: String,
    /// The line, from 1 on, where one can be named.
    pub line: Option<u32>,
    /// What is wrong, in lower case and without a full stop.
    pub what: String,
    /// What to do about it.
    pub instead: String,
}

impl ImportError {
    pub(crate) fn new(
        file: impl Into<String>,
        what: impl Into<String>,
        instead: impl Into<String>,
    ) -> Self {
        Self {
            file: file.into(),
            line: None,
            what: what.into(),
            instead: instead.into(),
        }
    }

    pub(crate) fn at(mut self, line: Option<u32>) -> Self {
        self.line = line;
        self
    }
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}\n  help: {}", self.what, self.instead)
    }
}

impl std::error::Error for ImportError {}

fn unreadable(path: &Path, error: &io::Error) -> ImportError {
    ImportError::new(
        path.display().to_string(),
        format!("cannot be read: {error}"),
        "check the path and that this user may read it",
    )
}

fn text_of(path: &Path) -> Result<String, ImportError> {
    let name = path.display().to_string();
    if path.is_dir() {
        let instead = "name the file in it";
        return Err(ImportError::new(name, "is a folder", instead));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    file.take(MAX_TEXT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    utf8(&name, bytes)
}

fn utf8(name: &str, bytes: Vec<u8>) -> Result<String, ImportError> {
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_TEXT) {
        let instead = "split it, or check that it is the right file";
        return Err(ImportError::new(name, "is larger than 64 MiB", instead));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let lines = before.split(|byte| *byte == b'\n').count();
        ImportError::new(
            name,
            "is not UTF-8 text here",
            "check that it is the right file, and save it as UTF-8",
        )
        .at(u32::try_from(lines).ok())
    })?;
    // Editors on Windows begin files with a mark that is no part of the text.
    Ok(text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text))
}

fn gather(
    folder: &Path,
    extensions: &[&str],
    depth: usize,
    files: &mut Vec<PathBuf>,
) -> Result<(), ImportError> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, &error))?.path();
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        // A mounted ConfigMap keeps older versions in hidden folders.
        if path.file_name().is_some_and(hidden) {
            continue;
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            if depth > 0 {
                gather(&path, extensions, depth - 1, files)?;
            }
        } else if extension.is_some_and(|it| extensions.contains(&it)) {
            files.push(path);
        }
        if files.len() > MAX_FILES {
            return Err(ImportError::new(
                folder.display().to_string(),
                format!("holds more than {MAX_FILES} files"),
                "name a folder that holds nothing else",
            ));
        }
    }
    Ok(())
}
