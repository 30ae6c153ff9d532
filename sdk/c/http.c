/* An HTTP client over wasi:http. */

#include <stdlib.h>
#include <string.h>

#include "watchkeeper.h"

/* How much the host takes in one call, in bytes. */
#define CHUNK 4096

typedef struct {
    bool is_secure;
    const char *host;
    const char *authority; /* host and port */
    const char *credentials; /* user:password as written; NULL where there are none */
    const char *path;        /* and query */
} address;

static wk_response trouble(wk_trouble kind, const char *reason) {
    return (wk_response){.trouble = kind, .reason = reason};
}

static const char *copy_of(const char *text, size_t length) {
    return wk_text((wk_string){.ptr = (uint8_t *)text, .len = length});
}

/* Encodes what may stand nowhere in a URL; `%` stays, so that nothing is encoded twice. */
static const char *encoded(const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    char *made = wk_take(strlen(text) * 3 + 1);
    char *to = made;
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c > 0x20 && c < 0x7F && strchr("\"<>\\^`{|}", c) == NULL) {
            *to++ = (char)c;
        } else {
            *to++ = '%';
            *to++ = digits[c >> 4];
            *to++ = digits[c & 15];
        }
    }
    *to = '\0';
    return made;
}

/* Why it is no URL to ask for; NULL where it is one. */
static const char *parse(const char *url, address *to) {
    const char *rest = NULL;
    if (strncmp(url, "http://", 7) == 0) {
        rest = url + 7;
    } else if (strncmp(url, "https://", 8) == 0) {
        rest = url + 8;
    } else {
        return "URL: neither http nor https";
    }
    to->is_secure = rest == url + 8;
    size_t length = strcspn(rest, "/?#");
    const char *authority = copy_of(rest, length);
    const char *at = strrchr(authority, '@');
    to->credentials = at == NULL ? NULL : copy_of(authority, (size_t)(at - authority));
    to->authority = at == NULL ? authority : at + 1;
    size_t host = to->authority[0] == '[' ? strcspn(to->authority, "]") + 1
                                           : strcspn(to->authority, ":");
    if (host == 0 || host > strlen(to->authority)) {
        return "URL: no host after the scheme";
    }
    to->host = copy_of(to->authority, host);
    rest += length;
    const char *path = copy_of(rest, strcspn(rest, "#"));
    to->path = encoded(path[0] == '/' ? path : wk_format("/%s", path));
    return NULL;
}

static int digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static const char *basic(const char *credentials) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char *plain = wk_take(strlen(credentials) + 2);
    size_t length = 0;
    for (const char *c = credentials; *c != '\0'; c++) {
        bool is_encoded = *c == '%' && digit(c[1]) >= 0 && digit(c[2]) >= 0;
        plain[length++] = (unsigned char)(is_encoded ? digit(c[1]) * 16 + digit(c[2]) : *c);
        c += is_encoded ? 2 : 0;
    }
    if (strchr(credentials, ':') == NULL) {
        plain[length++] = ':';
    }
    char *made = wk_take(length * 4 / 3 + 12);
    char *to = made;
    memcpy(to, "Basic ", 6);
    to += 6;
    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)plain[i] << 16;
        three |= i + 1 < length ? (uint32_t)plain[i + 1] << 8 : 0;
        three |= i + 2 < length ? plain[i + 2] : 0;
        *to++ = alphabet[three >> 18];
        *to++ = alphabet[three >> 12 & 63];
        *to++ = i + 1 < length ? alphabet[three >> 6 & 63] : '=';
        *to++ = i + 2 < length ? alphabet[three & 63] : '=';
    }
    *to = '\0';
    return made;
}

static wk_response unresolved(const address *url, const char *why) {
    bool is_unknown =
        *why == '\0' || strcmp(why, "NXDOMAIN") == 0 || strcmp(why, "no such host") == 0;
    return trouble(WK_NO_ANSWER, is_unknown ? wk_format("no such host: %s", url->host)
                                            : wk_format("%s: %s", url->host, why));
}

