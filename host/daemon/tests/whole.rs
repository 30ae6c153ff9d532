//! The whole program: the built binary in a temporary folder, real servers
//! around it.

#[cfg(test)]
mod whole {
    pub(crate) mod rig;

    mod command_line;
    mod heartbeat;
    mod manual;
    mod metrics;
    mod outage;
    mod plugins;
    mod reload;
    mod reporter;
}
