// What a check found.

const ORDER = ["healthy", "sick", "dead"];

/** A verdict with its reason, latency and figures. */
export class Reading {
  health = "healthy";
  reason = undefined;
  latencyMs = undefined;
  measurements = [];

  /** Sick if `condition` holds, unless it is worse already. */
  sickIf(condition, reason) {
    return condition ? this.worsen("sick", reason) : this;
  }

  /** Dead if `condition` holds. */
  deadIf(condition, reason) {
    return condition ? this.worsen("dead", reason) : this;
  }

  /**
   * Makes the verdict `health` if that is worse. Reasons of the same health are
   * joined, those of a better one give way.
   */
  worsen(health, reason) {
    const [now, then] = [ORDER.indexOf(this.health), ORDER.indexOf(health)];
    if (then < 0) {
      throw new TypeError(`no such health: ${health}`);
    }
    if (then === 0 || then < now) {
      return this;
    }
    this.reason = then === now ? `${this.reason}; ${reason}` : String(reason);
    this.health = health;
    return this;
  }

  /** Adds a figure. */
  measure(name, value, unit) {
    this.measurements.push({ name, value: Number(value), unit });
    return this;
  }

  /** Records this latency in place of the one that the host measured. */
  latency(milliseconds) {
    this.latencyMs = milliseconds;
    return this;
  }
}

/** The target works as it should. */
export function healthy() {
  return new Reading();
}

/** The target works, but slowly or only in part. */
export function sick(reason) {
  return new Reading().worsen("sick", reason);
}

/** The target does not work. */
export function dead(reason) {
  return new Reading().worsen("dead", reason);
}
