// Probes, as the host calls them.

import { CallError, Stop } from "./errors.js";
import { brokeDown, Context, demand, describe, nanos } from "./guest.js";
import { dead, Reading } from "./reading.js";

/** What a plugin exports as `probe`. */
export function probe(plugin) {
  demand(plugin, "check");
  return {
    describe() {
      return { general: describe(plugin), schemes: plugin.schemes ?? [] };
    },

    async check(request) {
      const context = new Context(request.monitor, request.timeout);
      return lower(await judge(plugin, request, context));
    },
  };
}

async function judge(plugin, request, context) {
  try {
    const reading = await plugin.check(JSON.parse(request.config), request.target, context);
    if (!(reading instanceof Reading)) {
      throw new TypeError(`check returned ${reading} instead of a reading`);
    }
    return reading;
  } catch (error) {
    if (error instanceof CallError) {
      if (error.inProbe === "dead") {
        return dead(error.message);
      }
      throw { tag: error.inProbe, val: error.message };
    }
    if (error instanceof Stop) {
      throw { tag: error.tag, val: error.message };
    }
    throw { tag: "undecided", val: brokeDown(error) };
  }
}

function lower({ health, reason, latencyMs, measurements }) {
  return { health, reason, latency: nanos(latencyMs), measurements };
}
