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
fn numbers_that_are_too_much_are_told() {
    for (script, expected) in [
        (
            "x='a[x]'; echo $((x))",
            "sick: line 1: a[x]: expression recursion level exceeded",
        ),
        (
            "a[9223372036854775807]=x; a+=(y); echo ${#a[@]}; exit 1",
            "sick: 1",
        ),
        (
            "a[9223372036854775807]=x; echo ${a[-2]-none}; exit 1",
            "sick: none",
        ),
        (
            "echo $(( -9223372036854775808 / -1 )) $(( -9223372036854775808 % -1 )); exit 1",
            "sick: -9223372036854775808 0",
        ),
        (
            "s=0; for i in {1..2000}; do s=$s+1; done; echo $((s))",
            "sick: line 1: arithmetic: more than 1000 operators",
        ),
        (
            "s=0; for i in {1..900}; do s=$s+1; done; echo $((s)); exit 1",
            "sick: 900",
        ),
        (
            "x=$(printf %070000d 0); seq 1.$x | wc -c; exit 1",
            "sick: 33",
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
