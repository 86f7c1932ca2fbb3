#include "phone/control_inside.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#define SCREEN_BYTES ((size_t)16 * 1024)
#define NUMBER_MAX 128
#define KEYS_MAX 256

/* Bytes of the phone's world need not be UTF-8; what is not is shown as \xHH. */
static json_t *text_of(struct slice text)
{
    json_t *json = json_stringn(text.ptr ? text.ptr : "", text.len);
    if (json)
        return json;
    size_t room = 4 * text.len + 1;
    char *bytes = malloc(room);
    struct buf out = buf_on(bytes, bytes ? room : 0);
    buf_escaped(&out, text);
    json = json_stringn(bytes ? bytes : "", out.len);
    free(bytes);
    return json;
}

static struct control_answer answer_json(unsigned status, json_t *json)
{
    struct control_answer a = { .status = status };
    char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_decref(json);
    if (!text)
        return a;
    a.len = strlen(text) + 1;
    a.bytes = malloc(a.len + 1);
    if (a.bytes) {
        memcpy(a.bytes, text, a.len - 1);
        a.bytes[a.len - 1] = '\n';
    }
    free(text);
    return a;
}

struct control_answer control_refuse(unsigned status, const char *error)
{
    return answer_json(status, json_pack("{s:s}", "error", error));
}

/* --- who may ask --- */

/* The guard has seen every line: each ends in CR LF, none is folded. */
static bool find_header(const struct http_request *r, const char *name, struct slice *ret_value)
{
    struct slice rest = r->head, line, field;
    while (slice_cut(&rest, '\n', &line)) {
        if (!slice_cut(&line, ':', &field) || !slice_eq_nocase(field, slice_str(name)))
            continue;
        *ret_value = slice_trim(line);
        return true;
    }
    return false;
}

static bool is_own_host(struct slice host)
{
    union address address;
    size_t end = slice_find_last(host, ':');
    uint64_t port;
    /* A colon inside of brackets is the address's. */
    if (end < host.len && slice_u64(slice_from(host, end + 1), 0, UINT16_MAX, &port))
        host = slice_first(host, end);
    return slice_eq_nocase(host, SLICE("localhost")) || address_parse(host, 0, &address);
}

static bool is_own_origin(struct slice origin, struct slice host)
{
    struct slice scheme = SLICE("http://");
    return slice_starts_nocase(origin, scheme) && slice_eq_nocase(slice_from(origin, scheme.len), host);
}

unsigned control_check(const struct http_request *r, const char **ret_error)
{
    struct slice host = r->field[HTTP_FIELD_HOST], origin, type;
    bool post = slice_eq(r->method_text, SLICE("POST"));
    *ret_error = "the Host must be localhost or a numeric address";
    if (!host.ptr || !is_own_host(host))
        return 403;
    *ret_error = "not from another site";
    if (find_header(r, "Origin", &origin) && !is_own_origin(origin, host))
        return 403;
    *ret_error = "GET and POST only";
    if (!post && !slice_eq(r->method_text, SLICE("GET")))
        return 405;
    *ret_error = "a POST must be application/json";
    if (post &&
        (!find_header(r, "Content-Type", &type) ||
         !slice_eq_nocase(slice_trim(slice_first(type, slice_find(type, ';'))), SLICE("application/json"))))
        return 415;
    *ret_error = "a body must have a length, and not a long one";
    return r->chunked || r->content_length > CONTROL_BODY_MAX ? 413 : 0;
}

/* --- GET --- */

static json_t *print_with(void (*print)(const void *what, struct buf *out), const void *what)
{
    char bytes[64];
    struct buf out = BUF_ON(bytes);
    print(what, &out);
    return text_of(buf_slice(&out));
}

static void print_mac(const void *what, struct buf *out)
{
    mac_print_colons(*(const struct mac *)what, out);
}

static void print_firmware(const void *what, struct buf *out)
{
    firmware_print(*(const struct firmware *)what, out);
}

static void print_time(const void *what, struct buf *out)
{
    clock_print_wall(*(const int64_t *)what * 1000, out);
}

