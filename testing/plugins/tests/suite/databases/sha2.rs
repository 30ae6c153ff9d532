//! A server that speaks as much of MySQL's protocol as logging in by
//! `caching_sha2_password` takes: MySQL 8 and newer do it so, and Debian has
//! neither. That it speaks it as they do is tested with MariaDB's client.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plugin_tests::{ANY, authority};
use sha2::{Digest, Sha256};
use target_server::TlsKind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The only user, and its password.
pub(crate) const USER: &str = "watch";
pub(crate) const PASSWORD: &str = "let-me-in-42";

const NONCE: &[u8; 20] = b"0123456789abcdefghij";
const OK: &[u8] = b"\0\0\0\x02\0\0\0";
const DENIED: &[u8] = b"\xff\x15\x04#28000Access denied";

/// Protocol 4.1, TLS, plugins, and what goes with them.
const CAPABILITIES: u32 = 1 | 1 << 3 | 1 << 9 | 1 << 11 | 1 << 13 | 1 << 15 | 1 << 19;
const TLS: u32 = 1 << 11;
const WITH_DATABASE: u32 = 1 << 3;
const LENGTH_IN_FULL: u32 = 1 << 21;

/// How the server goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Greets {
    /// By `caching_sha2_password` from the start.
    WithIt,
    /// By another plugin, and changes to it.
    WithAnother,
}

/// The server. It stops with the runtime.
pub(crate) struct Sha2Server {
    pub(crate) address: SocketAddr,
    knows: Arc<AtomicBool>,
}

impl Sha2Server {
    pub(crate) async fn start(greets: Greets) -> Self {
        let listener = TcpListener::bind(ANY).await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let knows = Arc::new(AtomicBool::new(false));
        let shared = Arc::clone(&knows);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let knows = Arc::clone(&shared);
                // A client that goes away in the middle is an ordinary end.
                tokio::spawn(async move { drop(serve(stream, greets, &knows).await) });
            }
        });
        Self { address, knows }
    }

    /// Whether it remembers the password, as it does once it saw it whole.
    pub(crate) fn knows(&self) -> bool {
        self.knows.load(Ordering::SeqCst)
    }

    /// Forgets it, as by a restart.
    pub(crate) fn forget(&self) {
        self.knows.store(false, Ordering::SeqCst);
    }
}

/// What a login says.
struct Login {
    user: Vec<u8>,
    proof: Vec<u8>,
    plugin: Vec<u8>,
}

async fn serve(mut stream: TcpStream, greets: Greets, knows: &AtomicBool) -> io::Result<()> {
    let plugin = match greets {
        Greets::WithIt => "caching_sha2_password",
        Greets::WithAnother => "mysql_native_password",
    };
    let mut greeting = b"\x0a8.0.36\0\x08\0\0\0".to_vec();
    greeting.extend_from_slice(&NONCE[..8]);
    greeting.push(0);
    let [a, b, c, d] = CAPABILITIES.to_le_bytes();
    greeting.extend_from_slice(&[a, b, 45, 2, 0, c, d, 21]);
    greeting.extend_from_slice(&[0; 10]);
    greeting.extend_from_slice(&NONCE[8..]);
    greeting.push(0);
    greeting.extend_from_slice(plugin.as_bytes());
    greeting.push(0);
    write(&mut stream, 0, &greeting).await?;
    let (sequence, payload) = read(&mut stream).await?;
    if capabilities(&payload) & TLS == 0 {
        return log_in(&mut stream, sequence, &payload, knows, false).await;
    }
    let acceptor = authority().acceptor(TlsKind::Valid)?;
    let mut stream = acceptor.accept(stream).await?;
    let (sequence, payload) = read(&mut stream).await?;
    log_in(&mut stream, sequence, &payload, knows, true).await
}

async fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    mut sequence: u8,
    payload: &[u8],
    knows: &AtomicBool,
    is_encrypted: bool,
) -> io::Result<()> {
    let Login {
        user,
        mut proof,
        plugin,
    } = login(payload).ok_or(io::ErrorKind::InvalidData)?;
    if plugin != b"caching_sha2_password" {
        let change = [b"\xfecaching_sha2_password\0", &NONCE[..], b"\0"].concat();
        write(stream, sequence + 1, &change).await?;
        (sequence, proof) = read(stream).await?;
    }
    let mut is_good = user == USER.as_bytes();
    if knows.load(Ordering::SeqCst) {
        is_good &= is_right(&proof);
        if is_good {
            sequence += 1;
            write(stream, sequence, b"\x01\x03").await?;
        }
    } else {
        write(stream, sequence + 1, b"\x01\x04").await?;
        let (next, password) = read(stream).await?;
        sequence = next;
        // Without TLS a client asks for the server's key, which this one has none of.
        is_good &= is_encrypted && password == [PASSWORD.as_bytes(), b"\0"].concat();
        if is_good {
            knows.store(true, Ordering::SeqCst);
        }
    }
    write(stream, sequence + 1, if is_good { OK } else { DENIED }).await?;
    if !is_good {
        return stream.shutdown().await;
    }
    // Every command is done, but the one that ends the session.
    loop {
        let (_, command) = read(stream).await?;
        if command.first() == Some(&1) {
            return stream.shutdown().await;
        }
        write(stream, 1, OK).await?;
    }
}

/// From the proof the password's hash comes back, and its hash is what a server
/// keeps.
fn is_right(proof: &[u8]) -> bool {
    let kept = Sha256::digest(Sha256::digest(PASSWORD));
    let mask = Sha256::new()
        .chain_update(kept)
        .chain_update(NONCE)
        .finalize();
    let hash: Vec<u8> = proof.iter().zip(mask).map(|(a, b)| a ^ b).collect();
    proof.len() == 32 && Sha256::digest(hash) == kept
}

fn capabilities(payload: &[u8]) -> u32 {
    let bytes = payload.first_chunk().copied().unwrap_or_default();
    u32::from_le_bytes(bytes)
}

fn login(payload: &[u8]) -> Option<Login> {
    let capabilities = capabilities(payload);
    let mut rest = payload.get(32..)?;
    let user = until_zero(&mut rest)?;
    // Shorter than 251 bytes in any case, which both notations write in one.
    assert!(capabilities & LENGTH_IN_FULL == 0 || *rest.first()? < 251);
    let (length, after) = rest.split_first()?;
    let (proof, after) = after.split_at_checked(usize::from(*length))?;
    rest = after;
    if capabilities & WITH_DATABASE != 0 {
        until_zero(&mut rest)?;
    }
    let plugin = until_zero(&mut rest)?;
    Some(Login {
        user,
        proof: proof.to_vec(),
        plugin,
    })
}

fn until_zero(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == 0)?;
    let text = rest.get(..end)?.to_vec();
    *rest = rest.get(end + 1..)?;
    Some(text)
}

async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [low, middle, high, sequence] = head;
    let length = u32::from_le_bytes([low, middle, high, 0]);
    let mut payload = vec![0; usize::try_from(length).expect("it has 24 bits")];
    stream.read_exact(&mut payload).await?;
    Ok((sequence, payload))
}

async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    sequence: u8,
    payload: &[u8],
) -> io::Result<()> {
    let length = u32::try_from(payload.len()).expect("it is short");
    let [low, middle, high, _] = length.to_le_bytes();
    stream.write_all(&[low, middle, high, sequence]).await?;
    stream.write_all(payload).await?;
    stream.flush().await
}
