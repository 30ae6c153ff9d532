//! What the hostile guest can be told to do.
//!
//! The guest does each deed of [`Deed`], and the tests of the sandbox name for each
//! the test that proves what the host makes of it. Both match over all of them, so
//! that a deed that nothing does, or nothing tests, does not compile. What is dialled
//! to get at a cloud's credentials is here too: [`METADATA`].

macro_rules! deeds {
    ($($(#[doc = $doc:literal])+ $deed:ident = $word:literal,)+) => {
        /// One way to behave, mostly badly.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Deed {
            $($(#[doc = $doc])+ $deed,)+
        }

        impl Deed {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$deed,)+];

            /// How the guest's configuration calls it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$deed => $word,)+
                }
            }
        }
    };
}

deeds! {
    /// Is healthy and does nothing.
    Nothing = "nothing",
    /// Is sick for the reason given.
    Sick = "sick",
    /// Is dead for the reason given.
    Dead = "dead",
    /// Is dead and does not say why.
    DeadWithoutReason = "dead without reason",
    /// Finds its configuration wrong.
    Misconfigured = "misconfigured",
    /// Finds nothing out.
    Undecided = "undecided",
    /// Panics with the words given.
    Panic = "panic",
    /// Leaves without an answer.
    Exit = "exit",
    /// Says the words given in every way that leaves it.
    Say = "say",
    /// Makes so many measurements, one of which is no number.
    Measure = "measure",
    /// Gives a reason of so many bytes.
    Reason = "reason",
    /// Counts its runs in what it keeps.
    Count = "count",
    /// Keeps as much as it can.
    FillState = "fill state",
    /// Keeps something and panics.
    SetThenPanic = "set, then panic",
    /// Tells what it was asked.
    Request = "request",

    /// Computes for ever.
    Loop = "loop",
    /// Sleeps for an hour in a call of the host.
    Sleep = "sleep",
    /// Sleeps so many times for a moment.
    Nap = "nap",
    /// Takes memory without end.
    Memory = "memory",
    /// Calls itself without end.
    Recursion = "recursion",
    /// Makes resources of the host without end.
    Resources = "resources",
    /// Sets headers without end.
    Headers = "headers",
    /// Asks for so many random bytes at once.
    Randomness = "randomness",
    /// Logs so many long lines.
    Log = "log",
    /// Prints so many long lines.
    Output = "output",

    /// Reads the file of that path.
    ReadFile = "read file",
    /// Writes the file of that path.
    WriteFile = "write file",
    /// Looks at environment and arguments.
    Environment = "environment",
    /// Starts a thread.
    Thread = "thread",
    /// Reads its standard input.
    Stdin = "stdin",
    /// Gets the URL.
    Http = "http",
    /// Gets the first URL, with the second word as the host's name in the header.
    HttpAs = "http as",
    /// Gets the URL and is healthy whatever comes.
    HttpIgnoringTheAnswer = "http, ignoring the answer",
    /// Gets the URL and goes where it is sent.
    HttpFollowing = "http, following",
    /// Says `ping` to the address and hears what comes.
    Tcp = "tcp",
    /// Connects twice to the address, one after the other.
    TcpTwice = "tcp, twice",
    /// Connects to the address and waits for bytes that do not come.
    TcpHanging = "tcp, hanging",
    /// Opens ten thousand connections to the address.
    Connections = "connections",
    /// Listens on the address.
    Listen = "listen",
    /// Sends a datagram to the address and waits for an answer.
    Udp = "udp",
    /// Looks the name up as sockets do.
    LookUp = "look up",
    /// As `tcp`, over the contract's connections.
    Tls = "tls",
    /// Pings the host.
    Ping = "ping",
    /// Asks for the name's addresses by the contract's look-ups.
    Dns = "dns",
}

impl Deed {
    /// The deed of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|deed| deed.word() == word)
    }
}

/// Addresses of the metadata services of clouds, in every spelling that some
/// resolver or URL parser has been known to take.
pub const METADATA: [&str; 36] = [
    "169.254.169.254",
    "169.254.169.254.",
    "2852039166",
    "0xA9FEA9FE",
    "0xa9fea9fe.",
    "0251.0376.0251.0376",
    "00000000251.0376.0251.0376",
    "0xa9.0xfe.0xa9.0xfe",
    "0xA9.254.0251.254",
    "169.16689662",
    "169.254.43518",
    "0xa9.16689662",
    "0251.254.43518",
    "025177524776",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[::ffff:0:169.254.169.254]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::a9fe:a9fe]",
    "[2002:a9fe:a9fe::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:5601:5601]",
    "１６９.２５４.１６９.２５４",
    "169。254。169。254",
    "169．254．169．254",
    "①⑥⑨.254.169.254",
    "100.100.100.200",
    "0x646464c8",
    "168.63.129.16",
    "192.0.0.192",
    "[fd00:ec2::254]",
    "[FD00:0EC2:0:0:0:0:0:254]",
    "[fd20:ce::254]",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_of_one_deed() {
        for deed in Deed::ALL {
            assert_eq!(Deed::from_word(deed.word()), Some(*deed));
        }
        assert_eq!(Deed::from_word("good"), None);
    }
}
