//! `target-server`: the targets of the demo as one process that can be switched,
//! stopped and started again.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]

use std::io::Read;
use std::net::SocketAddr;
use std::process::ExitCode;

use target_server::{
    ControlPage, DnsTarget, HttpTarget, Received, Receiver, TcpBehaviour, TcpTarget, Zone,
};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "\
A server with faults on demand.

usage: target-server [OPTION VALUE]...

  --http ADDRESS      the target (127.0.0.1:8081): /, /ok, /json, /status/503, /slow/2000 ...
  --control ADDRESS   the switch for what / answers (127.0.0.1:8082): /control
  --tcp ADDRESS       a line echo (127.0.0.1:8083)
  --webhook ADDRESS   prints the webhooks it receives (127.0.0.1:8084)
  --dns ADDRESS       a name server, UDP and TCP (127.0.0.1:8053): demo.test ...
  --with-parent       end when standard input does
";

/// Exit code for a wrong command line, as in sysexits.h.
const USAGE_ERROR: u8 = 64;

/// The longest part of a webhook's body that is printed, in characters.
const PRINTED: usize = 400;

/// What the command line says.
struct Options {
    http: SocketAddr,
    control: SocketAddr,
    tcp: SocketAddr,
    webhook: SocketAddr,
    dns: SocketAddr,
    with_parent: bool,
}

enum Command {
    Help,
    Serve(Options),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = match parse(std::env::args().skip(1)) {
        Ok(Command::Serve(options)) => options,
        Ok(Command::Help) => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(mistake) => {
            eprint!("target-server: {mistake}\n\n{USAGE}");
            return ExitCode::from(USAGE_ERROR);
        }
    };
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("target-server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), String> {
    // Before the first line of output: who reads that line may send a signal at once.
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;

    let cannot = |what: &'static str, address: SocketAddr| {
        move |error| format!("cannot listen on {address} ({what}): {error}")
    };
    let Options {
        http,
        control,
        tcp,
        webhook,
        dns,
        with_parent,
    } = options;
    let target = HttpTarget::start(http)
        .await
        .map_err(cannot("http", http))?;
    let page = ControlPage::start(control, target.clone())
        .await
        .map_err(cannot("control", control))?;
    let echo = TcpTarget::start(tcp, TcpBehaviour::greeting())
        .await
        .map_err(cannot("tcp", tcp))?;
    let receiver = Receiver::start(webhook)
        .await
        .map_err(cannot("webhook", webhook))?;
    let names = DnsTarget::start(dns, Zone::demo())
        .await
        .map_err(cannot("dns", dns))?;

    println!("target-server: http     {}", target.url("/"));
    println!("target-server: switch   http://{}/control", page.address());
    println!("target-server: tcp      {}", echo.address());
    println!("target-server: webhooks {}", receiver.url("/"));
    println!("target-server: dns      {} (demo.test)", names.address());

    tokio::select! {
        () = print_webhooks(&receiver) => {}
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = end_of_input(), if with_parent => {}
    }
    println!("target-server: stopped");
    Ok(())
}

async fn print_webhooks(receiver: &Receiver) {
    let mut next = 0;
    loop {
        let Received {
            number,
            method,
            path,
            body,
            ..
        } = receiver.nth(next).await;
        next = number + 1;
        // Control characters from the network do not belong on a terminal.
        let body: String = String::from_utf8_lossy(&body)
            .chars()
            .take(PRINTED)
            .map(|character| {
                if character.is_control() {
                    ' '
                } else {
                    character
                }
            })
            .collect();
        println!("webhook {next}: {method} {path} {body}");
    }
}

/// On a thread of its own: one that the runtime waited for would keep a stopped
/// program alive until the next key is pressed.
async fn end_of_input() {
    let (ended, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let mut sink = [0; 64];
        let mut input = std::io::stdin();
        // An error is an end too.
        while input.read(&mut sink).is_ok_and(|length| length > 0) {}
        drop(ended);
    });
    drop(end.await);
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let local = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut options = Options {
        http: local(8081),
        control: local(8082),
        tcp: local(8083),
        webhook: local(8084),
        dns: local(8053),
        with_parent: false,
    };
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        let place = match argument.as_str() {
            "--http" => &mut options.http,
            "--control" => &mut options.control,
            "--tcp" => &mut options.tcp,
            "--webhook" => &mut options.webhook,
            "--dns" => &mut options.dns,
            "--with-parent" => {
                options.with_parent = true;
                continue;
            }
            "--help" | "-h" => return Ok(Command::Help),
            _ => return Err(format!("unknown option {argument:?}")),
        };
        let value = arguments
            .next()
            .ok_or_else(|| format!("{argument} needs an address"))?;
        *place = value.parse().map_err(|_| {
            format!("{argument} {value:?}: write an address and a port, such as 127.0.0.1:8081")
        })?;
    }
    Ok(Command::Serve(options))
}
