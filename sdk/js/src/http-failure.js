// The host's error codes in words.

import { CallError } from "./errors.js";

/** What `code` means for a request to `url`. */
export function translate(code, url) {
  const [kind, message] = meaning(code, url);
  return new CallError(kind, message);
}

function meaning({ tag, val }, url) {
  const port = url.port || (url.protocol === "http:" ? "80" : "443");
  const destination = `${url.hostname}:${port}`;
  switch (tag) {
    case "DNS-error":
      return unresolved(url, val.rcode ?? "");
    case "DNS-timeout":
      return unresolved(url, "the resolver did not answer");
    case "destination-not-found":
      return unresolved(url, "");
    case "destination-unavailable":
    case "destination-IP-unroutable":
      return ["unreachable", "no route to the host"];
    case "HTTP-request-denied":
      return [
        "denied",
        `denied: HTTP to ${destination}, which the plugin did not ask for or the configuration does not grant`,
      ];
    case "destination-IP-prohibited":
      return ["denied", `denied: HTTP to the address of ${destination}`];
    case "connection-refused":
      return ["refused", "connection refused"];
    case "connection-terminated":
    case "HTTP-response-incomplete":
      return ["closed", "connection closed before the answer was complete"];
    case "connection-timeout":
    case "connection-read-timeout":
    case "connection-write-timeout":
    case "HTTP-response-timeout":
      return ["timed-out", "no answer in time"];
    case "connection-limit-reached":
      return ["host", "at the limit of connections"];
    case "TLS-certificate-error":
      return ["untrusted", "certificate is not trusted for this name"];
    case "TLS-alert-received":
      return ["handshake", `the server sent the alert ${val.alertMessage ?? "without a name"}`];
    case "TLS-protocol-error":
      return ["handshake", "the server does not speak TLS as it should"];
    case "HTTP-response-body-size":
      return val === undefined
        ? ["host", "the body is larger than the host lets through"]
        : ["too-large", `the answer is larger than ${val} bytes`];
    case "HTTP-request-method-invalid":
      return ["invalid", "no such HTTP method"];
    case "HTTP-request-URI-invalid":
    case "HTTP-request-URI-too-long":
      return ["invalid", `${url.origin}${url.pathname} is no URL to ask for`];
    case "HTTP-response-header-section-size":
    case "HTTP-response-header-size":
      return ["malformed", "the answer's headers are too long"];
    case "HTTP-protocol-error":
    case "HTTP-response-transfer-coding":
    case "HTTP-response-content-coding":
    case "HTTP-response-trailer-section-size":
    case "HTTP-response-trailer-size":
    case "HTTP-upgrade-failed":
      return ["malformed", "the answer is no HTTP"];
    case "loop-detected":
      return ["failed", "the request came back to where it started"];
    case "configuration-error":
      return ["host", "the host's HTTP is misconfigured"];
    case "internal-error":
      if (val === undefined) {
        return ["host", "the host failed"];
      }
      // Where the host knows why a certificate is not trusted, it says so in words.
      return [val.startsWith("certificate ") ? "untrusted" : "failed", val];
    default:
      return ["invalid", "the request is larger than the host lets through"];
  }
}

function unresolved(url, why) {
  const unknown = ["", "NXDOMAIN", "no such host"].includes(why);
  return ["unresolved", unknown ? `no such host: ${url.hostname}` : `${url.hostname}: ${why}`];
}
