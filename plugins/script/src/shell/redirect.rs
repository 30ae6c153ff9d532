//! Redirections: to nothing, between streams, and to files that are memory.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Interrupt, Shell, Stream, Streams};
use crate::syntax::{Redirect, RedirectKind};

/// How many files a script can have.
const MAX_FILES: usize = 64;

impl Shell<'_> {
    /// The streams that `redirects` ask for; none if one of them cannot be had,
    /// which has been said then.
    pub(super) fn redirected(
        &mut self,
        redirects: &[Redirect],
    ) -> Result<Option<Streams>, Interrupt> {
        let mut streams = self.streams.clone();
        for redirect in redirects {
            match self.redirect(redirect, &mut streams)? {
                Ok(()) => {}
                Err(what) => {
                    self.complain(&what)?;
                    return Ok(None);
                }
            }
        }
        Ok(Some(streams))
    }

    fn redirect(
        &mut self,
        redirect: &Redirect,
        streams: &mut Streams,
    ) -> Result<Result<(), String>, Interrupt> {
        let number = |implied| redirect.descriptor.unwrap_or(implied);
        let (descriptor, stream) = match &redirect.kind {
            RedirectKind::Read(file) => {
                let file = self.text_of(file)?;
                match self.read_file(&file) {
                    Ok(bytes) => (number(0), Some(Stream::input(bytes))),
                    Err(what) => return Ok(Err(what)),
                }
            }
            RedirectKind::Write(file) | RedirectKind::Append(file) => {
                let append = matches!(redirect.kind, RedirectKind::Append(_));
                let file = self.text_of(file)?;
                match self.open_file(&file, append) {
                    Ok(stream) => (number(1), Some(stream)),
                    Err(what) => return Ok(Err(what)),
                }
            }
            RedirectKind::Both { file, append } => {
                let file = self.text_of(file)?;
                match self.open_file(&file, *append) {
                    Ok(stream) => {
                        streams.set(2, Some(stream.clone()));
                        (1, Some(stream))
                    }
                    Err(what) => return Ok(Err(what)),
                }
            }
            RedirectKind::Duplicate { output, source } => {
                let source = self.text_of(source)?;
                let implied = usize::from(*output);
                if source == "-" {
                    (number(implied), None)
                } else if let Some(stream) = source
                    .parse()
                    .ok()
                    .and_then(|source: usize| streams.get(source).cloned())
                {
                    (number(implied), Some(stream))
                } else if *output && redirect.descriptor.is_none() && source.parse::<u8>().is_err()
                {
                    // `>& file` is `&> file`.
                    match self.open_file(&source, false) {
                        Ok(stream) => {
                            streams.set(2, Some(stream.clone()));
                            (1, Some(stream))
                        }
                        Err(what) => return Ok(Err(what)),
                    }
                } else {
                    return Ok(Err(format!("{source}: bad file descriptor")));
                }
            }
            RedirectKind::Text(word) => {
                let text = self.text_of(word)?;
                (number(0), Some(Stream::input(text.into_bytes())))
            }
            RedirectKind::Process(script) => {
                let (output, _) = self.capture(|shell| shell.script(script))?;
                (number(0), Some(Stream::input(output)))
            }
        };
        if !streams.set(descriptor, stream) {
            return Ok(Err(format!("{descriptor}: bad file descriptor")));
        }
        Ok(Ok(()))
    }

    /// What a file holds that the script wrote.
    pub(crate) fn read_file(&self, name: &str) -> Result<Vec<u8>, String> {
        match name {
            "/dev/null" => Ok(Vec::new()),
            "/dev/stdin" | "-" => Ok(self.read_input()),
            name => match self.shared.files.borrow().get(name) {
                Some(file) => Ok(file.borrow().clone()),
                None => Err(format!(
                    "{name}: No such file: there are only those that this script wrote"
                )),
            },
        }
    }

    /// All that is left of standard input.
    pub(crate) fn read_input(&self) -> Vec<u8> {
        match self.streams.get(0) {
            Some(Stream::Input(reader)) => reader.borrow_mut().rest(),
            _ => Vec::new(),
        }
    }

    /// A file to write to, made where there is none.
    pub(crate) fn open_file(&mut self, name: &str, append: bool) -> Result<Stream, String> {
        match name {
            "" => return Err("a file without a name cannot be written to".to_owned()),
            "/dev/null" => return Ok(Stream::Null),
            "/dev/stdout" => return Ok(self.streams.get(1).cloned().unwrap_or(Stream::Null)),
            "/dev/stderr" => return Ok(self.streams.get(2).cloned().unwrap_or(Stream::Null)),
            name if name.starts_with("/dev/") => {
                return Err(format!(
                    "{name}: cannot be opened: there are no devices here"
                ));
            }
            _ => {}
        }
        let mut files = self.shared.files.borrow_mut();
        if files.len() >= MAX_FILES && !files.contains_key(name) {
            return Err(format!("{name}: more than {MAX_FILES} files"));
        }
        let file = files.entry(name.to_owned()).or_default();
        if !append {
            // Who still reads the old one keeps it.
            *file = Rc::new(RefCell::new(Vec::new()));
        }
        Ok(Stream::Buffer(Rc::clone(file)))
    }
}
