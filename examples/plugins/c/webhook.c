/* A notifier: posts each notice as JSON. */

#include "watchkeeper.h"

static wk_delivery notify(const wk_json *config, const wk_notice *notice,
                          const wk_context *context) {
    (void)context;
    const char *text = notice->body[0] == '\0'
                           ? notice->title
                           : wk_format("%s\n%s", notice->title, notice->body);
    /* The receiver can tell a second attempt by the id. */
    const char *message =
        wk_format("{\"id\":%s,\"text\":%s,\"page\":%s}", wk_json_quoted(notice->id),
                  wk_json_quoted(text), wk_json_quoted(notice->page_url));
    wk_response answer = wk_http_post_json(wk_json_text(config, "url", ""), message);
    return wk_delivery_of(&answer);
}

const wk_plugin watchkeeper_plugin = {
    .general =
        {
            .name = "post-it",
            .version = "0.1.0",
            .summary = "Posts each notice as JSON",
            .asks = WK_ASKS_HTTP,
            /* What operators write under `config`. Whoever knows the address can post to
             * it, so that it is never shown. */
            .config_schema =
                "{\"type\":\"object\",\"additionalProperties\":false,"
                "\"required\":[\"url\"],\"properties\":{"
                "\"url\":{\"type\":\"string\",\"format\":\"uri\",\"writeOnly\":true,"
                "\"description\":\"Where to post to.\"}}}",
        },
    .notify = notify,
};
