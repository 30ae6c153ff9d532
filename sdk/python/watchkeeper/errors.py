"""Why something has no result, and what that means for a check or a delivery."""

# What each kind of failed call means: in a probe, and in a notifier.
_MEANING = {
    "denied": ("undecided", "permanent"),
    "invalid": ("misconfigured", "permanent"),
    "unresolved": ("dead", "temporary"),
    "refused": ("dead", "temporary"),
    "unreachable": ("dead", "temporary"),
    "closed": ("dead", "temporary"),
    "timed-out": ("dead", "temporary"),
    "untrusted": ("dead", "temporary"),
    "handshake": ("dead", "temporary"),
    "too-large": ("undecided", "permanent"),
    "malformed": ("dead", "temporary"),
    "host": ("undecided", "temporary"),
    "failed": ("dead", "temporary"),
}


class CallError(Exception):
    """A call to the host that had no result.

    Not caught, it ends a check as dead, misconfigured or undecided, and a delivery
    as temporary or permanent, by its kind.
    """

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind

    @property
    def in_probe(self):
        """`dead`, `misconfigured` or `undecided`."""
        return _MEANING[self.kind][0]

    @property
    def in_notifier(self):
        """`temporary` or `permanent`."""
        return _MEANING[self.kind][1]


class Stop(Exception):
    """The end of a check without a verdict."""

    def __init__(self, kind, reason):
        super().__init__(reason)
        self.kind = kind


class NotDelivered(Exception):
    """The end of a delivery that failed; `wait` is in seconds."""

    def __init__(self, kind, reason, wait=None):
        super().__init__(reason)
        self.kind = kind
        self.wait = wait


def misconfigured(reason):
    """To be raised: the configuration or target cannot work; says which key and why."""
    return Stop("misconfigured", reason)


def undecided(reason):
    """To be raised: the probe could not decide."""
    return Stop("undecided", reason)


def temporary(reason, wait=None):
    """To be raised: trying again may help, after `wait` seconds if the receiver said so."""
    return NotDelivered("temporary", reason, wait)


def permanent(reason):
    """To be raised: trying again cannot help."""
    return NotDelivered("permanent", reason)
