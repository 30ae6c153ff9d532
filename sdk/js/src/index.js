// What a plugin imports: `import { probe, healthy, http } from "watchkeeper-sdk"`.

export { CallError, NotDelivered, Stop } from "./errors.js";
export { dead, healthy, Reading, sick } from "./reading.js";
export { misconfigured, permanent, temporary, undecided } from "./errors.js";
export { notifier } from "./notifier.js";
export { probe } from "./probe.js";
export * as http from "./http.js";
export * as log from "./log.js";
export * as state from "./state.js";
