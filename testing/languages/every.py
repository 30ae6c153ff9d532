"""Does what its configuration says, for the tests of the SDK."""

import watchkeeper
from watchkeeper import healthy, http, log, misconfigured, sick, state, undecided


def check(config, target, context):
    return globals()[f"do_{config['do']}"](target, context)


def do_get(target, context):
    http.get(target).success()
    return healthy()


def do_elsewhere(target, context):
    http.get("http://elsewhere.invalid/")
    return sick("it was let through")


def do_put(target, context):
    answer = http.request("PUT", target, headers={"X-Test": "1"}, body="text")
    return sick(answer.success().header("X-Answer"))


def do_echo(target, context):
    text = http.post(target, body=b"x" * 10_000).text()
    return healthy().measure("sent", 10_000, "bytes").dead_if(text != "ok", text)


def do_undecided(target, context):
    raise undecided("cannot tell")


def do_misconfigured(target, context):
    raise misconfigured("config.do: no")


def do_worsen(target, context):
    reading = healthy().sick_if(True, "a").sick_if(False, "b").dead_if(True, "c")
    return reading.sick_if(True, "late").dead_if(True, "d").measure("figure", 1.5, "ratio")


def do_log(target, context):
    log.info("one")
    log.warn("two")
    return healthy()


def do_context(target, context):
    late = context.remaining() > context.timeout
    reading = sick(context.monitor).measure("timeout", context.timeout, "seconds")
    return reading.dead_if(late, "more is left than there was")


def do_count(target, context):
    runs = (state.get("runs") or 0) + 1
    state.set("runs", runs)
    state.set("other", "x")
    state.remove("other")
    kept = state.get("other") is not None
    return healthy().measure("runs", runs, "runs").dead_if(kept, "kept")


def do_break(target, context):
    raise TypeError("this does not work")


Probe = watchkeeper.probe(
    check,
    name="every",
    version="0.1.0",
    summary="Does as it is told",
    asks=["http", "state"],
    config={"type": "object", "properties": {"do": {"type": "string"}}},
)
