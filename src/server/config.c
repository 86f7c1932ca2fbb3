#include "server/config.h"

#include "net/address.h"

#define AT(field) offsetof(struct config, field)
#define TEXT(key, field, min, max, value, what)                                                                \
    {                                                                                                          \
        key, CONFIG_TEXT, false, min, max, NULL, value, NULL, what, AT(field), 0                               \
    }
#define SWITCH(key, field, value, what)                                                                        \
    {                                                                                                          \
        key, CONFIG_SWITCH, false, 0, 1, NULL, value, NULL, what, AT(field), 0                                 \
    }
#define NUMBER(key, field, min, max, value, what)                                                              \
    {                                                                                                          \
        key, CONFIG_NUMBER, false, min, max, NULL, value, NULL, what, AT(field), 0                             \
    }
#define LIMIT(key, field, min, max, value, what)                                                               \
    {                                                                                                          \
        key, CONFIG_NUMBER, true, min, max, NULL, value, NULL, what, AT(field), 0                              \
    }
#define PORT(key, field, unset, what)                                                                          \
    {                                                                                                          \
        key, CONFIG_NUMBER, false, 0, 65535, NULL, "0", unset, what, AT(field), AT(field##_set)                \
    }

static const struct config_key keys[] = {
    TEXT("root", root, 1, 4095, "/srv/dialtone", "directory of boot, CFG and resource files"),
    SWITCH("root.follow_symlinks", root_follow, "0", "follow symbolic links that stay beneath the root"),
    { "listen", CONFIG_ADDRESSES, false, 1, 1024, NULL, "*, [::]", NULL,
      "numeric addresses, separated by commas; `*, [::]` is all", AT(listen), 0 },
    SWITCH("tftp.enable", tftp_enable, "1", "serve TFTP"),
    PORT("tftp.port", tftp_port, "69 when it may be bound, else 6969", "UDP port; 0 takes any free one"),
    SWITCH("http.enable", http_enable, "1", "serve HTTP"),
    PORT("http.port", http_port, "80 when it may be bound, else 8080", "TCP port; 0 takes any free one"),
    SWITCH("ftp.enable", ftp_enable, "1", "serve FTP"),
    PORT("ftp.port", ftp_port, "21 when it may be bound, else 2121", "TCP port; 0 takes any free one"),
    { "ftp.passive_ports", CONFIG_PORTS, false, 1024, 65535, NULL, "61000-61255", NULL,
      "ports for PASV and EPSV, FIRST-LAST, shared out among the workers", AT(ftp_passive_ports), 0 },
    SWITCH("ftp.active", ftp_active, "1", "connect to clients that say PORT or EPRT; 0 forbids the process to connect"),
    SWITCH("https.enable", https_enable, "1", "serve HTTPS; needs tls.certificate"),
    PORT("https.port", https_port, "443 when it may be bound, else 8443", "TCP port; 0 takes any free one"),
    TEXT("tls.certificate", tls_certificate, 0, 8192, "",
         "PEM file of the certificate and its chain; an ECDSA and an RSA one may be given, separated by a comma"),
    TEXT("tls.key", tls_key, 0, 8192, "",
         "PEM file of each certificate's private key, in the same order, readable by its owner only"),
    { "tls.min_version", CONFIG_CHOICE, false, 0, 0, "1.2 1.3", "1.2", NULL, "oldest version of TLS that is spoken",
      AT(tls_min_version), 0 },
    NUMBER("tls.workers", tls_workers, 0, 64, "0",
           "threads that serve HTTPS and nothing else; 0 is one a processor"),
    NUMBER("workers", workers, 0, 64, "0", "threads that serve TFTP, HTTP and FTP; 0 is one a processor"),
    TEXT("state.dir", state_dir, 1, 4000, "/var/lib/dialtone", "directory of the journal's database"),
    { "journal", CONFIG_CHOICE, false, 0, 0, "off lines rows both", "both", NULL,
      "lines on standard output, rows in the database, or both", AT(journal), 0 },
    NUMBER("journal.rows", journal_rows, 1000, 100000000, "500000", "rows kept; 200 bytes each"),
    TEXT("run.user", run_user, 0, 255, "",
         "user to become when started as root; blank is the owner of the root"),
    SWITCH("run.confine", run_confine, "1", "refuse to serve when privileges could not be given up"),
    LIMIT("run.drain_s", run_drain_s, 0, 3600, "30", "seconds that SIGTERM leaves to transfers under way"),
    NUMBER("tftp.transfers", tftp_transfers, 1, 1000000, "20000", "TFTP transfers at once; 330 bytes each"),
    LIMIT("tftp.peer_transfers", tftp_peer_transfers, 1, 1000000, "2000",
          "TFTP transfers at once to one address; phones behind a NAT share one"),
    LIMIT("tftp.rate", tftp_rate, 0, 1000000, "1000", "TFTP requests a second from one address; 0 is no limit"),
    LIMIT("tftp.blksize_max", tftp_blksize_max, 512, 65464, "1468",
          "bytes in a TFTP block; 1468 fill an Ethernet frame"),
    SWITCH("upload.enable", upload_enable, "1", "take the files that phones send"),
    TEXT("upload.dir", upload_dir, 0, 4000, "", "directory of those files; blank is `uploads` in state.dir"),
    SWITCH("upload.overwrite", upload_overwrite, "1", "a phone may replace what it has sent before"),
    { "upload.mode", CONFIG_CHOICE, false, 0, 0, "0600 0644", "0600", NULL,
      "permissions of those files; they hold passwords", AT(upload_mode), 0 },
    LIMIT("upload.file_max", upload_file_max, 1, UINT32_MAX, "1048576",
          "bytes of one upload; a phone's settings have some 100 KiB"),
    LIMIT("upload.total_mib", upload_total_mib, 1, UINT32_MAX, "1024",
          "MiB of all uploads with their versions; 1000 phones with five files of 50 KiB in four versions"),
    LIMIT("upload.files", upload_files, 1, UINT32_MAX, "200000", "uploads with their versions: 10,000 phones' worth"),
    LIMIT("upload.at_once", upload_at_once, 1, 100000, "256", "uploads at once; a descriptor or two each"),
    LIMIT("upload.rate", upload_rate, 0, 1000000, "20",
          "uploads a second from one address, in bursts of 100 times that; 0 is no limit"),
    LIMIT("upload.versions", upload_versions, 0, 100, "3", "older versions that are kept of each upload"),
    NUMBER("http.connections", http_connections, 1, 1000000, "10000", "HTTP connections at once; HTTPS has as many of its own"),
    LIMIT("http.peer_connections", http_peer_connections, 1, 1000000, "256",
          "HTTP connections at once from one address; phones behind a NAT share one"),
    LIMIT("http.head_s", http_head_s, 1, 300, "10", "seconds within which a request must be complete"),
    LIMIT("http.idle_s", http_idle_s, 1, 3600, "60", "seconds that a kept connection may be silent"),
    NUMBER("ftp.sessions", ftp_sessions, 1, 1000000, "10000", "FTP sessions at once; 4 KB each"),
    LIMIT("ftp.peer_sessions", ftp_peer_sessions, 1, 1000000, "500",
          "FTP sessions at once from one address; phones behind a NAT share one"),
    LIMIT("ftp.login_s", ftp_login_s, 1, 300, "30", "seconds within which a login must be complete"),
    LIMIT("ftp.idle_s", ftp_idle_s, 1, 3600, "300", "seconds that a session without a transfer may be silent"),
};

const struct config_key *config_keys(size_t *ret_count)
{
    *ret_count = sizeof keys / sizeof *keys;
    return keys;
}

static void *field_of(struct config *c, size_t offset)
{
    return (char *)c + offset;
}

static const void *value_of(const struct config *c, size_t offset)
{
    return (const char *)c + offset;
}

static bool is_one_of(struct slice value, const char *words)
{
    struct slice rest = slice_str(words), word;
    while (slice_cut(&rest, ' ', &word))
        if (slice_eq(word, value))
            return true;
    return false;
}

static bool are_addresses(struct slice value)
{
    struct slice part;
    union address a;
    if (value.len && value.ptr[value.len - 1] == ',')
        return false;
    while (slice_cut(&value, ',', &part))
        if (!address_parse(slice_trim(part), 0, &a))
            return false;
    return true;
}

bool config_ports(struct slice text, uint16_t *ret_first, uint16_t *ret_last)
{
    size_t dash = slice_find(text, '-');
    uint64_t first, last;
    if (!slice_u64(slice_trim(slice_first(text, dash)), 1024, UINT16_MAX, &first))
        return false;
    last = first;
    if (dash < text.len && !slice_u64(slice_trim(slice_from(text, dash + 1)), first, UINT16_MAX, &last))
        return false;
    if (last - first >= CONFIG_PORTS_MAX)
        return false;
    *ret_first = (uint16_t)first;
    *ret_last = (uint16_t)last;
    return true;
}

/* What is wrong with a value, or NULL. */
static const char *fault(const struct config_key *k, struct slice value)
{
    uint64_t number;
    uint16_t first, last;
    switch (k->type) {
    case CONFIG_TEXT:
        for (size_t i = 0; i < value.len; i++)
            if (byte_is_control(value.ptr[i]))
                return "holds a control byte";
        return value.len < k->min ? "is blank" : value.len > k->max ? "is too long" : NULL;
    case CONFIG_CHOICE:
        return is_one_of(value, k->words) ? NULL : "is not one of the words";
    case CONFIG_ADDRESSES:
        return value.len >= k->min && value.len <= k->max && are_addresses(value)
                   ? NULL
                   : "is not a list of addresses";
    case CONFIG_PORTS:
        return config_ports(value, &first, &last) ? NULL : "is not FIRST-LAST";
    case CONFIG_NUMBER:
    case CONFIG_SWITCH:
        return slice_u64(value, k->min, k->max, &number) ? NULL : "is not a number within the bounds";
    }
    return NULL;
}

static void report(const struct config_key *k, struct slice value, const char *what, struct place at,
                   struct diag *findings)
{
    if (k->type == CONFIG_NUMBER || k->type == CONFIG_SWITCH || k->type == CONFIG_PORTS)
        diag_add(findings, SEVERITY_ERROR, at, "%s: '%.*s' %s: %u to %u", k->key, SLICE_ARG(value), what,
                 k->min, k->max);
    else if (k->type == CONFIG_CHOICE)
        diag_add(findings, SEVERITY_ERROR, at, "%s: '%.*s' %s: %s", k->key, SLICE_ARG(value), what, k->words);
    else
        diag_add(findings, SEVERITY_ERROR, at, "%s: '%.*s' %s: at most %u bytes", k->key, SLICE_ARG(value),
                 what, k->max);
}

static bool store(struct config *c, const struct config_key *k, struct slice value)
{
    uint64_t number = 0;
    slice_u64(value, 0, UINT32_MAX, &number);
    if (k->type == CONFIG_SWITCH)
        *(bool *)field_of(c, k->offset) = number != 0;
    else if (k->type == CONFIG_NUMBER)
        *(uint32_t *)field_of(c, k->offset) = (uint32_t)number;
    else if (!arena_copy(c->arena, value, field_of(c, k->offset)))
        return false;
    if (k->set_offset)
        *(bool *)field_of(c, k->set_offset) = true;
    return true;
}

void config_init(struct config *c, struct arena *arena)
{
    *c = (struct config){ .arena = arena };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct config_key *k = &keys[i];
        /* A literal needs no copy, so this cannot fail. */
        if (k->type == CONFIG_SWITCH || k->type == CONFIG_NUMBER)
            store(c, k, slice_str(k->default_value));
        else
            *(struct slice *)field_of(c, k->offset) = slice_str(k->default_value);
        if (k->set_offset)
            *(bool *)field_of(c, k->set_offset) = false;
    }
}

