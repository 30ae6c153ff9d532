//! Servers that fail on demand, for the tests and the demo.
//!
//! Each is a real server on a real port: what a probe meets here it meets in the
//! same form in the world. None of them knows anything of Watchkeeper. Every one
//! stops when its handle is dropped, and takes its open connections with it.
//!
//! - [`HttpTarget`]: an HTTP server with a path for each peculiarity, and a switch
//!   for what `/` answers; [`ControlPage`] is that switch as a web page.
//! - [`FileTarget`]: files under paths, over HTTP or TLS, guarded or cut off.
//! - [`TcpTarget`]: echoes, closes, hangs or resets.
//! - [`TlsTarget`]: certificates that are expired, for another name, signed by nobody.
//! - [`DnsTarget`]: a name server over UDP and TCP with a table of names.
//! - [`Receiver`]: records webhooks and answers them in a programmable sequence.

pub mod dns;
pub mod files;
pub mod http;
pub mod tcp;
pub mod tls;
pub mod webhook;

mod control;
mod listening;
mod payload;

pub use control::ControlPage;
pub use dns::{DnsTarget, Entry, Zone};
pub use files::{Asked, Content, FileTarget, Served};
pub use http::{Fault, HttpTarget};
pub use tcp::{TcpBehaviour, TcpTarget};
pub use tls::{Authority, Identity, TlsKind, TlsTarget};
pub use webhook::{Answer, Received, Receiver};
