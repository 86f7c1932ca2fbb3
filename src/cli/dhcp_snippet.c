#include "cli/dhcp_snippet.h"

#include "guide/address_option.h"

#define NAME "yealink"

struct snippet_target {
    const char *name;
    void (*print)(const struct snippet *s, struct buf *out);
    /* Why it cannot tell these phones apart by IPv6; NULL: it can. */
    const char *no_vendor_v6;
};

/* --- pieces --- */

/* Between quotes of a language in which `escape` goes before what is special. */
static void put_quoted(struct buf *out, const char *quotes, const char *special, const char *escape, struct slice text)
{
    buf_str(out, quotes);
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(special, text.ptr[i]))
            buf_str(out, escape);
        buf_byte(out, text.ptr[i]);
    }
    buf_str(out, quotes);
}

/* JSON, dnsmasq and dhcpd agree on this one. */
static void put_string(struct buf *out, struct slice text)
{
    put_quoted(out, "\"", "\"\\", "\\", text);
}

static void put_hex(struct buf *out, struct slice bytes, const char *before, const char *between)
{
    for (size_t i = 0; i < bytes.len; i++) {
        buf_str(out, i ? between : "");
        buf_format(out, "%s%02x", before, (unsigned char)bytes.ptr[i]);
    }
}

/* The bytes of option 43: the text, or the sub-option's code and length before it. */
static struct slice vendor_bytes(const struct snippet *s, char *room)
{
    struct buf out = buf_on(room, SNIPPET_URL_MAX);
    if (s->sub) {
        buf_byte(&out, (char)s->sub);
        buf_byte(&out, (char)s->url.len);
    }
    buf_text(&out, s->url);
    return buf_slice(&out);
}

static bool is_vendor(const struct snippet *s)
{
    return !s->v6 && s->code == OPTION_V4_VENDOR;
}

static bool is_custom(const struct snippet *s)
{
    return s->v6 ? s->code != OPTION_V6_BOOTFILE : s->code != OPTION_V4_VENDOR && s->code != OPTION_V4_TFTP_SERVER;
}

/* "00:15:65" and the like, each between `before` and `after`. */
static void put_blocks(struct buf *out, const char *before, const char *colon, const char *after, const char *between)
{
    size_t count;
    const uint32_t *blocks = mac_yealink_blocks(&count);
    for (size_t i = 0; i < count; i++)
        buf_format(out, "%s%s%02x%s%02x%s%02x%s", i ? between : "", before, blocks[i] >> 16 & 255, colon,
                   blocks[i] >> 8 & 255, colon, blocks[i] & 255, after);
}

static void put_title(struct buf *out, const struct snippet *s, const char *comment, const char *where)
{
    buf_format(out, "%s DHCP%s option %u", comment, s->v6 ? "v6" : "", s->code);
    if (s->sub)
        buf_format(out, ", sub-option %u,", s->sub);
    buf_format(out, " tells %s where the provisioning server is.\n", s->per_vendor ? "Yealink phones" : "phones");
    if (is_custom(s))
        buf_format(out, "%s On the phones: %s = %u\n", comment,
                   s->v6 ? "static.auto_provision.dhcp_option.list_user6_options"
                         : "static.auto_provision.dhcp_option.list_user_options",
                   s->code);
    buf_format(out, "%s %s\n", comment, where);
}

/* --- dnsmasq --- */

static void print_dnsmasq(const struct snippet *s, struct buf *out)
{
    char room[SNIPPET_URL_MAX];
    put_title(out, s, "#", s->v6 ? "Add to dnsmasq.conf, beside a dhcp-range of IPv6." : "Add to dnsmasq.conf.");
    if (s->per_vendor && !s->v6)
        buf_str(out, "dhcp-vendorclass=set:" NAME "," NAME "\n");
    if (s->per_vendor)
        put_blocks(out, "dhcp-mac=set:" NAME ",", ":", ":*:*:*\n", "");
    /* Forced: also for a phone that does not list the option in what it asks for. */
    buf_format(out, "dhcp-option-force=%s%s%u,", s->per_vendor ? "tag:" NAME "," : "", s->v6 ? "option6:" : "",
               s->code);
    if (s->sub)
        put_hex(out, vendor_bytes(s, room), "", ":");
    else
        put_string(out, s->url);
    buf_byte(out, '\n');
}

