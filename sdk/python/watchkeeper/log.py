"""Lines for the host's log. Outside a component they go nowhere."""

try:
    from wit_world.imports import log as _host
except ImportError:
    _host = None


def debug(message):
    """What only the author wants to know."""
    _log("DEBUG", message)


def info(message):
    """What happened."""
    _log("INFO", message)


def warn(message):
    """What is odd."""
    _log("WARN", message)


def error(message):
    """What went wrong."""
    _log("ERROR", message)


def _log(level, message):
    if _host:
        _host.log(_host.Level[level], str(message))
