"""An HTTP client. Needs `asks=["http"]`.

Calls return when the answer was read to its end; they end with the run. None follows
redirects.
"""

import base64
import email.utils
import json as _json
import time
from urllib.parse import quote, unquote, urlsplit

from .errors import CallError, permanent, temporary
from .http_failure import translate

try:
    from componentize_py_types import Err as _Err
    from componentize_py_types import Ok as _Ok
    from wit_world.imports import outgoing_handler as _handler
    from wit_world.imports import streams as _streams
    from wit_world.imports import wasi_http_types as _wit
except ImportError:  # Outside a component.
    _Err = _Ok = _handler = _streams = _wit = None

# How much of a body is kept unless the request says otherwise, in bytes.
_BODY_LIMIT = 1 << 20

# How much the host takes in one call, in bytes.
_CHUNK = 4096

# How much of an answer's body a failure tells, in characters.
_EXCERPT = 200

# What stands in a URL as it is; `%` too, so that nothing is encoded twice.
_SAFE = "%/?:@!$&'()*+,;=~-._[]"


def get(url, **options):
    """Gets what is at `url`."""
    return request("GET", url, **options)


def post(url, **options):
    """Posts to `url`: `post(url, json=value)`."""
    return request("POST", url, **options)


def request(method, url, *, headers=None, json=None, body=None, body_limit=_BODY_LIMIT):
    """Makes a request of any method; `body` is bytes or a text, `json` any value."""
    parts = _parse(url)
    sent = {name.lower(): str(value) for name, value in (headers or {}).items()}
    if json is not None:
        sent.setdefault("content-type", "application/json")
        body = _json.dumps(json, separators=(",", ":"))
    data = body.encode() if isinstance(body, str) else body
    sent.setdefault("user-agent", "Watchkeeper/0.1.0")
    if parts.username is not None or parts.password is not None:
        words = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        sent.setdefault("authorization", f"Basic {base64.b64encode(words.encode()).decode()}")
    if data is not None:
        sent["content-length"] = str(len(data))
    return _exchange(method.upper(), parts, sent, data or b"", body_limit)


class Response:
    """What a server answered, read to its end."""

    def __init__(self, status, headers, body, limit=_BODY_LIMIT):
        self.status = status
        self.headers = headers
        self._body = body
        self._limit = limit

    @property
    def ok(self):
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name):
        """The first header of that name, in any case; None where there is none."""
        return next((value for other, value in self.headers if other == name.lower()), None)

    def bytes(self):
        """The body; raises where it is larger than the request's limit."""
        if len(self._body) > self._limit:
            raise CallError("too-large", f"the answer is larger than {self._limit} bytes")
        return self._body

    def text(self):
        """The body as text."""
        return self.bytes().decode(errors="replace")

    def json(self):
        """The body as JSON."""
        try:
            return _json.loads(self.text())
        except (ValueError, RecursionError) as error:
            reason = f"the answer is not the JSON expected: {error}"
            raise CallError("malformed", reason) from None

    def success(self):
        """This answer if its status is 2xx; otherwise raises, naming the status."""
        if not self.ok:
            raise CallError("malformed", f"status {self.status}")
        return self

    def delivered(self):
        """Returns if this answer says that a notice was taken: any 2xx does.

        After 408, 425, 429 and 5xx trying again may help, after what `Retry-After`
        names; after any other status it cannot.
        """
        if self.ok:
            return
        reason = f"status {self.status}"
        location = self.header("location")
        if 300 <= self.status < 400 and location:
            reason += f" redirects to {location}"
        words = " ".join(self._body.decode(errors="replace").split())
        if words:
            reason += f": {words[:_EXCERPT]}"
        if self.status in (408, 425, 429) or self.status >= 500:
            raise temporary(reason, self._retry_after())
        raise permanent(reason)

    def _retry_after(self):
        # RFC 9110 section 10.2.3: seconds, or a date.
        value = (self.header("retry-after") or "").strip()
        if value.isdecimal() and len(value) < 10:
            return int(value)
        try:
            date = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, date.timestamp() - time.time())


def _parse(url):
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise CallError("invalid", f"URL: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise CallError("invalid", f"URL: {parts.scheme or url!r} is neither http nor https")
    if not parts.hostname:
        raise CallError("invalid", "URL: no host after the scheme")
    return parts


def _exchange(method, parts, headers, data, limit):
    outgoing = _outgoing(method, parts, headers)
    sink = outgoing.body()
    try:
        future = _handler.handle(outgoing, None)
    except _Err as error:
        raise translate(error.value, parts) from None
    _send(sink, data)
    with future.subscribe() as answered:
        answered.block()
    # One result for the future, one within for the exchange.
    answer = future.get()
    if not isinstance(answer, _Ok):
        raise CallError("host", "no answer though it is ready")
    if isinstance(answer.value, _Err):
        raise translate(answer.value.value, parts)
    return _receive(answer.value.value, parts, limit)


def _outgoing(method, parts, headers):
    fields = _wit.Fields()
    for name, value in headers.items():
        try:
            fields.append(name, value.encode())
        except _Err as error:
            forbidden = isinstance(error.value, _wit.HeaderError_Forbidden)
            why = "is the host's to set" if forbidden else "no header can be so"
            raise CallError("invalid", f"header {name}: {why}") from None
    outgoing = _wit.OutgoingRequest(fields)
    named = getattr(_wit, f"Method_{method.capitalize()}", None)
    is_known = named is not None and method != "OTHER"
    path = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        path += f"?{quote(parts.query, safe=_SAFE)}"
    try:
        outgoing.set_method(named() if is_known else _wit.Method_Other(method))
        secure = parts.scheme == "https"
        outgoing.set_scheme(_wit.Scheme_Https() if secure else _wit.Scheme_Http())
        outgoing.set_authority(parts.netloc.rpartition("@")[2])
        outgoing.set_path_with_query(path)
    except _Err:
        what = f"{method} {parts.scheme}://{parts.hostname}{path}"
        raise CallError("invalid", f"{what}: cannot be asked for") from None
    return outgoing


def _send(sink, data):
    # A server may answer before it read all: its answer then says more than the failed
    # write, and an unfinished body shows in it.
    try:
        if data:
            with sink.write() as stream:
                for start in range(0, len(data), _CHUNK):
                    stream.blocking_write_and_flush(data[start : start + _CHUNK])
        _wit.OutgoingBody.finish(sink, None)
    except _Err:
        return


def _receive(incoming, parts, limit):
    status = incoming.status()
    with incoming.headers() as fields:
        headers = [
            (name.lower(), value.decode(errors="replace")) for name, value in fields.entries()
        ]
    received = bytearray()
    # The body has to outlive its stream.
    with incoming.consume() as body, body.stream() as stream:
        while len(received) <= limit:
            try:
                received += stream.blocking_read(64 * 1024)
            except _Err as error:
                if isinstance(error.value, _streams.StreamError_Closed):
                    break
                code = _wit.http_error_code(error.value.value)
                if code is None:
                    reason = "connection closed before the answer was complete"
                    raise CallError("closed", reason) from None
                raise translate(code, parts) from None
    return Response(status, headers, bytes(received), limit)
