"""Small values that outlive a run, as JSON. Needs `asks=["state"]`."""

import json

from .errors import CallError

try:
    from componentize_py_types import Err as _Err
    from wit_world.imports import state as _host
except ImportError:  # Outside a component.
    _Err = _host = None


def get(key):
    """The value under `key`; None where there is none, or none that is JSON."""
    value = _host.get(key)
    try:
        return None if value is None else json.loads(value)
    except ValueError:
        return None


def set(key, value):
    """Keeps `value` under `key`, of at most 128 bytes; the space has 64 KiB."""
    data = json.dumps(value).encode()
    try:
        _host.set(key, data)
    except _Err as error:
        if isinstance(error.value, _host.Error_BadKey):
            raise CallError("invalid", f"state {key}: longer than 128 bytes") from None
        raise CallError("host", f"state {key}: the space is full") from None


def remove(key):
    """Forgets the value under `key`, if any."""
    _host.delete(key)