/* The host's error code in words. */
static wk_response translate(const wasi_http_types_error_code_t *code, const address *url) {
    switch (code->tag) {
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_ERROR:
        return unresolved(url, code->val.dns_error.rcode.is_some
                                   ? wk_text(code->val.dns_error.rcode.val)
                                   : "");
    case WASI_HTTP_TYPES_ERROR_CODE_DNS_TIMEOUT:
        return unresolved(url, "the resolver did not answer");
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_NOT_FOUND:
        return unresolved(url, "");
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_UNAVAILABLE:
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_UNROUTABLE:
        return trouble(WK_NO_ANSWER, "no route to the host");
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_REQUEST_DENIED:
        return trouble(WK_NOT_ALLOWED,
                       wk_format("denied: HTTP to %s, which the plugin did not ask for or the "
                                 "configuration does not grant",
                                 url->authority));
    case WASI_HTTP_TYPES_ERROR_CODE_DESTINATION_IP_PROHIBITED:
        return trouble(WK_NOT_ALLOWED,
                       wk_format("denied: HTTP to the address of %s", url->authority));
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_REFUSED:
        return trouble(WK_NO_ANSWER, "connection refused");
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TERMINATED:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_INCOMPLETE:
        return trouble(WK_NO_ANSWER, "connection closed before the answer was complete");
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_READ_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_WRITE_TIMEOUT:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TIMEOUT:
        return trouble(WK_NO_ANSWER, "no answer in time");
    case WASI_HTTP_TYPES_ERROR_CODE_CONNECTION_LIMIT_REACHED:
        return trouble(WK_HOST_FAILED, "at the limit of connections");
    case WASI_HTTP_TYPES_ERROR_CODE_TLS_CERTIFICATE_ERROR:
        return trouble(WK_NO_ANSWER, "certificate is not trusted for this name");
    case WASI_HTTP_TYPES_ERROR_CODE_TLS_ALERT_RECEIVED:
        return trouble(WK_NO_ANSWER, "the server sent a TLS alert");
    case WASI_HTTP_TYPES_ERROR_CODE_TLS_PROTOCOL_ERROR:
        return trouble(WK_NO_ANSWER, "the server does not speak TLS as it should");
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_BODY_SIZE:
        return trouble(WK_NOT_ALLOWED, "the answer is larger than the host lets through");
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_HEADER_SECTION_SIZE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_HEADER_SIZE:
        return trouble(WK_NO_ANSWER, "the answer's headers are too long");
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_PROTOCOL_ERROR:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TRANSFER_CODING:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_CONTENT_CODING:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TRAILER_SECTION_SIZE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_RESPONSE_TRAILER_SIZE:
    case WASI_HTTP_TYPES_ERROR_CODE_HTTP_UPGRADE_FAILED:
        return trouble(WK_NO_ANSWER, "the answer is no HTTP");
    case WASI_HTTP_TYPES_ERROR_CODE_LOOP_DETECTED:
        return trouble(WK_NO_ANSWER, "the request came back to where it started");
    case WASI_HTTP_TYPES_ERROR_CODE_CONFIGURATION_ERROR:
        return trouble(WK_HOST_FAILED, "the host's HTTP is misconfigured");
    case WASI_HTTP_TYPES_ERROR_CODE_INTERNAL_ERROR:
        /* Where the host knows why, it says so in words. */
        return code->val.internal_error.is_some
                   ? trouble(WK_NO_ANSWER, wk_text(code->val.internal_error.val))
                   : trouble(WK_HOST_FAILED, "the host failed");
    default:
        return trouble(WK_NOT_POSSIBLE, "the host cannot make this request");
    }
}

static bool append(wasi_http_types_own_fields_t fields, const char *name, const char *value) {
    wk_string lowered = wk_lower(name);
    for (size_t i = 0; i < lowered.len; i++) {
        uint8_t c = lowered.ptr[i];
        lowered.ptr[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
    }
    wk_string bytes = wk_lower(value);
    wasi_http_types_field_value_t content = {.ptr = bytes.ptr, .len = bytes.len};
    wasi_http_types_header_error_t error;
    return wasi_http_types_method_fields_append(wasi_http_types_borrow_fields(fields), &lowered,
                                                &content, &error);
}

static wasi_http_types_method_t method_of(const char *name) {
    static const char *const known[] = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
    wasi_http_types_method_t method = {.tag = WASI_HTTP_TYPES_METHOD_OTHER};
    for (uint8_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0) {
            method.tag = i;
            return method;
        }
    }
    method.val.other = wk_lower(name);
    return method;
}

