"""A probe: sick or dead when too many jobs wait in a queue, which the target tells
as JSON: `{"queue":{"depth":3}}`."""

import watchkeeper
from watchkeeper import dead, healthy, http

# What operators write under `config`, as a JSON Schema.
CONFIG = {
    "type": "object",
    "additionalProperties": False,
    "required": ["sick_above"],
    "properties": {
        "sick_above": {
            "type": "number",
            "description": "Sick when more jobs than this are waiting.",
        },
        "dead_above": {
            "type": "number",
            "description": "Dead when more jobs than this are waiting.",
        },
    },
}


def check(config, target, context):
    return judge(config, http.get(target).success().json())


def judge(config, answer):
    """What the answer means. It asks nobody anything, so that tests need no host."""
    try:
        depth = float(answer["queue"]["depth"])
    except (KeyError, TypeError, ValueError):
        return dead("the answer has no queue.depth")
    waiting = f"{depth:g} jobs are waiting"
    return (
        healthy()
        .measure("jobs-waiting", depth, "jobs")
        .sick_if(depth > config["sick_above"], waiting)
        .dead_if(depth > config.get("dead_above", float("inf")), waiting)
    )


Probe = watchkeeper.probe(
    check,
    name="queue-depth",
    version="0.1.0",
    summary="Sick when too many jobs wait in a queue",
    asks=["http"],
    config=CONFIG,
)
