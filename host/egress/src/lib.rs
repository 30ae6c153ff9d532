//! The only way out of the sandbox.
//!
//! Egress knows grants, names, addresses and bytes, and nothing of WebAssembly.
//! One [`gate::Gate`] stands before each run: it holds what the run was granted,
//! the addresses it may reach, the names it has resolved and what it has spent.
//! Every way out ([`http`], [`tls`], [`icmp`], [`dns`], and raw sockets by
//! [`gate::Gate::permits`]) asks that gate, so that a rule is written once.
//!
//! A name is checked first, then each address that it resolves to, and the
//! connection goes to the very address that was checked: a name cannot be bound
//! to another address between the check and the connect.

pub mod address;
pub mod dns;
pub mod gate;
pub mod grants;
pub mod host;
pub mod http;
pub mod icmp;
pub mod reason;
pub mod resolver;
mod target;
pub mod tls;