/* A server may answer before it read all: its answer then says more than the failed
 * write, and an unfinished body shows in it. */
static void send(wasi_http_types_own_outgoing_body_t sink, const char *body, size_t length) {
    wasi_http_types_own_output_stream_t stream;
    if (length > 0 && wasi_http_types_method_outgoing_body_write(
                          wasi_http_types_borrow_outgoing_body(sink), &stream)) {
        bool fine = true;
        for (size_t sent = 0; fine && sent < length; sent += CHUNK) {
            size_t part = length - sent < CHUNK ? length - sent : CHUNK;
            WK_BINDING(list_u8_t) bytes = {.ptr = (uint8_t *)body + sent, .len = part};
            wasi_io_streams_stream_error_t error;
            fine = wasi_io_streams_method_output_stream_blocking_write_and_flush(
                wasi_io_streams_borrow_output_stream(stream), &bytes, &error);
        }
        wasi_io_streams_output_stream_drop_own(stream);
        if (!fine) {
            return;
        }
    }
    wasi_http_types_error_code_t error;
    wasi_http_types_static_outgoing_body_finish(sink, NULL, &error);
}

static wk_response receive(wasi_http_types_own_incoming_response_t incoming, const address *url) {
    wasi_http_types_borrow_incoming_response_t answer =
        wasi_http_types_borrow_incoming_response(incoming);
    wk_response response = {.trouble = WK_FINE};
    response.status = wasi_http_types_method_incoming_response_status(answer);
    wasi_http_types_own_headers_t fields = wasi_http_types_method_incoming_response_headers(answer);
    wasi_http_types_list_tuple2_field_name_field_value_t entries;
    wasi_http_types_method_fields_entries(wasi_http_types_borrow_fields(fields), &entries);
    wk_header *headers = wk_take(entries.len * sizeof *headers);
    for (size_t i = 0; i < entries.len; i++) {
        headers[i].name = wk_text(entries.ptr[i].f0);
        headers[i].value = copy_of((const char *)entries.ptr[i].f1.ptr, entries.ptr[i].f1.len);
    }
    response.headers = headers;
    response.header_count = entries.len;

    wasi_http_types_own_incoming_body_t body;
    wasi_http_types_own_input_stream_t stream;
    if (!wasi_http_types_method_incoming_response_consume(answer, &body) ||
        !wasi_http_types_method_incoming_body_stream(wasi_http_types_borrow_incoming_body(body),
                                                     &stream)) {
        return trouble(WK_HOST_FAILED, "no body to read");
    }
    char *text = NULL;
    for (;;) {
        WK_BINDING(list_u8_t) part;
        wasi_io_streams_stream_error_t error;
        bool fine = wasi_io_streams_method_input_stream_blocking_read(
            wasi_io_streams_borrow_input_stream(stream), 65536, &part, &error);
        if (!fine && error.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED) {
            break;
        }
        if (!fine) {
            wasi_http_types_error_code_t code;
            bool is_known = wasi_http_types_http_error_code(
                wasi_io_error_borrow_error(error.val.last_operation_failed), &code);
            return is_known ? translate(&code, url)
                            : trouble(WK_NO_ANSWER,
                                      "connection closed before the answer was complete");
        }
        if (part.len > WK_BODY_LIMIT - response.length) {
            return trouble(WK_NOT_ALLOWED,
                           wk_format("the answer is larger than %zu bytes", WK_BODY_LIMIT));
        }
        text = realloc(text, response.length + part.len + 1);
        if (text == NULL) {
            abort();
        }
        memcpy(text + response.length, part.ptr, part.len);
        response.length += part.len;
        free(part.ptr);
    }
    if (text == NULL) {
        text = wk_take(1);
    }
    text[response.length] = '\0';
    response.body = text;
    return response;
}

