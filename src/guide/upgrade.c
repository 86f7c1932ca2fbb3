#include "guide/upgrade.h"

#include "base/url.h"

#define FROM SLICE("upgrade.from")
#define TO SLICE("upgrade.to")
#define LEFT SLICE("upgrade.left")
/* "65535.65535.65535.65535" and a NUL. */
#define VERSION_BYTES 24
/* Versions in one go: more is a circle that is merely long. */
#define LEFT_MAX 8

static bool is_same(struct firmware a, struct firmware b)
{
    return memcmp(a.field, b.field, sizeof a.field) == 0;
}

static bool is_version_byte(char c)
{
    return byte_is_digit(c) || c == '.';
}

/* The last run of digits and points before `.rom`. */
bool upgrade_version_of(struct slice text, struct firmware *ret_firmware)
{
    char bytes[URL_BYTES_MAX];
    struct buf name = BUF_ON(bytes);
    struct url url;
    struct slice rom = SLICE(".rom");
    if (!url_parse(text, &url) || !url_decode(url_last_segment(&url), &name) ||
        !slice_ends_nocase(buf_slice(&name), rom))
        return false;
    struct slice stem = slice_first(buf_slice(&name), name.len - rom.len);
    size_t begin = stem.len;
    while (begin && is_version_byte(stem.ptr[begin - 1]))
        begin--;
    return firmware_parse(slice_from(stem, begin), ret_firmware);
}

struct firmware upgrade_running(const struct memory *m, struct firmware factory)
{
    struct firmware from, to;
    if (firmware_parse(settings_value(&m->notes, FROM), &from) && is_same(from, factory) &&
        firmware_parse(settings_value(&m->notes, TO), &to))
        return to;
    return factory;
}

static size_t count_left(const struct memory *m, struct firmware version, bool *ret_there)
{
    struct slice rest = settings_value(&m->notes, LEFT), word;
    struct firmware left;
    size_t count = 0;
    *ret_there = false;
    while (slice_cut(&rest, ' ', &word)) {
        count++;
        if (firmware_parse(word, &left) && is_same(left, version))
            *ret_there = true;
    }
    return count;
}

enum upgrade_answer upgrade_decide(const struct memory *m, struct firmware runs, struct slice url,
                                   struct firmware *ret_firmware)
{
    struct firmware version;
    bool was_left;
    if (!upgrade_version_of(url, &version))
        return UPGRADE_UNKNOWN;
    *ret_firmware = version;
    if (is_same(version, runs))
        return UPGRADE_SAME;
    if (version.field[0] != runs.field[0])
        return UPGRADE_OTHER_HARDWARE;
    size_t count = count_left(m, version, &was_left);
    return was_left || count >= LEFT_MAX ? UPGRADE_CIRCLE : UPGRADE_INSTALL;
}

static bool put(struct memory *m, struct slice key, struct slice value, struct arena *arena)
{
    return arena_copy(arena, value, &value) &&
           settings_put(&m->notes, key, value, (struct origin){ SETTINGS_FLASH, 0 });
}

bool upgrade_note(struct memory *m, struct firmware runs, struct firmware next, struct arena *arena)
{
    char runs_bytes[VERSION_BYTES], next_bytes[VERSION_BYTES];
    struct buf runs_text = BUF_ON(runs_bytes), next_text = BUF_ON(next_bytes);
    struct firmware to;
    struct slice left = settings_value(&m->notes, LEFT);
    firmware_print(runs, &runs_text);
    firmware_print(next, &next_text);
    /* What it runs came from an upgrade: then it left the factory with what is noted already. */
    bool upgraded = firmware_parse(settings_value(&m->notes, TO), &to) && is_same(to, runs);
    if (!upgraded && !put(m, FROM, buf_slice(&runs_text), arena))
        return false;
    if (!arena_format(arena, &left, "%.*s%s%.*s", SLICE_ARG(left), left.len ? " " : "",
                      SLICE_ARG(buf_slice(&runs_text))))
        return false;
    return put(m, TO, buf_slice(&next_text), arena) && put(m, LEFT, left, arena);
}

void upgrade_settled(struct memory *m)
{
    settings_remove(&m->notes, LEFT);
}
