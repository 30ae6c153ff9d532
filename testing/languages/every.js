// Does what its configuration says, for the tests of the SDK.

import * as watchkeeper from "watchkeeper-sdk";
import { healthy, http, log, misconfigured, sick, state, undecided } from "watchkeeper-sdk";

export const probe = watchkeeper.probe({
  name: "every",
  version: "0.1.0",
  summary: "Does as it is told",
  asks: ["http", "state"],
  config: { type: "object", properties: { do: { type: "string" } } },
  // Also: a check may be asynchronous.
  check: async (config, target, context) => deeds[config.do](target, context),
});

const deeds = {
  get(target) {
    http.get(target).success();
    return healthy();
  },
  elsewhere() {
    http.get("http://elsewhere.invalid/");
    return sick("it was let through");
  },
  put(target) {
    const answer = http.request("PUT", target, { headers: { "X-Test": "1" }, body: "text" });
    return sick(answer.success().header("X-Answer"));
  },
  echo(target) {
    const text = http.post(target, { body: "x".repeat(10_000) }).text();
    return healthy().measure("sent", 10_000, "bytes").deadIf(text !== "ok", text);
  },
  undecided() {
    throw undecided("cannot tell");
  },
  misconfigured() {
    throw misconfigured("config.do: no");
  },
  worsen() {
    const reading = healthy().sickIf(true, "a").sickIf(false, "b").deadIf(true, "c");
    return reading.sickIf(true, "late").deadIf(true, "d").measure("figure", 1.5, "ratio");
  },
  log() {
    log.info("one");
    log.warn("two");
    return healthy();
  },
  context(_, context) {
    const late = context.remainingMs() > context.timeoutMs;
    return sick(context.monitor)
      .measure("timeout", context.timeoutMs / 1000, "seconds")
      .deadIf(late, "more is left than there was");
  },
  count() {
    const runs = (state.get("runs") ?? 0) + 1;
    state.set("runs", runs);
    state.set("other", "x");
    state.remove("other");
    return healthy().measure("runs", runs, "runs").deadIf(state.get("other") !== undefined, "kept");
  },
  break() {
    throw new TypeError("this does not work");
  },
};
