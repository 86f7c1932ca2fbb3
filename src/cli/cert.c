/* dialtone cert: a CA of one's own, made once, and the server's two certificates. */
#include "cli/cert.h"

#include "net/address.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAYS "3650"
#define PEM_BYTES_MAX ((size_t)64 * 1024)

static const struct server_pair {
    enum authority_kind kind;
    const char *words, *certificate, *key;
} server_pairs[] = {
    { AUTHORITY_ECDSA_P256, "ECDSA P-256", "server/ecdsa.pem", "server/ecdsa.key" },
    { AUTHORITY_RSA_2048, "RSA 2048", "server/rsa.pem", "server/rsa.key" },
};
#define PAIRS (sizeof server_pairs / sizeof *server_pairs)

static bool is_name(struct slice s)
{
    bool ok = s.len > 0 && s.len <= CERT_NAME_BYTES_MAX && s.ptr[0] != '-' && s.ptr[0] != '.';
    for (size_t i = 0; ok && i < s.len; i++)
        ok = byte_is_alpha(s.ptr[i]) || byte_is_digit(s.ptr[i]) || s.ptr[i] == '-' || s.ptr[i] == '.' ||
             s.ptr[i] == '_' || (s.ptr[i] == '*' && i == 0);
    return ok;
}

/* An address given as a name is an address: phones look for it there. */
static bool add_name(struct cert_request *r, const char *text, bool address_only)
{
    union address a;
    struct buf out = buf_on(r->names + strlen(r->names), sizeof r->names - strlen(r->names));
    bool address = address_parse(slice_str(text), 0, &a) && strcmp(text, "*") != 0;
    if (r->count == CERT_NAMES_MAX || (!address && (address_only || !is_name(slice_str(text)))))
        return false;
    buf_str(&out, r->count++ ? "," : "");
    buf_str(&out, address ? "IP:" : "DNS:");
    if (address)
        address_print_host(&a, &out);
    else
        buf_str(&out, text);
    r->first = r->first ? r->first : text;
    return buf_terminate(&out);
}

static int take_option(const struct verb *verb, int option, struct cert_request *r)
{
    switch (option) {
    case 'd':
        r->directory = optarg;
        return EXIT_DONE;
    case 'n':
        return add_name(r, optarg, false) ? EXIT_DONE
                                          : verb_misused(verb, "--name %s: no host name, or too many", optarg);
    case 'i':
        return add_name(r, optarg, true) ? EXIT_DONE
                                         : verb_misused(verb, "--ip %s: no address, or too many", optarg);
    case 't':
        return slice_u64(slice_str(optarg), 1, AUTHORITY_DAYS_MAX, &r->days)
                   ? EXIT_DONE
                   : verb_misused(verb, "--days is 1 to %d", AUTHORITY_DAYS_MAX);
    case 'f':
        r->force = true;
        return EXIT_DONE;
    case 'D':
        r->devices = optarg;
        return EXIT_DONE;
    case 'L':
        r->device_file = optarg;
        return EXIT_DONE;
    case 'R':
        r->revoke = optarg;
        return EXIT_DONE;
    default:
        return EXIT_USAGE;
    }
}

static int parse_arguments(const struct verb *verb, int argc, char **argv, struct cert_request *r)
{
    static const struct option longs[] = {
        { "dir", required_argument, NULL, 'd' }, { "name", required_argument, NULL, 'n' },
        { "ip", required_argument, NULL, 'i' },  { "days", required_argument, NULL, 't' },
        { "force", no_argument, NULL, 'f' },     { "device", required_argument, NULL, 'D' },
        { "devices", required_argument, NULL, 'L' }, { "revoke", required_argument, NULL, 'R' },
        { NULL, 0, NULL, 0 },
    };
    int option, status = EXIT_DONE;
    *r = (struct cert_request){ 0 };
    slice_u64(SLICE(DAYS), 1, AUTHORITY_DAYS_MAX, &r->days);
    opterr = 0;
    optind = 1;
    while (!status && (option = getopt_long(argc, argv, "+:", longs, NULL)) != -1) {
        if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        status = take_option(verb, option, r);
    }
    if (status)
        return status;
    if (optind < argc)
        return verb_misused(verb, "'%s' is one word too many", argv[optind]);
    if (!r->directory || (!r->count && !cert_wants_devices(r)))
        return verb_misused(
            verb, "--dir and at least one --name or --ip are needed, or --device, --devices or --revoke");
    if (r->count && cert_wants_devices(r))
        return verb_misused(verb, "the server's certificates and the phones' are made one after the other");
    return EXIT_DONE;
}

int cert_fail(const struct cert *c, const char *name, int error)
{
    fprintf(stderr, "dialtone cert: %s/%s: %s\n", c->path[0] ? c->path : c->request->directory, name,
            error == -EINVAL ? "is not what dialtone cert made" : strerror(-error));
    return EXIT_FAILED;
}

