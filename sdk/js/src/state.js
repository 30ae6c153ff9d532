// Small values that outlive a run, as JSON. Needs `asks: ["state"]`.

import * as host from "watchkeeper:plugin/state@0.1.0";

import { CallError } from "./errors.js";

/** The value under `key`; undefined where there is none, or none that is JSON. */
export function get(key) {
  const bytes = host.get(key);
  if (bytes === undefined) {
    return undefined;
  }
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** Keeps `value` under `key`, of at most 128 bytes. */
export function set(key, value) {
  const text = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`state ${key}: ${value} cannot be JSON`);
  }
  try {
    host.set(key, new TextEncoder().encode(text));
  } catch (error) {
    if ((error.payload ?? error).tag === "bad-key") {
      throw new CallError("invalid", `state ${key}: longer than 128 bytes`);
    }
    throw new CallError("host", `state ${key}: the space is full`);
  }
}

/** Forgets the value under `key`, if any. */
export function remove(key) {
  host.delete(key);
}
