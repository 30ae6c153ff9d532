/* Probes and notifiers, as the host calls them. */

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "watchkeeper.h"

/* How much of an answer's body a failure tells, in bytes. */
#define EXCERPT 200

/* Texts that end with NULL, for the bindings. */
static WK_BINDING(list_string_t) lower_all(const char *const *texts) {
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL) {
        count++;
    }
    wk_string *lowered = wk_take(count * sizeof *lowered);
    for (size_t i = 0; i < count; i++) {
        lowered[i] = wk_lower(texts[i]);
    }
    return (WK_BINDING(list_string_t)){.ptr = lowered, .len = count};
}

static void describe(const wk_description *from, watchkeeper_plugin_types_description_t *to) {
    to->name = wk_lower(from->name);
    to->version = wk_lower(from->version);
    to->summary = wk_lower(from->summary);
    to->config_schema = wk_lower(from->config_schema);
    to->hosts = lower_all(from->hosts);
    to->asks.ptr = wk_take(32 * sizeof *to->asks.ptr);
    to->asks.len = 0;
    for (uint8_t each = 0; each < 32; each++) {
        if ((from->asks >> each & 1u) != 0) {
            to->asks.ptr[to->asks.len++] = each;
        }
    }
}

#ifndef WATCHKEEPER_NOTIFIER

#define FORMATTED(text)                                                                       \
    va_list arguments;                                                                         \
    va_start(arguments, format);                                                               \
    const char *text = wk_vformat(format, arguments);                                          \
    va_end(arguments)

static wk_reading ended(wk_end end, const char *reason) {
    return (wk_reading){.end = end, .reason = reason, .latency_seconds = -1};
}

wk_reading wk_healthy(void) { return ended(WK_HEALTHY, NULL); }

wk_reading wk_dead(const char *format, ...) {
    FORMATTED(reason);
    return ended(WK_DEAD, reason);
}

wk_reading wk_misconfigured(const char *format, ...) {
    FORMATTED(reason);
    return ended(WK_MISCONFIGURED, reason);
}

wk_reading wk_undecided(const char *format, ...) {
    FORMATTED(reason);
    return ended(WK_UNDECIDED, reason);
}

wk_reading wk_reading_of(const wk_response *response) {
    switch (response->trouble) {
    case WK_FINE:
        return wk_dead("status %d", response->status);
    case WK_NO_ANSWER:
        return ended(WK_DEAD, response->reason);
    case WK_NOT_POSSIBLE:
        return ended(WK_MISCONFIGURED, response->reason);
    default:
        return ended(WK_UNDECIDED, response->reason);
    }
}

static void worsen(wk_reading *reading, wk_end end, const char *reason) {
    if (reading->end == end) {
        reading->reason = wk_format("%s; %s", reading->reason, reason);
    } else if (reading->end < end) {
        reading->end = end;
        reading->reason = reason;
    }
}

void wk_sick_if(wk_reading *reading, bool condition, const char *format, ...) {
    if (condition) {
        FORMATTED(reason);
        worsen(reading, WK_SICK, reason);
    }
}

void wk_dead_if(wk_reading *reading, bool condition, const char *format, ...) {
    if (condition) {
        FORMATTED(reason);
        worsen(reading, WK_DEAD, reason);
    }
}

void wk_measure(wk_reading *reading, const char *name, double value, const char *unit) {
    if (reading->count < WK_MEASUREMENTS) {
        reading->measurements[reading->count++] =
            (wk_measurement){.name = name, .value = value, .unit = unit};
    }
}

void exports_watchkeeper_plugin_probe_describe(
    exports_watchkeeper_plugin_probe_probe_description_t *ret) {
    describe(&watchkeeper_plugin.general, &ret->general);
    ret->schemes = lower_all(watchkeeper_plugin.schemes);
}

bool exports_watchkeeper_plugin_probe_check(exports_watchkeeper_plugin_probe_request_t *request,
                                            exports_watchkeeper_plugin_probe_reading_t *ret,
                                            exports_watchkeeper_plugin_probe_fault_t *err) {
    wk_context context = {.monitor = wk_text(request->monitor),
                          .timeout_seconds = (double)request->timeout / 1e9};
    const wk_json *config = wk_json_parse((const char *)request->config.ptr, request->config.len);
    wk_reading found = watchkeeper_plugin.check(config, wk_text(request->target), &context);
    if (found.end == WK_MISCONFIGURED || found.end == WK_UNDECIDED) {
        bool is_misconfigured = found.end == WK_MISCONFIGURED;
        err->tag = is_misconfigured ? EXPORTS_WATCHKEEPER_PLUGIN_PROBE_FAULT_MISCONFIGURED
                                    : EXPORTS_WATCHKEEPER_PLUGIN_PROBE_FAULT_UNDECIDED;
        /* Both hold a text. */
        err->val.misconfigured = wk_lower(found.reason);
        return false;
    }
    ret->health = (watchkeeper_plugin_types_health_t)found.end;
    ret->reason.is_some = found.reason != NULL;
    ret->reason.val = wk_lower(found.reason == NULL ? "" : found.reason);
    ret->latency.is_some = found.latency_seconds >= 0;
    ret->latency.val = ret->latency.is_some ? (uint64_t)(found.latency_seconds * 1e9) : 0;
    ret->measurements.len = found.count;
    ret->measurements.ptr = wk_take(found.count * sizeof *ret->measurements.ptr);
    for (size_t i = 0; i < found.count; i++) {
        ret->measurements.ptr[i].name = wk_lower(found.measurements[i].name);
        ret->measurements.ptr[i].value = found.measurements[i].value;
        ret->measurements.ptr[i].unit = wk_lower(found.measurements[i].unit);
    }
    return true;
}

