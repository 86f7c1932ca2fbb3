#include "cli/cert.h"

#include "guide/mac.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PEM_BYTES_MAX ((size_t)64 * 1024)
/* 100,000 phones, revoked; and as many lines of a list. */
#define LIST_BYTES_MAX ((size_t)16 * 1024 * 1024)
/* What one phone's making takes. */
#define DEVICE_BYTES_MAX ((size_t)256 * 1024)

/* Where the daemon may read them again. */
#define AUTHORITY "server/clients.pem"
#define REVOKED "server/clients.crl"

bool cert_wants_devices(const struct cert_request *r)
{
    return r->devices || r->device_file || r->revoke;
}

static int misread(const char *what, struct slice text)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    buf_escaped(&out, slice_first(text, 60));
    fprintf(stderr, "dialtone cert: '%.*s' is no %s\n", SLICE_ARG(buf_slice(&out)), what);
    return EXIT_FAILED;
}

/* --- the list of revoked ones ------------------------------------------------------------------------------ */

static int write_revoked(struct cert *c, const struct authority_pair *ca, struct slice serials)
{
    struct slice old = SLICE_NONE, fresh;
    int error = cert_exists(c, REVOKED) ? rootdir_read(&c->root, SLICE(REVOKED), LIST_BYTES_MAX, &c->arena, &old) : 0;
    if (!error)
        error = authority_revoke(ca, old, serials, &c->arena, &fresh);
    return error ? cert_fail(c, REVOKED, error) : cert_put(c, REVOKED, fresh, false);
}

/* Adds the serial number of the certificate that was made for this phone. */
static int put_serial_of(struct cert *c, struct mac mac, struct buf *serials)
{
    char name[64];
    struct buf out = BUF_ON(name);
    struct slice pem, serial;
    buf_str(&out, "devices/");
    mac_print_bare(mac, &out);
    buf_str(&out, ".pem");
    buf_terminate(&out);
    int error = rootdir_read(&c->root, buf_slice(&out), PEM_BYTES_MAX, &c->arena, &pem);
    if (!error)
        error = authority_serial(pem, &c->arena, &serial);
    if (error)
        return cert_fail(c, name, error);
    buf_str(serials, serials->len ? "," : "");
    buf_text(serials, serial);
    return EXIT_DONE;
}

static bool is_serial(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_hex(text.ptr[i]) < 0)
            return false;
    return text.len > 0 && text.len <= 40;
}

static int take_back(struct cert *c, const struct authority_pair *ca, struct slice list)
{
    char *bytes = arena_alloc(&c->arena, 64 * (list.len + 1));
    struct buf serials = buf_on(bytes, 64 * (list.len + 1));
    struct slice part;
    struct mac mac;
    int status = bytes ? EXIT_DONE : cert_fail(c, REVOKED, -ENOMEM);
    while (!status && slice_cut(&list, ',', &part)) {
        part = slice_trim(part);
        if (mac_parse(part, &mac)) {
            status = put_serial_of(c, mac, &serials);
        } else if (is_serial(part)) {
            buf_str(&serials, serials.len ? "," : "");
            buf_text(&serials, part);
        } else {
            status = misread("MAC address and no serial number in hexadecimal", part);
        }
    }
    if (!status)
        status = write_revoked(c, ca, buf_slice(&serials));
    if (!status)
        printf("\nrevoked: dialtone serve reads the list again at SIGHUP; tls.client_crl has to name it.\n");
    return status;
}

/* --- certificates of phones -------------------------------------------------------------------------------- */

/* Whoever has the old one, made for the same phone, is no phone of ours any more. */
static int replace(struct cert *c, const struct authority_pair *ca, struct mac mac)
{
    char bytes[64];
    struct buf serials = BUF_ON(bytes);
    int status = put_serial_of(c, mac, &serials);
    return status ? status : write_revoked(c, ca, buf_slice(&serials));
}

