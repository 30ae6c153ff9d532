//! `watchkeeper set`: how a `manual` monitor is, said on the command line.

use clap::{Args, ValueEnum};
use hyper::Method;
use serde_json::json;
use watchkeeper_engine::id::MonitorId;

use super::api::Connection;
use super::{Exit, Global, complain, print};

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
    #[command(flatten)]
    connection: Connection,
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
        let asked = self
            .connection
            .ask(global, Method::PUT, &path, Some(&body))
            .await;
        match asked {
            Ok(answer) => {
                if global.json {
                    print(&answer.to_string())?;
                }
                Ok(Exit::Fine)
            }
            Err(exit) => Ok(exit),
        }
    }
}
