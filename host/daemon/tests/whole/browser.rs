//! What a person does at `/admin`, without a browser.

use std::io::Write as _;
use std::process::Stdio;

use reqwest::{Client, Response, header, redirect};

use super::rig::Rig;

/// A browser: it keeps cookies, and says where its forms come from.
pub(crate) struct Browser {
    client: Client,
    pub(crate) base: String,
    pub(crate) cookies: Vec<(String, String)>,
}

impl Browser {
    pub(crate) fn new(base: &str) -> Self {
        let client = Client::builder().redirect(redirect::Policy::none());
        Self {
            client: client.build().unwrap(),
            base: base.to_owned(),
            cookies: Vec::new(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> (u16, String) {
        let request = self.client.get(format!("{}{path}", self.base));
        let answer = request
            .header(header::COOKIE, self.cookie())
            .header(header::ACCEPT, "text/html");
        let answer = answer.send().await.unwrap();
        self.keep(&answer);
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Fills in the form of the page at `from` and sends it to `to`: the status, and
    /// where it leads.
    pub(crate) async fn send(
        &mut self,
        from: &str,
        to: &str,
        fields: &[(&str, &str)],
    ) -> (u16, String) {
        let (_, page) = self.get(from).await;
        let token = page.split_once("name=\"csrf\" value=\"").unwrap().1;
        let token = token.split_once('"').unwrap().0;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", token)
            .extend_pairs(fields)
            .finish();
        let request = self.client.post(format!("{}{to}", self.base));
        let answer = request
            .header(header::COOKIE, self.cookie())
            .header(header::ORIGIN, &self.base)
            .header(header::ACCEPT, "text/html")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let answer = answer.send().await.unwrap();
        self.keep(&answer);
        let status = answer.status().as_u16();
        let to = answer.headers().get(header::LOCATION);
        match to.map(|to| to.to_str().unwrap().to_owned()) {
            Some(to) => (status, to),
            None => (status, answer.text().await.unwrap()),
        }
    }

    /// Signs a user in who was made by a command.
    pub(crate) async fn signed_in(rig: &Rig, name: &str, role: &str) -> Self {
        let made = ["user", "create", name, "--role", role];
        assert_eq!(with_password(rig, &made, "correct horse"), Some(0));
        let mut browser = Self::new(rig.page());
        let login = [("name", name), ("password", "correct horse")];
        let (status, _) = browser.send("/admin/login", "/admin/login", &login).await;
        assert_eq!(status, 303);
        browser
    }

    fn cookie(&self) -> String {
        let pairs = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, answer: &Response) {
        for line in answer.headers().get_all(header::SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

/// Runs a command that reads a password.
pub(crate) fn with_password(rig: &Rig, arguments: &[&str], password: &str) -> Option<i32> {
    let mut child = rig
        .command(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{password}").unwrap();
    drop(input);
    child.wait().unwrap().code()
}
