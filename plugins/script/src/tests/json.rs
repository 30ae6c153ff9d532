//! `jq` and `json`.

use super::output;

fn check(value: &str, filter: &str, expected: &str) {
    let script = format!("json '{filter}' <<'END'\n{value}\nEND\n");
    assert_eq!(output(&script).trim_end(), expected, "{filter}");
}

#[test]
fn filters_find_what_jq_finds() {
    let value = r#"{"a":{"b":[1,2,3]},"n":5,"s":"text","t":true,"x":null,"l":[{"k":"p","v":1},{"k":"q","v":2}]}"#;
    for (filter, expected) in [
        (".n", "5"),
        (".a.b[0]", "1"),
        (".a.b[-1]", "3"),
        (".a[\"b\"][1]", "2"),
        (".a.b[]", "1\n2\n3"),
        (".a.b", "[1,2,3]"),
        (".a.b[1:]", "[2,3]"),
        (".a.b | length", "3"),
        (".s | length", "4"),
        ("keys", r#"["a","l","n","s","t","x"]"#),
        ("keys | length", "6"),
        (".l[] | select(.v > 1) | .k", "q"),
        (".l[] | select(.k == \"p\").v", "1"),
        (".l | map(.v) | add", "3"),
        ("[.l[].v] | max", "2"),
        (".missing", "null"),
        (".missing // \"none\"", "none"),
        (".n > 3 and .t", "true"),
        (".n + 1, .n * 2, .n / 2, .n % 3", "6\n10\n2.5\n2"),
        (".s + \"!\"", "text!"),
        ("\"n is \\(.n)\"", "n is 5"),
        ("{n, k: .l[0].k}", r#"{"n":5,"k":"p"}"#),
        ("[.l[] | {(.k): .v}] | add", r#"{"p":1,"q":2}"#),
        (".l | length as $c | \"\\($c) rows\"", "2 rows"),
        (
            "if .n > 3 then \"deep\" elif .n > 1 then \"mid\" else \"ok\" end",
            "deep",
        ),
        (".a | has(\"b\"), has(\"c\")", "true\nfalse"),
        (".l | any(.v == 2), all(.v == 2)", "true\nfalse"),
        (".l | sort_by(-.v) | .[0].k", "q"),
        (".a | to_entries[0].key", "b"),
        (
            ".s | test(\"^te\"), startswith(\"x\"), ascii_upcase",
            "true\nfalse\nTEXT",
        ),
        (".s | split(\"e\") | join(\"-\")", "t-xt"),
        (".x?, (.s.y)?, 1", "null\n1"),
        ("try error(\"bad\") catch .", "bad"),
        ("[.. | numbers] | length", "6"),
        ("reduce .a.b[] as $i (0; . + $i)", "6"),
        (".n | tostring | type", "string"),
        ("\"3.50\" | tonumber", "3.5"),
        ("[range(3)] | @csv", "0,1,2"),
        ("(-1) | abs", "1"),
        (".l | map(select(.v == 3)) | length == 0", "true"),
        (".t | not", "false"),
        (
            "[3,1,2] | sort, reverse, unique, first, last",
            "[1,2,3]\n[2,1,3]\n[1,2,3]\n3\n2",
        ),
    ] {
        check(value, filter, expected);
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (script, expected) in [
        ("echo '{}' | jq .a.b.c; echo $?", "null\n0\n"),
        (
            "echo '[1]' | jq .a 2>&1; echo $?",
            "line 1: jq: Cannot index array with \"a\"\n5\n",
        ),
        (
            "echo 'x{' | jq . 2>&1; echo $?",
            "line 1: jq: this is no JSON: expected value at line 1 column 1: x{\n2\n",
        ),
        (
            "echo '{}' | jq 'def f: 1' 2>&1; echo $?",
            "line 1: jq: the filter: `def` is not known here\n3\n",
        ),
        (
            "echo '{}' | jq 'nope' 2>&1; echo $?",
            "line 1: jq: the filter: `nope/0` is not known here\n3\n",
        ),
        (
            "echo '{}' | jq '.a |' 2>&1; echo $?",
            "line 1: jq: the filter is not complete\n3\n",
        ),
        ("echo '{\"a\":false}' | jq -e .a; echo $?", "false\n1\n"),
        ("echo '{}' | jq -e empty; echo $?", "4\n"),
        ("jq -n '1 + 1'", "2\n"),
        (
            "jq -n --arg x 'a b' '$x'; jq -nr --argjson n 3 '$n + 1'",
            "\"a b\"\n4\n",
        ),
        (
            "echo '{\"a\":[1]}' | jq .; echo '{\"a\":[1]}' | jq -c .",
            "{\n  \"a\": [\n    1\n  ]\n}\n{\"a\":[1]}\n",
        ),
        (
            "echo '\"x\"' | jq .; echo '\"x\"' | jq -r .; printf '1 2' | jq -s add",
            "\"x\"\nx\n3\n",
        ),
        (
            "jq -n '$nope' 2>&1; echo $?",
            "line 1: jq: $nope is not defined\n5\n",
        ),
        (
            "jq -n '1 / 0' 2>&1; echo $?",
            "line 1: jq: the divisor is zero\n5\n",
        ),
        ("echo '' | json .a 2>&1; echo $?", "0\n"),
    ] {
        assert_eq!(output(script), expected, "{script}");
    }
}
