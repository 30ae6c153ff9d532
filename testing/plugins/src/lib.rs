//! The first-party plugins as they are shipped, in a real sandbox, with what the
//! daemon would grant them: one check or delivery in one line.
//!
//! It knows nothing of what the plugins do: the tests start servers, and compare
//! what comes out in words.

mod notice;
mod program;
mod rig;
mod trial;
mod words;

pub use notice::{affected, notice};
pub use program::{Inetd, Program, Workplace, find, is_root};
pub use rig::{authority, bundled, load, run};
pub use trial::Trial;
pub use words::{of_check, of_delivery};

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use watchkeeper_sandbox::Notice;

/// Any free port of this machine.
pub const ANY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// What came of one check of `target` with `config`, a JSON object.
pub async fn check(probe: &str, target: &str, config: &str) -> String {
    Trial::new(probe, config).check_in_words(target).await
}

/// What came of one delivery of `notice` with `config`, a JSON object.
pub async fn deliver(notifier: &str, config: &str, notice: Notice) -> String {
    Trial::new(notifier, config).deliver_in_words(notice).await
}

/// Says that a test leaves something out, in the form that `cargo xtask test`
/// collects.
#[expect(clippy::print_stdout, reason = "it is read from the test's output")]
pub fn skip(what_and_why: &str) {
    println!("SKIPPED: {what_and_why}");
}
