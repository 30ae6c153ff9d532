//! The contract since 0.1: `watchkeeper:plugin@0.1`, its functions on this crate's.

mod words;

use std::time::Duration;

use wasmtime::Store;
use wasmtime::component::{HasSelf, InstancePre, Linker, Resource};
use watchkeeper_egress::icmp::Outcome;

use super::{Question, RawFailure, RawFault, RawProblem, RawReading};
use crate::description::Stated;
use crate::host::{Host, dns as host_dns, icmp as host_icmp, tls as host_tls};
use crate::notice::Notice;

use words::{nanos, stated};

/// The version, without what only adds to it.
pub(super) const MINOR: &str = "0.1";

mod probe {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "probe-plugin",
        imports: {
            "watchkeeper:plugin/icmp.ping": async | trappable,
            "watchkeeper:plugin/dns.query": async | trappable,
            "watchkeeper:plugin/tls.[static]connection.connect": async | trappable,
            "watchkeeper:plugin/tls.[method]connection.start-tls": async | trappable,
            "watchkeeper:plugin/tls.[method]connection.read": async | trappable,
            "watchkeeper:plugin/tls.[method]connection.write": async | trappable,
            default: trappable,
        },
        exports: { default: async },
        with: { "watchkeeper:plugin/tls.connection": watchkeeper_egress::tls::Connection },
    });
}

mod notifier {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "notifier-plugin",
        imports: { default: trappable },
        exports: { default: async },
        with: {
            "watchkeeper:plugin/types": super::probe::watchkeeper::plugin::types,
            "watchkeeper:plugin/log": super::probe::watchkeeper::plugin::log,
            "watchkeeper:plugin/state": super::probe::watchkeeper::plugin::state,
            "watchkeeper:plugin/tls": super::probe::watchkeeper::plugin::tls,
            "watchkeeper:plugin/http-settings": super::probe::watchkeeper::plugin::http_settings,
        },
    });
}

mod validated {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "validated-plugin",
        exports: { default: async },
    });
}

use notifier::exports::watchkeeper::plugin::notifier as told;
use probe::exports::watchkeeper::plugin::probe as asked;
use probe::watchkeeper::plugin::{dns, http_settings, http_trace, icmp, log, state, tls, types};

/// Whether `version` is one that this adapter serves.
pub(super) fn speaks(version: &str) -> bool {
    semver::Version::parse(version)
        .is_ok_and(|version| (version.major, version.minor) == (0, 1) && version.pre.is_empty())
}

/// Links this version's interfaces. The probe's world imports all that the
/// notifier's does.
pub(super) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    probe::ProbePlugin::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)
}

/// A component of this version, ready to be instantiated.
#[derive(Clone)]
pub(crate) struct Bound {
    role: Role,
    /// What it exports besides, if it does.
    validator: Option<validated::ValidatedPluginPre<Host>>,
}

/// What a component is loaded for.
#[derive(Clone)]
enum Role {
    Probe(probe::ProbePluginPre<Host>),
    Notifier(notifier::NotifierPluginPre<Host>),
}

impl Bound {
    pub(super) fn probe(pre: InstancePre<Host>, validates: bool) -> wasmtime::Result<Self> {
        let validator = validator(&pre, validates)?;
        let role = probe::ProbePluginPre::new(pre).map(Role::Probe)?;
        Ok(Self { role, validator })
    }

    pub(super) fn notifier(pre: InstancePre<Host>, validates: bool) -> wasmtime::Result<Self> {
        let validator = validator(&pre, validates)?;
        let role = notifier::NotifierPluginPre::new(pre).map(Role::Notifier)?;
        Ok(Self { role, validator })
    }

    /// What the component has against `config`; none if it does not say.
    pub(super) async fn validate(
        &self,
        store: &mut Store<Host>,
        config: &str,
    ) -> wasmtime::Result<Vec<RawProblem>> {
        let Some(pre) = &self.validator else {
            return Ok(Vec::new());
        };
        let plugin = pre.instantiate_async(&mut *store).await?;
        let said = plugin
            .watchkeeper_plugin_validation()
            .call_validate(store, config)
            .await?;
        let problems = said.into_iter().map(|problem| RawProblem {
            pointer: problem.pointer,
            what: problem.what,
            instead: problem.instead,
            position: problem.position,
        });
        Ok(problems.collect())
    }