/* --- Kea --- */

static const char *kea_name(const struct snippet *s)
{
    if (is_custom(s))
        return "provisioning-url";
    return s->v6 ? "bootfile-url" : is_vendor(s) ? "vendor-encapsulated-options" : "tftp-server-name";
}

static void put_kea_data(const struct snippet *s, struct buf *out)
{
    char room[SNIPPET_URL_MAX];
    /* In its text a comma would begin another field. */
    bool hex = is_vendor(s) || slice_find(s->url, ',') < s->url.len;
    buf_format(out, "\"option-data\": [ { \"name\": \"%s\", \"code\": %u, \"always-send\": true, ", kea_name(s),
               s->code);
    buf_str(out, hex ? "\"csv-format\": false, \"data\": " : "\"data\": ");
    if (hex) {
        buf_byte(out, '"');
        put_hex(out, is_vendor(s) ? vendor_bytes(s, room) : s->url, "", "");
        buf_byte(out, '"');
    } else {
        put_string(out, s->url);
    }
    buf_str(out, " } ]");
}

static void put_kea_test(const struct snippet *s, struct buf *out)
{
    if (!s->v6) {
        buf_str(out, "substring(option[60].hex,0,7) == '" NAME "' or ");
        put_blocks(out, "substring(pkt4.mac,0,3) == 0x", "", "", " or ");
        return;
    }
    /* DUIDs of the kinds LL and LLT (RFC 8415 11.2, 11.4) hold the MAC address. */
    buf_str(out, "(substring(option[1].hex,0,4) == 0x00030001 and (");
    put_blocks(out, "substring(option[1].hex,4,3) == 0x", "", "", " or ");
    buf_str(out, ")) or (substring(option[1].hex,0,4) == 0x00010001 and (");
    put_blocks(out, "substring(option[1].hex,8,3) == 0x", "", "", " or ");
    buf_str(out, "))");
}

static void print_kea(const struct snippet *s, struct buf *out)
{
    put_title(
        out, s, "//",
        s->v6
            ? "Add inside \"Dhcp6\": { }; where one of these lists is there already, its entry goes into that."
            : "Add inside \"Dhcp4\": { }; where one of these lists is there already, its entry goes into that.");
    if (is_custom(s) || is_vendor(s))
        buf_format(
            out,
            "\"option-def\": [ { \"name\": \"%s\", \"code\": %u, \"space\": \"%s\", \"type\": \"%s\" } ],\n",
            kea_name(s), s->code, s->v6 ? "dhcp6" : "dhcp4", is_vendor(s) ? "binary" : "string");
    if (s->per_vendor) {
        buf_str(out, "\"client-classes\": [ { \"name\": \"" NAME "\", \"test\": \"");
        put_kea_test(s, out);
        buf_str(out, "\",\n  ");
        put_kea_data(s, out);
        buf_str(out, " } ]\n");
    } else {
        put_kea_data(s, out);
        buf_byte(out, '\n');
    }
}

/* --- ISC dhcpd --- */

static void put_isc_option(const struct snippet *s, struct buf *out)
{
    char room[SNIPPET_URL_MAX];
    const char *name = s->v6 ? "dhcp6.bootfile-url" : is_vendor(s) ? "vendor-encapsulated-options" : "tftp-server-name";
    if (is_custom(s))
        name = s->v6 ? "dhcp6.provisioning-url" : "provisioning-url";
    buf_format(out, "option %s ", name);
    if (is_vendor(s))
        put_hex(out, vendor_bytes(s, room), "", ":");
    else
        put_string(out, s->url);
    buf_str(out, ";\n");
}

