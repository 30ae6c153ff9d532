//! A server that says what it was told to, whatever it hears.

use std::net::SocketAddr;

use plugin_tests::ANY;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What it does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Waits until something comes.
    Hear,
    /// Sends this.
    Say(Vec<u8>),
}

/// Starts a server that does this with each connection and then keeps it open. It
/// stops with the runtime.
pub(crate) async fn scripted(steps: Vec<Step>) -> SocketAddr {
    let listener = TcpListener::bind(ANY).await.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let steps = steps.clone();
            tokio::spawn(async move {
                let mut heard = [0; 4096];
                for step in steps {
                    match step {
                        Step::Hear => {
                            if matches!(stream.read(&mut heard).await, Ok(0) | Err(_)) {
                                return;
                            }
                        }
                        Step::Say(bytes) => {
                            if stream.write_all(&bytes).await.is_err() {
                                return;
                            }
                        }
                    }
                }
                // Until the other side goes.
                while !matches!(stream.read(&mut heard).await, Ok(0) | Err(_)) {}
            });
        }
    });
    address
}

/// It waits, then says this.
pub(crate) async fn answering(bytes: &[u8]) -> SocketAddr {
    scripted(vec![Step::Hear, Step::Say(bytes.to_vec())]).await
}