    /// Whether it can say anything against a configuration.
    pub(super) fn validates(&self) -> bool {
        self.validator.is_some()
    }

    pub(super) async fn describe(&self, store: &mut Store<Host>) -> wasmtime::Result<Stated> {
        match &self.role {
            Role::Probe(pre) => {
                let plugin = pre.instantiate_async(&mut *store).await?;
                let said = plugin
                    .watchkeeper_plugin_probe()
                    .call_describe(store)
                    .await?;
                Ok(stated(said.general, Some(said.schemes)))
            }
            Role::Notifier(pre) => {
                let plugin = pre.instantiate_async(&mut *store).await?;
                let said = plugin
                    .watchkeeper_plugin_notifier()
                    .call_describe(store)
                    .await?;
                Ok(stated(said, None))
            }
        }
    }

    pub(super) async fn check(
        &self,
        store: &mut Store<Host>,
        question: Question<'_>,
    ) -> wasmtime::Result<Result<RawReading, RawFault>> {
        let Role::Probe(pre) = &self.role else {
            wasmtime::bail!("it is a notifier");
        };
        let plugin = pre.instantiate_async(&mut *store).await?;
        let request = asked::Request {
            monitor: question.monitor.to_owned(),
            target: question.target.to_owned(),
            config: question.config.to_owned(),
            timeout: nanos(question.timeout),
        };
        let said = plugin
            .watchkeeper_plugin_probe()
            .call_check(store, &request)
            .await?;
        Ok(match said {
            Ok(said) => Ok(RawReading {
                verdict: said.health.into(),
                reason: said.reason,
                latency: said.latency.map(Duration::from_nanos),
                measurements: said.measurements.into_iter().map(Into::into).collect(),
            }),
            Err(asked::Fault::Misconfigured(why)) => Err(RawFault::Misconfigured(why)),
            Err(asked::Fault::Undecided(why)) => Err(RawFault::Undecided(why)),
        })
    }

    pub(super) async fn notify(
        &self,
        store: &mut Store<Host>,
        notice: &Notice,
        config: &str,
        timeout: Duration,
    ) -> wasmtime::Result<Result<(), RawFailure>> {
        let Role::Notifier(pre) = &self.role else {
            wasmtime::bail!("it is a probe");
        };
        let plugin = pre.instantiate_async(&mut *store).await?;
        let request = told::Request {
            notice: notice.into(),
            config: config.to_owned(),
            timeout: nanos(timeout),
        };
        let said = plugin
            .watchkeeper_plugin_notifier()
            .call_notify(store, &request)
            .await?;
        Ok(said.map_err(|failure| match failure {
            told::Failure::Temporary((why, wait)) => {
                RawFailure::Temporary(why, wait.map(Duration::from_nanos))
            }
            told::Failure::Permanent(why) => RawFailure::Permanent(why),
        }))
    }
}

fn validator(
    pre: &InstancePre<Host>,
    validates: bool,
) -> wasmtime::Result<Option<validated::ValidatedPluginPre<Host>>> {
    validates
        .then(|| validated::ValidatedPluginPre::new(pre.clone()))
        .transpose()
}

impl types::Host for Host {}

impl log::Host for Host {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => crate::Level::Debug,
            log::Level::Info => crate::Level::Info,
            log::Level::Warn => crate::Level::Warn,
            log::Level::Error => crate::Level::Error,
        };
        self.log_lines(level, &message);
        Ok(())
    }
}

impl state::Host for Host {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.state_get(&key))
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<Result<(), state::Error>> {
        use crate::host::state::Refusal;
        Ok(self.state_set(key, value).map_err(|refusal| match refusal {
            Refusal::Full => state::Error::Full,
            Refusal::BadKey => state::Error::BadKey,
        }))
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<()> {
        self.state_delete(&key);
        Ok(())
    }
}

