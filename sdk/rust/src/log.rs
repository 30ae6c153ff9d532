//! Lines in the host's log, under the plugin's name. The host keeps 100 lines a
//! run and 1 KiB of each, and takes secrets out of them.

use crate::bindings::log::{Level, log};

/// What helps whoever writes the plugin.
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, message.as_ref());
}

/// Something asked for was done.
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, message.as_ref());
}

/// Something went wrong and was mended.
pub fn warn(message: impl AsRef<str>) {
    log(Level::Warn, message.as_ref());
}

/// Something went wrong that the operator must mend.
pub fn error(message: impl AsRef<str>) {
    log(Level::Error, message.as_ref());
}
