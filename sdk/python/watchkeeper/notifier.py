"""Notifiers, as the host calls them."""

import enum
import json
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

from .errors import CallError, NotDelivered
from .guest import Context, broke_down, description, nanos

try:
    from componentize_py_types import Err
    from wit_world.exports import notifier as wit
except ImportError:  # Outside a component, or in a probe.
    Err = wit = None

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def notifier(notify, *, schemes=None, **about):
    """What a plugin assigns to `Notifier`.

    `notify(config, notice, context)` delivers one notice, and is called again, with the
    same `notice.id`, after a temporary failure. `about` is that of a probe.

    A notice has the contract's fields: `id`, `occasion`, `health`, `previous`, `at`,
    `title`, `body`, `affected`, `lasted`, `reminder`, `page_title`, `page_url`,
    `incident_url`. Enumerated values are texts, points in time `datetime`s, spans
    `timedelta`s; what is not there is None.
    """
    if schemes is not None:
        raise TypeError("a notifier has no schemes")

    class Notifier:
        def describe(self):
            return description(**about)

        def notify(self, request):
            context = Context(None, request.timeout)
            try:
                notify(json.loads(request.config), _lift(request.notice), context)
            except CallError as error:
                raise _failure(error.in_notifier, error) from None
            except NotDelivered as error:
                raise _failure(error.kind, error, error.wait) from None
            except Exception as error:
                # The next version of the plugin may do better.
                raise _failure("temporary", broke_down(error)) from None

    return Notifier


def _failure(kind, reason, wait=None):
    if kind == "temporary":
        return Err(wit.Failure_Temporary((str(reason), nanos(wait))))
    return Err(wit.Failure_Permanent(str(reason)))


def _lift(record):
    """A record of the contract with all its fields, whichever they are."""
    return SimpleNamespace(**{name: _value(name, value) for name, value in vars(record).items()})


def _value(name, value):
    if value is None:
        return None
    if isinstance(value, enum.Enum):
        return value.name.lower().replace("_", "-")
    if name in ("at", "since"):
        return _EPOCH + timedelta(microseconds=value // 1000)
    if name == "lasted":
        return timedelta(microseconds=value // 1000)
    if isinstance(value, list):
        return [_lift(each) for each in value]
    return value
