//! The texts of a language, as its file has them. The doc comments are the English
//! ones.

use serde::Deserialize;

/// A text for one, and one for any other number of what it counts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Counted {
    pub(crate) one: String,
    pub(crate) other: String,
}

/// Every text of the public pages. `{names}` stand for what is filled in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Texts {
    /// `English`
    pub(crate) language: String,
    /// `Operational`
    pub(crate) operational: String,
    /// `Degraded`
    pub(crate) degraded: String,
    /// `Partial outage`
    pub(crate) partial: String,
    /// `Major outage`
    pub(crate) major: String,
    /// `Maintenance`
    pub(crate) maintenance: String,
    /// `No data`
    pub(crate) no_data: String,
    /// `Paused`
    pub(crate) paused: String,
    /// `All systems operational`
    pub(crate) headline_healthy: String,
    /// `Degraded performance`
    pub(crate) headline_sick: String,
    /// `Partial outage`
    pub(crate) headline_partial: String,
    /// `Major outage`
    pub(crate) headline_dead: String,
    /// `No data`
    pub(crate) headline_unknown: String,
    /// `Maintenance in progress`
    pub(crate) headline_maintenance: String,
    /// `No services are set up yet.`
    pub(crate) nothing_set_up: String,
    /// `All components are paused.`
    pub(crate) all_paused: String,
    /// `All {n} components are operational.`
    pub(crate) all_work: Counted,
    /// `{working} of {n} components are operational.`
    pub(crate) some_work: Counted,
    /// `{n} have no fresh data.`
    pub(crate) no_fresh_data: Counted,
    /// `{n} are under maintenance.`
    pub(crate) under_maintenance: Counted,
    /// `We are working on {n} incidents.`
    pub(crate) working_on: Counted,
    /// `Live and historical status of {name}: {summary}`
    pub(crate) description: String,
    /// `Investigating`
    pub(crate) investigating: String,
    /// `Identified`
    pub(crate) identified: String,
    /// `Monitoring`
    pub(crate) monitoring: String,
    /// `Resolved`
    pub(crate) resolved: String,
    /// `Minor impact`
    pub(crate) impact_minor: String,
    /// `Major impact`
    pub(crate) impact_major: String,
    /// `Critical impact`
    pub(crate) impact_critical: String,
    /// `Affects`
    pub(crate) affects: String,
    /// `History`
    pub(crate) history: String,
    /// `Switch between light and dark theme`
    pub(crate) theme: String,
    /// `Skip to content`
    pub(crate) skip: String,
    /// `Status`
    pub(crate) status: String,
    /// `More`
    pub(crate) more: String,
    /// `Website`
    pub(crate) website: String,
    /// `Support`
    pub(crate) support: String,
    /// `Powered by {product}`
    pub(crate) powered_by: String,
    /// `Times in`
    pub(crate) times_in: String,
    /// `Local`
    pub(crate) local: String,
    /// `Local: {zone}`
    pub(crate) local_zone: String,
    /// `Language`
    pub(crate) languages: String,
    /// `Incident history`
    pub(crate) incident_history: String,
    /// `Incidents in {month}`
    pub(crate) incidents_in: String,
    /// `No incidents`
    pub(crate) no_incidents: String,
    /// `Months`
    pub(crate) months: String,
    /// `See how everything is`
    pub(crate) see_all: String,
    /// `Active incidents`
    pub(crate) active_incidents: Counted,
    /// `Started {time}`
    pub(crate) started: String,
    /// `Scheduled maintenance`
    pub(crate) planned: String,
    /// `In progress`
    pub(crate) in_progress: String,
    /// `Calendar (iCal)`
    pub(crate) calendar: String,
    /// `{from} to {to}`
    pub(crate) from_to: String,
    /// `typical response time:`
    pub(crate) typical: String,
    /// `{state} since {time}`
    pub(crate) since: String,
    /// `{days} days ago`
    pub(crate) days_ago: String,
    /// `{share} % uptime`
    pub(crate) uptime: String,
    /// `No data yet`
    pub(crate) no_data_yet: String,
    /// `without {span} of maintenance`
    pub(crate) without_maintenance: String,
    /// `{n} days with an event`
    pub(crate) event_days: Counted,
    /// `{n} targets`
    pub(crate) targets: Counted,
    /// `last call {time}`
    pub(crate) last_call: String,
    /// `Today`
    pub(crate) today: String,
    /// `{monitor}: {uptime} over the last {days} days`
    pub(crate) bars: String,
    /// `{monitor}: no data for the last {days} days`
    pub(crate) bars_unknown: String,
    /// `Planned for {span}`
    pub(crate) planned_for: String,
    /// `Affected for {span}`
    pub(crate) affected_for: String,
    /// `Announcements`
    pub(crate) announcements: String,
    /// `Live`
    pub(crate) live: String,
    /// `Not live`
    pub(crate) not_live: String,
    /// `Checked at {time}`
    pub(crate) checked_at: String,
    /// `Checked {age} ago`
    pub(crate) checked_ago: String,
    /// `Not checked yet`
    pub(crate) not_checked: String,
    /// `Past incidents`
    pub(crate) past_incidents: String,
    /// `Full history`
    pub(crate) full_history: String,
    /// `{n} earlier updates`
    pub(crate) earlier_updates: Counted,
    /// `Services`
    pub(crate) services: String,
    /// `Nothing is being watched yet`
    pub(crate) nothing_watched: String,
    /// `This page will show each service, how it is now and how it was over the last 90 days. To add the first one, write it into the configuration; the page follows without a restart.`
    pub(crate) how_to_begin: String,
    /// `Example configuration`
    pub(crate) example: String,
    /// `Colours`
    pub(crate) colours: String,
    /// `More about {name}`
    pub(crate) more_about: String,
    /// `Monitors`
    pub(crate) monitors: String,
    /// `Time shown`
    pub(crate) time_shown: String,
    /// `Response time, last {window}:`
    pub(crate) response_time: String,
    /// `median {latency}`
    pub(crate) median: String,
    /// `95 of 100 within {latency}`
    pub(crate) within: String,
    /// `Uptime by month`
    pub(crate) uptime_by_month: String,
    /// `Month`
    pub(crate) month: String,
    /// `Uptime`
    pub(crate) uptime_head: String,
    /// `Down`
    pub(crate) down: String,
    /// `Maintenance and time without data do not count. Days are UTC.`
    pub(crate) not_counted: String,
    /// `Incidents`
    pub(crate) incidents: String,
    /// `Atom feed`
    pub(crate) feed: String,
    /// `No downtime recorded`
    pub(crate) no_downtime: String,
    /// `Today. Use the arrow keys to read each day.`
    pub(crate) bar_help: String,
    /// `Not found`
    pub(crate) not_found: String,
    /// `There is nothing at this address.`
    pub(crate) not_found_detail: String,
    /// `Method not allowed`
    pub(crate) method: String,
    /// `This address cannot be asked this way.`
    pub(crate) method_detail: String,
    /// `Starting`
    pub(crate) starting: String,
    /// `The first look has not been taken yet.`
    pub(crate) starting_detail: String,
    /// `Too many followers`
    pub(crate) full: String,
    /// `As many follow this page live as it can serve.`
    pub(crate) full_detail: String,
    /// `Internal error`
    pub(crate) internal: String,
    /// `The page could not be made.`
    pub(crate) internal_detail: String,
    /// `{n} s`
    pub(crate) seconds: String,
    /// `{n} min`
    pub(crate) minutes: String,
    /// `{n} h`
    pub(crate) hours: String,
    /// `{n} days`
    pub(crate) days: Counted,
    /// `.`
    pub(crate) decimal: String,
    /// `{day} {month}`
    pub(crate) day: String,
    /// `{day} {month} {year}`
    pub(crate) date: String,
    /// `{month} {year}`
    pub(crate) month_of_year: String,
    /// `{first} – {last}`
    pub(crate) days_between: String,
    /// `Jan` to `Dec`
    pub(crate) months_short: [String; 12],
    /// `January` to `December`
    pub(crate) months_long: [String; 12],
}