#else

static wk_delivery failed(wk_outcome outcome, const char *reason, double wait_seconds) {
    return (wk_delivery){.outcome = outcome, .reason = reason, .wait_seconds = wait_seconds};
}

wk_delivery wk_delivered(void) { return failed(WK_DELIVERED, NULL, -1); }

wk_delivery wk_temporary(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *reason = wk_vformat(format, arguments);
    va_end(arguments);
    return failed(WK_TEMPORARY, reason, -1);
}

wk_delivery wk_permanent(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *reason = wk_vformat(format, arguments);
    va_end(arguments);
    return failed(WK_PERMANENT, reason, -1);
}

/* The body's beginning on one line. What is cut may not end within a character. */
static const char *excerpt(const wk_response *response) {
    size_t length = response->length < EXCERPT ? response->length : EXCERPT;
    while (length > 0 && length < response->length &&
           ((unsigned char)response->body[length] & 0xC0) == 0x80) {
        length--;
    }
    char *line = wk_take(length + 1);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)response->body[i];
        line[i] = c < 0x20 ? ' ' : (char)c;
    }
    line[length] = '\0';
    return line;
}

wk_delivery wk_delivery_of(const wk_response *response) {
    if (response->trouble != WK_FINE) {
        bool may_pass =
            response->trouble == WK_NO_ANSWER || response->trouble == WK_HOST_FAILED;
        return failed(may_pass ? WK_TEMPORARY : WK_PERMANENT, response->reason, -1);
    }
    if (wk_http_ok(response)) {
        return wk_delivered();
    }
    int status = response->status;
    const char *reason = wk_format("status %d%s%s", status, response->length > 0 ? ": " : "",
                                   excerpt(response));
    if (status != 408 && status != 425 && status != 429 && status < 500) {
        return failed(WK_PERMANENT, reason, -1);
    }
    const char *wait = wk_http_header(response, "retry-after");
    char *end = NULL;
    double seconds = wait == NULL ? -1 : strtod(wait, &end);
    bool is_said = wait != NULL && end != wait && *end == '\0' && seconds >= 0 && seconds < 1e9;
    return failed(WK_TEMPORARY, reason, is_said ? seconds : -1);
}

void exports_watchkeeper_plugin_notifier_describe(
    exports_watchkeeper_plugin_notifier_description_t *ret) {
    describe(&watchkeeper_plugin.general, ret);
}

bool exports_watchkeeper_plugin_notifier_notify(
    exports_watchkeeper_plugin_notifier_request_t *request,
    exports_watchkeeper_plugin_notifier_failure_t *err) {
    static const char *const healths[] = {"healthy", "sick", "dead"};
    const wk_raw_notice *raw = &request->notice;
    wk_context context = {.monitor = NULL, .timeout_seconds = (double)request->timeout / 1e9};
    wk_notice notice = {
        .id = wk_text(raw->id),
        .health = healths[raw->health],
        .title = wk_text(raw->title),
        .body = wk_text(raw->body),
        .page_title = wk_text(raw->page_title),
        .page_url = wk_text(raw->page_url),
        .incident_url = raw->incident_url.is_some ? wk_text(raw->incident_url.val) : NULL,
        .raw = raw,
    };
    const wk_json *config = wk_json_parse((const char *)request->config.ptr, request->config.len);
    wk_delivery made = watchkeeper_plugin.notify(config, &notice, &context);
    if (made.outcome == WK_DELIVERED) {
        return true;
    }
    if (made.outcome == WK_PERMANENT) {
        err->tag = EXPORTS_WATCHKEEPER_PLUGIN_NOTIFIER_FAILURE_PERMANENT;
        err->val.permanent = wk_lower(made.reason);
        return false;
    }
    err->tag = EXPORTS_WATCHKEEPER_PLUGIN_NOTIFIER_FAILURE_TEMPORARY;
    err->val.temporary.f0 = wk_lower(made.reason);
    err->val.temporary.f1.is_some = made.wait_seconds >= 0;
    err->val.temporary.f1.val =
        made.wait_seconds >= 0 ? (uint64_t)(made.wait_seconds * 1e9) : 0;
    return false;
}

#endif
