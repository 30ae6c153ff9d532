//! `watchkeeper channel`: channels tried out by hand, without a server.

use std::sync::Arc;

use anyhow::Context as _;
use clap::Subcommand;
use serde_json::json;
use watchkeeper_config::{Config, Problems};
use watchkeeper_engine::id::ChannelId;
use watchkeeper_sandbox::{Notice, StateSpace};

use super::plugin::run::{report, said_of_notice};
use super::{Exit, check::printable, complain, complain_of_config, print, start};
use crate::assignment::{AssignedChannel, Ready, assign};
use crate::notice;
use crate::templating::Words;

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Send a trial notice through a channel and say what the receiver made of it: exits with 0 if
    /// it was delivered, 1 if it would be tried again, 2 if it failed for good, 3 if the notifier
    /// failed
    Test {
        /// The channel's id
        channel: String,
    },
    /// Show a notice in the channel's words, without sending it
    Preview {
        /// The channel's id
        channel: String,
        /// What it is about: `outage`, `reminder`, `recovered`, `host`, `startup` or `trial`
        #[arg(long, default_value = "outage")]
        occasion: String,
    },
}

impl ChannelCommand {
    pub(super) async fn run(self, config: &Config, json: bool) -> anyhow::Result<Exit> {
        match self {
            Self::Test { channel } => test(config, &channel, json).await,
            Self::Preview { channel, occasion } => preview(config, &channel, &occasion, json),
        }
    }
}

async fn test(config: &Config, name: &str, json: bool) -> anyhow::Result<Exit> {
    let Some(id) = find(config, name) else {
        return Ok(Exit::Usage);
    };
    let plugins = start::plugins(config, start::Which::Used)
        .await
        .context("cannot start the sandbox")?;
    let shelf = Arc::clone(&plugins.shelf().borrow());
    let (assignments, problems) = assign(config, &shelf, &[]);
    if !problems.is_empty() {
        complain_of_config(&Problems::from(problems));
        return Ok(Exit::Config);
    }
    let AssignedChannel {
        timeout,
        words,
        plugin,
    } = &*assignments.channels[&id];
    let ready = match plugin {
        Ready::Use(ready) => ready,
        Ready::Missing(why) => {
            complain(&format!("channel `{id}` cannot be used: {why}"));
            return Ok(Exit::Config);
        }
    };
    let trial = Notice {
        page_title: config.page.title.to_string(),
        page_url: config
            .server
            .public_url
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        ..notice::trial()
    };
    let told = worded(words, &trial);
    let run = ready
        .notify(id.as_str(), *timeout, told, StateSpace::default())
        .await;
    let (exit, said) = said_of_notice(&run.outcome);
    report(&run, &said, json)?;
    Ok(exit)
}

fn preview(config: &Config, name: &str, occasion: &str, json: bool) -> anyhow::Result<Exit> {
    let Some(id) = find(config, name) else {
        return Ok(Exit::Usage);
    };
    let examples = notice::examples();
    let Some((_, example)) = examples.iter().find(|(name, _)| *name == occasion) else {
        let known: Vec<_> = examples.iter().map(|(name, _)| *name).collect();
        complain(&format!(
            "no notice is called `{occasion}`; there are: {}",
            known.join(", ")
        ));
        return Ok(Exit::Usage);
    };
    let channel = config.channel(&id).context("the channel is there")?;
    let words = Words {
        title: channel.title.clone(),
        body: channel.body.clone(),
        zone: Some(config.page.time_zone.clone()),
    };
    let (told, problems) = words.put(example);
    for problem in &problems {
        complain(&format!(
            "channel `{id}`: {problem}; the host's words are sent"
        ));
    }
    if json {
        let told = json!({ "title": told.title, "body": told.body });
        print(&serde_json::to_string_pretty(&told)?)?;
    } else {
        print(&printable(&told.title))?;
        print("")?;
        for line in told.body.lines() {
            print(&printable(line))?;
        }
    }
    Ok(if problems.is_empty() {
        Exit::Fine
    } else {
        Exit::Config
    })
}

/// The channel of that name; says which there are if there is none.
fn find(config: &Config, name: &str) -> Option<ChannelId> {
    let channel = config.channels.iter().find(|it| it.id.as_str() == name);
    if channel.is_none() {
        let all: Vec<_> = config.channels.iter().map(|it| it.id.to_string()).collect();
        complain(&format!(
            "no channel is called `{name}`; there are: {}",
            all.join(", ")
        ));
    }
    Some(channel?.id.clone())
}

fn worded(words: &Words, notice: &Notice) -> Notice {
    let (told, problems) = words.put(notice);
    for problem in problems {
        complain(&format!("{problem}; the host's words are sent"));
    }
    told
}