wk_response wk_http(const char *method, const char *url, const wk_header *headers,
                    size_t header_count, const char *body, size_t length) {
    address to;
    const char *problem = parse(url, &to);
    if (problem != NULL) {
        return trouble(WK_NOT_POSSIBLE, problem);
    }
    wasi_http_types_own_fields_t fields = wasi_http_types_constructor_fields();
    for (size_t i = 0; i < header_count; i++) {
        if (!append(fields, headers[i].name, headers[i].value)) {
            return trouble(WK_NOT_POSSIBLE, wk_format("header %s: cannot be set", headers[i].name));
        }
    }
    bool fine = append(fields, "user-agent", "Watchkeeper/0.1.0");
    if (to.credentials != NULL) {
        fine = append(fields, "authorization", basic(to.credentials)) && fine;
    }
    if (body != NULL) {
        fine = append(fields, "content-length", wk_format("%zu", length)) && fine;
    }
    wasi_http_types_own_outgoing_request_t request =
        wasi_http_types_constructor_outgoing_request(fields);
    wasi_http_types_borrow_outgoing_request_t outgoing =
        wasi_http_types_borrow_outgoing_request(request);
    wasi_http_types_method_t tagged = method_of(method);
    wasi_http_types_scheme_t scheme = {.tag = to.is_secure ? WASI_HTTP_TYPES_SCHEME_HTTPS
                                                           : WASI_HTTP_TYPES_SCHEME_HTTP};
    wk_string authority = wk_lower(to.authority);
    wk_string path = wk_lower(to.path);
    fine = fine && wasi_http_types_method_outgoing_request_set_method(outgoing, &tagged) &&
           wasi_http_types_method_outgoing_request_set_scheme(outgoing, &scheme) &&
           wasi_http_types_method_outgoing_request_set_authority(outgoing, &authority) &&
           wasi_http_types_method_outgoing_request_set_path_with_query(outgoing, &path);
    wasi_http_types_own_outgoing_body_t sink;
    if (!fine || !wasi_http_types_method_outgoing_request_body(outgoing, &sink)) {
        return trouble(WK_NOT_POSSIBLE,
                       wk_format("%s %s%s: cannot be asked for", method, to.authority, to.path));
    }
    wasi_http_types_own_future_incoming_response_t future;
    wasi_http_types_error_code_t code;
    if (!wasi_http_outgoing_handler_handle(request, NULL, &future, &code)) {
        return translate(&code, &to);
    }
    send(sink, body, body == NULL ? 0 : length);
    wasi_http_types_borrow_future_incoming_response_t answered =
        wasi_http_types_borrow_future_incoming_response(future);
    wasi_http_types_own_pollable_t ready =
        wasi_http_types_method_future_incoming_response_subscribe(answered);
    wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(ready));
    wasi_io_poll_pollable_drop_own(ready);
    /* One result for the future, one within for the exchange. */
    wasi_http_types_result_result_own_incoming_response_error_code_void_t result;
    if (!wasi_http_types_method_future_incoming_response_get(answered, &result) ||
        result.is_err) {
        return trouble(WK_HOST_FAILED, "no answer though it is ready");
    }
    if (result.val.ok.is_err) {
        return translate(&result.val.ok.val.err, &to);
    }
    return receive(result.val.ok.val.ok, &to);
}

wk_response wk_http_get(const char *url) { return wk_http("GET", url, NULL, 0, NULL, 0); }

wk_response wk_http_post_json(const char *url, const char *json) {
    wk_header type = {.name = "content-type", .value = "application/json"};
    return wk_http("POST", url, &type, 1, json, strlen(json));
}

bool wk_http_ok(const wk_response *response) {
    return response->trouble == WK_FINE && response->status >= 200 && response->status < 300;
}

const char *wk_http_header(const wk_response *response, const char *name) {
    for (size_t i = 0; i < response->header_count; i++) {
        if (strcmp(response->headers[i].name, name) == 0) {
            return response->headers[i].value;
        }
    }
    return NULL;
}