static const struct config_key *find_key(struct slice key)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (slice_eq(slice_str(keys[i].key), key))
            return &keys[i];
    return NULL;
}

bool config_set(struct config *c, struct slice key, struct slice value, struct place at, struct diag *findings)
{
    const struct config_key *k = find_key(key);
    const char *what = k ? fault(k, value) : NULL;
    if (!k)
        diag_add(findings, SEVERITY_ERROR, at, "'%.*s' is not a key of this configuration", SLICE_ARG(key));
    else if (what)
        report(k, value, what, at, findings);
    else if (!store(c, k, value))
        diag_add(findings, SEVERITY_ERROR, at, "%s: out of memory", k->key);
    else
        return true;
    return false;
}

bool config_parse(struct config *c, struct slice bytes, struct slice file, struct diag *findings)
{
    bool ok = true;
    struct slice line;
    if (slice_starts(bytes, SLICE("\xef\xbb\xbf")))
        bytes = slice_from(bytes, 3);
    for (uint32_t number = 1; slice_cut(&bytes, '\n', &line); number++) {
        struct slice text = slice_trim(line);
        size_t equals = slice_find(text, '=');
        if (!text.len || text.ptr[0] == '#')
            continue;
        if (equals == text.len) {
            diag_add(findings, SEVERITY_ERROR, (struct place){ file, number, 1 }, "no '=' in this line");
            ok = false;
            continue;
        }
        struct slice value = slice_trim(slice_from(text, equals + 1));
        struct slice key = slice_trim(slice_first(text, equals));
        const char *where = find_key(key) && value.len ? value.ptr : text.ptr;
        struct place at = { file, number, (uint32_t)(where - line.ptr) + 1 };
        ok = config_set(c, key, value, at, findings) && ok;
    }
    return ok;
}

