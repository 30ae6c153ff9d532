/* A probe: sick or dead when too many jobs wait in a queue, which the target tells as
 * JSON: {"queue":{"depth":3}}. */

#include <math.h>

#include "watchkeeper.h"

static wk_reading check(const wk_json *config, const char *target, const wk_context *context) {
    (void)context;
    wk_response answer = wk_http_get(target);
    if (!wk_http_ok(&answer)) {
        return wk_reading_of(&answer);
    }
    const wk_json *told = wk_json_parse(answer.body, answer.length);
    double depth = wk_json_number(told, "queue.depth", NAN);
    if (isnan(depth)) {
        return wk_dead("the answer has no queue.depth");
    }
    wk_reading reading = wk_healthy();
    wk_measure(&reading, "jobs-waiting", depth, "jobs");
    wk_sick_if(&reading, depth > wk_json_number(config, "sick_above", INFINITY),
               "%g jobs are waiting", depth);
    wk_dead_if(&reading, depth > wk_json_number(config, "dead_above", INFINITY),
               "%g jobs are waiting", depth);
    return reading;
}

const wk_plugin watchkeeper_plugin = {
    .general =
        {
            .name = "queue-depth",
            .version = "0.1.0",
            .summary = "Sick when too many jobs wait in a queue",
            .asks = WK_ASKS_HTTP,
            /* What operators write under `config`. */
            .config_schema =
                "{\"type\":\"object\",\"additionalProperties\":false,"
                "\"required\":[\"sick_above\"],\"properties\":{"
                "\"sick_above\":{\"type\":\"number\","
                "\"description\":\"Sick when more jobs than this are waiting.\"},"
                "\"dead_above\":{\"type\":\"number\","
                "\"description\":\"Dead when more jobs than this are waiting.\"}}}",
        },
    .check = check,
};
