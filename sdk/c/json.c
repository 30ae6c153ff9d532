/* Reading and writing JSON (RFC 8259). */

#include <stdlib.h>
#include <string.h>

#include "watchkeeper.h"

#define DEEPEST 64

typedef struct {
    const char *at;
    const char *end;
    int depth;
} reader;

static bool read_value(reader *from, wk_json *to);

static void skip_space(reader *from) {
    while (from->at < from->end && memchr(" \t\r\n", *from->at, 4) != NULL) {
        from->at++;
    }
}

static bool take(reader *from, char wanted) {
    skip_space(from);
    if (from->at == from->end || *from->at != wanted) {
        return false;
    }
    from->at++;
    return true;
}

static bool take_word(reader *from, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(from->end - from->at) < length || memcmp(from->at, word, length) != 0) {
        return false;
    }
    from->at += length;
    return true;
}

/* Four hexadecimal digits; below 0 where there are none. */
static int32_t read_unit(reader *from) {
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        if (from->at == from->end) {
            return -1;
        }
        char c = *from->at++;
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit * 16 + digit;
    }
    return unit;
}

/* What follows \u, as UTF-8. A lone surrogate is no character: U+FFFD stands for it. */
static bool read_escape(reader *from, char **to) {
    int32_t point = read_unit(from);
    if (point < 0) {
        return false;
    }
    if (point >= 0xD800 && point <= 0xDBFF) {
        reader ahead = *from;
        int32_t low = take_word(&ahead, "\\u") ? read_unit(&ahead) : -1;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
            *from = ahead;
        }
    }
    /* A NUL would end the text. */
    if (point == 0 || (point >= 0xD800 && point <= 0xDFFF)) {
        point = 0xFFFD;
    }
    char *out = *to;
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xC0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3F));
    } else if (point < 0x10000) {
        *out++ = (char)(0xE0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    } else {
        *out++ = (char)(0xF0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 0x3F));
        *out++ = (char)(0x80 | (point >> 6 & 0x3F));
        *out++ = (char)(0x80 | (point & 0x3F));
    }
    *to = out;
    return true;
}

/* What follows the first quotation mark. No escape is shorter than what it means. */
static const char *read_text(reader *from) {
    const char *close = from->at;
    while (close < from->end && *close != '"') {
        close += *close == '\\' ? 2 : 1;
    }
    if (close >= from->end) {
        return NULL;
    }
    char *text = wk_take((size_t)(close - from->at) + 1);
    char *to = text;
    while (from->at < close) {
        char c = *from->at++;
        if ((unsigned char)c < 0x20) {
            return NULL;
        }
        if (c != '\\') {
            *to++ = c;
            continue;
        }
        static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
        c = *from->at++;
        if (c == 'u') {
            if (!read_escape(from, &to)) {
                return NULL;
            }
            continue;
        }
        const char *known = NULL;
        for (const char *each = escapes; *each != '\0'; each += 2) {
            known = *each == c ? each : known;
        }
        if (known == NULL) {
            return NULL;
        }
        *to++ = known[1];
    }
    *to = '\0';
    from->at = close + 1;
    return text;
}

static bool read_number(reader *from, wk_json *to) {
    size_t length = 0;
    size_t left = (size_t)(from->end - from->at);
    while (length < left && memchr("+-.0123456789eE", from->at[length], 15) != NULL) {
        length++;
    }
    char *copy = wk_take(length + 1);
    memcpy(copy, from->at, length);
    copy[length] = '\0';
    char *end = NULL;
    to->type = WK_NUMBER;
    to->number = strtod(copy, &end);
    from->at += length;
    return length > 0 && *end == '\0' && strchr("-0123456789", copy[0]) != NULL;
}

/* The items of a list or the members of an object, after its bracket. */
static bool read_items(reader *from, wk_json *to, char close) {
    wk_json **next = &to->first;
    if (take(from, close)) {
        return true;
    }
    do {
        wk_json *item = wk_take(sizeof *item);
        memset(item, 0, sizeof *item);
        if (to->type == WK_OBJECT) {
            if (!take(from, '"') || (item->name = read_text(from)) == NULL || !take(from, ':')) {
                return false;
            }
        }
        if (!read_value(from, item)) {
            return false;
        }
        *next = item;
        next = &item->next;
    } while (take(from, ','));
    return take(from, close);
}

static bool read_value(reader *from, wk_json *to) {
    skip_space(from);
    if (from->at == from->end || from->depth == DEEPEST) {
        return false;
    }
    bool fine = false;
    from->depth++;
    switch (*from->at) {
    case '{':
    case '[':
        to->type = *from->at == '{' ? WK_OBJECT : WK_LIST;
        from->at++;
        fine = read_items(from, to, to->type == WK_OBJECT ? '}' : ']');
        break;
    case '"':
        from->at++;
        to->type = WK_TEXT;
        fine = (to->text = read_text(from)) != NULL;
        break;
    case 't':
    case 'f':
        to->type = WK_BOOLEAN;
        to->boolean = *from->at == 't';
        fine = take_word(from, to->boolean ? "true" : "false");
        break;
    case 'n':
        to->type = WK_NULL;
        fine = take_word(from, "null");
        break;
    default:
        fine = read_number(from, to);
    }
    from->depth--;
    return fine;
}

const wk_json *wk_json_parse(const char *text, size_t length) {
    reader from = {.at = text, .end = text + length, .depth = 0};
    wk_json *value = wk_take(sizeof *value);
    memset(value, 0, sizeof *value);
    if (!read_value(&from, value)) {
        return NULL;
    }
    skip_space(&from);
    return from.at == from.end ? value : NULL;
}

const wk_json *wk_json_at(const wk_json *value, const char *path) {
    while (value != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");
        const wk_json *member = value->type == WK_OBJECT ? value->first : NULL;
        while (member != NULL &&
               (strlen(member->name) != length || memcmp(member->name, path, length) != 0)) {
            member = member->next;
        }
        value = member;
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return value;
}

double wk_json_number(const wk_json *value, const char *path, double otherwise) {
    value = wk_json_at(value, path);
    return value != NULL && value->type == WK_NUMBER ? value->number : otherwise;
}

const char *wk_json_text(const wk_json *value, const char *path, const char *otherwise) {
    value = wk_json_at(value, path);
    return value != NULL && value->type == WK_TEXT ? value->text : otherwise;
}

bool wk_json_boolean(const wk_json *value, const char *path, bool otherwise) {
    value = wk_json_at(value, path);
    return value != NULL && value->type == WK_BOOLEAN ? value->boolean : otherwise;
}

const char *wk_json_quoted(const char *text) {
    static const char digits[] = "0123456789abcdef";
    char *quoted = wk_take(strlen(text) * 6 + 3);
    char *to = quoted;
    *to++ = '"';
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else if (c == '\n') {
            *to++ = '\\';
            *to++ = 'n';
        } else if (c < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = digits[c >> 4];
            to[5] = digits[c & 15];
            to += 6;
        } else {
            *to++ = (char)c;
        }
    }
    *to++ = '"';
    *to = '\0';
    return quoted;
}