bool cert_exists(const struct cert *c, const char *name)
{
    struct stat st;
    return fstatat(c->root.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int make_directory(int parent, const char *name, mode_t mode)
{
    return mkdirat(parent, name, mode) == 0 || errno == EEXIST ? 0 : -errno;
}

static int open_directory(struct cert *c)
{
    int error = make_directory(AT_FDCWD, c->request->directory, 0755);
    if (!error)
        error = rootdir_open_root(c->request->directory, false, &c->root);
    if (!error && !realpath(c->request->directory, c->path))
        error = -errno;
    if (!error)
        error = make_directory(c->root.fd, "ca", 0700);
    if (!error)
        error = make_directory(c->root.fd, "server", 0755);
    return error ? cert_fail(c, ".", error) : EXIT_DONE;
}

/* Keys stay at the 0600 that they are made with; a certificate is for everybody. */
int cert_put(struct cert *c, const char *name, struct slice bytes, bool secret)
{
    int error = rootdir_replace(&c->root, slice_str(name), bytes);
    if (!error && !secret && fchmodat(c->root.fd, name, 0644, 0) < 0)
        error = -errno;
    if (error)
        return cert_fail(c, name, error);
    if (!secret)
        printf("made %s/%s\n", c->path, name);
    return EXIT_DONE;
}

/* The key first: a certificate without one is of no use, and would look as if all were there. */
int cert_put_pair(struct cert *c, const char *certificate, const char *key, const struct authority_pair *pair)
{
    int status = cert_put(c, key, pair->key, true);
    return status ? status : cert_put(c, certificate, pair->certificate, false);
}

static int make_ca(struct cert *c, struct authority_pair *ret_ca)
{
    char name[CERT_NAME_BYTES_MAX + 1];
    snprintf(name, sizeof name, "dialtone CA of %s", c->request->first);
    int error = authority_new(name, &c->arena, ret_ca);
    return error ? cert_fail(c, CERT_CA, error) : cert_put_pair(c, CERT_CA, CERT_CA_KEY, ret_ca);
}

/* What phones have imported is kept, whatever is forced. */
static int find_ca(struct cert *c, struct authority_pair *ret_ca)
{
    bool certificate = cert_exists(c, CERT_CA), key = cert_exists(c, CERT_CA_KEY);
    if (!certificate && !key)
        return make_ca(c, ret_ca);
    int error = rootdir_read(&c->root, SLICE(CERT_CA), PEM_BYTES_MAX, &c->arena, &ret_ca->certificate);
    if (error)
        return cert_fail(c, CERT_CA, error);
    error = rootdir_read(&c->root, SLICE(CERT_CA_KEY), PEM_BYTES_MAX, &c->arena, &ret_ca->key);
    if (error)
        return cert_fail(c, CERT_CA_KEY, error);
    printf("kept %s/%s\n", c->path, CERT_CA);
    return EXIT_DONE;
}

static int refuse_to_overwrite(const struct cert *c)
{
    for (size_t i = 0; !c->request->force && i < PAIRS; i++) {
        const char *there = cert_exists(c, server_pairs[i].certificate) ? server_pairs[i].certificate
                            : cert_exists(c, server_pairs[i].key)       ? server_pairs[i].key
                                                                   : NULL;
        if (there) {
            fprintf(stderr,
                    "dialtone cert: %s/%s is there already; --force makes the server's certificates anew\n",
                    c->path, there);
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}

static int make_server(struct cert *c, const struct authority_pair *ca)
{
    const struct cert_request *r = c->request;
    struct authority_pair made[PAIRS];
    int status = EXIT_DONE;
    /* All are made before the first replaces anything. */
    for (size_t i = 0; i < PAIRS; i++) {
        int error = authority_sign(ca, server_pairs[i].kind, r->first, r->names, (unsigned)r->days, &c->arena,
                                   &made[i]);
        if (error)
            return cert_fail(c, error == -EINVAL ? CERT_CA : server_pairs[i].certificate, error);
    }
    for (size_t i = 0; !status && i < PAIRS; i++)
        status = cert_put_pair(c, server_pairs[i].certificate, server_pairs[i].key, &made[i]);
    return status;
}

static int tell(const struct cert *c)
{
    printf("\nInto the configuration of dialtone serve, then restart it, or send SIGHUP when it has them "
           "already:\n\n");
    printf("tls.certificate = %s/%s, %s/%s\n", c->path, server_pairs[0].certificate, c->path,
           server_pairs[1].certificate);
    printf("tls.key = %s/%s, %s/%s\n", c->path, server_pairs[0].key, c->path, server_pairs[1].key);
    printf("\nInto every phone, at Security > Trusted Certificates > Import Trusted Certificates:\n\n%s/%s\n",
           c->path, CERT_CA);
    printf("\nThe phone's URL names the server as %s.\n", c->request->names);
    printf("%s/%s signs for all phones that trust it: keep it secret, and a copy of it safe.\n", c->path,
           CERT_CA_KEY);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int make(struct cert *c)
{
    struct authority_pair ca;
    bool devices = cert_wants_devices(c->request);
    int status = devices ? EXIT_DONE : refuse_to_overwrite(c);
    if (!status && devices && !cert_exists(c, CERT_CA)) {
        fprintf(stderr, "dialtone cert: there is no CA in %s yet: make the server's certificates first\n", c->path);
        return EXIT_FAILED;
    }
    if (!status)
        status = find_ca(c, &ca);
    if (!status)
        status = devices ? cert_devices(c, &ca) : make_server(c, &ca);
    return status || devices ? status : tell(c);
}

int verb_cert(const struct verb *verb, int argc, char **argv)
{
    struct cert_request r;
    struct cert c = { .request = &r, .root = { .fd = -1 } };
    int status = parse_arguments(verb, argc, argv, &r);
    if (status)
        return status;
    arena_init(&c.arena, (size_t)64 * 1024 * 1024);
    status = open_directory(&c);
    if (!status)
        status = make(&c);
    rootdir_close(&c.root);
    arena_free(&c.arena);
    return status;
}