impl icmp::Host for Host {
    async fn ping(
        &mut self,
        host: String,
        timeout: u64,
    ) -> wasmtime::Result<Result<Vec<icmp::Echo>, icmp::Error>> {
        let answer = self.ping(host, Duration::from_nanos(timeout)).await;
        Ok(match answer {
            Ok(echoes) => Ok(echoes
                .into_iter()
                .map(|echo| icmp::Echo {
                    address: echo.address.to_string(),
                    outcome: match echo.outcome {
                        Outcome::Answered(round_trip) => icmp::Outcome::Answered(nanos(round_trip)),
                        Outcome::TimedOut => icmp::Outcome::TimedOut,
                        Outcome::Unroutable(why) => icmp::Outcome::Unroutable(why),
                        Outcome::Failed(why) => icmp::Outcome::Failed(why),
                    },
                })
                .collect()),
            Err(host_icmp::Error::Denied(why)) => Err(icmp::Error::Denied(why)),
            Err(host_icmp::Error::Unresolved(why)) => Err(icmp::Error::Unresolved(why)),
            Err(host_icmp::Error::Failed(why)) => Err(icmp::Error::Failed(why)),
        })
    }
}

impl dns::Host for Host {
    async fn query(
        &mut self,
        name: String,
        kind: String,
        server: Option<String>,
        timeout: u64,
    ) -> wasmtime::Result<Result<dns::Answer, dns::Error>> {
        let answer = self
            .query(name, kind, server, Duration::from_nanos(timeout))
            .await;
        Ok(match answer {
            Ok(answer) => Ok(dns::Answer {
                code: answer.code,
                records: answer
                    .records
                    .into_iter()
                    .map(|record| dns::Record {
                        name: record.name,
                        kind: record.kind,
                        ttl_seconds: record.ttl_seconds,
                        data: record.data,
                    })
                    .collect(),
                authenticated: answer.authenticated,
                took: nanos(answer.took),
            }),
            Err(host_dns::Error::Denied(why)) => Err(dns::Error::Denied(why)),
            Err(host_dns::Error::TimedOut) => Err(dns::Error::TimedOut),
            Err(host_dns::Error::Failed(why)) => Err(dns::Error::Failed(why)),
            Err(host_dns::Error::Invalid(why)) => Err(dns::Error::Invalid(why)),
        })
    }
}

impl tls::Host for Host {}

impl tls::HostConnection for Host {
    async fn connect(
        &mut self,
        host: String,
        port: u16,
        timeout: u64,
    ) -> wasmtime::Result<Result<Resource<host_tls::Connection>, tls::Error>> {
        let opened = self
            .tls_connect(host, port, Duration::from_nanos(timeout))
            .await?;
        Ok(opened.map_err(Into::into))
    }

    async fn start_tls(
        &mut self,
        connection: Resource<host_tls::Connection>,
        server_name: String,
        alpn: Vec<String>,
        verify: tls::Verify,
        timeout: u64,
    ) -> wasmtime::Result<Result<tls::Session, tls::Error>> {
        let timeout = Duration::from_nanos(timeout);
        let session = self
            .tls_start(&connection, server_name, alpn, verify.into(), timeout)
            .await?;
        Ok(session.map(|session| (&session).into()).map_err(Into::into))
    }

    async fn read(
        &mut self,
        connection: Resource<host_tls::Connection>,
        max: u32,
        timeout: u64,
    ) -> wasmtime::Result<Result<Vec<u8>, tls::Error>> {
        let read = self
            .tls_read(&connection, max, Duration::from_nanos(timeout))
            .await?;
        Ok(read.map_err(Into::into))
    }

    async fn write(
        &mut self,
        connection: Resource<host_tls::Connection>,
        bytes: Vec<u8>,
        timeout: u64,
    ) -> wasmtime::Result<Result<(), tls::Error>> {
        let written = self
            .tls_write(&connection, &bytes, Duration::from_nanos(timeout))
            .await?;
        Ok(written.map_err(Into::into))
    }

    fn drop(&mut self, connection: Resource<host_tls::Connection>) -> wasmtime::Result<()> {
        self.tls_close(connection)
    }
}

impl http_trace::Host for Host {
    fn exchanges(&mut self) -> wasmtime::Result<Vec<http_trace::Exchange>> {
        Ok(self.http_exchanges().iter().map(Into::into).collect())
    }
}

impl http_settings::Host for Host {
    fn verify(&mut self, chain: tls::Verify) -> wasmtime::Result<()> {
        self.verify_http(chain.into());
        Ok(())
    }
}
