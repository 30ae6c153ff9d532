/* Does what its configuration says, for the tests of the SDK. */

#include <stdlib.h>
#include <string.h>

#include "watchkeeper.h"

static wk_reading judged(const wk_response *answer) {
    return wk_http_ok(answer) ? wk_healthy() : wk_reading_of(answer);
}

static wk_reading put(const char *target) {
    wk_header header = {.name = "X-Test", .value = "1"};
    wk_response answer = wk_http("PUT", target, &header, 1, "text", 4);
    wk_reading reading = judged(&answer);
    const char *told = wk_http_header(&answer, "x-answer");
    wk_sick_if(&reading, told != NULL, "%s", told == NULL ? "" : told);
    return reading;
}

static wk_reading echo(const char *target) {
    static char body[10000];
    memset(body, 'x', sizeof body);
    wk_response answer = wk_http("POST", target, NULL, 0, body, sizeof body);
    wk_reading reading = judged(&answer);
    wk_measure(&reading, "sent", sizeof body, "bytes");
    wk_dead_if(&reading, answer.length != 2, "%zu bytes came", answer.length);
    return reading;
}

static wk_reading worsen(void) {
    wk_reading reading = wk_healthy();
    wk_sick_if(&reading, true, "a");
    wk_sick_if(&reading, false, "b");
    wk_dead_if(&reading, true, "c");
    wk_sick_if(&reading, true, "late");
    wk_dead_if(&reading, true, "d");
    wk_measure(&reading, "figure", 1.5, "ratio");
    return reading;
}

static wk_reading count(void) {
    const char *before = wk_state_get("runs");
    int runs = before == NULL ? 1 : atoi(before) + 1;
    if (!wk_state_set("runs", wk_format("%d", runs)) || !wk_state_set("other", "x")) {
        return wk_undecided("the space is full");
    }
    wk_state_remove("other");
    wk_reading reading = wk_healthy();
    wk_measure(&reading, "runs", runs, "runs");
    wk_dead_if(&reading, wk_state_get("other") != NULL, "kept");
    return reading;
}

static wk_reading check(const wk_json *config, const char *target, const wk_context *context) {
    const char *deed = wk_json_text(config, "do", "");
    if (strcmp(deed, "get") == 0 || strcmp(deed, "elsewhere") == 0) {
        wk_response answer =
            wk_http_get(strcmp(deed, "get") == 0 ? target : "http://elsewhere.invalid/");
        return judged(&answer);
    }
    if (strcmp(deed, "put") == 0) {
        return put(target);
    }
    if (strcmp(deed, "echo") == 0) {
        return echo(target);
    }
    if (strcmp(deed, "undecided") == 0) {
        return wk_undecided("cannot tell");
    }
    if (strcmp(deed, "misconfigured") == 0) {
        return wk_misconfigured("config.%s: no", "do");
    }
    if (strcmp(deed, "worsen") == 0) {
        return worsen();
    }
    if (strcmp(deed, "log") == 0) {
        wk_log(WATCHKEEPER_PLUGIN_LOG_LEVEL_INFO, "one");
        wk_log(WATCHKEEPER_PLUGIN_LOG_LEVEL_WARN, "tw%c", 'o');
    }
    if (strcmp(deed, "context") == 0) {
        wk_reading reading = wk_healthy();
        wk_sick_if(&reading, context->monitor[0] != '\0', "%s", context->monitor);
        wk_measure(&reading, "timeout", context->timeout_seconds, "seconds");
        return reading;
    }
    if (strcmp(deed, "count") == 0) {
        return count();
    }
    if (strcmp(deed, "break") == 0) {
        abort();
    }
    return wk_healthy();
}

const wk_plugin watchkeeper_plugin = {
    .general =
        {
            .name = "every",
            .version = "0.1.0",
            .summary = "Does as it is told",
            .asks = WK_ASKS_HTTP | WK_ASKS_STATE,
            .config_schema =
                "{\"type\":\"object\",\"properties\":{\"do\":{\"type\":\"string\"}}}",
        },
    .check = check,
};
