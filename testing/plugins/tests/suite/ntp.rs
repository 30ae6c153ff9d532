//! The ntp probe, against chrony, and against a server that lies as it is told.

use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use plugin_tests::{ANY, Program, Trial, Workplace, check, find, run, skip};
use tokio::net::UdpSocket as AsyncUdpSocket;
use tokio::task::JoinHandle;

use crate::http::SHORT;
use crate::measured::{names, value};

/// chrony with these lines in its configuration besides what tests need. It leaves
/// this machine's clock alone.
pub(crate) async fn chrony(more: &str) -> Option<Program> {
    let Some(program) = find("chronyd") else {
        skip("ntp: chronyd (Debian's chrony) is missing");
        return None;
    };
    let command = |port, place: &Workplace| {
        let pid = place.path().join("pid");
        let config = format!(
            "port {port}\nbindaddress 127.0.0.1\ncmdport 0\nbindcmdaddress /\n\
             allow 127.0.0.0/8\npidfile {}\n{more}",
            pid.display()
        );
        let file = place.write("chrony.conf", &config);
        let mut command = Command::new(&program);
        command.args(["-U", "-x", "-d", "-f"]).arg(file);
        command
    };
    Some(Program::start(command, answers).await)
}

/// Whether something answers a question about the time.
fn answers(address: SocketAddr) -> bool {
    let mut question = [0; 48];
    question[0] = 0b00_100_011;
    let asked = UdpSocket::bind(ANY).and_then(|socket| {
        socket.set_read_timeout(Some(Duration::from_millis(200)))?;
        socket.connect(address)?;
        socket.send(&question)?;
        socket.recv(&mut [0; 48])
    });
    asked.is_ok()
}

fn target(address: SocketAddr) -> String {
    format!("ntp://{address}")
}

