#include "cli/report_json.h"

#include <jansson.h>
#include <stdlib.h>

/* Longest value or name shown whole; what CFG files hold is far shorter. */
#define TEXT_BYTES ((size_t)16 * 1024)
#define MASK "********"

void report_print_value(const struct report_style *style, const struct setting *s, struct buf *out)
{
    if (style->show_secrets || s->value.len == 0) {
        buf_text(out, s->value);
    } else if (s->param && s->param->multi_valued) {
        buf_text(out, slice_first(s->value, slice_find(s->value, ':')));
        buf_str(out, ":" MASK);
    } else if (param_is_secret(s->key)) {
        buf_str(out, MASK);
    } else if (s->param && s->param->url != PARAM_URL_NONE) {
        url_print_public(s->value, out);
    } else {
        buf_text(out, s->value);
    }
}

/* JSON holds Unicode only: bytes that are not UTF-8 become \xHH in the text. */
static json_t *text(struct slice s)
{
    json_t *plain = json_stringn(s.ptr ? s.ptr : "", s.len);
    if (plain)
        return plain;
    /* One more, which buf_format() wants behind the last. */
    size_t size = 4 * s.len + 1;
    char *room = malloc(size);
    if (!room)
        return NULL;
    struct buf out = buf_on(room, size);
    while (s.len) {
        size_t len = utf8_length(s);
        if (len)
            buf_bytes(&out, s.ptr, len);
        else
            buf_format(&out, "\\x%02x", (unsigned char)s.ptr[0]);
        s = slice_from(s, len ? len : 1);
    }
    json_t *escaped = json_stringn(out.ptr, out.len);
    free(room);
    return escaped;
}

static json_t *text_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

static json_t *name(const struct report_style *style, struct slice url)
{
    char bytes[2 * URL_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    naming_print(&style->naming, url, &out);
    return text(buf_slice(&out));
}

static json_t *value(const struct report_style *style, const struct setting *s)
{
    char bytes[TEXT_BYTES];
    struct buf out = BUF_ON(bytes);
    report_print_value(style, s, &out);
    return text(buf_ok(&out) ? buf_slice(&out) : slice_first(s->value, TEXT_BYTES));
}

static json_t *phone(const struct identity *id)
{
    char mac_bytes[32], firmware_bytes[32];
    struct buf mac = BUF_ON(mac_bytes), firmware = BUF_ON(firmware_bytes);
    mac_print_colons(id->mac, &mac);
    firmware_print(id->firmware, &firmware);
    return json_pack("{so so so}", "mac", text(buf_slice(&mac)), "model", text(model_short_name(id->model)), "firmware",
                     text(buf_slice(&firmware)));
}

static json_t *files(const struct report *r, const struct report_style *style)
{
    json_t *list = json_array();
    for (const struct report_file *f = r->files; f; f = f->next)
        json_array_append_new(list, json_pack("{so ss so so}", "name", name(style, f->url), "outcome",
                                              file_outcome_name(f->outcome), "why", text(f->why), "md5",
                                              f->md5.len ? text(f->md5) : json_null()));
    return list;
}

static json_t *losers(const struct setting *s, const struct report_style *style)
{
    json_t *list = json_array();
    for (const struct setting *loser = s->overrode; loser; loser = loser->overrode)
        json_array_append_new(list, json_pack("{so so si}", "value", value(style, loser), "file",
                                              name(style, loser->origin.file), "line", (int)loser->origin.line));
    return list;
}

static json_t *settings(const struct report *r, const struct report_style *style, struct arena *arena)
{
    json_t *list = json_array();
    const struct setting *const *sorted;
    if (!settings_sorted(&r->effective, arena, &sorted)) {
        json_decref(list);
        return NULL;
    }
    for (size_t i = 0; i < r->effective.count; i++) {
        const struct setting *s = sorted[i];
        if (setting_is_default(s))
            continue;
        json_array_append_new(list, json_pack("{so so so si sb so}", "key", text(s->key), "value", value(style, s),
                                              "file", name(style, s->origin.file), "line", (int)s->origin.line,
                                              "static", setting_is_static(s), "overrode", losers(s, style)));
    }
    return list;
}

static json_t *changed(const struct report *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->change.count; i++)
        json_array_append_new(list, text(r->change.keys[i]));
    return list;
}

static json_t *resources(const struct report *r, const struct report_style *style)
{
    json_t *list = json_array();
    for (const struct report_resource *s = r->resources; s; s = s->next)
        json_array_append_new(list, json_pack("{so so ss so}", "key", text(s->key), "url", name(style, s->url),
                                              "outcome", file_outcome_name(s->outcome), "why", text(s->why)));
    return list;
}

static json_t *findings(const struct report *r, const struct report_style *style)
{
    json_t *list = json_array();
    for (const struct finding *f = r->findings.first; f; f = f->next)
        json_array_append_new(list, json_pack("{ss so si si so}", "severity", severity_name(f->severity), "file",
                                              name(style, f->file), "line", (int)f->line, "column", (int)f->column,
                                              "text", text(f->text)));
    return list;
}

bool report_print_json(const struct report *r, const struct report_style *style, FILE *to)
{
    struct arena arena;
    char server_bytes[URL_BYTES_MAX];
    struct buf server = BUF_ON(server_bytes);
    arena_init(&arena, SIZE_MAX / 2);
    url_print_public(r->server, &server);
    json_t *all = json_pack("{so so so sb sb ss so so so so sb so so so}", "phone", phone(r->id), "server",
                            text(buf_slice(&server)), "mechanism", text_or_null(mechanism_name(r->mechanism)),
                            "overwrite_mode", r->overwrite_mode, "excluded_mode", r->excluded_mode, "outcome",
                            run_outcome_name(r->outcome), "why", text(r->why), "files", files(r, style),
                            "settings", settings(r, style, &arena), "changed", changed(r), "reboot", r->reboot,
                            "upgrade", r->upgrade.len ? text(r->upgrade) : json_null(), "resources",
                            resources(r, style), "findings", findings(r, style));
    bool done = all && json_dumpf(all, to, JSON_INDENT(2)) == 0 && fputc('\n', to) != EOF && fflush(to) == 0;
    json_decref(all);
    arena_free(&arena);
    return done;
}
