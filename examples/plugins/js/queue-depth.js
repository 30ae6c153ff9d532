// A probe: sick or dead when too many jobs wait in a queue, which the target tells
// as JSON: `{"queue":{"depth":3}}`.

import * as watchkeeper from "watchkeeper-sdk";
import { dead, healthy, http } from "watchkeeper-sdk";

export const probe = watchkeeper.probe({
  name: "queue-depth",
  version: "0.1.0",
  summary: "Sick when too many jobs wait in a queue",
  asks: ["http"],
  // What operators write under `config`, as a JSON Schema.
  config: {
    type: "object",
    additionalProperties: false,
    required: ["sick_above"],
    properties: {
      sick_above: { type: "number", description: "Sick when more jobs than this are waiting." },
      dead_above: { type: "number", description: "Dead when more jobs than this are waiting." },
    },
  },

  check(config, target) {
    return judge(config, http.get(target).success().json());
  },
});

function judge({ sick_above, dead_above = Infinity }, answer) {
  const depth = answer?.queue?.depth;
  if (typeof depth !== "number") {
    return dead("the answer has no queue.depth");
  }
  const waiting = `${depth} jobs are waiting`;
  return healthy()
    .measure("jobs-waiting", depth, "jobs")
    .sickIf(depth > sick_above, waiting)
    .deadIf(depth > dead_above, waiting);
}
