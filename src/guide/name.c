#include "guide/name.h"

enum { NUMBER_DIGITS = 12 };

struct ending {
    struct slice text;
    enum name_kind kind;
};

#define ENDING(literal, kind)                                                                                  \
    {                                                                                                          \
        { (literal), sizeof(literal) - 1 }, (kind)                                                             \
    }

/* What may follow the twelve digits of a MAC; the whole rest of the name. */
static const struct ending after_mac[] = {
    ENDING(".boot", NAME_MAC_BOOT),           ENDING(".cfg", NAME_MAC_CFG),
    ENDING("-local.cfg", NAME_MAC_LOCAL),     ENDING("-contact.xml", NAME_MAC_CONTACT),
    ENDING("-calllog.xml", NAME_MAC_CALLLOG), ENDING("-all.cfg", NAME_MAC_ALL),
    ENDING("-boot.log", NAME_MAC_LOG),        ENDING("-sys.log", NAME_MAC_LOG),
    ENDING("_Security.enc", NAME_KEY_FILE),   ENDING(".enc", NAME_KEY_FILE),
};

/* What may follow `y` and twelve decimal digits; .boot goes with the number 0 only. */
static const struct ending after_number[] = {
    ENDING(".boot", NAME_COMMON_BOOT),
    ENDING(".cfg", NAME_COMMON_CFG),
    ENDING("_Security.enc", NAME_KEY_FILE),
    ENDING(".enc", NAME_KEY_FILE),
};

/* Any other name, by its ending. Resources: the guide's templates and what facts.md 5.8, 6.2 and 6.3 name. */
static const struct ending after_anything[] = {
    ENDING(".cfg", NAME_CUSTOM_CFG), ENDING(".boot", NAME_BOOT_MISNAMED), ENDING(".rom", NAME_FIRMWARE),
    ENDING(".enc", NAME_KEY_FILE),   ENDING(".xml", NAME_RESOURCE),       ENDING(".lang", NAME_RESOURCE),
    ENDING(".js", NAME_RESOURCE),    ENDING(".wav", NAME_RESOURCE),       ENDING(".dob", NAME_RESOURCE),
    ENDING(".png", NAME_RESOURCE),   ENDING(".jpg", NAME_RESOURCE),       ENDING(".jpeg", NAME_RESOURCE),
    ENDING(".bmp", NAME_RESOURCE),   ENDING(".gif", NAME_RESOURCE),       ENDING(".tar", NAME_RESOURCE),
    ENDING(".bin", NAME_RESOURCE),   ENDING(".pem", NAME_RESOURCE),       ENDING(".cer", NAME_RESOURCE),
    ENDING(".crt", NAME_RESOURCE),   ENDING(".der", NAME_RESOURCE),
};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool find_whole(const struct ending *table, size_t count, struct slice rest, enum name_kind *ret_kind)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(rest, table[i].text)) {
            *ret_kind = table[i].kind;
            return true;
        }
    return false;
}

static enum name_kind kind_by_ending(struct slice name)
{
    for (size_t i = 0; i < COUNT(after_anything); i++)
        if (name.len > after_anything[i].text.len && slice_ends_nocase(name, after_anything[i].text))
            return after_anything[i].kind;
    return NAME_OTHER;
}

static bool meaning_of_number(struct slice name, struct name_meaning *ret_meaning)
{
    struct name_meaning m = { .has_common_cfg = true };
    uint64_t max = UINT64_C(999999999999);
    if (name.len <= NUMBER_DIGITS || byte_lower(name.ptr[0]) != 'y')
        return false;
    if (!slice_u64(slice_first(slice_from(name, 1), NUMBER_DIGITS), 0, max, &m.common_cfg))
        return false;
    if (!find_whole(after_number, COUNT(after_number), slice_from(name, 1 + NUMBER_DIGITS), &m.kind))
        return false;
    if (m.kind == NAME_COMMON_BOOT) {
        if (m.common_cfg != 0)
            return false;
        m.has_common_cfg = false;
    }
    *ret_meaning = m;
    return true;
}

static bool meaning_of_mac(struct slice name, struct name_meaning *ret_meaning)
{
    struct name_meaning m = { .has_mac = true };
    if (!mac_parse(slice_first(name, NUMBER_DIGITS), &m.mac))
        return false;
    if (!find_whole(after_mac, COUNT(after_mac), slice_from(name, NUMBER_DIGITS), &m.kind))
        return false;
    *ret_meaning = m;
    return true;
}

