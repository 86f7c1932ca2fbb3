#include "server/access.h"

#include "base/log.h"
#include "base/rootdir.h"
#include "server/users_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* A configuration file is at most 1 MiB; parsed it takes a few times that. A user of users.file takes some 230 bytes,
 * less than his line. */
#define ACCESS_BYTES_MAX ((size_t)16 * 1024 * 1024 + USERS_FILE_BYTES_MAX)
#define ALL_PROTOCOLS UINT32_MAX

static size_t count_parts(struct slice rest, char separator)
{
    struct slice part;
    size_t count = 0;
    while (slice_cut(&rest, separator, &part))
        count++;
    return count;
}

static unsigned protocols_of(struct slice words)
{
    unsigned bits = 0;
    struct slice word;
    if (!words.len)
        return ALL_PROTOCOLS;
    while (slice_cut(&words, ',', &word))
        for (enum protocol p = PROTOCOL_TFTP; p <= PROTOCOL_PNP; p++)
            if (slice_eq(slice_trim(word), slice_str(protocol_name(p))))
                bits |= 1u << p;
    return bits;
}

static enum access_write write_of(struct slice word)
{
    static const char *const words[] = { "none", "uploads", "create", "overwrite" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(word, slice_str(words[i])))
            return (enum access_write)i;
    return ACCESS_WRITE_NONE;
}

static enum access_bind bind_of(struct slice word)
{
    static const char *const words[] = { "auto", "none", "certificate", "login", "either" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(word, slice_str(words[i])))
            return (enum access_bind)i;
    return ACCESS_BIND_EITHER;
}

static bool make_networks(struct arena *arena, struct slice rest, struct access_rule *rule)
{
    struct slice part;
    rule->networks = ARENA_ARRAY(arena, struct network, count_parts(rest, ',') + 1);
    while (rule->networks && slice_cut(&rest, ',', &part)) {
        if (!network_parse(slice_trim(part), &rule->networks[rule->network_count]))
            return false;
        rule->network_count++;
    }
    return rule->networks != NULL;
}

static bool make_rule(struct arena *arena, const struct config_rule *from, struct access_rule *rule)
{
    struct slice prefix = rootdir_name(from->prefix);
    if (prefix.len && prefix.ptr[prefix.len - 1] == '/')
        prefix = slice_first(prefix, prefix.len - 1);
    *rule = (struct access_rule){ .protocols = protocols_of(from->protocols),
                                  .segments = count_parts(prefix, '/'),
                                  .anonymous = from->anonymous,
                                  .read = from->read,
                                  .file_max = (uint64_t)from->file_max << 20,
                                  .directory_max = (uint64_t)from->directory_max << 20,
                                  .bind = bind_of(from->bind),
                                  .write = write_of(from->write) };
    return arena_copy(arena, prefix, &rule->prefix) && arena_copy(arena, from->users, &rule->users) &&
           make_networks(arena, from->networks, rule);
}

static int add_file(struct access *a, struct slice path, struct user **list, size_t *count)
{
    char bytes[4500], file[4096];
    struct buf why = BUF_ON(bytes);
    snprintf(file, sizeof file, "%.*s", SLICE_ARG(path));
    int error = path.len ? users_file_add(file, *list, *count, &a->arena, &why, list, count) : 0;
    if (error)
        log_error("users.file: %.*s%s", SLICE_ARG(buf_slice(&why)),
                  error == -EACCES ? "; the file has to be the server's user's" : "");
    return error;
}

static int make_users(struct access *a, const struct config *config)
{
    struct user *list = ARENA_ARRAY(&a->arena, struct user, (size_t)config->user_count + 1);
    size_t count = 0;
    if (!list)
        return -ENOMEM;
    for (const struct config_user *u = config->users; u; u = u->next, count++)
        if (!arena_copy(&a->arena, u->name, &list[count].name) || !user_hash_parse(u->hash, &list[count].hash))
            return -ENOMEM;
    int error = add_file(a, config->users_file, &list, &count);
    if (!error && !users_of(list, count, &a->arena, &a->users))
        error = -ENOMEM;
    if (!error && a->users.repeated)
        log_warning("users: %zu are there more than once, a MAC perhaps in two spellings; the last of each counts",
                    a->users.repeated);
    return error;
}

int access_open(const struct config *config, struct access **ret_access)
{
    struct access *a = calloc(1, sizeof *a);
    if (!a)
        return -ENOMEM;
    arena_init(&a->arena, ACCESS_BYTES_MAX);
    a->certificates = config->https_enable && config->tls_certificate.len &&
                      !slice_eq(config->tls_client_certificates, SLICE("off"));
    int error = make_users(a, config);
    bool fine = !error && redirects_make(config, &a->arena, &a->redirects);
    for (size_t i = 0; fine && i < CONFIG_RULES_MAX; i++)
        if (config->access[i].used)
            fine = make_rule(&a->arena, &config->access[i], &a->rules[a->rule_count++]);
    if (!fine) {
        access_close(a);
        return error ? error : -ENOMEM;
    }
    *ret_access = a;
    return 0;
}

void access_close(struct access *a)
{
    if (!a)
        return;
    arena_free(&a->arena);
    free(a);
}

static bool covers(const struct access_rule *rule, struct slice name, bool (*same)(struct slice, struct slice))
{
    size_t len = rule->prefix.len;
    if (name.len < len || !same(slice_first(name, len), rule->prefix))
        return false;
    return len == 0 || name.len == len || name.ptr[len] == '/';
}

