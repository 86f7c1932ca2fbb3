#include "phone/dhcp_answer.h"

#include "base/url.h"

/* One byte more than a URL may have, and a whole part: what does not fit is longer than any URL. */
#define VALUE_BYTES (URL_BYTES_MAX + 256)
/* RFC 2132 leaves these to the site: where an administrator may have put a URL that no phone is told to look for. */
enum { SITE_MIN = 128, SITE_MAX = 254 };
#define FINDINGS_MAX (OPTION_CUSTOMS_MAX + 2 + SITE_MAX - SITE_MIN + 1)

struct reader {
    struct arena *arena;
    const struct dhcp_options *options;
    struct option_finding findings[FINDINGS_MAX];
    size_t count;
    bool failed; /* out of memory */
};

static void add(struct reader *r, uint16_t code, bool v6, struct slice value, bool too_long, bool only_urls)
{
    struct option_finding f = { .code = code, .v6 = v6, .verdict = OPTION_LONG };
    struct slice copy;
    if (!arena_copy(r->arena, slice_first(value, URL_BYTES_MAX), &copy) ||
        (!too_long && value.len <= URL_BYTES_MAX &&
         !address_option_read(code, v6, copy, r->options->server_type, r->arena, &f))) {
        r->failed = true;
        return;
    }
    f.value = copy;
    if (r->count < FINDINGS_MAX && (!only_urls || f.verdict == OPTION_URL))
        r->findings[r->count++] = f;
}

static void add4(struct reader *r, const struct dhcp4_message *m, uint8_t code, bool only_urls)
{
    char bytes[VALUE_BYTES];
    struct buf value = BUF_ON(bytes);
    if (dhcp4_value(m, code, &value))
        add(r, code, false, buf_slice(&value), !buf_ok(&value), only_urls);
}

static bool is_listed(const struct option_list *list, uint16_t code)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->codes[i] == code)
            return true;
    return false;
}

static struct dhcp_answer *finish(struct reader *r)
{
    struct dhcp_answer *a = ARENA_NEW(r->arena, struct dhcp_answer);
    if (!a || r->failed)
        return NULL;
    a->findings = ARENA_ARRAY(r->arena, struct option_finding, r->count ? r->count : 1);
    if (!a->findings)
        return NULL;
    memcpy(a->findings, r->findings, r->count * sizeof *r->findings);
    a->count = r->count;
    a->times = 1;
    a->winner = address_option_choose(a->findings, a->count, &r->options->custom4, &r->options->custom6);
    return a;
}

/* RFC 3396 joins every repeat; a value that would have fit into one part was hardly meant to be joined. */
static uint16_t repeated_option(const struct dhcp4_message *m, const struct option_finding *findings, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (dhcp4_count(m, (uint8_t)findings[i].code) > 1 && findings[i].value.len <= 255)
            return findings[i].code;
    return 0;
}

static bool is_cut(const struct dhcp4_message *m)
{
    struct dhcp4_walk walk = dhcp4_walk(m);
    struct slice value;
    uint8_t code;
    while (dhcp4_next(&walk, &code, &value))
        continue;
    return walk.cut;
}

struct dhcp_answer *dhcp_answer_of4(const struct dhcp4_message *m, const struct dhcp_options *o, struct arena *arena)
{
    struct reader r = { .arena = arena, .options = o };
    uint16_t codes[OPTION_CUSTOMS_MAX + 2];
    size_t count = option_list_order(&o->custom4, false, codes);
    for (size_t i = 0; i < count; i++)
        add4(&r, m, (uint8_t)codes[i], false);
    for (uint16_t code = SITE_MIN; code <= SITE_MAX; code++)
        if (!is_listed(&o->custom4, code))
            add4(&r, m, (uint8_t)code, true);
    struct dhcp_answer *a = finish(&r);
    if (!a)
        return NULL;
    a->type = (uint8_t)m->type;
    a->offered = m->yiaddr;
    dhcp4_u32(m, DHCP4_SERVER_ID, &a->server);
    a->repeated = repeated_option(m, a->findings, a->count);
    a->cut = is_cut(m);
    return a;
}

struct dhcp_answer *dhcp_answer_of6(const struct dhcp6_message *m, const struct dhcp_options *o, struct arena *arena)
{
    struct reader r = { .arena = arena, .options = o };
    uint16_t codes[OPTION_CUSTOMS_MAX + 2];
    size_t count = option_list_order(&o->custom6, true, codes);
    struct slice value;
    for (size_t i = 0; i < count; i++)
        if (dhcp6_value(m, codes[i], &value))
            add(&r, codes[i], true, value, false, false);
    struct dhcp_answer *a = finish(&r);
    if (!a)
        return NULL;
    a->v6 = true;
    a->type = m->type;
    a->status = dhcp6_status(m);
    return a;
}

bool dhcp_answer_same(const struct dhcp_answer *a, const struct dhcp_answer *b)
{
    if (a->v6 != b->v6 || a->type != b->type || a->server != b->server || a->offered != b->offered ||
        a->status != b->status || a->count != b->count || !address_eq(&a->from, &b->from))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->findings[i].code != b->findings[i].code || !slice_eq(a->findings[i].value, b->findings[i].value))
            return false;
    return true;
}
