//! What is gathered on its way to each channel: by route, until the window after
//! the first change ends, and by channel, while its rate allows no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_config::config::Channel;
use watchkeeper_engine::folding::{Bundle, Line, Window};
use watchkeeper_engine::id::ChannelId;
use watchkeeper_engine::pacing::{Pace, Rate};
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::RouteKey;

use super::Lead;

/// Something to be told on a route to a channel.
#[derive(Clone, Debug)]
pub(in crate::board) struct Item {
    pub(in crate::board) lane: Lane,
    pub(in crate::board) line: Line,
}

/// The way of a route to a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::board) struct Lane {
    pub(in crate::board) route: RouteKey,
    pub(in crate::board) channel: ChannelId,
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::board) struct Lanes {
    pub(super) windows: BTreeMap<Lane, Window>,
    pub(super) paces: BTreeMap<ChannelId, Pace>,
    /// What is to be noted anew.
    pub(super) moved: BTreeSet<Lane>,
    pub(super) paced: BTreeSet<ChannelId>,
}

/// What the configuration says of lanes.
pub(in crate::board) struct Rules {
    pub(in crate::board) routes: Arc<[Lead]>,
    pub(in crate::board) channels: Arc<[Channel]>,
}

impl Rules {
    /// How long a route gathers; a route that is not there any more does not.
    fn wait(&self, route: &RouteKey) -> Duration {
        let lead = self.routes.iter().find(|lead| lead.key == *route);
        lead.map_or(Duration::ZERO, |lead| lead.route.group_wait)
    }

    fn rate(&self, channel: &ChannelId) -> Option<Rate> {
        self.channels.iter().find(|it| it.id == *channel)?.rate
    }
}

impl Lanes {
    /// Takes in what happened at `now`, in order. Returns what goes out at once.
    pub(in crate::board) fn offer(
        &mut self,
        items: Vec<Item>,
        rules: &Rules,
        now: Timestamp,
    ) -> Vec<(ChannelId, Bundle)> {
        // What happens at once on one lane is told at once.
        let mut together: Vec<(Lane, Vec<Line>)> = Vec::new();
        for Item { lane, line } in items {
            let lane = self.lane_of(lane, &line);
            match together.iter_mut().find(|(known, _)| *known == lane) {
                Some((_, lines)) => lines.push(line),
                None => together.push((lane, vec![line])),
            }
        }
        let mut out = Vec::new();
        for (lane, lines) in together {
            let wait = rules.wait(&lane.route);
            let window = self.windows.entry(lane.clone()).or_default();
            let bundle = window.offer(lines, now, wait);
            self.moved.insert(lane.clone());
            out.extend(bundle.and_then(|it| self.pass(&lane.channel, it, rules, now)));
        }
        out
    }

    /// Returns what has waited long enough at `now`.
    pub(in crate::board) fn release(
        &mut self,
        rules: &Rules,
        now: Timestamp,
    ) -> Vec<(ChannelId, Bundle)> {
        let mut out = Vec::new();
        for (channel, pace) in &mut self.paces {
            if let Some(summary) = pace.release(rules.rate(channel), now) {
                self.paced.insert(channel.clone());
                out.push((channel.clone(), summary));
            }
        }
        let mut ended = Vec::new();
        for (lane, window) in &mut self.windows {
            if let Some(bundle) = window.release(now, rules.wait(&lane.route)) {
                self.moved.insert(lane.clone());
                ended.push((lane.channel.clone(), bundle));
            }
        }
        for (channel, bundle) in ended {
            out.extend(self.pass(&channel, bundle, rules, now));
        }
        out
    }

    /// When [`Self::release`] next has something.
    pub(in crate::board) fn due_at(&self, rules: &Rules, now: Timestamp) -> Option<Timestamp> {
        let windows = self.windows.values().filter_map(Window::due_at);
        let paces = self.paces.iter();
        let paces = paces.filter_map(|(id, pace)| pace.due_at(rules.rate(id), now));
        windows.chain(paces).min()
    }

    /// Forgets lanes to channels that are not there any more, and empty ones of
    /// routes that are not.
    pub(in crate::board) fn keep(
        &mut self,
        is_channel: impl Fn(&ChannelId) -> bool,
        is_route: impl Fn(&RouteKey) -> bool,
    ) {
        let moved = &mut self.moved;
        self.windows.retain(|lane, window| {
            let kept =
                is_channel(&lane.channel) && (is_route(&lane.route) || window.due_at().is_some());
            if !kept {
                moved.insert(lane.clone());
            }
            kept
        });
        let paced = &mut self.paced;
        self.paces.retain(|channel, _| {
            let kept = is_channel(channel);
            if !kept {
                paced.insert(channel.clone());
            }
            kept
        });
    }

    /// Where a line goes: after what waits of the same monitor for the same channel,
    /// so that no end overtakes its beginning.
    fn lane_of(&self, lane: Lane, line: &Line) -> Lane {
        let mut others = self.windows.iter();
        let holder = others.find(|(other, window)| {
            other.channel == lane.channel && **other != lane && window.holds(&line.monitor)
        });
        holder.map_or(lane, |(holder, _)| holder.clone())
    }

    fn pass(
        &mut self,
        channel: &ChannelId,
        bundle: Bundle,
        rules: &Rules,
        now: Timestamp,
    ) -> Option<(ChannelId, Bundle)> {
        let rate = rules.rate(channel);
        let pace = self.paces.entry(channel.clone()).or_default();
        let before = pace.clone();
        let passed = pace.offer(bundle, rate, now);
        if *pace != before {
            self.paced.insert(channel.clone());
        }
        Some((channel.clone(), passed?))
    }
}
