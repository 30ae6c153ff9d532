//! What one run may use, and what it is told when it wants more.

use std::fmt;

use watchkeeper_egress::reason::duration;

/// The largest linear memory that a limit can grant, in bytes: the size of one
/// slot of the instance pool.
pub const MAX_MEMORY: usize = 64 << 20;

/// The most table elements that a limit can grant: the size of one slot of the
/// instance pool. Interpreters compiled to WebAssembly need tens of thousands.
pub const MAX_TABLE_ELEMENTS: usize = 50_000;

/// What one run of a plugin may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory in bytes, all memories of the instance together; what
    /// exceeds [`MAX_MEMORY`] counts as that.
    pub memory: usize,
    /// Time on a processor. Waiting costs nothing.
    pub cpu: std::time::Duration,
    /// Lines of log; more are counted, not kept.
    pub log_lines: usize,
    /// Bytes of one line of log; the rest of a longer one is cut off.
    pub log_line: usize,
    /// Connections opened, of every kind together.
    pub connections: usize,
    /// Bytes of one HTTP response's body.
    pub body: u64,
    /// Bytes sent and received, of every kind together.
    pub traffic: u64,
    /// Characters of a reason; the rest of a longer one is cut off, because a
    /// verdict must not be lost for its wording.
    pub reason: usize,
    /// Measurements of one reading; more are left out, and the log says so.
    pub measurements: usize,
    /// Bytes of keys and values that outlive the run.
    pub state: usize,
    /// Elements of all tables together; what exceeds [`MAX_TABLE_ELEMENTS`]
    /// counts as that.
    pub table_elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 32 << 20,
            cpu: std::time::Duration::from_secs(1),
            log_lines: 100,
            log_line: 1 << 10,
            connections: 16,
            body: 4 << 20,
            traffic: 16 << 20,
            reason: 500,
            measurements: 64,
            state: 64 << 10,
            table_elements: MAX_TABLE_ELEMENTS,
        }
    }
}

/// The limit that ended a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitHit {
    /// More linear memory than this many bytes.
    Memory(usize),
    /// More table elements than this.
    TableElements(usize),
    /// More time on a processor than this.
    Cpu(std::time::Duration),
    /// Still running after this, without waiting on the network.
    Time(std::time::Duration),
    /// More connections than this.
    Connections(usize),
    /// A response body of more than this many bytes.
    Body(u64),
    /// More bytes sent and received than this.
    Traffic(u64),
    /// Something that the host holds for the guest, beyond a bound that nobody
    /// needs to raise: which, in words.
    Fixed(&'static str),
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory(bytes) => write!(
                f,
                "used more than {} of memory (limit `memory`)",
                Size(*bytes as u64)
            ),
            Self::TableElements(count) => {
                write!(
                    f,
                    "used more than {count} table elements (limit `table_elements`)"
                )
            }
            Self::Cpu(time) => write!(
                f,
                "used more than {} of processor time (limit `cpu`)",
                duration(*time)
            ),
            Self::Time(time) => {
                write!(f, "still ran after {} (limit `timeout`)", duration(*time))
            }
            Self::Connections(count) => {
                write!(
                    f,
                    "opened more than {count} connections (limit `connections`)"
                )
            }
            Self::Body(bytes) => {
                write!(
                    f,
                    "received a body of more than {} (limit `body`)",
                    Size(*bytes)
                )
            }
            Self::Traffic(bytes) => {
                write!(
                    f,
                    "sent and received more than {} (limit `traffic`)",
                    Size(*bytes)
                )
            }
            Self::Fixed(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for LimitHit {}

/// Bytes in the largest unit that keeps them whole.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        match bytes {
            0 => f.write_str("0 bytes"),
            _ if bytes.is_multiple_of(1 << 20) => write!(f, "{} MiB", bytes >> 20),
            _ if bytes.is_multiple_of(1 << 10) => write!(f, "{} KiB", bytes >> 10),
            _ => write!(f, "{bytes} bytes"),
        }
    }
}

/// Bounds of what the host itself holds for one instance. Honest guests stay far
/// below them; a guest that meets one is ended.
pub(crate) mod fixed {
    /// Entries of the host's resource table: streams, sockets, pollables, header
    /// maps. (wasmtime's own default is 1,000,000.)
    pub(crate) const RESOURCES: usize = 512;
    /// Handles that the component's own tables hold. (Default 100,000.)
    pub(crate) const HANDLES: usize = 1_000;
    /// Bytes that one call copies from the guest to the host. (Default 128 MiB.)
    pub(crate) const CALL_BYTES: usize = 4 << 20;
    /// Bytes of randomness in one call. (Default 64 MiB.)
    pub(crate) const RANDOM_BYTES: u64 = 64 << 10;
    /// Bytes of one HTTP header map. (Default 128 KiB.)
    pub(crate) const HEADER_BYTES: usize = 64 << 10;
    /// Chunks of a request body that wait to be sent, and bytes of each. (Default
    /// 1 and 1 MiB.)
    pub(crate) const BODY_CHUNKS: usize = 1;
    /// See [`BODY_CHUNKS`].
    pub(crate) const BODY_CHUNK_BYTES: usize = 64 << 10;
    /// Core instances of one component: JavaScript and Python guests link about
    /// forty.
    pub(crate) const INSTANCES: usize = 60;
    /// Tables of one component.
    pub(crate) const TABLES: usize = 40;
    /// Memories of one component.
    pub(crate) const MEMORIES: usize = 20;
    /// Bytes of a key of the state.
    pub(crate) const STATE_KEY_BYTES: usize = 128;
    /// Different names that a run looks up.
    pub(crate) const NAMES: u32 = 64;
    /// Host calls that a run remembers; more are only made.
    pub(crate) const CALLS_KEPT: usize = 64;
    /// Refusals that a run remembers.
    pub(crate) const DENIALS_KEPT: usize = 16;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_names_the_figure_and_the_setting() {
        assert_eq!(
            LimitHit::Memory(32 << 20).to_string(),
            "used more than 32 MiB of memory (limit `memory`)"
        );
        assert_eq!(
            LimitHit::Cpu(std::time::Duration::from_secs(1)).to_string(),
            "used more than 1 s of processor time (limit `cpu`)"
        );
        assert_eq!(
            LimitHit::Traffic(1500).to_string(),
            "sent and received more than 1500 bytes (limit `traffic`)"
        );
    }
}
