// Notifiers, as the host calls them.

import { CallError, NotDelivered } from "./errors.js";
import { brokeDown, Context, demand, describe, nanos } from "./guest.js";

/** What a plugin exports as `notifier`. */
export function notifier(plugin) {
  demand(plugin, "notify");
  return {
    describe() {
      return describe(plugin);
    },

    async notify(request) {
      const context = new Context(undefined, request.timeout);
      try {
        await plugin.notify(JSON.parse(request.config), lift(request.notice), context);
      } catch (error) {
        throw failure(error);
      }
    },
  };
}

// Times as dates and spans as milliseconds; all else as the contract has it.
function lift({ lasted, ...notice }) {
  const date = (nanos) => new Date(Number(nanos / 1_000_000n));
  return {
    ...notice,
    at: date(notice.at),
    lastedMs: lasted === undefined ? undefined : Number(lasted) / 1e6,
    affected: notice.affected.map((each) => ({ ...each, since: date(each.since) })),
  };
}

function failure(error) {
  if (error instanceof CallError) {
    return lower(error.inNotifier, error.message);
  }
  if (error instanceof NotDelivered) {
    return lower(error.tag, error.message, error.waitMs);
  }
  // The next version of the plugin may do better.
  return lower("temporary", brokeDown(error));
}

function lower(tag, reason, waitMs) {
  return { tag, val: tag === "temporary" ? [reason, nanos(waitMs)] : reason };
}
