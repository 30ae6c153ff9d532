// Why something has no result, and what that means for a check or a delivery.

// What each kind of failed call means: [in a probe, in a notifier].
const MEANING = {
  denied: ["undecided", "permanent"],
  invalid: ["misconfigured", "permanent"],
  unresolved: ["dead", "temporary"],
  refused: ["dead", "temporary"],
  unreachable: ["dead", "temporary"],
  closed: ["dead", "temporary"],
  "timed-out": ["dead", "temporary"],
  untrusted: ["dead", "temporary"],
  handshake: ["dead", "temporary"],
  "too-large": ["undecided", "permanent"],
  malformed: ["dead", "temporary"],
  host: ["undecided", "temporary"],
  failed: ["dead", "temporary"],
};

/** A call to the host that had no result. */
export class CallError extends Error {
  constructor(kind, message) {
    super(message);
    this.name = "CallError";
    this.kind = kind;
  }

  /** `dead`, `misconfigured` or `undecided`. */
  get inProbe() {
    return MEANING[this.kind][0];
  }

  /** `temporary` or `permanent`. */
  get inNotifier() {
    return MEANING[this.kind][1];
  }
}

/** The end of a check without a verdict. */
export class Stop extends Error {
  constructor(tag, reason) {
    super(reason);
    this.name = "Stop";
    this.tag = tag;
  }
}

/** The end of a delivery that failed. */
export class NotDelivered extends Error {
  constructor(tag, reason, waitMs) {
    super(reason);
    this.name = "NotDelivered";
    this.tag = tag;
    this.waitMs = waitMs;
  }
}

/** The configuration or the target cannot work. To be thrown. */
export function misconfigured(reason) {
  return new Stop("misconfigured", reason);
}

/** The probe could not decide. To be thrown. */
export function undecided(reason) {
  return new Stop("undecided", reason);
}

/** Trying again may help, after `waitMs` if the receiver said so. To be thrown. */
export function temporary(reason, waitMs) {
  return new NotDelivered("temporary", reason, waitMs);
}

/** Trying again cannot help. To be thrown. */
export function permanent(reason) {
  return new NotDelivered("permanent", reason);
}