struct name_meaning name_meaning(struct slice path)
{
    size_t slash = slice_find_last(path, '/');
    struct slice name = slash == path.len ? path : slice_from(path, slash + 1);
    struct name_meaning meaning = { .kind = NAME_OTHER };
    if (meaning_of_number(name, &meaning) || meaning_of_mac(name, &meaning))
        return meaning;
    meaning.kind = kind_by_ending(name);
    return meaning;
}

static bool is_alphanumeric(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c);
}

/* `last`: a file's name, else a directory's. */
static bool segment_mac(struct slice segment, bool last, struct mac *ret_mac)
{
    if (segment.len < NUMBER_DIGITS || (!last && segment.len > NUMBER_DIGITS))
        return false;
    if (segment.len > NUMBER_DIGITS && is_alphanumeric(segment.ptr[NUMBER_DIGITS]))
        return false;
    return mac_parse(slice_first(segment, NUMBER_DIGITS), ret_mac);
}

/* The parts that name a phone, and those of them that do not name this one. */
static void count_owners(struct slice path, struct mac mac, size_t *ret_named, size_t *ret_others)
{
    struct slice segment;
    struct mac found;
    *ret_named = *ret_others = 0;
    while (slice_cut(&path, '/', &segment)) {
        if (!segment_mac(segment, path.len == 0, &found))
            continue;
        ++*ret_named;
        *ret_others += !mac_eq(found, mac);
    }
}

bool name_is_bound(struct slice path)
{
    size_t named, others;
    count_owners(path, (struct mac){ { 0 } }, &named, &others);
    return named > 0;
}

bool name_owner(struct slice path, struct mac *ret_mac)
{
    struct slice segment;
    bool named = false;
    while (slice_cut(&path, '/', &segment))
        named = segment_mac(segment, path.len == 0, ret_mac) || named;
    return named;
}

bool name_is_of(struct slice path, struct mac mac)
{
    size_t named, others;
    count_owners(path, mac, &named, &others);
    return named > 0 && others == 0;
}

const char *name_kind_words(enum name_kind kind)
{
    switch (kind) {
    case NAME_COMMON_BOOT:
        return "common boot file";
    case NAME_MAC_BOOT:
        return "MAC-oriented boot file";
    case NAME_COMMON_CFG:
        return "common CFG file";
    case NAME_MAC_CFG:
        return "MAC-oriented CFG file";
    case NAME_MAC_LOCAL:
        return "MAC-local CFG file";
    case NAME_MAC_CONTACT:
        return "contact file of one phone";
    case NAME_MAC_CALLLOG:
        return "call log of one phone";
    case NAME_MAC_ALL:
        return "exported settings of one phone";
    case NAME_MAC_LOG:
        return "log of one phone";
    case NAME_KEY_FILE:
        return "key file";
    case NAME_CUSTOM_CFG:
        return "custom CFG file";
    case NAME_BOOT_MISNAMED:
        return "boot file under a name that no phone asks for";
    case NAME_FIRMWARE:
        return "firmware";
    case NAME_RESOURCE:
        return "resource file";
    case NAME_OTHER:
        return "other file";
    }
    return "other file";
}

bool name_kind_is_sent(enum name_kind kind)
{
    return kind == NAME_MAC_LOCAL || kind == NAME_MAC_CONTACT || kind == NAME_MAC_CALLLOG || kind == NAME_MAC_ALL ||
           kind == NAME_MAC_LOG;
}

bool name_is_sent(struct slice path)
{
    size_t slash = slice_find_last(path, '/');
    struct slice name = slash == path.len ? path : slice_from(path, slash + 1);
    /* Twelve digits and a dash. */
    if (name.len <= NUMBER_DIGITS || name.ptr[NUMBER_DIGITS] != '-')
        return false;
    return name_kind_is_sent(name_meaning(name).kind);
}

void name_print_common_boot(struct buf *out)
{
    buf_str(out, "y000000000000.boot");
}

static void print_mac_name(struct mac mac, const char *rest, struct buf *out)
{
    mac_print_bare(mac, out);
    buf_str(out, rest);
}

void name_print_mac_boot(struct mac mac, struct buf *out)
{
    print_mac_name(mac, ".boot", out);
}

void name_print_common_cfg(unsigned number, struct buf *out)
{
    buf_format(out, "y%012u.cfg", number);
}

void name_print_mac_cfg(struct mac mac, struct buf *out)
{
    print_mac_name(mac, ".cfg", out);
}

void name_print_mac_local(struct mac mac, struct buf *out)
{
    print_mac_name(mac, "-local.cfg", out);
}
