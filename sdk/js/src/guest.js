// What probes and notifiers have in common: a description, a context, and an end
// for errors that nobody foresaw.

const KEYS = ["name", "version", "summary", "config", "asks", "hosts", "schemes", "check", "notify"];

/** The contract's `description`. */
export function describe(plugin) {
  return {
    name: plugin.name,
    version: plugin.version,
    summary: plugin.summary,
    configSchema: JSON.stringify(plugin.config ?? { type: "object", additionalProperties: false }),
    asks: plugin.asks ?? [],
    hosts: plugin.hosts ?? [],
  };
}

/** Fails the build of a plugin that lacks something, or has what nobody reads. */
export function demand(plugin, call) {
  for (const key of ["name", "version", "summary"]) {
    if (typeof plugin[key] !== "string") {
      throw new TypeError(`the plugin has no ${key}`);
    }
  }
  if (typeof plugin[call] !== "function") {
    throw new TypeError(`the plugin has no function ${call}`);
  }
  for (const key of Object.keys(plugin)) {
    if (!KEYS.includes(key)) {
      throw new TypeError(`the plugin has ${key}, which means nothing: it knows ${KEYS.join(", ")}`);
    }
  }
}

/** The run that a plugin is called in; `timeout` is in nanoseconds. */
export class Context {
  #started = Date.now();

  constructor(monitor, timeout) {
    this.monitor = monitor;
    this.timeoutMs = Number(timeout) / 1e6;
  }

  /** What is left of the time, in milliseconds. */
  remainingMs() {
    return Math.max(0, this.timeoutMs - (Date.now() - this.#started));
  }
}

/** Milliseconds as the contract has them. */
export function nanos(milliseconds) {
  return milliseconds === undefined ? undefined : BigInt(Math.max(0, Math.round(milliseconds * 1e6)));
}

/**
 * What to say of an error that nobody foresaw: where it happened goes to the log. Thrown
 * on, it would end the run as well, but with the engine's words in place of its own.
 */
export function brokeDown(error) {
  console.error(error?.stack ?? "no stack");
  return `the plugin broke down: ${error}`;
}
