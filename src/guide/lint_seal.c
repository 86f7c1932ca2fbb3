#include "guide/lint_seal.h"

#include "guide/param.h"
#include "guide/seal_envelope.h"

/* Different keys that stand in settings: every encrypted file is tried with all of them. A tree has one common
 * key, and keys of single phones seldom stand in it. */
enum { FOUND_KEYS_MAX = 64 };

struct lint_key {
    struct lint_key *next;
    struct slice file; /* "": for any file; else the one whose key file had it */
    struct slice key;
};

static bool add(struct lint *l, struct slice file, struct slice key)
{
    struct lint_key *item = ARENA_NEW(l->arena, struct lint_key);
    if (!item || !arena_copy(l->arena, key, &item->key))
        return false;
    item->file = file;
    item->next = l->keys;
    l->keys = item;
    return true;
}

static bool is_known(const struct lint *l, struct slice key)
{
    for (const struct lint_key *k = l->keys; k; k = k->next)
        if (k->file.len == 0 && seal_key_eq(k->key, key))
            return true;
    return false;
}

static bool names_a_key(struct slice key)
{
    static const struct slice patterns[] = {
        { "static.auto_provision.aes_key_16.com", 36 }, { "static.auto_provision.aes_key_16.mac", 36 },
        { "static.auto_provision.aes_key.com", 33 },    { "static.auto_provision.aes_key.mac", 33 },
        { "static.autoprovision.X.com_aes", 30 },       { "static.autoprovision.X.mac_aes", 30 },
    };
    const struct param *param = param_find(key, NULL);
    for (size_t i = 0; param && i < sizeof patterns / sizeof *patterns; i++)
        if (slice_eq(param->name, patterns[i]))
            return true;
    return false;
}

bool lint_note_keys(struct lint *l, const struct cfg_file *cfg)
{
    for (const struct cfg_assignment *a = cfg->assignments; a; a = a->next) {
        bool fits = a->value.len && names_a_key(a->key) && !seal_key_fault(a->value);
        if (!fits || l->found_keys == FOUND_KEYS_MAX || is_known(l, a->value))
            continue;
        if (!add(l, SLICE_NONE, a->value))
            return false;
        l->found_keys++;
    }
    return true;
}

/* A name without what key files have at their end, and without `.cfg` or `.boot`. */
static struct slice base_of(struct slice name)
{
    if (slice_ends_nocase(name, SEAL_SECURITY_ENC))
        return slice_first(name, name.len - SEAL_SECURITY_ENC.len);
    return slice_first(name, slice_find_last(name, '.'));
}

bool lint_note_key_file(struct lint *l, struct slice name, struct slice bytes)
{
    struct seal_key key = { .len = 0 };
    bool done = true;
    if (seal_key_unwrap(bytes, &key))
        done = add(l, base_of(name), seal_key_slice(&key));
    else
        diag_add(l->findings, SEVERITY_ERROR, (struct place){ name, 0, 0 },
                 "no key comes out of this key file");
    seal_wipe(&key, sizeof key);
    return done;
}

/* Tried elsewhere: what a wrong key gives is not kept. */
static bool fits(struct slice key, struct slice bytes)
{
    struct arena scratch;
    struct slice plain;
    arena_init(&scratch, bytes.len + 256);
    bool good = key.len && !seal_key_fault(key) && seal_open(key, bytes, &scratch, &plain) &&
                seal_judge(plain) == SEAL_TEXT_GOOD;
    arena_free(&scratch);
    return good;
}

bool lint_open_sealed(struct lint *l, struct slice name, struct slice bytes, struct slice *ret_plain)
{
    if (seal_form(bytes) == SEAL_ENVELOPE) {
        struct slice plain;
        if (!l->given.rsa_private.len || seal_envelope_open(l->given.rsa_private, bytes, l->arena, &plain) ||
            seal_judge(plain) != SEAL_TEXT_GOOD)
            return false;
        *ret_plain = plain;
        return true;
    }
    const struct slice given[] = { l->given.common, l->given.mac };
    for (size_t i = 0; i < 2; i++)
        if (fits(given[i], bytes))
            return seal_open(given[i], bytes, l->arena, ret_plain);
    for (const struct lint_key *k = l->keys; k; k = k->next)
        if ((k->file.len == 0 || slice_eq(k->file, base_of(name))) && fits(k->key, bytes))
            return seal_open(k->key, bytes, l->arena, ret_plain);
    return false;
}
