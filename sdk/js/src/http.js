// An HTTP client. Needs `asks: ["http"]`.
//
// Calls return when the answer was read to its end; they end with the run. None
// follows redirects.

import { handle } from "wasi:http/outgoing-handler@0.2.0";
import { Fields, httpErrorCode, OutgoingBody, OutgoingRequest } from "wasi:http/types@0.2.0";

import { CallError } from "./errors.js";
import { translate } from "./http-failure.js";
import { Response } from "./http-response.js";

export { Response };

// How much of a body is kept unless the request says otherwise.
const BODY_LIMIT = 1 << 20;

// How much the host takes in one call.
const CHUNK = 4096;

const METHODS = ["get", "head", "post", "put", "delete", "connect", "options", "trace", "patch"];

/** Gets what is at `url`. */
export function get(url, options) {
  return request("GET", url, options);
}

/** Posts to `url`: `post(url, { json: value })`. */
export function post(url, options) {
  return request("POST", url, options);
}

/** Makes a request of any method. */
export function request(method, url, options = {}) {
  const parsed = parse(url);
  const headers = Object.entries(options.headers ?? {}).map(([name, value]) => [
    name.toLowerCase(),
    String(value),
  ]);
  const has = (name) => headers.some(([other]) => other === name);
  const body = encode(options, (type) => has("content-type") || headers.push(["content-type", type]));
  if (!has("user-agent")) {
    headers.push(["user-agent", "Watchkeeper/0.1.0"]);
  }
  if (!has("authorization") && (parsed.username || parsed.password)) {
    headers.push(["authorization", basic(parsed)]);
  }
  if (body) {
    headers.push(["content-length", String(body.length)]);
  }
  return exchange(method.toUpperCase(), parsed, headers, body, options.bodyLimit ?? BODY_LIMIT);
}

function parse(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new CallError("invalid", "URL: write it like https://host/path");
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new CallError("invalid", `URL: ${url.protocol.slice(0, -1)} is neither http nor https`);
  }
  return url;
}

function encode({ json, body }, contentType) {
  if (json !== undefined) {
    contentType("application/json");
    return new TextEncoder().encode(JSON.stringify(json));
  }
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}

function basic(url) {
  const words = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  return `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(words)))}`;
}

function exchange(method, url, headers, body, limit) {
  const outgoing = new OutgoingRequest(fields(headers));
  const lower = method.toLowerCase();
  try {
    outgoing.setMethod(METHODS.includes(lower) ? { tag: lower } : { tag: "other", val: method });
    outgoing.setScheme({ tag: url.protocol === "http:" ? "HTTP" : "HTTPS" });
    outgoing.setAuthority(url.host);
    outgoing.setPathWithQuery(url.pathname + url.search);
  } catch {
    throw new CallError("invalid", `${method} ${url.origin}${url.pathname}: cannot be asked for`);
  }
  const sink = outgoing.body();
  const future = translated(url, () => handle(outgoing, undefined));
  send(sink, body);
  future.subscribe().block();
  const answer = future.get();
  // One result for the future, one within for the exchange.
  if (answer?.tag !== "ok") {
    throw new CallError("host", "no answer though it is ready");
  }
  if (answer.val.tag === "err") {
    throw translate(answer.val.val, url);
  }
  return receive(answer.val.val, url, limit);
}

function fields(headers) {
  const made = new Fields();
  for (const [name, value] of headers) {
    try {
      made.append(name, new TextEncoder().encode(value));
    } catch (error) {
      const why =
        (error.payload ?? error).tag === "forbidden" ? "is the host's to set" : "no header can be so";
      throw new CallError("invalid", `header ${name}: ${why}`);
    }
  }
  return made;
}

// A server may answer before it read all: its answer then says more than the failed
// write, and an unfinished body shows in it.
function send(sink, body) {
  try {
    if (body?.length) {
      const stream = sink.write();
      for (let start = 0; start < body.length; start += CHUNK) {
        stream.blockingWriteAndFlush(body.subarray(start, start + CHUNK));
      }
      stream[Symbol.dispose]();
    }
    OutgoingBody.finish(sink, undefined);
  } catch {
    return;
  }
}

function receive(incoming, url, limit) {
  const status = incoming.status();
  const decoder = new TextDecoder();
  const headers = incoming
    .headers()
    .entries()
    .map(([name, value]) => [name.toLowerCase(), decoder.decode(value)]);
  const stream = incoming.consume().stream();
  const parts = [];
  let length = 0;
  while (length <= limit) {
    try {
      const part = stream.blockingRead(BigInt(64 * 1024));
      parts.push(part);
      length += part.length;
    } catch (error) {
      const end = error.payload ?? error;
      if (end.tag === "closed") {
        break;
      }
      const code = end.tag === "last-operation-failed" ? httpErrorCode(end.val) : undefined;
      throw code ? translate(code, url) : new CallError("closed", "connection closed before the answer was complete");
    }
  }
  return new Response(status, headers, join(parts, length), limit);
}

function join(parts, length) {
  const body = new Uint8Array(length);
  let start = 0;
  for (const part of parts) {
    body.set(part, start);
    start += part.length;
  }
  return body;
}

function translated(url, call) {
  try {
    return call();
  } catch (error) {
    throw translate(error.payload ?? error, url);
  }
}
