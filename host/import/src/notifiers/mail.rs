//! Mail servers: host, port and TLS as one address.

use crate::context::Context;
use crate::draft::{Keys, Term};
use crate::fields::Fields;
use crate::target::bracketed;

/// Whether and when a foreign system goes over to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// From the start.
    Implicit,
    /// By STARTTLS, or not at all.
    Demanded,
    /// By STARTTLS where the server offers it.
    Offered,
    /// Never.
    Never,
}

/// Where a foreign system says which server to use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    /// The key of the host.
    pub(crate) host: &'static str,
    /// The host where that key is absent; empty where there must be one.
    pub(crate) host_otherwise: &'static str,
    /// The key of the port.
    pub(crate) port: &'static str,
    /// The port where that key is absent.
    pub(crate) port_otherwise: i64,
}

/// Sets `server` and `encryption`, and sees to it that a login is whole.
/// `encryption` is asked with the port.
pub(crate) fn server(
    server: Server,
    encryption: impl Fn(i64) -> Encryption,
    fields: &mut Fields<'_>,
    config: &mut Keys,
    cx: &mut Context<'_>,
) {
    let place = fields.place.clone();
    let host = fields.filled(server.host, cx);
    let host = host.unwrap_or_else(|| server.host_otherwise.to_owned());
    let port = fields.integer(server.port, cx);
    let port = port.unwrap_or(server.port_otherwise);
    let encryption = encryption(port);
    let (scheme, own) = match (encryption, port) {
        (Encryption::Implicit, _) => ("smtps", 465),
        (_, 25) => ("smtp", 25),
        _ => ("submission", 587),
    };
    let host = bracketed(host.trim());
    let address = if port == own {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{port}")
    };
    if host.is_empty() {
        cx.lost(&place, "no mail server is named: write it as `server`");
    } else {
        config.lead("server", cx.text(&address, &place));
    }
    login(encryption, fields, config, cx);
    match encryption {
        // What the scheme says of itself.
        Encryption::Implicit | Encryption::Demanded => {}
        Encryption::Offered => {
            config.set("encryption", "opportunistic");
        }
        Encryption::Never => {
            config.set("encryption", "none");
        }
    }
}

fn login(encryption: Encryption, fields: &Fields<'_>, config: &mut Keys, cx: &mut Context<'_>) {
    let Some(Term::Table(login)) = config.get("login") else {
        return;
    };
    let (user, password) = (login.get("username"), login.get("password"));
    if user.is_none() || password.is_none() {
        cx.lost(
            &fields.place,
            "a user without a password, or the other way round: there is no login",
        );
        config.0.retain(|(key, _)| key != "login");
        return;
    }
    match encryption {
        Encryption::Implicit | Encryption::Demanded => {}
        Encryption::Offered => cx.differs(
            &fields.place,
            "the password is sent only where the mail server offers TLS; for one that does not, `login.in_the_clear = true`",
        ),
        // Who switched TLS off sends the password like that today.
        Encryption::Never => {
            config.set("login.in_the_clear", true);
        }
    }
}