static void print_value(const struct config *c, const struct config_key *k, struct buf *out)
{
    if (k->type == CONFIG_SWITCH)
        buf_number(out, *(const bool *)value_of(c, k->offset));
    else if (k->type == CONFIG_NUMBER)
        buf_number(out, *(const uint32_t *)value_of(c, k->offset));
    else
        buf_text(out, *(const struct slice *)value_of(c, k->offset));
}

bool config_print(const struct config *c, struct buf *out)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct config_key *k = &keys[i];
        bool unset = k->set_offset && !*(const bool *)value_of(c, k->set_offset);
        buf_format(out, "# %s\n%s%s =", k->description, unset ? "# " : "", k->key);
        if (unset) {
            buf_format(out, " (%s)\n", k->unset);
            continue;
        }
        buf_byte(out, ' ');
        print_value(c, k, out);
        buf_byte(out, '\n');
    }
    return buf_ok(out);
}

static bool differs(const struct config *a, const struct config *b, const struct config_key *k)
{
    if (k->set_offset && *(const bool *)value_of(a, k->set_offset) != *(const bool *)value_of(b, k->set_offset))
        return true;
    if (k->type == CONFIG_SWITCH)
        return *(const bool *)value_of(a, k->offset) != *(const bool *)value_of(b, k->offset);
    if (k->type == CONFIG_NUMBER)
        return *(const uint32_t *)value_of(a, k->offset) != *(const uint32_t *)value_of(b, k->offset);
    return !slice_eq(*(const struct slice *)value_of(a, k->offset),
                     *(const struct slice *)value_of(b, k->offset));
}

void config_apply_live(struct config *c, const struct config *fresh, config_restart *restart, void *context)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct config_key *k = &keys[i];
        if (!differs(c, fresh, k))
            continue;
        if (!k->live) {
            restart(context, k);
            continue;
        }
        /* Only numbers are live: texts belong to another arena. */
        *(uint32_t *)field_of(c, k->offset) = *(const uint32_t *)value_of(fresh, k->offset);
    }
}