static bool from_here(const struct access_rule *rule, const union address *peer)
{
    for (size_t i = 0; i < rule->network_count; i++)
        if (network_holds(&rule->networks[i], peer))
            return true;
    return rule->network_count == 0;
}

static struct access_verdict decide_by(const struct access_rule *rule, const struct access_request *r)
{
    struct access_verdict v = { .answer = ACCESS_NO, .write = rule->write };
    if (r->act == ACCESS_READ ? !rule->read : rule->write == ACCESS_WRITE_NONE)
        v.reason = r->act == ACCESS_READ ? "not to be read" : "not to be written";
    else if (!(rule->protocols & 1u << r->caller.protocol))
        v.reason = "not by this protocol";
    else if (!from_here(rule, r->caller.peer))
        v.reason = "not from this network";
    else if (rule->anonymous || access_names_caller(rule, &r->caller))
        v.answer = ACCESS_YES;
    else if (rule->users.len)
        v = (struct access_verdict){ ACCESS_LOGIN, r->caller.user ? "not for this user" : "login needed",
                                     rule->write };
    else
        v.reason = "for nobody";
    return v;
}

static struct access_verdict stricter(struct access_verdict a, struct access_verdict b)
{
    struct access_verdict v = b.answer > a.answer ? b : a;
    v.write = a.write < b.write ? a.write : b.write;
    return v;
}

/* Segments of the longest prefix that covers the name, counted from 1; 0: there is none. */
static size_t longest(const struct access *a, struct slice name, bool (*same)(struct slice, struct slice))
{
    size_t most = 0;
    for (size_t i = 0; i < a->rule_count; i++)
        if (covers(&a->rules[i], name, same) && a->rules[i].segments + 1 > most)
            most = a->rules[i].segments + 1;
    return most;
}

/* By every rule of this length; case counting there is one at most. */
static struct access_verdict decide_at(const struct access *a, const struct access_request *r,
                                       struct slice name, size_t length,
                                       bool (*same)(struct slice, struct slice))
{
    struct access_verdict v = { ACCESS_YES, NULL, ACCESS_WRITE_OVERWRITE };
    for (size_t i = 0; i < a->rule_count; i++)
        if (a->rules[i].segments + 1 == length && covers(&a->rules[i], name, same))
            v = stricter(v, access_bound(a, &a->rules[i], r, name, decide_by(&a->rules[i], r)));
    return v;
}

struct access_verdict access_decide(const struct access *a, const struct access_request *r)
{
    struct access_verdict v = { ACCESS_YES, NULL, ACCESS_WRITE_UPLOADS };
    struct slice name = rootdir_name(r->name);
    if (!a || (a->rule_count == 0 && !a->certificates))
        return v;
    /* The tree refuses it too; which rule it would be for cannot be told. */
    if (name.len && !rootdir_name_ok(name))
        return (struct access_verdict){ ACCESS_NO, "refused name", ACCESS_WRITE_NONE };
    size_t exact = longest(a, name, slice_eq), loose = longest(a, name, slice_eq_nocase);
    v = exact ? decide_at(a, r, name, exact, slice_eq) : access_bound(a, NULL, r, name, v);
    if (loose > exact)
        v = stricter(v, decide_at(a, r, name, loose, slice_eq_nocase));
    return v;
}

bool access_leads_on(const struct access *a, const struct caller *caller, struct slice directory)
{
    directory = rootdir_name(directory);
    for (size_t i = 0; a && i < a->rule_count; i++) {
        const struct access_rule *rule = &a->rules[i];
        struct access_request ask = { .caller = *caller, .name = rule->prefix };
        bool beneath = rule->prefix.len > directory.len && slice_starts(rule->prefix, directory) &&
                       (directory.len == 0 || rule->prefix.ptr[directory.len] == '/');
        if (beneath && access_decide(a, &ask).answer == ACCESS_YES)
            return true;
    }
    return false;
}

static void lower_to(struct access_ceilings *c, const struct access_rule *rule)
{
    c->file = rule->file_max < c->file ? rule->file_max : c->file;
    if (rule->directory_max >= c->directory_bytes)
        return;
    c->directory_bytes = rule->directory_max;
    c->directory = rule->prefix;
}

struct access_ceilings access_ceilings(const struct access *a, struct slice name)
{
    struct access_ceilings c = { SLICE_NONE, UINT64_MAX, UINT64_MAX };
    name = rootdir_name(name);
    size_t exact = a ? longest(a, name, slice_eq) : 0, loose = a ? longest(a, name, slice_eq_nocase) : 0;
    for (size_t i = 0; a && i < a->rule_count; i++) {
        size_t length = a->rules[i].segments + 1;
        if ((length == exact && covers(&a->rules[i], name, slice_eq)) ||
            (length == loose && loose > exact && covers(&a->rules[i], name, slice_eq_nocase)))
            lower_to(&c, &a->rules[i]);
    }
    return c;
}

bool access_writes_tree(const struct access *a)
{
    for (size_t i = 0; a && i < a->rule_count; i++)
        if (a->rules[i].write >= ACCESS_WRITE_CREATE)
            return true;
    return false;
}

bool access_divides(const struct access *a, struct slice name)
{
    name = rootdir_name(name);
    for (size_t i = 0; a && i < a->rule_count; i++) {
        struct slice prefix = a->rules[i].prefix;
        if (prefix.len > name.len && slice_eq_nocase(slice_first(prefix, name.len), name) &&
            (name.len == 0 || prefix.ptr[name.len] == '/'))
            return true;
    }
    return false;
}
