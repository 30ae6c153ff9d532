//! `watchkeeper user`: who may sign in.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use clap::Subcommand;
use comfy_table::{Table, presets};
use serde_json::json;
use watchkeeper_config::Config;
use watchkeeper_store::{AccessBook, Act, Acted, Deed, Role, User};

use super::token::moment;
use super::{Exit, complain, print};
use crate::{clock, staff};

/// The longest line that is read as a password, in bytes.
const LONGEST_LINE: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Let somebody sign in at /admin. The password is asked for, or is the first line of standard
    /// input
    Create {
        /// What they sign in with
        name: String,
        /// What they may do: `viewer` looks, `operator` works, `admin` also says who may do what
        #[arg(long, default_value = "admin", value_parser = role)]
        role: Role,
    },
    /// List who may sign in
    List,
    /// Give somebody another password, and sign them out everywhere. It is asked for, or is the
    /// first line of standard input
    Password {
        /// Whose
        name: String,
    },
    /// Let somebody sign in no more, and sign them out everywhere
    Remove {
        /// Who
        name: String,
    },
}

impl UserCommand {
    /// Does what was asked, in the data folder of `config`.
    pub(crate) fn run(self, config: &Config, json: bool) -> anyhow::Result<Exit> {
        let mut book = match AccessBook::open(&config.server.data, clock::wall()) {
            Ok(book) => book,
            Err(problem) => {
                complain(&format!("the users cannot be read: {problem}"));
                return Ok(Exit::Internal);
            }
        };
        match self {
            Self::Create { name, role } => create(&mut book, &name, role),
            Self::List => list(&book, json),
            Self::Password { name } => password(&mut book, &name),
            Self::Remove { name } => remove(&mut book, &name),
        }
    }
}

fn role(word: &str) -> Result<Role, String> {
    Role::from_word(word).ok_or_else(|| {
        let words = Role::ALL.map(Role::as_str).join(", ");
        format!("the roles are {words}")
    })
}

/// What is noted of what is done by a command.
pub(super) fn deed(what: &str, subject: String) -> Deed {
    let who = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let who = who.ok().filter(|who| !who.is_empty());
    Deed {
        at: clock::wall(),
        who: who.unwrap_or_else(|| "somebody".to_owned()),
        origin: "command line".to_owned(),
        what: what.to_owned(),
        subject,
    }
}

fn create(book: &mut AccessBook, name: &str, role: Role) -> anyhow::Result<Exit> {
    let name = match staff::name_of(name) {
        Ok(name) => name,
        Err(why) => {
            complain(why);
            return Ok(Exit::Usage);
        }
    };
    let Some(password) = ask_password()? else {
        return Ok(Exit::Usage);
    };
    let act = Act::AddUser {
        name: name.to_owned(),
        role,
        password,
        only_first: false,
    };
    match book.act(&act, &deed("user.create", format!("{name}: {role}")))? {
        Acted::Taken => {
            complain(&format!("there is a user {name} already"));
            Ok(Exit::Usage)
        }
        _ => Ok(Exit::Fine),
    }
}

fn list(book: &AccessBook, json: bool) -> anyhow::Result<Exit> {
    let users = book.users()?;
    if json {
        let rows: Vec<_> = users.iter().map(as_json).collect();
        print(&serde_json::to_string_pretty(&rows)?)?;
        return Ok(Exit::Fine);
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["name", "role", "made", "last signed in"]);
    for user in &users {
        let seen = user.seen_at.map_or_else(|| "never".to_owned(), moment);
        table.add_row([
            user.name.clone(),
            user.role.to_string(),
            moment(user.created_at),
            seen,
        ]);
    }
    print(&table.trim_fmt())?;
    Ok(Exit::Fine)
}

fn password(book: &mut AccessBook, name: &str) -> anyhow::Result<Exit> {
    let Some(user) = find(book, name)? else {
        return Ok(Exit::Usage);
    };
    let Some(password) = ask_password()? else {
        return Ok(Exit::Usage);
    };
    let act = Act::SetPassword {
        user: user.id,
        password,
    };
    let acted = book.act(&act, &deed("user.password", user.name))?;
    Ok(done(acted, name))
}

fn remove(book: &mut AccessBook, name: &str) -> anyhow::Result<Exit> {
    let Some(user) = find(book, name)? else {
        return Ok(Exit::Usage);
    };
    let act = Act::RemoveUser { user: user.id };
    let acted = book.act(&act, &deed("user.remove", user.name))?;
    Ok(done(acted, name))
}

fn done(acted: Acted, name: &str) -> Exit {
    match acted {
        Acted::Unknown => complain(&format!("there is no user {name}")),
        Acted::Refused => {
            complain("there must be one admin left: make somebody else admin first");
        }
        _ => return Exit::Fine,
    }
    Exit::Usage
}

fn find(book: &AccessBook, name: &str) -> anyhow::Result<Option<User>> {
    let users = book.users()?;
    let user = users
        .into_iter()
        .find(|user| user.name.eq_ignore_ascii_case(name.trim()));
    if user.is_none() {
        complain(&format!("there is no user {name}"));
    }
    Ok(user)
}

/// A password as it is kept. A terminal shows what is typed: who does not want that
/// pipes it in.
fn ask_password() -> anyhow::Result<Option<String>> {
    if std::io::stdin().is_terminal() {
        let mut terminal = std::io::stderr().lock();
        // There is nobody to ask if standard error is closed; then what is typed is
        // taken all the same.
        _ = write!(terminal, "password (it is shown as you type): ");
        _ = terminal.flush();
    }
    let mut line = String::new();
    let mut bounded = std::io::stdin().lock().take(LONGEST_LINE);
    bounded.read_line(&mut line)?;
    match staff::hash(line.trim_end_matches(['\r', '\n'])) {
        Ok(hashed) => Ok(Some(hashed)),
        Err(why) => {
            complain(&why);
            Ok(None)
        }
    }
}

fn as_json(user: &User) -> serde_json::Value {
    json!({
        "name": user.name,
        "role": user.role.as_str(),
        "made": moment(user.created_at),
        "seen": user.seen_at.map(moment),
    })
}
