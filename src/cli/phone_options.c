#include "cli/phone_options.h"

#include "base/url.h"
#include "guide/address.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    ROOT = 256, MAC, MODEL, FIRMWARE, SERVER, FLASH, PIN, JSON, SECRETS, COMMON, MAC_KEY, RSA, ONCE, SCALE, USER, PASSWORD,
    CONTROL, KEYS
};

static const struct option longs[] = {
    { "root", required_argument, NULL, ROOT },
    { "mac", required_argument, NULL, MAC },
    { "model", required_argument, NULL, MODEL },
    { "firmware", required_argument, NULL, FIRMWARE },
    { "server", required_argument, NULL, SERVER },
    { "flash", required_argument, NULL, FLASH },
    { "pin", required_argument, NULL, PIN },
    { "json", no_argument, NULL, JSON },
    { "show-secrets", no_argument, NULL, SECRETS },
    { "once", no_argument, NULL, ONCE },
    { "time-scale", required_argument, NULL, SCALE },
    { "user", required_argument, NULL, USER },
    { "password-file", required_argument, NULL, PASSWORD },
    { "control", required_argument, NULL, CONTROL },
    { "keys", required_argument, NULL, KEYS },
    { "aes-common", required_argument, NULL, COMMON },
    { "aes-mac", required_argument, NULL, MAC_KEY },
    { "rsa-key", required_argument, NULL, RSA },
    { NULL, 0, NULL, 0 },
};

/* Of one that getopt knows; behind it may stand its value. */
static const char *name_of(int option)
{
    size_t i = 0;
    while (longs[i].val != option)
        i++;
    return longs[i].name;
}

struct texts {
    const char *mac, *model, *firmware, *scale, *password;
};

static void take(int option, struct phone_arguments *a, struct texts *t)
{
    const struct {
        int option;
        const char **text;
    } texts[] = { { ROOT, &a->root },   { MAC, &t->mac },     { MODEL, &t->model }, { FIRMWARE, &t->firmware },
                  { SERVER, &a->server }, { FLASH, &a->flash }, { PIN, &a->pin },     { SCALE, &t->scale },
                  { USER, &a->user },   { PASSWORD, &t->password }, { CONTROL, &a->control }, { KEYS, &a->keys },
                  { COMMON, &a->key_files.aes_common }, { MAC_KEY, &a->key_files.aes_mac }, { RSA, &a->key_files.rsa_key } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].option == option)
            *texts[i].text = optarg;
    a->json = a->json || option == JSON;
    a->show_secrets = a->show_secrets || option == SECRETS;
    a->once = a->once || option == ONCE;
}

static int check_identity(const struct verb *verb, const struct texts *t, struct identity *id)
{
    if (!t->mac || !t->model || !t->firmware)
        return verb_misused(verb, "--mac, --model and --firmware say which phone it is; all three are needed");
    if (!mac_parse(slice_str(t->mac), &id->mac))
        return verb_misused(verb, "'%s' is not a MAC address such as 00:15:65:74:b1:50", t->mac);
    id->model = model_find(slice_str(t->model));
    if (!id->model)
        return verb_misused(verb, "no model '%s'; `dialtone models` lists them", t->model);
    if (!firmware_parse(slice_str(t->firmware), &id->firmware))
        return verb_misused(verb, "'%s' is not a firmware version such as 66.84.0.15", t->firmware);
    return EXIT_DONE;
}

static int check_scale(const struct verb *verb, const char *text, uint32_t *ret_scale)
{
    uint64_t scale = 1;
    if (text && !slice_u64(slice_str(text), 1, 1000000, &scale))
        return verb_misused(verb, "--time-scale is a number from 1 to 1000000, not '%s'", text);
    *ret_scale = (uint32_t)scale;
    return EXIT_DONE;
}

/* Only what no phone could ever use: what flash holds (a server type, wildcards) may change the rest. */
static bool is_server(struct slice text)
{
    struct arena arena;
    struct slice url;
    arena_init(&arena, 4 * URL_BYTES_MAX);
    bool ok = address_read(text, SLICE("tftp"), &arena, &url) != ADDRESS_BAD;
    for (size_t i = 0; i < text.len; i++)
        ok = ok && !byte_is_control(text.ptr[i]);
    arena_free(&arena);
    return ok;
}

static int check_server(const struct verb *verb, const char *server)
{
    if (server && !is_server(slice_str(server)))
        return verb_misused(verb, "'%s' is not a URL that a phone can fetch from: tftp, ftp, http or https", server);
    return EXIT_DONE;
}

/* Not on the command line, where every user of the machine sees it (security.md R27). */
static int read_password(const struct verb *verb, const char *path, char password[PHONE_PASSWORD_MAX + 1])
{
    FILE *file = path ? fopen(path, "re") : NULL;
    if (!path)
        return EXIT_DONE;
    if (!file)
        return verb_misused(verb, "the password file %s: %s", path, strerror(errno));
    size_t len = fread(password, 1, PHONE_PASSWORD_MAX, file);
    fclose(file);
    struct slice rest = slice_of(password, len), line;
    if (!slice_cut(&rest, '\n', &line) || slice_trim(line).len == 0)
        return verb_misused(verb, "the password file %s holds no password in its first line", path);
    password[line.len - slice_ends(line, SLICE("\r"))] = '\0';
    return EXIT_DONE;
}

int phone_arguments_parse(const struct verb *verb, int argc, char **argv, bool with_root,
                          struct phone_arguments *ret_arguments)
{
    struct phone_arguments a = { 0 };
    struct texts t = { 0 };
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+:", longs, NULL)) != -1) {
        if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        if (with_root ? option >= ONCE : option == ROOT)
            return verb_misused(verb, "no option --%s", name_of(option));
        take(option, &a, &t);
    }
    if (optind < argc)
        return verb_misused(verb, "'%s' is one word too many", argv[optind]);
    int status = check_identity(verb, &t, &a.id);
    if (!status)
        status = check_scale(verb, t.scale, &a.time_scale);
    if (!status)
        status = check_server(verb, a.server);
    if (!status)
        status = read_password(verb, t.password, a.password);
    if (!status && a.password[0] && !a.user)
        status = verb_misused(verb, "--password-file goes with --user NAME");
    if (!status)
        *ret_arguments = a;
    return status;
}
