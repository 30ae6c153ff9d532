//! The whole program: the built binary in a temporary folder, real servers
//! around it.

#[cfg(test)]
mod whole {
    pub(crate) mod browser;
    mod cache;
    pub(crate) mod rig;

    mod access;
    mod author;
    mod by_hand;
    mod command_line;
    mod contract;
    mod crashes;
    mod dashboard;
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
    mod moving;
    mod outage;
    mod plugins;
    mod private;
    mod prometheus;
    mod publish;
    mod queue;
    mod registry;
    mod reload;
    mod reporter;
    mod telling;
    mod trust;
}
