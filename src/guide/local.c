#include "guide/local.h"

#include "base/url.h"
#include "guide/name.h"

/* First generation that writes a MAC-local CFG file only with custom.protect = 1. */
#define PROTECTED_ONLY_GENERATION 84
#define VALUE_BYTES_MAX 4096

bool local_print(const struct settings *personal, struct arena *arena, struct buf *out)
{
    const struct setting *const *list;
    if (!settings_sorted(personal, arena, &list))
        return false;
    buf_str(out, "#!version:1.0.0.1\n");
    for (size_t i = 0; i < personal->count; i++) {
        buf_text(out, list[i]->key);
        buf_str(out, " = ");
        buf_text(out, list[i]->value);
        buf_byte(out, '\n');
    }
    return buf_ok(out);
}

const char *local_url(const struct settings *s, struct slice directory, const struct wildcards *w,
                      struct arena *arena, struct slice *ret_url)
{
    char bytes[32];
    struct buf name = BUF_ON(bytes);
    struct slice path = settings_value(s, SLICE("static.auto_provision.custom.sync.path"));
    struct slice type = settings_value(s, SLICE("static.auto_provision.server.type"));
    if (type.len == 0)
        type = SLICE("tftp");
    if (path.len &&
        (!address_expand(path, w, arena, &path) || address_read(path, type, arena, &directory) == ADDRESS_BAD))
        return "static.auto_provision.custom.sync.path is not a URL that a phone can fetch from";
    name_print_mac_local(w->mac, &name);
    return url_resolve(directory, buf_slice(&name), arena, ret_url) ? NULL : "the server URL is too long";
}

enum local_layer local_layer_of(const struct settings *s, struct slice key, struct firmware firmware)
{
    const struct param *param = param_find(key, NULL);
    if ((param && param->is_static) || slice_starts(key, SLICE("static.")))
        return LOCAL_CENTRAL;
    bool protect = settings_is_on(s, SLICE("static.auto_provision.custom.protect"));
    return firmware_generation(firmware) >= PROTECTED_ONLY_GENERATION && !protect ? LOCAL_CENTRAL
                                                                                  : LOCAL_PERSONAL;
}

static bool has_byte(struct slice text, const char *bytes)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]) || strchr(bytes, text.ptr[i]))
            return true;
    return false;
}

bool local_is_assignment(struct slice key, struct slice value)
{
    if (key.len == 0 || key.len >= PARAM_KEY_BYTES_MAX || value.len > VALUE_BYTES_MAX)
        return false;
    /* `#` begins a comment, `[` a prefix. */
    return !has_byte(key, " =[]#<>") && !has_byte(value, "") && slice_trim(value).len == value.len;
}
