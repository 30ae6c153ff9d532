//! `tcp`, `nc` and `ping`.

use std::time::Duration;

use super::options::{Given, Takes, span};
use super::{failed, misused};
use crate::shell::{Interrupt, Outcome, Shell};
use crate::world::Talk;

/// A timeout from an option, within what is left of the check's time.
pub(super) fn timeout(shell: &Shell<'_>, given: &Given, letter: char) -> Result<Duration, String> {
    let most = shell.world.remaining().mul_f64(0.95);
    match given.value(letter) {
        None => Ok(most),
        Some(text) => match span(text) {
            Some(span) if !span.is_zero() => Ok(most.min(span)),
            _ => Err(format!("-{letter} {text}: no span of time")),
        },
    }
}

/// Host and port, together or apart.
fn address(words: &[String]) -> Result<(String, u16), String> {
    let (host, port) = match words {
        [both] => {
            let both = both.strip_prefix("tcp://").unwrap_or(both);
            let (host, port) = both
                .rsplit_once(':')
                .ok_or_else(|| format!("{both}: no port"))?;
            (host, port)
        }
        [host, port] => (host.as_str(), port.as_str()),
        _ => return Err("write HOST PORT".to_owned()),
    };
    let port = port
        .trim_end_matches('/')
        .parse()
        .map_err(|_| format!("{port}: no port"))?;
    Ok((host.trim_matches(['[', ']']).to_owned(), port))
}

/// `tcp HOST PORT [--send TEXT] [--expect TEXT] [--timeout S]`: writes what
/// comes back.
pub(super) fn tcp(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let takes = Takes::new("", "set").long(&[("send", 's'), ("expect", 'e'), ("timeout", 't')]);
    let given = match takes.read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "tcp", &what),
    };
    let (host, port) = match address(&given.rest) {
        Ok(address) => address,
        Err(what) => return misused(shell, "tcp", &what),
    };
    let timeout = match timeout(shell, &given, 't') {
        Ok(timeout) => timeout,
        Err(what) => return misused(shell, "tcp", &what),
    };
    let (send, _) = crate::escape::echo(given.value('s').unwrap_or_default());
    let talk = Talk {
        host: &host,
        port,
        send: &send,
        until: given.value('e'),
        listen: given.has('s') || given.has('e'),
        timeout,
    };
    let heard = match shell.world.tcp(&talk) {
        Ok(heard) => heard,
        Err(error) => return failed(shell, "tcp", &error.to_string(), 1),
    };
    shell.out_bytes(&heard.bytes)?;
    if let Some(expected) = given.value('e')
        && !String::from_utf8_lossy(&heard.bytes).contains(expected)
    {
        let what = format!("{host}:{port} did not say `{expected}`");
        return failed(shell, "tcp", &what, 1);
    }
    Ok(0)
}

/// `nc -z HOST PORT`, or a conversation with standard input.
pub(super) fn nc(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("zvn4N", "wq").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "nc", &what),
    };
    let (host, port) = match address(&given.rest) {
        Ok(address) => address,
        Err(what) => return misused(shell, "nc", &what),
    };
    let timeout = match timeout(shell, &given, 'w') {
        Ok(timeout) => timeout,
        Err(what) => return misused(shell, "nc", &what),
    };
    let only_connect = given.has('z');
    let send = if only_connect {
        Vec::new()
    } else {
        shell.read_input()
    };
    let talk = Talk {
        host: &host,
        port,
        send: &send,
        until: None,
        listen: !only_connect,
        timeout,
    };
    match shell.world.tcp(&talk) {
        Ok(heard) => {
            if given.has('v') {
                let line = format!("Connection to {host} {port} port [tcp/*] succeeded!\n");
                shell.error_bytes(line.as_bytes())?;
            }
            shell.out_bytes(&heard.bytes)?;
            Ok(0)
        }
        Err(error) if given.has('v') || !only_connect => {
            let what = format!("connect to {host} port {port} failed: {error}");
            failed(shell, "nc", &what, 1)
        }
        Err(_) => Ok(1),
    }
}

/// How many echoes `ping` sends at most.
const MAX_ECHOES: usize = 20;

pub(super) fn ping(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let given = match Takes::new("qn46", "cWwi").read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "ping", &what),
    };
    let [host] = given.rest.as_slice() else {
        return misused(shell, "ping", "write one host");
    };
    let count = match given.number('c') {
        Ok(count) => count.unwrap_or(1).clamp(1, MAX_ECHOES),
        Err(what) => return misused(shell, "ping", &what),
    };
    let wait = match (timeout(shell, &given, 'W'), timeout(shell, &given, 'w')) {
        (Ok(each), Ok(whole)) => each.min(whole),
        (Err(what), _) | (_, Err(what)) => return misused(shell, "ping", &what),
    };
    let mut echoes = Vec::new();
    let mut problem = None;
    for number in 1..=count {
        let left = shell.world.remaining().mul_f64(0.95);
        match shell.world.ping(host, wait.min(left)) {
            Ok(answers) => {
                for (address, took) in answers {
                    let millis = took.as_secs_f64() * 1000.0;
                    if !given.has('q') {
                        let line = format!(
                            "64 bytes from {address}: icmp_seq={number} time={millis:.3} ms\n"
                        );
                        shell.out(&line)?;
                    }
                    echoes.push(millis);
                }
            }
            Err(error @ watchkeeper_sdk::Error::Unresolved(_)) => {
                return failed(shell, "ping", &error.to_string(), 2);
            }
            Err(error) => problem = Some(error),
        }
    }
    summary(shell, host, count, &echoes)?;
    match problem {
        Some(error) if echoes.is_empty() => failed(shell, "ping", &error.to_string(), 1),
        _ => Ok(0),
    }
}

fn summary(
    shell: &mut Shell<'_>,
    host: &str,
    sent: usize,
    echoes: &[f64],
) -> Result<(), Interrupt> {
    let received = echoes.len().min(sent);
    let loss = (sent - received) * 100 / sent;
    shell.out(&format!(
        "\n--- {host} ping statistics ---\n\
         {sent} packets transmitted, {received} received, {loss}% packet loss\n"
    ))?;
    if echoes.is_empty() {
        return Ok(());
    }
    let least = echoes.iter().copied().fold(f64::INFINITY, f64::min);
    let most = echoes.iter().copied().fold(0.0, f64::max);
    let count = u32::try_from(echoes.len()).unwrap_or(u32::MAX);
    let mean = echoes.iter().sum::<f64>() / f64::from(count);
    shell.out(&format!(
        "rtt min/avg/max = {least:.3}/{mean:.3}/{most:.3} ms\n"
    ))
}
