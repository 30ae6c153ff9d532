//! The whole program: the built binary in a temporary folder, real servers
//! around it.

#[cfg(test)]
mod whole {
    mod cache;
    pub(crate) mod rig;

    mod author;
    mod command_line;
    mod contract;
    mod crashes;
    mod deliveries;
    mod heartbeat;
    mod incidents;
    mod install;
    mod items;
    mod languages;
    mod levels;
    mod maintenance;
    mod manual;
    mod metrics;
    mod outage;
    mod plugins;
    mod prometheus;
    mod publish;
    mod queue;
    mod registry;
    mod reload;
    mod reporter;
    mod telling;
    mod trust;
}
