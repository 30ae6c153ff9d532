//! The engine's rules as tables, and the laws that hold for all tables.

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod incident_laws;
#[cfg(test)]
mod incident_tables;
#[cfg(test)]
mod monitor_laws;
#[cfg(test)]
mod monitor_tables;
#[cfg(test)]
mod passive_laws;
#[cfg(test)]
mod passive_tables;
#[cfg(test)]
mod routing_laws;
#[cfg(test)]
mod routing_tables;
#[cfg(test)]
mod story;
#[cfg(test)]
mod target_laws;
#[cfg(test)]
mod target_tables;
#[cfg(test)]
mod telling_tables;
