#include "guide/lint.h"

#include "base/url.h"
#include "guide/address.h"
#include "guide/lint_seal.h"

#include <stdlib.h>

/* Includes are resolved as a phone would, on a server of this name. */
#define TREE_URL "tftp://tree/"

struct lint_file {
    struct lint_file *next;
    struct slice name;
    struct name_meaning meaning;
    bool is_boot;
    struct boot_file boot;
    struct slice sealed; /* encrypted, and not opened so far */
};

static struct place whole(struct slice name)
{
    return (struct place){ name, 0, 0 };
}

void lint_init(struct lint *l, struct arena *arena, struct diag *findings)
{
    *l = (struct lint){ .arena = arena, .findings = findings };
    l->tail = &l->files;
}

static bool has_upper_digits(struct slice name)
{
    size_t slash = slice_find_last(name, '/');
    struct slice last = slash == name.len ? name : slice_from(name, slash + 1);
    for (size_t i = 0; i < last.len && i < 12; i++)
        if (last.ptr[i] >= 'A' && last.ptr[i] <= 'F')
            return true;
    return false;
}

/* Names that phones will not ask for as they stand. */
static void look_at_name(const struct lint *l, const struct lint_file *f)
{
    if (f->meaning.kind == NAME_BOOT_MISNAMED)
        diag_add(l->findings, SEVERITY_WARNING, whole(f->name),
                 "no phone asks for a boot file of this name: it is <mac>.boot or y000000000000.boot");
    if (f->meaning.has_mac && has_upper_digits(f->name))
        diag_add(l->findings, SEVERITY_NOTE, whole(f->name),
                 "phones ask for the MAC in lower case; only dialtone finds this spelling");
    if (f->meaning.kind == NAME_COMMON_CFG && !model_by_common_cfg(f->meaning.common_cfg, NULL))
        diag_add(l->findings, SEVERITY_WARNING, whole(f->name), "no phone model has the common CFG number %llu",
                 (unsigned long long)f->meaning.common_cfg);
}

static bool is_boot_name(enum name_kind kind)
{
    return kind == NAME_COMMON_BOOT || kind == NAME_MAC_BOOT || kind == NAME_BOOT_MISNAMED;
}

bool lint_wants_bytes(struct slice name)
{
    return slice_ends_nocase(name, SLICE(".boot")) || slice_ends_nocase(name, SLICE(".cfg")) ||
           slice_ends_nocase(name, SEAL_SECURITY_ENC);
}

static bool look_at_text(struct lint *l, struct lint_file *f, struct slice bytes)
{
    struct cfg_file cfg;
    const char *refusal = line_refusal(bytes);
    if (refusal) {
        diag_add(l->findings, SEVERITY_ERROR, (struct place){ f->name, 1, 0 }, "%s", refusal);
        return true;
    }
    f->is_boot = is_boot_name(f->meaning.kind);
    if (f->is_boot)
        return boot_parse(bytes, f->name, l->arena, l->findings, &f->boot);
    return cfg_parse(bytes, f->name, l->arena, l->findings, &cfg) && lint_note_keys(l, &cfg);
}

static bool look_inside(struct lint *l, struct lint_file *f, struct slice bytes)
{
    if (slice_ends_nocase(f->name, SEAL_SECURITY_ENC))
        return lint_note_key_file(l, f->name, bytes);
    if (seal_form(bytes) == SEAL_PLAIN)
        return look_at_text(l, f, bytes);
    f->sealed = bytes;
    return true;
}

bool lint_add(struct lint *l, struct slice name, struct slice bytes)
{
    struct lint_file *f = ARENA_NEW(l->arena, struct lint_file);
    if (!f)
        return false;
    f->name = name;
    f->meaning = name_meaning(name);
    *l->tail = f;
    l->tail = &f->next;
    l->count++;
    look_at_name(l, f);
    return !lint_wants_bytes(name) || look_inside(l, f, bytes);
}

static int compare_names(const void *a, const void *b)
{
    const struct lint_file *const *left = a, *const *right = b;
    return slice_compare((*left)->name, (*right)->name);
}

struct names {
    const struct lint_file **list;
    size_t count;
};

static bool sort_names(const struct lint *l, struct names *ret_names)
{
    struct names names = { ARENA_ARRAY(l->arena, const struct lint_file *, l->count + 1), 0 };
    if (!names.list)
        return false;
    for (const struct lint_file *f = l->files; f; f = f->next)
        names.list[names.count++] = f;
    qsort(names.list, names.count, sizeof *names.list, compare_names);
    *ret_names = names;
    return true;
}