static json_t *server_of(const struct life_facts *f)
{
    char bytes[URL_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    url_print_public(f->server, &out);
    return text_of(buf_slice(&out));
}

static json_t *last_run(const struct life_facts *f)
{
    if (f->ran_s == 0)
        return json_null();
    return json_pack("{s:s, s:o, s:o}", "outcome", run_outcome_name(f->outcome), "why", text_of(f->why),
                     "ended", print_with(print_time, &f->ran_s));
}

static json_t *next_run(const struct life_facts *f)
{
    if (f->due.trigger == TRIGGER_NONE)
        return json_null();
    return json_pack("{s:s, s:o}", "trigger", trigger_name(f->due.trigger), "at",
                     print_with(print_time, &f->due.at_s));
}

static struct control_answer get_state(struct life *life, struct screen *screen)
{
    struct life_facts f = life_facts(life);
    (void)screen;
    return answer_json(
        200, json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:b, s:i, s:i, s:I, s:o, s:o, s:o}", "state",
                       life_state_name(f.state), "mac", print_with(print_mac, &f.id.mac), "model",
                       text_of(f.id.model->product), "firmware", print_with(print_firmware, &f.id.firmware),
                       "server", server_of(&f), "source", f.source, "in_call", f.in_call, "network_unavailable",
                       f.network_unavailable, "power_ons", (int)f.power_ons, "runs", (int)f.runs, "up_s",
                       (json_int_t)f.up_s, "time", print_with(print_time, &f.now_s), "last_run", last_run(&f),
                       "next_run", next_run(&f)));
}

static json_t *lines_of(const struct screen_view *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < v->line_count; i++)
        json_array_append_new(list, text_of(v->lines[i]));
    return list;
}

static json_t *fields_of(const struct screen_view *v)
{
    static const char *const kinds[] = {
        [FIELD_TEXT] = "text", [FIELD_NUMBER] = "number", [FIELD_PASSWORD] = "password"
    };
    json_t *list = json_array();
    for (size_t i = 0; i < v->field_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:b}", "label", text_of(v->fields[i].label),
                                              "value", text_of(v->fields[i].value), "kind",
                                              kinds[v->fields[i].kind], "focus", i == v->focus));
    return list;
}

static json_t *soft_keys_of(const struct screen_view *v)
{
    json_t *list = json_array();
    for (size_t i = 0; i < SCREEN_SOFT_KEYS; i++)
        json_array_append_new(list, text_of(v->soft[i]));
    return list;
}

static struct control_answer get_screen(struct life *life, struct screen *screen)
{
    struct screen_view v;
    char *bytes = malloc(SCREEN_BYTES);
    struct buf out = buf_on(bytes, bytes ? SCREEN_BYTES : 0);
    (void)life;
    screen_view(screen, &v);
    screen_print(&v, &out);
    json_t *json = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "name", v.name, "title", text_of(v.title),
                             "lines", lines_of(&v), "fields", fields_of(&v), "soft_keys", soft_keys_of(&v),
                             "text", text_of(buf_slice(&out)));
    free(bytes);
    return answer_json(200, json);
}

static json_t *value_of(const struct setting *s)
{
    char bytes[2 * URL_BYTES_MAX];
    struct buf url = BUF_ON(bytes);
    if (s->value.len && param_is_secret(s->key))
        return json_string("********");
    if (!s->param || s->param->url == PARAM_URL_NONE)
        return text_of(s->value);
    url_print_public(s->value, &url);
    return text_of(buf_slice(&url));
}

static struct control_answer get_settings(struct life *life, struct screen *screen)
{
    struct life_facts f = life_facts(life);
    struct arena arena;
    const struct setting *const *list;
    (void)screen;
    if (f.state == LIFE_OFF || f.state == LIFE_REBOOTING)
        return control_refuse(409, "the phone is not up");
    arena_init(&arena, SIZE_MAX / 2);
    json_t *json = settings_sorted(f.effective, &arena, &list) ? json_object() : NULL;
    for (size_t i = 0; json && i < f.effective->count; i++)
        json_object_setn_new(json, list[i]->id.ptr, list[i]->id.len, value_of(list[i]));
    arena_free(&arena);
    return answer_json(200, json);
}

/* --- POST --- */

static struct control_answer done(void)
{
    return answer_json(200, json_pack("{s:b}", "ok", 1));
}

static bool text_in(const json_t *body, const char *name, struct slice *ret_text)
{
    const json_t *value = json_object_get(body, name);
    if (!json_is_string(value))
        return false;
    *ret_text = slice_of(json_string_value(value), json_string_length(value));
    return true;
}

