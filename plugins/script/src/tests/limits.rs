//! What has no end otherwise.

use super::{output, verdict};

#[test]
fn what_would_be_too_much_has_no_verdict() {
    for (script, expected) in [
        (
            "f() { f; }; f",
            "undecided: line 1: functions, subshells and eval are nested more than 60 deep",
        ),
        (
            "x=$(while :; do echo 0123456789012345678901234567890123456789; done)",
            "undecided: a pipe, file or `$( )` would hold more than 1024 KiB",
        ),
        (
            "while :; do echo 0123456789012345678901234567890123456789; done | head -1",
            "undecided: a pipe, file or `$( )` would hold more than 1024 KiB",
        ),
    ] {
        assert_eq!(verdict(script), expected, "{script}");
    }
}

#[test]
fn of_much_output_the_end_is_kept() {
    let script = "i=0; while [ $i -lt 5000 ]; do echo \"line $i of many, many lines of output\"; \
                  i=$((i+1)); done; exit 1";
    assert_eq!(
        verdict(script),
        "sick: line 4999 of many, many lines of output"
    );
    assert!(output(script).len() <= 128 << 10);
}

#[test]
fn what_is_not_there_is_said() {
    for (script, expected) in [
        (
            "cat /etc/passwd",
            "sick: line 1: cat: /etc/passwd: No such file: there are only those that this script \
             wrote",
        ),
        (
            "echo x > /dev/tcp/h/1",
            "sick: line 1: /dev/tcp/h/1: cannot be opened: there are no devices here",
        ),
        (
            "curl -k https://x.test",
            "dead: line 1: curl: -k is not known here: certificates are always checked; trust your own authority with `[network] ca_file`",
        ),
        (
            "curl --retry 3 x",
            "dead: line 1: curl: --retry is not known here",
        ),
        (
            "grep -P x",
            "dead: line 1: grep: -P is not known here: use -E",
        ),
        ("set -o vi", "dead: line 1: set: -o vi is not known here"),
        (
            "eval 'if'",
            "dead: line 1: syntax error: line 1, column 1: `if` without `fi`",
        ),
        (
            "i=0; for x in $(seq 70); do echo > f$x || exit 2; done",
            "dead: line 1: f65: more than 64 files",
        ),
    ] {
        assert_eq!(verdict(script), expected, "{script}");
    }
}