static void print_isc(const struct snippet *s, struct buf *out)
{
    put_title(out, s, "#",
              s->v6 ? "Add to dhcpd6.conf, outside of every subnet."
                    : "Add to dhcpd.conf, outside of every subnet.");
    if (is_custom(s))
        buf_format(out, "option %sprovisioning-url code %u = text;\n", s->v6 ? "dhcp6." : "", s->code);
    if (s->per_vendor && s->v6) {
        buf_str(out, "if ");
        put_blocks(out, "substring(option dhcp6.client-id, 4, 3) = ", ":", "", "\n or ");
        buf_str(out, "\n or ");
        put_blocks(out, "substring(option dhcp6.client-id, 8, 3) = ", ":", "", "\n or ");
        buf_str(out, " {\n  ");
    } else if (s->per_vendor) {
        buf_str(out,
                "class \"" NAME "\" {\n  match if substring(option vendor-class-identifier, 0, 7) = \"" NAME
                "\"\n    or ");
        put_blocks(out, "substring(hardware, 1, 3) = ", ":", "", "\n    or ");
        buf_str(out, ";\n  ");
    }
    put_isc_option(s, out);
    buf_str(out, s->per_vendor ? "}\n" : "");
}

/* --- Windows Server --- */

static void print_windows(const struct snippet *s, struct buf *out)
{
    char room[SNIPPET_URL_MAX];
    const char *family = s->v6 ? "v6" : "v4";
    put_title(out, s, "#",
              "Run in PowerShell as an administrator of the DHCP server; for one scope only, add -ScopeId.");
    if (is_custom(s) || s->v6)
        buf_format(out, "Add-DhcpServer%sOptionDefinition -OptionId %u -Name '%s' -Type String\n", family, s->code,
                   is_custom(s) ? "Provisioning URL" : "Bootfile URL");
    if (s->per_vendor) {
        buf_str(out, "Add-DhcpServerv4Class -Name 'Yealink' -Type Vendor -Data '" NAME "'\n"
                     "Add-DhcpServerv4Policy -Name 'Yealink' -Condition OR -VendorClass EQ,'Yealink' -MacAddress EQ,");
        put_blocks(out, "'", "", "*'", ",");
        buf_byte(out, '\n');
    }
    buf_format(out, "Set-DhcpServer%sOptionValue %s-OptionId %u -Value ", family,
               s->per_vendor ? "-PolicyName 'Yealink' " : "", s->code);
    if (is_vendor(s))
        put_hex(out, vendor_bytes(s, room), "0x", ",");
    else
        put_quoted(out, "'", "'", "'", s->url);
    buf_byte(out, '\n');
}

/* --- MikroTik RouterOS --- */

static void put_mikrotik_value(const struct snippet *s, struct buf *out)
{
    char room[SNIPPET_URL_MAX];
    bool hex = s->v6 || is_vendor(s);
    for (size_t i = 0; i < s->url.len; i++)
        hex = hex || strchr("'\"\\", s->url.ptr[i]);
    if (hex) {
        buf_str(out, "0x");
        put_hex(out, is_vendor(s) ? vendor_bytes(s, room) : s->url, "", "");
    } else {
        buf_str(out, "\"s'");
        put_quoted(out, "", "$", "\\", s->url);
        buf_str(out, "'\"");
    }
}

static void print_mikrotik(const struct snippet *s, struct buf *out)
{
    put_title(out, s, "#",
              s->per_vendor
                  ? "Paste into a terminal of RouterOS 7.4 or newer."
                  : "Paste into a terminal; `find` takes every server or network, name yours to take one.");
    buf_format(out, "/%s dhcp-server option add name=" NAME " code=%u value=", s->v6 ? "ipv6" : "ip", s->code);
    put_mikrotik_value(s, out);
    buf_byte(out, '\n');
    if (s->v6)
        buf_str(out, "/ipv6 dhcp-server set [find] dhcp-option=" NAME "\n");
    else if (s->per_vendor)
        buf_str(out, "/ip dhcp-server option sets add name=" NAME " options=" NAME "\n"
                     "/ip dhcp-server matcher add name=" NAME " code=60 value=\"" NAME "\" option-set=" NAME "\n");
    else
        buf_str(out, "/ip dhcp-server network set [find] dhcp-option=" NAME "\n");
}

