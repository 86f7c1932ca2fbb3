#include "guide/param.h"

enum { KNOWN = 1, REBOOT = 2, SECRET = 4, MULTI = 8, TYPO = 16 };

#define TEXT_OF(literal)                                                                                       \
    {                                                                                                          \
        (literal), sizeof(literal) - 1                                                                         \
    }
#define STARTS_STATIC(name) (sizeof(name) > 7 && __builtin_memcmp(name, "static.", 7) == 0)
#define OLD(key, kind, low, high, factory, flags, generation, asks, source, now)                               \
    { .name = TEXT_OF(key),                                                                                    \
      .type = PARAM_##kind,                                                                                    \
      .min = (low),                                                                                            \
      .max = (high),                                                                                           \
      .default_value = TEXT_OF(factory),                                                                       \
      .default_known = ((flags)&KNOWN) != 0,                                                                   \
      .current = TEXT_OF(now),                                                                                 \
      .misspelt = ((flags)&TYPO) != 0,                                                                         \
      .is_static = STARTS_STATIC(key),                                                                         \
      .reboot = ((flags)&REBOOT) != 0,                                                                         \
      .secret = ((flags)&SECRET) != 0,                                                                         \
      .multi_valued = ((flags)&MULTI) != 0,                                                                    \
      .first_generation = (generation),                                                                        \
      .url = PARAM_URL_##asks },
#define ROW(key, kind, low, high, factory, flags, generation, asks, source)                                    \
    OLD(key, kind, low, high, factory, flags, generation, asks, source, "")

static const struct param params[] = {
#include "guide/param.def"
};

enum { PARAM_COUNT = sizeof params / sizeof *params };

static const struct slice static_prefix = TEXT_OF("static.");

const struct param *param_all(size_t *ret_count)
{
    *ret_count = PARAM_COUNT;
    return params;
}

static const struct param *find_name(struct slice name)
{
    size_t low = 0, high = PARAM_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = slice_compare(name, params[middle].name);
        if (order == 0)
            return &params[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static bool is_number(struct slice segment)
{
    for (size_t i = 0; i < segment.len; i++)
        if (!byte_is_digit(segment.ptr[i]))
            return false;
    return segment.len > 0;
}

/* The key with its numbers as X. False for what cannot be a key, or itself spells a pattern. */
static bool put_pattern(struct slice key, struct buf *out)
{
    struct slice rest = key, segment = SLICE_NONE;
    if (key.len == 0 || key.ptr[key.len - 1] == '.')
        return false;
    while (slice_cut(&rest, '.', &segment)) {
        if (segment.len == 0 || slice_eq(segment, SLICE("X")))
            return false;
        if (out->len)
            buf_byte(out, '.');
        buf_text(out, is_number(segment) ? SLICE("X") : segment);
    }
    return buf_ok(out) && !slice_eq(segment, SLICE("*"));
}

/* From the longest family to the shortest; the pattern is overwritten. */
static const struct param *find_family(struct buf *pattern)
{
    const struct param *found = NULL;
    size_t dot;
    while (!found && (dot = slice_find_last(buf_slice(pattern), '.')) < pattern->len) {
        pattern->len = dot;
        buf_str(pattern, ".*");
        found = find_name(buf_slice(pattern));
        pattern->len = dot;
    }
    return found;
}

static const struct param *find_key(struct slice key)
{
    char bytes[PARAM_KEY_BYTES_MAX + sizeof "static." + sizeof ".*"];
    struct buf pattern = BUF_ON(bytes);
    const struct param *found;
    if (!put_pattern(key, &pattern))
        return NULL;
    found = find_name(key);
    if (!found)
        found = find_name(buf_slice(&pattern));
    return found ? found : find_family(&pattern);
}

const struct param *param_find(struct slice key, bool *ret_alias)
{
    char bytes[PARAM_KEY_BYTES_MAX + sizeof "static."];
    struct buf longer = BUF_ON(bytes);
    if (key.len > PARAM_KEY_BYTES_MAX)
        return NULL;
    const struct param *found = find_key(key);
    bool alias = !found && !slice_starts(key, static_prefix);
    if (alias) {
        buf_text(&longer, static_prefix);
        buf_text(&longer, key);
        found = find_key(buf_slice(&longer));
    }
    if (found && ret_alias)
        *ret_alias = alias;
    return found;
}

/* A number after the word does not count (`pin1`). */
static bool names_a_secret(struct slice word)
{
    static const struct slice secrets[] = { TEXT_OF("password"),  TEXT_OF("passwd"), TEXT_OF("pwd"),
                                            TEXT_OF("pass"),      TEXT_OF("secret"), TEXT_OF("pin"),
                                            TEXT_OF("psk"),       TEXT_OF("aes"),    TEXT_OF("passphrase"),
                                            TEXT_OF("community"), TEXT_OF("token") };
    while (word.len && byte_is_digit(word.ptr[word.len - 1]))
        word.len--;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (slice_eq_nocase(word, secrets[i]))
            return true;
    return false;
}

static bool is_word_byte(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c);
}

static bool has_secret_word(struct slice key)
{
    for (size_t from = 0, to; from < key.len; from = to + 1) {
        for (to = from; to < key.len && is_word_byte(key.ptr[to]); to++)
            ;
        if (names_a_secret(slice_first(slice_from(key, from), to - from)))
            return true;
    }
    return false;
}

bool param_is_secret(struct slice key)
{
    const struct param *row = param_find(key, NULL);
    bool vague = !row || slice_ends(row->name, SLICE(".*"));
    return vague ? has_secret_word(key) : row->secret;
}
