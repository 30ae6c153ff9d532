"""What probes and notifiers have in common."""

import json
import sys
import time
import traceback

try:
    from wit_world.imports import watchkeeper_plugin_types as types
except ImportError:  # Outside a component.
    types = None

_NO_CONFIG = {"type": "object", "additionalProperties": False}


class Context:
    """The run that a plugin is called in."""

    def __init__(self, monitor, timeout):
        self._started = time.monotonic()
        #: `service/monitor` of a check, for log lines; None in a notifier.
        self.monitor = monitor
        #: The whole time that this run has, in seconds.
        self.timeout = timeout / 1e9

    def remaining(self):
        """What is left of the time, in seconds."""
        return max(0.0, self.timeout - (time.monotonic() - self._started))


def description(name, version, summary, config=None, asks=(), hosts=()):
    """The contract's `description`."""
    return types.Description(
        name=name,
        version=version,
        summary=summary,
        config_schema=json.dumps(config or _NO_CONFIG),
        asks=[types.Capability[each.upper()] for each in asks],
        hosts=list(hosts),
    )


def nanos(seconds):
    """Seconds as the contract has them."""
    return None if seconds is None else max(0, round(seconds * 1e9))


def broke_down(error):
    """What to say of an error that nobody foresaw; where it happened goes to the log.

    Raised on, it would end the run as well, but with the runtime's words in place of
    its own.
    """
    traceback.print_exception(error, file=sys.stderr)
    return f"the plugin broke down: {type(error).__name__}: {error}"