static bool is_there(const struct names *names, struct slice name)
{
    struct lint_file wanted = { .name = name };
    const struct lint_file *key = &wanted;
    return bsearch(&key, names->list, names->count, sizeof *names->list, compare_names) != NULL;
}

static struct slice directory_of(struct slice name)
{
    size_t slash = slice_find_last(name, '/');
    return slash == name.len ? SLICE("") : slice_first(name, slash + 1);
}

/* Where a relative include points within the tree; false when that cannot be said. */
static bool resolve_include(const struct lint *l, const struct lint_file *f, const struct boot_include *include,
                            struct slice *ret_name)
{
    char bytes[URL_BYTES_MAX];
    struct buf path = BUF_ON(bytes);
    struct slice base, text;
    struct url url;
    if (url_is_absolute(include->target) || slice_find(include->target, '$') < include->target.len)
        return false;
    return arena_format(l->arena, &base, TREE_URL "%.*s", SLICE_ARG(f->name)) &&
           url_resolve(base, include->target, l->arena, &text) && url_parse(text, &url) &&
           url_decode(slice_from(url.path, 1), &path) && arena_copy(l->arena, buf_slice(&path), ret_name);
}

/* Exclude mode expects that a model has no file of its own; everywhere else a missing file is a mistake. */
static void look_at_include(const struct lint *l, const struct names *names, const struct lint_file *f,
                            const struct boot_include *include)
{
    struct slice name;
    bool expected = f->boot.excluded_mode == BOOT_ON && include->has_prefix;
    if (!resolve_include(l, f, include, &name) || is_there(names, name))
        return;
    diag_add(l->findings, expected ? SEVERITY_NOTE : SEVERITY_ERROR,
             (struct place){ f->name, include->line, include->column }, "%.*s is not in the tree", SLICE_ARG(name));
}

/* Guide, "Troubleshooting": both boot files at once. */
static bool look_at_common_boot(const struct lint *l, const struct names *names, const struct lint_file *f)
{
    struct slice common;
    if (f->meaning.kind != NAME_MAC_BOOT)
        return true;
    if (!arena_format(l->arena, &common, "%.*sy000000000000.boot", SLICE_ARG(directory_of(f->name))))
        return false;
    if (is_there(names, common))
        diag_add(l->findings, SEVERITY_NOTE, whole(f->name),
                 "this phone reads its own boot file only, not %.*s beside it", SLICE_ARG(common));
    return true;
}

/* What is opened may hold the key of another one, before it or behind it. */
static bool look_at_sealed(struct lint *l)
{
    bool more = true;
    while (more) {
        more = false;
        for (struct lint_file *f = l->files; f; f = f->next) {
            struct slice plain;
            if (!f->sealed.len || !lint_open_sealed(l, f->name, f->sealed, &plain))
                continue;
            f->sealed = SLICE_NONE;
            more = true;
            if (!look_at_text(l, f, plain))
                return false;
        }
    }
    return true;
}

static void tell_of_sealed(const struct lint *l, const struct lint_file *f)
{
    bool envelope = seal_form(f->sealed) == SEAL_ENVELOPE;
    bool no_key = envelope ? !l->given.rsa_private.len : !l->keys && !l->given.common.len && !l->given.mac.len;
    diag_add(l->findings, no_key ? SEVERITY_WARNING : SEVERITY_ERROR, whole(f->name),
             "looks encrypted (%s); %s", envelope ? "RSA mode" : "AES",
             no_key ? "no key was given or found, so it was not looked into"
                    : "no key that was given or found opens it");
}

bool lint_finish(struct lint *l)
{
    struct names names;
    if (!look_at_sealed(l) || !sort_names(l, &names))
        return false;
    for (const struct lint_file *f = l->files; f; f = f->next)
        if (f->sealed.len)
            tell_of_sealed(l, f);
    for (const struct lint_file *f = l->files; f; f = f->next) {
        if (!f->is_boot)
            continue;
        if (!f->boot.includes)
            diag_add(l->findings, SEVERITY_WARNING, whole(f->name), "includes no CFG file");
        for (const struct boot_include *i = f->boot.includes; i; i = i->next)
            look_at_include(l, &names, f, i);
        if (!look_at_common_boot(l, &names, f))
            return false;
    }
    return true;
}
