//! `watchkeeper set`: how a `manual` monitor is, said on the command line.

use clap::{Args, ValueEnum};
use serde_json::json;
use watchkeeper_engine::id::MonitorId;

use super::api::{self, Server};
use super::{Exit, Global, complain, print, read_config};

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// `service/monitor`
    monitor: String,
    /// How it is
    #[arg(value_enum)]
    health: Word,
    /// Why, for the page and for notices
    #[arg(long, short = 'm', default_value = "")]
    comment: String,
    /// The server's address; by default the `listen` of the configuration
    #[arg(long)]
    server: Option<String>,
    /// A token with the scope `report`, as `watchkeeper token create` makes one
    #[arg(
        long,
        env = "WATCHKEEPER_TOKEN",
        hide_env_values = true,
        hide_default_value = true
    )]
    token: String,
}

/// What people can say.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Word {
    Healthy,
    Sick,
    Dead,
}

impl Set {
    /// Says it to the server.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let Ok(monitor) = MonitorId::parse(&self.monitor) else {
            complain(&format!(
                "`{}` is no monitor: write `service/monitor`",
                self.monitor
            ));
            return Ok(Exit::Usage);
        };
        let address = match &self.server {
            Some(address) => address.clone(),
            None => match read_config(&global.config) {
                Ok(loaded) => format!("http://{}", loaded.config.server.listen),
                Err(exit) => return Ok(exit),
            },
        };
        let server = match Server::parse(&address) {
            Ok(server) => server,
            Err(problem) => {
                complain(&problem);
                return Ok(Exit::Usage);
            }
        };
        let word = match self.health {
            Word::Healthy => "healthy",
            Word::Sick => "sick",
            Word::Dead => "dead",
        };
        let path = format!(
            "/api/v1/monitors/{}/{}/health",
            monitor.service(),
            monitor.name()
        );
        let body = json!({ "health": word, "comment": self.comment });
        match api::put(&server, &path, &self.token, &body).await {
            Ok(answer) if answer.status.is_success() => {
                if global.json {
                    print(&answer.body.to_string())?;
                }
                Ok(Exit::Fine)
            }
            Ok(answer) => {
                complain(&format!("{address}: {}", answer.why()));
                Ok(Exit::Usage)
            }
            Err(problem) => {
                complain(&format!("{address} cannot be asked: {problem:#}"));
                Ok(Exit::Internal)
            }
        }
    }
}
