//! The steps from a connection to an open virtual host, and to an end in order
//! (section 2.2.4 of the specification).

use watchkeeper_sdk::Stop;
use watchkeeper_sdk::config::Secret;

use crate::frame::Frames;
use crate::method::{self, Method};

/// Who logs in to what.
pub(crate) struct Login {
    pub(crate) name: String,
    pub(crate) password: Secret,
    pub(crate) vhost: String,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it should.
    Agreed,
    /// The broker was gone before it had agreed.
    CutOff,
}

impl Ending {
    pub(crate) fn fault(self) -> Option<&'static str> {
        match self {
            Self::Agreed => None,
            Self::CutOff => Some("the broker cut the connection off instead of closing it"),
        }
    }
}

/// From the greeting until the broker accepted the login.
pub(crate) fn log_in(frames: &mut Frames<'_>, login: &Login) -> Result<(), Stop> {
    frames.greet()?;
    let mechanisms = match expect(frames, "its greeting")? {
        Method::Start { mechanisms } => mechanisms,
        other => return Err(unexpected(&other)),
    };
    if !mechanisms.split(' ').any(|offered| offered == "PLAIN") {
        return Err(Stop::Dead(format!(
            "the broker takes no password: it offers {mechanisms}"
        )));
    }
    frames.send(&method::start_ok(&login.name, login.password.expose()))?;
    match expect(frames, "the answer to the login")? {
        Method::Tune { channels, frame } => {
            frames.send(&method::tune_ok(channels, frame))?;
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}

/// Opens the virtual host.
pub(crate) fn open(frames: &mut Frames<'_>, login: &Login) -> Result<(), Stop> {
    frames.send(&method::open(&login.vhost))?;
    match expect(frames, "the answer to the opening of the virtual host")? {
        Method::OpenOk => Ok(()),
        other => Err(unexpected(&other)),
    }
}

/// Ends the connection.
pub(crate) fn close(frames: &mut Frames<'_>) -> Result<Ending, Stop> {
    frames.send(&method::close())?;
    loop {
        match frames.next()? {
            Some(Method::CloseOk) => return Ok(Ending::Agreed),
            // Both may end it at the same time.
            Some(Method::Close { .. }) => frames.send(&method::close_ok())?,
            // Such as that publishing is blocked: said when there is an alarm.
            Some(_) => {}
            None => return Ok(Ending::CutOff),
        }
    }
}

/// The next method. A broker that ends the connection instead says why, and its
/// words are kept.
fn expect(frames: &mut Frames<'_>, what: &str) -> Result<Method, Stop> {
    match frames.next()? {
        Some(Method::Close { code, text }) => {
            // It is about to close anyway: whether it hears this is not asked.
            drop(frames.send(&method::close_ok()));
            Err(Stop::Dead(format!("the broker refused: {code} {text}")))
        }
        Some(method) => Ok(method),
        None => Err(Stop::Dead(format!(
            "the broker closed the connection before {what}"
        ))),
    }
}

fn unexpected(method: &Method) -> Stop {
    Stop::Dead(format!(
        "the broker does not keep to AMQP: {method:?} was not to be said then"
    ))
}