static struct control_answer post_press(struct life *life, const json_t *body)
{
    const json_t *keys = json_object_get(body, "keys");
    size_t count = json_array_size(keys);
    enum key pressed[KEYS_MAX];
    if (count == 0 || count > KEYS_MAX)
        return control_refuse(400, "\"keys\" must be a list of key names");
    for (size_t i = 0; i < count; i++) {
        const json_t *key = json_array_get(keys, i);
        if (!json_is_string(key) || !key_parse(slice_str(json_string_value(key)), &pressed[i]))
            return control_refuse(400, "no such key; there are 0-9 * # soft1-soft4 ok x up down left right");
    }
    for (size_t i = 0; i < count; i++)
        life_key(life, pressed[i]);
    return done();
}

static struct control_answer post_text(struct life *life, const json_t *body)
{
    struct slice text;
    if (!text_in(body, "text", &text))
        return control_refuse(400, "\"text\" must be a text");
    life_text(life, text);
    return done();
}

static struct control_answer post_dial(struct life *life, const json_t *body)
{
    struct slice number;
    if (!text_in(body, "number", &number) || number.len == 0 || number.len > NUMBER_MAX)
        return control_refuse(400, "\"number\" must be a text of up to 128 characters");
    life_dial(life, number);
    return done();
}

static struct control_answer post_setting(struct life *life, const json_t *body)
{
    struct slice key, value = SLICE_NONE;
    const json_t *given = json_object_get(body, "value");
    if (!text_in(body, "key", &key) || (given && !json_is_null(given) && !text_in(body, "value", &value)))
        return control_refuse(400, "\"key\" and \"value\" must be texts");
    int error = life_set(life, key, value);
    if (error == -EBUSY)
        return control_refuse(409, "the phone is busy; try again when it is idle");
    if (error == -EINVAL)
        return control_refuse(400, "no CFG file could hold this setting");
    return error ? control_refuse(500, "the flash could not be written") : done();
}

static struct control_answer post_call(struct life *life, const json_t *body)
{
    const json_t *active = json_object_get(body, "active");
    if (!json_is_boolean(active))
        return control_refuse(400, "\"active\" must be true or false");
    life_set_call(life, json_is_true(active));
    return done();
}

static struct control_answer post_provision(struct life *life, const json_t *body)
{
    (void)body;
    life_provision_now(life);
    return done();
}

static struct control_answer post_reboot(struct life *life, const json_t *body)
{
    (void)body;
    life_reboot(life);
    return done();
}

static const struct {
    const char *path;
    struct control_answer (*get)(struct life *life, struct screen *screen);
    struct control_answer (*post)(struct life *life, const json_t *body);
} routes[] = {
    { "/api/state", get_state, NULL },          { "/api/screen", get_screen, NULL },
    { "/api/settings", get_settings, NULL },    { "/api/press", NULL, post_press },
    { "/api/text", NULL, post_text },           { "/api/dial", NULL, post_dial },
    { "/api/setting", NULL, post_setting },     { "/api/call", NULL, post_call },
    { "/api/provision", NULL, post_provision }, { "/api/reboot", NULL, post_reboot },
};

static struct control_answer
run_post(struct life *life, struct control_answer (*post)(struct life *, const json_t *), struct slice bytes)
{
    json_error_t error;
    struct control_answer answer;
    json_t *body = json_loadb(bytes.ptr ? bytes.ptr : "", bytes.len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(body))
        answer = post(life, body);
    else
        answer = control_refuse(400, "the body must be a JSON object");
    json_decref(body);
    return answer;
}

struct control_answer control_handle(struct life *life, struct screen *screen, const struct http_request *r,
                                     struct slice body)
{
    struct slice path;
    bool is_post = slice_eq(r->method_text, SLICE("POST"));
    if (!http_target_path(r->target, &path))
        return control_refuse(400, "a bad target");
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!slice_eq(path, slice_str(routes[i].path)))
            continue;
        if (is_post ? !routes[i].post : !routes[i].get)
            return control_refuse(405, is_post ? "this is read with GET" : "this is done with POST");
        return is_post ? run_post(life, routes[i].post, body) : routes[i].get(life, screen);
    }
    return control_refuse(404, "no such thing");
}