/* --- OpenWrt --- */

static void put_shell(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_str(out, "'\\''");
        else
            buf_byte(out, text.ptr[i]);
    }
}

/* The list's entry is a line of dnsmasq's, inside a shell's quotes. */
static void put_uci_option(const struct snippet *s, const char *section, struct buf *out)
{
    char room[SNIPPET_URL_MAX], bytes[4 * SNIPPET_URL_MAX];
    struct buf line = BUF_ON(bytes);
    if (s->sub)
        put_hex(&line, vendor_bytes(s, room), "", ":");
    else
        put_string(&line, s->url);
    buf_format(out, "uci add_list dhcp.%s.dhcp_option='%u,", section, s->code);
    put_shell(out, buf_slice(&line));
    buf_str(out, "'\n");
}

static void put_uci_vendor(struct buf *out)
{
    size_t count;
    const uint32_t *blocks = mac_yealink_blocks(&count);
    buf_str(out, "uci set dhcp." NAME "=vendorclass\nuci set dhcp." NAME ".vendorclass='" NAME "'\n"
                 "uci set dhcp." NAME ".networkid='" NAME "'\nuci set dhcp." NAME ".force='1'\n");
    for (size_t i = 0; i < count; i++)
        buf_format(out, "uci set dhcp." NAME "_%06x=mac\nuci set dhcp." NAME "_%06x.mac='%02x:%02x:%02x:*:*:*'\n"
                        "uci set dhcp." NAME "_%06x.networkid='" NAME "'\n",
                   blocks[i], blocks[i], blocks[i] >> 16 & 255, blocks[i] >> 8 & 255, blocks[i] & 255, blocks[i]);
}

static void print_openwrt(const struct snippet *s, struct buf *out)
{
    put_title(out, s, "#", "Run in a shell of the router; `lan` is the interface of the phones.");
    if (s->v6) {
        /* odhcpd takes options as bytes: code, length, value. */
        buf_format(out, "uci set dhcp.lan.dhcpv6_raw='%04x%04zx", s->code, s->url.len);
        put_hex(out, s->url, "", "");
        buf_str(out, "'\nuci commit dhcp\nservice odhcpd restart\n");
        return;
    }
    if (s->per_vendor)
        put_uci_vendor(out);
    put_uci_option(s, s->per_vendor ? NAME : "lan", out);
    buf_str(out, "uci commit dhcp\nservice dnsmasq restart\n");
}

/* --- all --- */

static const struct snippet_target targets[] = {
    { "dnsmasq", print_dnsmasq, NULL },
    { "kea", print_kea, NULL },
    { "isc", print_isc, NULL },
    { "windows", print_windows, "Windows Server has policies for IPv4 only" },
    { "mikrotik", print_mikrotik, "RouterOS tells vendors apart by IPv4 only" },
    { "openwrt", print_openwrt, "OpenWrt's odhcpd gives all hosts of a network the same options" },
};
#define TARGETS (sizeof targets / sizeof *targets)

const struct snippet_target *snippet_target_find(struct slice name)
{
    for (size_t i = 0; i < TARGETS; i++)
        if (slice_eq(name, slice_str(targets[i].name)))
            return &targets[i];
    return NULL;
}

void snippet_target_list(struct buf *out)
{
    for (size_t i = 0; i < TARGETS; i++)
        buf_format(out, "%s%s", i ? ", " : "", targets[i].name);
}

const char *snippet_objection(const struct snippet_target *t, const struct snippet *s)
{
    return s->v6 && s->per_vendor ? t->no_vendor_v6 : NULL;
}

void snippet_print(const struct snippet_target *t, const struct snippet *s, struct buf *out)
{
    t->print(s, out);
}
