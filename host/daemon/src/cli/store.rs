//! `watchkeeper store …`: the databases of the data folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use watchkeeper_config::Config;
use watchkeeper_store::StoreError;

use super::{Exit, complain, print};

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Copy the databases into a folder, while the host runs or not
    Backup {
        /// The folder, made where it is missing; a backup in it is never replaced
        path: PathBuf,
    },
}

impl StoreCommand {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<Exit> {
        match self {
            Self::Backup { path } => backup(&config.server.data, &path).await,
        }
    }
}

async fn backup(data: &Path, to: &Path) -> anyhow::Result<Exit> {
    let (from, into) = (data.to_owned(), to.to_owned());
    let copied = tokio::task::spawn_blocking(move || watchkeeper_store::backup(&from, &into))
        .await
        .context("the backup broke down")?;
    match copied {
        Ok(()) => {
            print(&format!("{} is copied to {}", data.display(), to.display()))?;
            Ok(Exit::Fine)
        }
        Err(error @ (StoreError::BackupExists { .. } | StoreError::NoStore { .. })) => {
            complain(&error.to_string());
            Ok(Exit::Usage)
        }
        Err(error) => {
            complain(&format!("cannot copy {}: {error}", data.display()));
            Ok(Exit::Internal)
        }
    }
}
