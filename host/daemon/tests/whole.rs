//! The whole program: the built binary in a temporary folder, real servers
//! around it.

mod whole {
    pub(crate) mod rig;

    mod command_line;
    mod outage;
    mod plugins;
    mod reload;
}
