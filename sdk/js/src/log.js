// Lines for the host's log.

import { log } from "watchkeeper:plugin/log@0.1.0";

/** What only the author wants to know. */
export function debug(message) {
  log("debug", String(message));
}

/** What happened. */
export function info(message) {
  log("info", String(message));
}

/** What is odd. */
export function warn(message) {
  log("warn", String(message));
}

/** What went wrong. */
export function error(message) {
  log("error", String(message));
}
