/** Write probes and notifiers for Watchkeeper in JavaScript. */

export type Health = "healthy" | "sick" | "dead";
export type Capability = "http" | "tcp" | "udp" | "icmp" | "dns" | "tls" | "state";

/** What every plugin says of itself. */
export interface Description {
  /** Unique among a host's plugins: `[a-z][a-z0-9-]{0,39}`. */
  name: string;
  /** The plugin's own semantic version. */
  version: string;
  /** One line for people. */
  summary: string;
  /**
   * A JSON Schema (2020-12) of the configuration; a plugin without it takes none.
   * A text with `format: "uri"` grants that URL's host and port, one with
   * `writeOnly: true` holds a secret.
   */
  config?: object;
  /** The ways out of the sandbox that it needs; all others are refused. */
  asks?: Capability[];
  /** Hosts beyond those of targets and configuration: `host:port`, `*.host:port`. */
  hosts?: string[];
}

/** The run that a plugin is called in. */
export interface Context {
  /** `service/monitor` of a check, for log lines; none in a notifier. */
  readonly monitor?: string;
  /** The whole time that this run has, in milliseconds. */
  readonly timeoutMs: number;
  /** What is left of it, in milliseconds. */
  remainingMs(): number;
}

export interface Probe<Config = any> extends Description {
  /** URL schemes of the targets that it judges unless a monitor names another. */
  schemes?: string[];
  /** Checks one target once, in a fresh instance. */
  check(config: Config, target: string, context: Context): Reading | Promise<Reading>;
}

export interface Notifier<Config = any> extends Description {
  /**
   * Delivers one notice. Called again, in a fresh instance and with the same
   * `notice.id`, after a temporary failure.
   */
  notify(config: Config, notice: Notice, context: Context): void | Promise<void>;
}

/** What a plugin exports as `probe`. */
export function probe<Config>(probe: Probe<Config>): object;
/** What a plugin exports as `notifier`. */
export function notifier<Config>(notifier: Notifier<Config>): object;

/** What a check found. */
export class Reading {
  health: Health;
  reason?: string;
  /** Sick if `condition` holds, unless it is worse already. */
  sickIf(condition: boolean, reason: string): this;
  /** Dead if `condition` holds. */
  deadIf(condition: boolean, reason: string): this;
  /** Makes the verdict `health` if that is worse. */
  worsen(health: Health, reason: string): this;
  /**
   * Adds a figure: a name in lower-case words joined by `-`, and an OpenMetrics base
   * unit (`seconds`, `bytes`, `ratio`) or a counted thing in the plural.
   */
  measure(name: string, value: number, unit: string): this;
  /** Records this latency in place of the one that the host measured. */
  latency(milliseconds: number): this;
}

/** The target works as it should. */
export function healthy(): Reading;
/** The target works, but slowly or only in part. */
export function sick(reason: string): Reading;
/** The target does not work. */
export function dead(reason: string): Reading;

/** The end of a check without a verdict. */
export class Stop extends Error {}
/** To be thrown: the configuration or target cannot work; says which key and why. */
export function misconfigured(reason: string): Stop;
/** To be thrown: the probe could not decide. */
export function undecided(reason: string): Stop;

/** The end of a delivery that failed. */
export class NotDelivered extends Error {}
/** To be thrown: trying again may help, after `waitMs` if the receiver said so. */
export function temporary(reason: string, waitMs?: number): NotDelivered;
/** To be thrown: trying again cannot help. */
export function permanent(reason: string): NotDelivered;

/**
 * A call to the host that had no result. Not caught, it ends a check as dead,
 * misconfigured or undecided, and a delivery as temporary or permanent, by its kind.
 */
export class CallError extends Error {
  readonly kind:
    | "denied"
    | "invalid"
    | "unresolved"
    | "refused"
    | "unreachable"
    | "closed"
    | "timed-out"
    | "untrusted"
    | "handshake"
    | "too-large"
    | "malformed"
    | "host"
    | "failed";
}

/** What happened. Fields that the contract gains are there under their names. */
export interface Notice {
  /** The same for every attempt: the idempotency key where the receiver takes one. */
  id: string;
  occasion:
    | "startup"
    | "changed"
    | "reminder"
    | "incident"
    | "maintenance"
    | "announcement"
    | "breach"
    | "trial";
  health: Health;
  previous?: Health;
  at: Date;
  /** One line, already in words. */
  title: string;
  /** More lines of plain text; may be empty. */
  body: string;
  affected: Affected[];
  /** How long it has lasted, for reminders and recoveries. */
  lastedMs?: number;
  /** 0 for the first notice, then 1, 2, … for reminders. */
  reminder: number;
  pageTitle: string;
  pageUrl: string;
  incidentUrl?: string;
  [field: string]: unknown;
}

/** A target that a notice is about. */
export interface Affected {
  /** `service:monitor:target`. */
  id: string;
  service: string;
  monitor: string;
  health: Health;
  reason?: string;
  since: Date;
}

/** An HTTP client. Needs `asks: ["http"]`. It follows no redirects. */
export namespace http {
  interface Options {
    headers?: Record<string, string>;
    /** Sent as JSON. */
    json?: unknown;
    body?: string | Uint8Array;
    /** So many bytes of the answer are kept: 1 MiB unless given. */
    bodyLimit?: number;
  }

  function get(url: string, options?: Options): Response;
  function post(url: string, options?: Options): Response;
  function request(method: string, url: string, options?: Options): Response;

  /** What a server answered, read to its end. */
  class Response {
    constructor(status: number, headers: [string, string][], body: Uint8Array);
    readonly status: number;
    readonly headers: [string, string][];
    /** Whether the status is 2xx. */
    readonly ok: boolean;
    /** The first header of that name, in any case. */
    header(name: string): string | undefined;
    /** The body; throws where it is larger than the request's limit. */
    bytes(): Uint8Array;
    text(): string;
    json(): any;
    /** This answer if its status is 2xx; otherwise throws, naming the status. */
    success(): this;
    /** Throws a failure, temporary or permanent, unless a notice was taken. */
    delivered(): void;
  }
}

/** Lines for the host's log. */
export namespace log {
  function debug(message: string): void;
  function info(message: string): void;
  function warn(message: string): void;
  function error(message: string): void;
}

/** Small values that outlive a run, as JSON. Needs `asks: ["state"]`. */
export namespace state {
  function get(key: string): any;
  /** A key has at most 128 bytes, the space 64 KiB. */
  function set(key: string, value: unknown): void;
  function remove(key: string): void;
}
