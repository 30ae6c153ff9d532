/* Texts, memory, state and log lines. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "watchkeeper.h"

void *wk_take(size_t size) {
    void *memory = malloc(size == 0 ? 1 : size);
    if (memory == NULL) {
        abort();
    }
    return memory;
}

const char *wk_vformat(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        va_end(again);
        return format;
    }
    char *text = wk_take((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

const char *wk_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *text = wk_vformat(format, arguments);
    va_end(arguments);
    return text;
}

const char *wk_text(wk_string text) {
    char *copy = wk_take(text.len + 1);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    return copy;
}

wk_string wk_lower(const char *text) {
    /* The bindings free what a plugin returns: it has to be memory of its own. */
    size_t length = strlen(text);
    uint8_t *copy = wk_take(length);
    memcpy(copy, text, length);
    return (wk_string){.ptr = copy, .len = length};
}

void wk_log(int level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    wk_string line = wk_lower(wk_vformat(format, arguments));
    va_end(arguments);
    watchkeeper_plugin_log_log((watchkeeper_plugin_log_level_t)level, &line);
}

const char *wk_state_get(const char *key) {
    wk_string name = wk_lower(key);
    WK_BINDING(list_u8_t) value;
    if (!watchkeeper_plugin_state_get(&name, &value)) {
        return NULL;
    }
    return wk_text((wk_string){.ptr = value.ptr, .len = value.len});
}

bool wk_state_set(const char *key, const char *value) {
    wk_string name = wk_lower(key);
    wk_string text = wk_lower(value);
    WK_BINDING(list_u8_t) bytes = {.ptr = text.ptr, .len = text.len};
    watchkeeper_plugin_state_error_t error;
    return watchkeeper_plugin_state_set(&name, &bytes, &error);
}

void wk_state_remove(const char *key) {
    wk_string name = wk_lower(key);
    watchkeeper_plugin_state_delete(&name);
}