#[test]
fn a_server_with_the_time_is_healthy() {
    run(async {
        let Some(server) = chrony("local stratum 5\n").await else {
            return;
        };
        let target = target(server.address());
        for (config, expected) in [
            ("{}", "healthy"),
            (r#"{"leap": "sick"}"#, "healthy"),
            (r#"{"stratum": {"sick_above": 5}}"#, "healthy"),
            (
                r#"{"stratum": {"sick_above": 4}}"#,
                "sick: stratum is 5, more than 4",
            ),
            (
                r#"{"stratum": {"sick_above": 3, "dead_above": 4}}"#,
                "dead: stratum is 5, more than 4",
            ),
            (r#"{"root_dispersion": {"sick_above": "10s"}}"#, "healthy"),
            (
                r#"{"stratum": {"sick_above": 16}}"#,
                "refused: config.stratum.sick_above",
            ),
        ] {
            let said = check("ntp", &target, config).await;
            assert!(said.starts_with(expected), "{config}: {said}");
            assert!(expected != "healthy" || said == expected, "{said}");
        }
        let run = Trial::new("ntp", "{}").check(&target).await.unwrap();
        assert_eq!(
            names(&run),
            [
                "offset seconds",
                "round-trip seconds",
                "stratum levels",
                "root-delay seconds",
                "root-dispersion seconds",
                "leap-announced seconds"
            ]
        );
        // Both read the same clock; between reading and sending a busy machine may
        // do something else.
        assert!(value(&run, "offset").abs() < 0.1);
    });
}

#[test]
fn a_server_without_the_time_is_dead() {
    run(async {
        let Some(server) = chrony("").await else {
            return;
        };
        assert_eq!(
            check("ntp", &target(server.address()), "{}").await,
            "dead: is not synchronised"
        );
    });
}

/// Answers every question with what `lie` makes of a good answer.
struct Liar {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Liar {
    async fn start(lie: impl Fn(&mut [u8; 48]) + Send + 'static) -> Self {
        let socket = Arc::new(AsyncUdpSocket::bind(ANY).await.expect("a port is free"));
        let address = socket.local_addr().expect("it is bound");
        let task = tokio::spawn(async move {
            let mut question = [0; 48];
            while let Ok((_, peer)) = socket.recv_from(&mut question).await {
                let mut answer = good_answer(&question);
                lie(&mut answer);
                drop(socket.send_to(&answer, peer).await);
            }
        });
        Self { address, task }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn good_answer(question: &[u8; 48]) -> [u8; 48] {
    let mut answer = [0; 48];
    answer[0] = 0b00_100_100;
    answer[1] = 2;
    answer[24..32].copy_from_slice(&question[40..48]);
    let now = jiff::Timestamp::now();
    let seconds = u32::try_from(now.as_second() + 2_208_988_800).expect("until 2036");
    let nanos = u64::from(now.subsec_nanosecond().unsigned_abs());
    let fraction = u32::try_from((nanos << 32) / 1_000_000_000).expect("below a second");
    for from in [32, 40] {
        answer[from..from + 4].copy_from_slice(&seconds.to_be_bytes());
        answer[from + 4..from + 8].copy_from_slice(&fraction.to_be_bytes());
    }
    answer
}

/// Moves both times of an answer by so many seconds.
fn shift(answer: &mut [u8; 48], by: i32) {
    for from in [32, 40] {
        let seconds = &mut answer[from..from + 4];
        let old = seconds
            .iter()
            .fold(0, |old: u32, byte| (old << 8) | u32::from(*byte));
        seconds.copy_from_slice(&old.wrapping_add_signed(by).to_be_bytes());
    }
}

#[test]
fn what_a_server_tells_is_compared() {
    run(async {
        type Lie = fn(&mut [u8; 48]);
        let cases: [(Lie, &str, &str); 9] = [
            (|_| {}, "{}", "healthy"),
            (
                |answer| shift(answer, 3600),
                "{}",
                "sick: clock is 59 min 59 s ahead, more than 128 ms|sick: clock is 1 h ahead, more than 128 ms",
            ),
            (
                |answer| shift(answer, -90),
                r#"{"offset": {"dead_above": "1m"}}"#,
                "dead: clock is 1 min 30 s behind, more than 1 min|dead: clock is 1 min 29 s behind, more than 1 min",
            ),
            (
                |answer| answer[0] |= 0b01_000_000,
                r#"{"leap": "sick"}"#,
                "sick: announces a leap second",
            ),
            (
                |answer| answer[0] |= 0b11_000_000,
                "{}",
                "dead: is not synchronised",
            ),
            (
                |answer| answer[9] = 3,
                r#"{"root_dispersion": {"sick_above": "1s", "dead_above": "10s"}}"#,
                "sick: may be off by 3 s by its own reckoning, more than 1 s",
            ),
            (
                |answer| {
                    answer[1] = 0;
                    answer[12..16].copy_from_slice(b"DENY");
                },
                "{}",
                "dead: refuses to tell the time (DENY)",
            ),
            (
                |answer| {
                    answer[1] = 0;
                    answer[12..16].copy_from_slice(b"RATE");
                },
                "{}",
                "undecided: the server wants to be asked less often (RATE): make `every` longer",
            ),
            // Someone who did not see the question.
            (|answer| answer[24] ^= 1, "{}", "dead: no answer in 1 s"),
        ];
        for (lie, config, expected) in cases {
            let liar = Liar::start(lie).await;
            let trial = Trial::new("ntp", config);
            let trial = if expected.ends_with("in 1 s") {
                trial.within(SHORT)
            } else {
                trial
            };
            let said = trial.check_in_words(&target(liar.address)).await;
            assert!(expected.split('|').any(|one| one == said), "{said}");
        }
    });
}

#[test]
fn what_does_not_answer_is_dead() {
    run(async {
        let silent = UdpSocket::bind(ANY).unwrap();
        let address = silent.local_addr().unwrap();
        let trial = Trial::new("ntp", "{}").within(SHORT);
        let said = trial.check_in_words(&target(address)).await;
        assert_eq!(said, "dead: no answer in 1 s");
        drop(silent);
        assert_eq!(
            check("ntp", &target(address), "{}").await,
            "dead: connection refused"
        );
        assert_eq!(
            check("ntp", "ntp://gone.test", "{}").await,
            "dead: no such host: gone.test"
        );
        let ungranted = Trial::new("ntp", "{}").ungranted();
        let said = ungranted.check_in_words(&target(address)).await;
        assert!(said.starts_with("undecided: "), "{said}");
    });
}