static int make_device(struct cert *c, const struct authority_pair *ca, struct mac mac)
{
    char name[32], certificate[64], key[64];
    struct buf out = BUF_ON(name);
    struct authority_pair made;
    struct arena arena;
    mac_print_bare(mac, &out);
    buf_terminate(&out);
    snprintf(certificate, sizeof certificate, "devices/%s.pem", name);
    snprintf(key, sizeof key, "devices/%s.key", name);
    bool there = cert_exists(c, certificate);
    if (there && !c->request->force) {
        printf("kept %s/%s\n", c->path, certificate);
        return EXIT_DONE;
    }
    arena_init(&arena, DEVICE_BYTES_MAX);
    int error = authority_sign_device(ca, name, (unsigned)c->request->days, &arena, &made);
    int status = error ? cert_fail(c, error == -EINVAL ? CERT_CA : certificate, error) : EXIT_DONE;
    if (!status && there)
        status = replace(c, ca, mac);
    if (!status)
        status = cert_put_pair(c, certificate, key, &made);
    arena_free(&arena);
    return status;
}

static int make_listed(struct cert *c, const struct authority_pair *ca, struct slice list, char separator)
{
    struct slice part;
    struct mac mac;
    int status = EXIT_DONE;
    while (!status && slice_cut(&list, separator, &part)) {
        part = slice_trim(part);
        if (!part.len || part.ptr[0] == '#')
            continue;
        status = mac_parse(part, &mac) ? make_device(c, ca, mac) : misread("MAC address", part);
    }
    return status;
}

static int read_list(struct cert *c, struct slice *ret_list)
{
    const char *file = c->request->device_file;
    char *bytes = arena_alloc(&c->arena, LIST_BYTES_MAX);
    FILE *from = bytes ? fopen(file, "re") : NULL;
    size_t len = from ? fread(bytes, 1, LIST_BYTES_MAX, from) : 0;
    int error = !bytes ? ENOMEM : !from || ferror(from) ? errno : len == LIST_BYTES_MAX ? EFBIG : 0;
    if (from)
        fclose(from);
    if (error) {
        fprintf(stderr, "dialtone cert: %s: %s\n", file, strerror(error));
        return EXIT_FAILED;
    }
    *ret_list = slice_of(bytes, len);
    return EXIT_DONE;
}

static int tell(const struct cert *c)
{
    printf("\nInto the configuration of dialtone serve, then restart it:\n\n");
    printf("tls.client_certificates = optional\ntls.client_ca = %s/%s\ntls.client_crl = %s/%s\n", c->path, AUTHORITY,
           c->path, REVOKED);
    printf("\noptional lets phones without one in, to what is for everybody; required does not.\n");
    printf("A phone takes its certificate and key from %s/devices, and each belongs to that phone alone.\n", c->path);
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int make_devices(struct cert *c, const struct authority_pair *ca)
{
    struct slice list;
    int status = EXIT_DONE;
    if (mkdirat(c->root.fd, "devices", 0700) < 0 && errno != EEXIST)
        return cert_fail(c, "devices", -errno);
    if (c->request->devices)
        status = make_listed(c, ca, slice_str(c->request->devices), ',');
    if (!status && c->request->device_file)
        status = read_list(c, &list);
    if (!status && c->request->device_file)
        status = make_listed(c, ca, list, '\n');
    if (!status)
        status = cert_put(c, AUTHORITY, ca->certificate, false);
    if (!status && !cert_exists(c, REVOKED))
        status = write_revoked(c, ca, SLICE_NONE);
    return status ? status : tell(c);
}

int cert_devices(struct cert *c, const struct authority_pair *ca)
{
    const struct cert_request *r = c->request;
    int status = EXIT_DONE;
    if (r->revoke)
        status = take_back(c, ca, slice_str(r->revoke));
    if (!status && (r->devices || r->device_file))
        status = make_devices(c, ca);
    return status;
}
