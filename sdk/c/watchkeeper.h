/* Write probes and notifiers for Watchkeeper in C.
 *
 * A plugin defines `watchkeeper_plugin` and is compiled together with the sources beside
 * this file and the generated bindings; the Makefile of a new project shows how. A
 * notifier is compiled with -DWATCHKEEPER_NOTIFIER.
 *
 * Every run is a fresh instance that ends with the call: nothing here is ever freed, and
 * the limit of memory is the only bound. Texts are UTF-8 and end with a NUL. */
#ifndef WATCHKEEPER_H
#define WATCHKEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef WATCHKEEPER_NOTIFIER
#include "watchkeeper_notifier.h"
#define WK_BINDING(name) watchkeeper_notifier_##name
#else
#include "watchkeeper_probe.h"
#define WK_BINDING(name) watchkeeper_probe_##name
#endif

/* A text of the bindings, which has a length and no end. */
typedef WK_BINDING(string_t) wk_string;

/* --- JSON ------------------------------------------------------------------ */

typedef enum { WK_NULL, WK_BOOLEAN, WK_NUMBER, WK_TEXT, WK_LIST, WK_OBJECT } wk_type;

/* A JSON value. Members of an object and items of a list hang together by `next`. */
typedef struct wk_json {
    wk_type type;
    const char *name; /* of a member */
    const char *text;
    double number;
    bool boolean;
    struct wk_json *first;
    struct wk_json *next;
} wk_json;

/* NULL where it is no JSON, or nested deeper than 64 levels. */
const wk_json *wk_json_parse(const char *text, size_t length);
/* The value at a path of names: "queue.depth". NULL where there is none, also of NULL. */
const wk_json *wk_json_at(const wk_json *value, const char *path);
/* The number, text or boolean at a path; `otherwise` where there is none of that type. */
double wk_json_number(const wk_json *value, const char *path, double otherwise);
const char *wk_json_text(const wk_json *value, const char *path, const char *otherwise);
bool wk_json_boolean(const wk_json *value, const char *path, bool otherwise);
/* A text as JSON, with its quotation marks. */
const char *wk_json_quoted(const char *text);

/* --- Texts and log lines ----------------------------------------------------- */

/* As printf, into a new text. */
const char *wk_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A text of the bindings with an end. */
const char *wk_text(wk_string text);

/* A line in the host's log: WATCHKEEPER_PLUGIN_LOG_LEVEL_INFO and the like. */
void wk_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- Small values that outlive a run; needs WK_ASKS_STATE --------------------- */

/* The text under a key; NULL where there is none. */
const char *wk_state_get(const char *key);
/* Keeps a text under a key of at most 128 bytes; false where the space is full. */
bool wk_state_set(const char *key, const char *value);
void wk_state_remove(const char *key);

/* --- HTTP: an exchange that follows no redirects; needs WK_ASKS_HTTP ---------- */

/* What went wrong, by what it means. */
typedef enum {
    WK_FINE,
    WK_NO_ANSWER,    /* dead; temporary */
    WK_NOT_POSSIBLE, /* misconfigured; permanent */
    WK_NOT_ALLOWED,  /* undecided; permanent */
    WK_HOST_FAILED,  /* undecided; temporary */
} wk_trouble;

typedef struct {
    const char *name; /* in lower case */
    const char *value;
} wk_header;

typedef struct {
    wk_trouble trouble;
    const char *reason; /* where there is trouble */
    int status;
    const char *body; /* ends with a NUL that is not counted */
    size_t length;
    const wk_header *headers;
    size_t header_count;
} wk_response;

/* So many bytes of an answer are taken; a longer one is trouble. */
#define WK_BODY_LIMIT ((size_t)1 << 20)

wk_response wk_http_get(const char *url);
/* Posts JSON. */
wk_response wk_http_post_json(const char *url, const char *json);
/* Any method; `body` may be NULL. */
wk_response wk_http(const char *method, const char *url, const wk_header *headers,
                    size_t header_count, const char *body, size_t length);
/* Whether there is an answer, and its status is 2xx. */
bool wk_http_ok(const wk_response *response);
/* The first header of that name in lower case; NULL where there is none. */
const char *wk_http_header(const wk_response *response, const char *name);

/* --- Descriptions ------------------------------------------------------------ */

