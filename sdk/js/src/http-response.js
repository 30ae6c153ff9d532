// What a server answered.

import { CallError, permanent, temporary } from "./errors.js";

// How much of an answer's body a failure tells.
const EXCERPT = 200;

/** What a server answered, read to its end. */
export class Response {
  #body;
  #limit;

  constructor(status, headers, body, limit = Infinity) {
    this.status = status;
    this.headers = headers;
    this.#body = body;
    this.#limit = limit;
  }

  /** Whether the status is 2xx. */
  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** The first header of that name, in any case. */
  header(name) {
    return this.headers.find(([other]) => other === name.toLowerCase())?.[1];
  }

  /** The body; throws where it is larger than the request's limit. */
  bytes() {
    if (this.#body.length > this.#limit) {
      throw new CallError("too-large", `the answer is larger than ${this.#limit} bytes`);
    }
    return this.#body;
  }

  /** The body as text. */
  text() {
    return new TextDecoder().decode(this.bytes());
  }

  /** The body as JSON. */
  json() {
    const text = this.text();
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new CallError("malformed", `the answer is not the JSON expected: ${error.message}`);
    }
  }

  /** This answer if its status is 2xx; otherwise throws, naming the status. */
  success() {
    if (!this.ok) {
      throw new CallError("malformed", `status ${this.status}`);
    }
    return this;
  }

  /**
   * Returns if this answer says that a notice was taken: any 2xx does. After 408,
   * 425, 429 and 5xx trying again may help, after what `Retry-After` names; after
   * any other status it cannot.
   */
  delivered() {
    if (this.ok) {
      return;
    }
    let reason = `status ${this.status}`;
    const location = this.status >= 300 && this.status < 400 && this.header("location");
    if (location) {
      reason += ` redirects to ${location}`;
    }
    const body = new TextDecoder().decode(this.#body).split(/\s+/).filter(Boolean).join(" ");
    if (body) {
      reason += `: ${Array.from(body).slice(0, EXCERPT).join("")}`;
    }
    const mayPass = [408, 425, 429].includes(this.status) || this.status >= 500;
    throw mayPass ? temporary(reason, this.#retryAfterMs()) : permanent(reason);
  }

  // RFC 9110 section 10.2.3: seconds, or a date.
  #retryAfterMs() {
    const value = this.header("retry-after")?.trim();
    if (value && /^\d{1,9}$/.test(value)) {
      return Number(value) * 1000;
    }
    const date = Date.parse(value ?? "");
    return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
  }
}
