//! Debian's message brokers, started by a test in a folder and on ports of its
//! own, and gone with it.
//!
//! It knows nothing of probes: the tests fill queues and stop brokers by it, and
//! look at what the probes say.

mod amqp;
mod mosquitto;
mod program;
mod rabbitmq;

pub use amqp::Client;
pub use mosquitto::{Listener, Mosquitto};
pub use rabbitmq::RabbitMq;

use std::time::Duration;

/// How long a broker may take to come up, or to do what it was told. Generous: a
/// busy machine takes half a minute for what an idle one does in four seconds.
const PATIENCE: Duration = Duration::from_mins(2);
