"""Write probes and notifiers for Watchkeeper in Python.

A probe is a function from a configuration, a target and a context to a reading:

    import watchkeeper
    from watchkeeper import healthy, http

    def check(config, target, context):
        depth = http.get(target).success().json()["depth"]
        return healthy().measure("jobs", depth, "jobs").sick_if(depth > 100, "too long")

    Probe = watchkeeper.probe(
        check, name="queue-depth", version="0.1.0", summary="Is the queue short?", asks=["http"]
    )

The calls to the host exist only inside a component. This imports without one, so
that what judges can be tested with plain Python.
"""

from . import http, log, state
from .errors import (
    CallError,
    NotDelivered,
    Stop,
    misconfigured,
    permanent,
    temporary,
    undecided,
)
from .notifier import notifier
from .probe import probe
from .reading import Reading, dead, healthy, sick

__all__ = [
    "CallError",
    "NotDelivered",
    "Reading",
    "Stop",
    "dead",
    "healthy",
    "http",
    "log",
    "misconfigured",
    "notifier",
    "permanent",
    "probe",
    "sick",
    "state",
    "temporary",
    "undecided",
]
