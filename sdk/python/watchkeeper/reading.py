"""What a check found."""

_ORDER = ("healthy", "sick", "dead")


class Reading:
    """A verdict with its reason, latency (seconds) and figures."""

    def __init__(self):
        self.health = "healthy"
        self.reason = None
        self.seconds = None
        self.measurements = []

    def sick_if(self, condition, reason):
        """Sick if `condition` holds, unless it is worse already."""
        return self.worsen("sick", reason) if condition else self

    def dead_if(self, condition, reason):
        """Dead if `condition` holds."""
        return self.worsen("dead", reason) if condition else self

    def worsen(self, health, reason):
        """Makes the verdict `health` if that is worse.

        Reasons of the same health are joined, those of a better one give way.
        """
        now, then = _ORDER.index(self.health), _ORDER.index(health)
        if then == 0 or then < now:
            return self
        self.reason = f"{self.reason}; {reason}" if then == now else str(reason)
        self.health = health
        return self

    def measure(self, name, value, unit):
        """Adds a figure.

        The name is lower-case words joined by `-`, the unit an OpenMetrics base unit
        (`seconds`, `bytes`, `ratio`) or a counted thing in the plural.
        """
        self.measurements.append((name, float(value), unit))
        return self

    def latency(self, seconds):
        """Records this latency in place of the one that the host measured."""
        self.seconds = seconds
        return self


def healthy():
    """The target works as it should."""
    return Reading()


def sick(reason):
    """The target works, but slowly or only in part."""
    return Reading().worsen("sick", reason)


def dead(reason):
    """The target does not work."""
    return Reading().worsen("dead", reason)
