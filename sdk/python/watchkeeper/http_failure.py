"""The host's error codes in words."""

from .errors import CallError

_CLOSED = ("closed", "connection closed before the answer was complete")
_TIMED_OUT = ("timed-out", "no answer in time")
_UNREACHABLE = ("unreachable", "no route to the host")
_NO_HTTP = ("malformed", "the answer is no HTTP")
_LONG_HEADERS = ("malformed", "the answer's headers are too long")

# What a code means that says all by its name.
_PLAIN = {
    "DestinationUnavailable": _UNREACHABLE,
    "DestinationIpUnroutable": _UNREACHABLE,
    "ConnectionRefused": ("refused", "connection refused"),
    "ConnectionTerminated": _CLOSED,
    "HttpResponseIncomplete": _CLOSED,
    "ConnectionTimeout": _TIMED_OUT,
    "ConnectionReadTimeout": _TIMED_OUT,
    "ConnectionWriteTimeout": _TIMED_OUT,
    "HttpResponseTimeout": _TIMED_OUT,
    "ConnectionLimitReached": ("host", "at the limit of connections"),
    "TlsCertificateError": ("untrusted", "certificate is not trusted for this name"),
    "TlsProtocolError": ("handshake", "the server does not speak TLS as it should"),
    "HttpRequestMethodInvalid": ("invalid", "no such HTTP method"),
    "HttpRequestUriInvalid": ("invalid", "the URL cannot be asked for"),
    "HttpRequestUriTooLong": ("invalid", "the URL is too long"),
    "HttpResponseHeaderSectionSize": _LONG_HEADERS,
    "HttpResponseHeaderSize": _LONG_HEADERS,
    "HttpProtocolError": _NO_HTTP,
    "HttpResponseTransferCoding": _NO_HTTP,
    "HttpResponseContentCoding": _NO_HTTP,
    "HttpResponseTrailerSectionSize": _NO_HTTP,
    "HttpResponseTrailerSize": _NO_HTTP,
    "HttpUpgradeFailed": _NO_HTTP,
    "LoopDetected": ("failed", "the request came back to where it started"),
    "ConfigurationError": ("host", "the host's HTTP is misconfigured"),
}


def translate(code, parts):
    """The error that `code` means for a request to the URL of these parts."""
    return CallError(*_meaning(code, parts))


def _meaning(code, parts):
    # Generated classes are called `ErrorCode_ConnectionRefused`.
    name = type(code).__name__.partition("_")[2]
    value = getattr(code, "value", None)
    if name in _PLAIN:
        return _PLAIN[name]
    if name == "DnsError":
        return _unresolved(parts, value.rcode or "")
    if name == "DnsTimeout":
        return _unresolved(parts, "the resolver did not answer")
    if name == "DestinationNotFound":
        return _unresolved(parts, "")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if name == "HttpRequestDenied":
        return (
            "denied",
            f"denied: HTTP to {parts.hostname}:{port}, which the plugin did not ask for "
            "or the configuration does not grant",
        )
    if name == "DestinationIpProhibited":
        return ("denied", f"denied: HTTP to the address of {parts.hostname}:{port}")
    if name == "TlsAlertReceived":
        return ("handshake", f"the server sent the alert {value.alert_message or 'without a name'}")
    if name == "HttpResponseBodySize":
        if value is None:
            return ("host", "the body is larger than the host lets through")
        return ("too-large", f"the answer is larger than {value} bytes")
    if name == "InternalError":
        if value is None:
            return ("host", "the host failed")
        # Where the host knows why a certificate is not trusted, it says so in words.
        return ("untrusted" if value.startswith("certificate ") else "failed", value)
    return ("invalid", "the request is larger than the host lets through")


def _unresolved(parts, why):
    if why in ("", "NXDOMAIN", "no such host"):
        return ("unresolved", f"no such host: {parts.hostname}")
    return ("unresolved", f"{parts.hostname}: {why}")
