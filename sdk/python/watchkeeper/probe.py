"""Probes, as the host calls them."""

import json

from .errors import CallError, Stop
from .guest import Context, broke_down, description, nanos, types
from .reading import Reading, dead

try:
    from componentize_py_types import Err
    from wit_world.exports import probe as wit
except ImportError:  # Outside a component, or in a notifier.
    Err = wit = None


def probe(check, *, schemes=(), **about):
    """What a plugin assigns to `Probe`.

    `check(config, target, context)` returns a `Reading`. `about` is `name`, `version`
    (semantic), `summary` (one line for people), `config` (a JSON Schema, 2020-12; none:
    the plugin takes no configuration), `asks` (the ways out that it needs: `http`,
    `tcp`, `udp`, `icmp`, `dns`, `tls`, `state`) and `hosts` (beyond those of targets and
    configuration). `schemes` are URL schemes of the targets that it judges unless a
    monitor names another probe.
    """

    class Probe:
        def describe(self):
            return wit.ProbeDescription(general=description(**about), schemes=list(schemes))

        def check(self, request):
            context = Context(request.monitor, request.timeout)
            return _lower(_judge(check, request, context))

    return Probe


def _judge(check, request, context):
    try:
        reading = check(json.loads(request.config), request.target, context)
        if not isinstance(reading, Reading):
            raise TypeError(f"check returned {reading!r} instead of a reading")
        return reading
    except CallError as error:
        if error.in_probe == "dead":
            return dead(str(error))
        raise _fault(error.in_probe, error) from None
    except Stop as error:
        raise _fault(error.kind, error) from None
    except Exception as error:
        raise _fault("undecided", broke_down(error)) from None


def _fault(kind, reason):
    misconfigured = kind == "misconfigured"
    return Err((wit.Fault_Misconfigured if misconfigured else wit.Fault_Undecided)(str(reason)))


def _lower(reading):
    return wit.Reading(
        health=types.Health[reading.health.upper()],
        reason=reading.reason,
        latency=nanos(reading.seconds),
        measurements=[types.Measurement(*each) for each in reading.measurements],
    )
