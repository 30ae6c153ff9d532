//! What the export macros call to answer `describe`.

use std::borrow::Cow;

use crate::bindings::probe::ProbeDescription;
use crate::bindings::types::{Capability, Description};
use crate::{Notifier, Probe};

/// The description of a probe whose crate has `version`.
pub fn probe<P: Probe>(version: &str) -> ProbeDescription {
    ProbeDescription {
        general: general(
            (P::NAME, version, P::SUMMARY),
            P::schema(),
            P::ASKS,
            P::HOSTS,
        ),
        schemes: owned(P::SCHEMES),
    }
}

/// The description of a notifier whose crate has `version`.
pub fn notifier<N: Notifier>(version: &str) -> Description {
    general(
        (N::NAME, version, N::SUMMARY),
        N::schema(),
        N::ASKS,
        N::HOSTS,
    )
}

fn general(
    (name, version, summary): (&str, &str, &str),
    schema: Cow<'static, str>,
    asks: &[Capability],
    hosts: &[&str],
) -> Description {
    Description {
        name: name.to_owned(),
        version: version.to_owned(),
        summary: summary.to_owned(),
        config_schema: schema.into_owned(),
        asks: asks.to_vec(),
        hosts: owned(hosts),
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}