/* The ways out of the sandbox that a plugin asks for; all others are refused. */
#define WK_ASKS_HTTP (1u << WATCHKEEPER_PLUGIN_TYPES_CAPABILITY_HTTP)
#define WK_ASKS_ICMP (1u << WATCHKEEPER_PLUGIN_TYPES_CAPABILITY_ICMP)
#define WK_ASKS_DNS (1u << WATCHKEEPER_PLUGIN_TYPES_CAPABILITY_DNS)
#define WK_ASKS_TLS (1u << WATCHKEEPER_PLUGIN_TYPES_CAPABILITY_TLS)
#define WK_ASKS_STATE (1u << WATCHKEEPER_PLUGIN_TYPES_CAPABILITY_STATE)

typedef struct {
    const char *name;    /* [a-z][a-z0-9-]{0,39} */
    const char *version; /* semantic */
    const char *summary; /* one line for people */
    /* A JSON Schema (2020-12) of the configuration. A text with "format": "uri" grants
     * that URL's host and port, one with "writeOnly": true holds a secret. */
    const char *config_schema;
    unsigned asks;
    const char *const *hosts; /* beyond targets and configuration, then NULL; or NULL */
} wk_description;

/* The run that a plugin is called in. */
typedef struct {
    const char *monitor;    /* service/monitor; NULL in a notifier */
    double timeout_seconds; /* the whole time that the run has */
} wk_context;

#ifndef WATCHKEEPER_NOTIFIER

/* --- Probes ------------------------------------------------------------------ */

/* The first three are verdicts, each worse than the one before it. */
typedef enum { WK_HEALTHY, WK_SICK, WK_DEAD, WK_MISCONFIGURED, WK_UNDECIDED } wk_end;

typedef struct {
    const char *name; /* lower-case words joined by - */
    double value;
    const char *unit; /* seconds, bytes, ratio, or a counted thing in the plural */
} wk_measurement;

/* The host takes so many. */
#define WK_MEASUREMENTS 64

typedef struct {
    wk_end end;
    const char *reason;
    double latency_seconds; /* below 0: as the host measured it */
    wk_measurement measurements[WK_MEASUREMENTS];
    size_t count;
} wk_reading;

typedef struct {
    wk_description general;
    const char *const *schemes; /* of the targets that it judges, then NULL; or NULL */
    wk_reading (*check)(const wk_json *config, const char *target, const wk_context *context);
} wk_plugin;

wk_reading wk_healthy(void);
wk_reading wk_dead(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The configuration or target cannot work: says which key and why. */
wk_reading wk_misconfigured(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The probe could not decide. */
wk_reading wk_undecided(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What an answer that is not wk_http_ok means. */
wk_reading wk_reading_of(const wk_response *response);
/* Sick or dead if the condition holds, unless it is worse already. */
void wk_sick_if(wk_reading *reading, bool condition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void wk_dead_if(wk_reading *reading, bool condition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds a figure. */
void wk_measure(wk_reading *reading, const char *name, double value, const char *unit);

#else

/* --- Notifiers --------------------------------------------------------------- */

typedef exports_watchkeeper_plugin_notifier_notice_t wk_raw_notice;

/* What happened. Fields that are missing here are in `raw`, as the contract has them. */
typedef struct {
    const char *id; /* the same for every attempt: an idempotency key */
    const char *health; /* healthy, sick, dead */
    const char *title;  /* one line, already in words */
    const char *body;   /* more lines; may be empty */
    const char *page_title;
    const char *page_url;
    const char *incident_url; /* or NULL */
    const wk_raw_notice *raw;
} wk_notice;

typedef enum { WK_DELIVERED, WK_TEMPORARY, WK_PERMANENT } wk_outcome;

typedef struct {
    wk_outcome outcome;
    const char *reason;
    double wait_seconds; /* below 0: the receiver did not say */
} wk_delivery;

typedef struct {
    wk_description general;
    /* Called again, in a fresh instance, after a temporary failure. */
    wk_delivery (*notify)(const wk_json *config, const wk_notice *notice,
                          const wk_context *context);
} wk_plugin;

wk_delivery wk_delivered(void);
wk_delivery wk_temporary(const char *format, ...) __attribute__((format(printf, 1, 2)));
wk_delivery wk_permanent(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What an answer says of a notice: any 2xx is delivered; after 408, 425, 429 and 5xx
 * trying again may help, after the seconds that Retry-After names. */
wk_delivery wk_delivery_of(const wk_response *response);

#endif

/* What every plugin defines. */
extern const wk_plugin watchkeeper_plugin;

/* --- For the sources of the SDK ------------------------------------------------ */

/* Memory that is there, or the run ends. */
void *wk_take(size_t size);
/* A text for the bindings. */
wk_string wk_lower(const char *text);
const char *wk_vformat(const char *format, __builtin_va_list arguments);

#endif
