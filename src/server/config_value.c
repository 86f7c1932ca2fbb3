#include "server/config_value.h"

#include "base/rootdir.h"
#include "guide/mac.h"
#include "base/url.h"
#include "net/address.h"
#include "server/redirect.h"
#include "server/user_hash.h"

static bool is_one_of(struct slice value, const char *words)
{
    struct slice rest = slice_str(words), word;
    while (slice_cut(&rest, ' ', &word))
        if (slice_eq(word, value))
            return true;
    return false;
}

static bool is_address(struct slice text, const char *words)
{
    union address a;
    (void)words;
    return address_parse(text, 0, &a);
}

static bool is_network(struct slice text, const char *words)
{
    struct network n;
    (void)words;
    return network_parse(text, &n);
}

static bool is_user(struct slice text, const char *words)
{
    struct mac mac;
    (void)words;
    return user_name_ok(text) || slice_eq(text, SLICE("*")) || mac_parse(text, &mac);
}

/* Each of the parts between commas. */
static bool are_all(struct slice value, bool (*is)(struct slice part, const char *words), const char *words)
{
    struct slice part;
    if (value.len && value.ptr[value.len - 1] == ',')
        return false;
    while (slice_cut(&value, ',', &part))
        if (!is(slice_trim(part), words))
            return false;
    return true;
}

bool config_ports(struct slice text, uint16_t *ret_first, uint16_t *ret_last)
{
    size_t dash = slice_find(text, '-');
    uint64_t first, last;
    if (!slice_u64(slice_trim(slice_first(text, dash)), 1024, UINT16_MAX, &first))
        return false;
    last = first;
    if (dash < text.len && !slice_u64(slice_trim(slice_from(text, dash + 1)), first, UINT16_MAX, &last))
        return false;
    if (last - first >= CONFIG_PORTS_MAX)
        return false;
    *ret_first = (uint16_t)first;
    *ret_last = (uint16_t)last;
    return true;
}

static bool is_prefix(struct slice value)
{
    struct slice name = slice_from(value, 1);
    if (!value.len || value.ptr[0] != '/')
        return false;
    if (name.len && name.ptr[name.len - 1] == '/')
        name = slice_first(name, name.len - 1);
    return value.len == 1 || rootdir_name_ok(name);
}

static const char *text_fault(const struct config_key *k, struct slice value)
{
    for (size_t i = 0; i < value.len; i++)
        if (byte_is_control(value.ptr[i]))
            return "holds a control byte";
    return value.len < k->min ? "is blank" : value.len > k->max ? "is too long" : NULL;
}

bool config_mac_prefix(struct slice text, struct buf *out)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool separator = (c == ':' || c == '-' || c == '.') && i > 0 && i + 1 < text.len;
        if (separator && byte_hex(text.ptr[i - 1]) >= 0)
            continue;
        if (byte_hex(c) < 0 || ++digits > CONFIG_MAC_DIGITS)
            return false;
        buf_byte(out, byte_lower(c));
    }
    return digits > 0 && buf_ok(out);
}

static bool is_mac_prefix(struct slice text, const char *words)
{
    char bytes[CONFIG_MAC_DIGITS];
    struct buf out = BUF_ON(bytes);
    (void)words;
    return config_mac_prefix(text, &out);
}

/* security.md R17: what PnP says is read by the whole network. */
static const char *url_fault(struct slice value)
{
    static const char schemes[] = "tftp ftp http https";
    struct url u;
    char bytes[8];
    struct buf scheme = BUF_ON(bytes);
    if (!value.len)
        return NULL;
    if (!url_parse(value, &u))
        return "is not a URL";
    for (size_t i = 0; i < u.scheme.len; i++)
        buf_byte(&scheme, byte_lower(u.scheme.ptr[i]));
    if (!buf_ok(&scheme) || !is_one_of(buf_slice(&scheme), schemes))
        return "is not a URL of tftp, ftp, http or https";
    if (u.has_user && !slice_eq(buf_slice(&scheme), SLICE("https")))
        return "holds a user name or password: everybody on the network would read it, and again when it is used; only an"
               " https URL may";
    return NULL;
}

const char *config_value_fault(const struct config_key *k, struct slice value)
{
    uint64_t number;
    struct user_hash hash;
    uint16_t first, last;
    bool fits = value.len >= k->min && value.len <= k->max;
    switch (k->type) {
    case CONFIG_TEXT:
        return text_fault(k, value);
    case CONFIG_CHOICE:
        return is_one_of(value, k->words) ? NULL : "is not one of the words";
    case CONFIG_ADDRESSES:
        return fits && are_all(value, is_address, NULL) ? NULL : "is not a list of addresses";
    case CONFIG_NUMBER:
    case CONFIG_SWITCH:
        return slice_u64(value, k->min, k->max, &number) ? NULL : "is not a number within the bounds";
    case CONFIG_PORTS:
        return (!value.len && !k->default_value[0]) || config_ports(value, &first, &last) ? NULL : "is not FIRST-LAST";
    case CONFIG_PREFIX:
        return fits && is_prefix(value) ? NULL : "is not a path that begins with / and names no . or ..";
    case CONFIG_TARGET:
        return fits && redirect_target_ok(value) ? NULL : "is neither a path nor a plain http or https URL";
    case CONFIG_USERS:
        return fits && are_all(value, is_user, NULL) ? NULL : "is not a list of user names";
    case CONFIG_NETWORKS:
        return fits && are_all(value, is_network, NULL) ? NULL : "is not a list of networks";
    case CONFIG_SOME:
        return fits && are_all(value, is_one_of, k->words) ? NULL : "is not a list of these words";
    case CONFIG_URL:
        return text_fault(k, value) ? text_fault(k, value) : url_fault(value);
    case CONFIG_MACS:
        return fits && are_all(value, is_mac_prefix, NULL) ? NULL : "is not a list of beginnings of MAC addresses";
    case CONFIG_HASH:
        return fits && user_hash_parse(value, &hash) ? NULL : "is not what `dialtone passwd` prints";
    }
    return NULL;
}

void config_value_report(const struct config_key *k, struct slice key, struct slice value, const char *what,
                         struct place at, struct diag *findings)
{
    if (k->type == CONFIG_NUMBER || k->type == CONFIG_SWITCH || k->type == CONFIG_PORTS)
        diag_add(findings, SEVERITY_ERROR, at, "%.*s: '%.*s' %s: %u to %u", SLICE_ARG(key), SLICE_ARG(value),
                 what, k->min, k->max);
    else if (k->words)
        diag_add(findings, SEVERITY_ERROR, at, "%.*s: '%.*s' %s: %s", SLICE_ARG(key), SLICE_ARG(value), what,
                 k->words);
    else if (k->type == CONFIG_HASH || k->type == CONFIG_URL)
        diag_add(findings, SEVERITY_ERROR, at, "%.*s: the value %s", SLICE_ARG(key), what);
    else
        diag_add(findings, SEVERITY_ERROR, at, "%.*s: '%.*s' %s: at most %u bytes", SLICE_ARG(key),
                 SLICE_ARG(value), what, k->max);
}
