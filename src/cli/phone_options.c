#include "cli/phone_options.h"

#include "base/url.h"
#include "guide/address.h"
#include "phone/trust.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

struct texts {
    const char *mac, *model, *firmware, *scale, *password;
};

struct parsed {
    struct phone_arguments arguments;
    struct texts texts;
};

/* One option: who takes it, and where its value goes: `text` when it has one, else `flag`. */
struct phone_option {
    const char *name;
    unsigned takers; /* enum phone_taker */
    size_t text, flag;
};
#define ALL (PHONE_TAKER_PHONE | PHONE_TAKER_EXPLAIN | PHONE_TAKER_DISCOVER)
#define RUNS (PHONE_TAKER_PHONE | PHONE_TAKER_EXPLAIN)
#define ARGUMENT(field) offsetof(struct parsed, arguments.field), 0
#define TEXT(field) offsetof(struct parsed, texts.field), 0
#define FLAG(field) 0, offsetof(struct parsed, arguments.field)
/* No field of the two stands at offset 0: that one is the identity, which is read from texts. */
static const struct phone_option phone_options[] = {
    { "mac", ALL, TEXT(mac) },
    { "model", ALL, TEXT(model) },
    { "firmware", ALL, TEXT(firmware) },
    { "flash", ALL, ARGUMENT(flash) },
    { "json", ALL, FLAG(json) },
    { "root", PHONE_TAKER_EXPLAIN, ARGUMENT(root) },
    { "server", RUNS, ARGUMENT(server) },
    { "pin", RUNS, ARGUMENT(pin) },
    { "show-secrets", RUNS, FLAG(show_secrets) },
    { "aes-common", RUNS, ARGUMENT(key_files.aes_common) },
    { "aes-mac", RUNS, ARGUMENT(key_files.aes_mac) },
    { "rsa-key", RUNS, ARGUMENT(key_files.rsa_key) },
    { "once", PHONE_TAKER_PHONE, FLAG(once) },
    { "time-scale", PHONE_TAKER_PHONE, TEXT(scale) },
    { "user", PHONE_TAKER_PHONE, ARGUMENT(user) },
    { "password-file", PHONE_TAKER_PHONE, TEXT(password) },
    { "control", PHONE_TAKER_PHONE, ARGUMENT(control) },
    { "keys", PHONE_TAKER_PHONE, ARGUMENT(keys) },
    { "sip", PHONE_TAKER_PHONE, ARGUMENT(sip) },
    { "sip-auth", PHONE_TAKER_PHONE, ARGUMENT(sip_auth) },
    { "trusted", PHONE_TAKER_PHONE, ARGUMENT(trusted) },
    { "device-cert", PHONE_TAKER_PHONE, ARGUMENT(device_certificate) },
    { "device-key", PHONE_TAKER_PHONE, ARGUMENT(device_key) },
    { "discover", PHONE_TAKER_PHONE, FLAG(discover) },
    { "interface", PHONE_TAKER_PHONE | PHONE_TAKER_DISCOVER, ARGUMENT(interface) },
};
#define OPTIONS (sizeof phone_options / sizeof *phone_options)
#define FIRST_VALUE 256

static void list_options(struct option longs[OPTIONS + 1])
{
    for (size_t i = 0; i < OPTIONS; i++)
        longs[i] =
            (struct option){ phone_options[i].name, phone_options[i].text ? required_argument : no_argument,
                             NULL, FIRST_VALUE + (int)i };
    longs[OPTIONS] = (struct option){ NULL, 0, NULL, 0 };
}

static void take(const struct phone_option *o, struct parsed *p)
{
    if (o->text)
        *(const char **)(void *)((char *)p + o->text) = optarg;
    else
        *(bool *)(void *)((char *)p + o->flag) = true;
}

int phone_identity_parse(const struct verb *verb, const char *mac, const char *model, const char *firmware,
                         struct identity *id)
{
    if (!mac || !model || !firmware)
        return verb_misused(verb, "--mac, --model and --firmware say which phone it is; all three are needed");
    if (!mac_parse(slice_str(mac), &id->mac))
        return verb_misused(verb, "'%s' is not a MAC address such as 00:15:65:74:b1:50", mac);
    id->model = model_find(slice_str(model));
    if (!id->model)
        return verb_misused(verb, "no model '%s'; `dialtone models` lists them", model);
    if (!firmware_parse(slice_str(firmware), &id->firmware))
        return verb_misused(verb, "'%s' is not a firmware version such as 66.84.0.15", firmware);
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

static int parse(const struct verb *verb, int argc, char **argv, enum phone_taker taker, struct parsed *p)
{
    struct option longs[OPTIONS + 1];
    const char *shorts = taker == PHONE_TAKER_EXPLAIN ? "+:" : "+:i:";
    int option;
    list_options(longs);
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        const struct phone_option *o =
            option == 'i' ? &phone_options[OPTIONS - 1] : &phone_options[option - FIRST_VALUE];
        if (!(o->takers & taker))
            return verb_misused(verb, "no option --%s", o->name);
        take(o, p);
    }
    return optind < argc ? verb_misused(verb, "'%s' is one word too many", argv[optind]) : EXIT_DONE;
}

int phone_arguments_parse(const struct verb *verb, int argc, char **argv, enum phone_taker taker,
                          struct phone_arguments *ret_arguments)
{
    struct parsed p = { 0 };
    struct phone_arguments *a = &p.arguments;
    int status = parse(verb, argc, argv, taker, &p);
    if (!status)
        status = phone_identity_parse(verb, p.texts.mac, p.texts.model, p.texts.firmware, &a->id);
    if (!status)
        status = check_scale(verb, p.texts.scale, &a->time_scale);
    if (!status)
        status = check_server(verb, a->server);
    if (!status)
        status = read_password(verb, p.texts.password, a->password);
    if (!status && a->password[0] && !a->user)
        status = verb_misused(verb, "--password-file goes with --user NAME");
    if (!status && !a->device_certificate != !a->device_key)
        status = verb_misused(verb, "--device-cert and --device-key go together");
    if (!status && a->sip && a->once)
        status = verb_misused(verb, "--sip is for a phone that lives on, without --once");
    if (!status && a->sip_auth && !a->sip)
        status = verb_misused(verb, "--sip-auth goes with --sip");
    if (!status && a->discover && a->server)
        status = verb_misused(verb, "--discover searches for what --server says");
    if (!status && a->interface && taker == PHONE_TAKER_PHONE && !a->discover)
        status = verb_misused(verb, "-i goes with --discover");
    if (!status)
        *ret_arguments = *a;
    return status;
}

int phone_arguments_trust(const struct phone_arguments *a, struct trust **ret_trust)
{
    char bytes[4500];
    struct buf why = BUF_ON(bytes);
    const struct trust_files files = { a->trusted, a->device_certificate, a->device_key };
    int error = trust_open(&files, &why, ret_trust);
    if (error)
        fprintf(stderr, "dialtone phone: %.*s\n",
                SLICE_ARG(why.len ? buf_slice(&why) : slice_str(strerror(-error))));
    return error ? EXIT_FAILED : EXIT_DONE;
}
