#include "server/config.h"

#include "guide/mac.h"
#include "server/config_value.h"
#include "server/user_hash.h"

#define AT(field) offsetof(struct config, field)
#define TEXT(key, field, min, max, value, what)                                                                \
    {                                                                                                          \
        key, CONFIG_TEXT, false, min, max, NULL, value, NULL, what, AT(field), 0, CONFIG_ONCE                  \
    }
#define LIVE_TEXT(key, field, min, max, value, what)                                                           \
    {                                                                                                          \
        key, CONFIG_TEXT, true, min, max, NULL, value, NULL, what, AT(field), 0, CONFIG_ONCE                   \
    }
#define SWITCH(key, field, value, what)                                                                        \
    {                                                                                                          \
        key, CONFIG_SWITCH, false, 0, 1, NULL, value, NULL, what, AT(field), 0, CONFIG_ONCE                    \
    }
#define NUMBER(key, field, min, max, value, what)                                                              \
    {                                                                                                          \
        key, CONFIG_NUMBER, false, min, max, NULL, value, NULL, what, AT(field), 0, CONFIG_ONCE                \
    }
#define LIMIT(key, field, min, max, value, what)                                                               \
    {                                                                                                          \
        key, CONFIG_NUMBER, true, min, max, NULL, value, NULL, what, AT(field), 0, CONFIG_ONCE                 \
    }
#define PORT(key, field, unset, what)                                                                          \
    {                                                                                                          \
        key, CONFIG_NUMBER, false, 0, 65535, NULL, "0", unset, what, AT(field), AT(field##_set), CONFIG_ONCE   \
    }

#define RULE(key, type, field, min, max, words, value, what)                                                   \
    {                                                                                                          \
        "access.N." key, type, true, min, max, words, value, NULL, what, offsetof(struct config_rule, field), 0,   \
            CONFIG_PER_RULE                                                                                    \
    }

#define REDIRECT(key, type, field, min, max, words, value, what)                                               \
    {                                                                                                          \
        "redirect.N." key, type, true, min, max, words, value, NULL, what, offsetof(struct config_redirect, field), 0, \
            CONFIG_PER_REDIRECT                                                                                \
    }
#define PNP(key, type, field, min, max, value, what)                                                            \
    {                                                                                                          \
        "pnp.N." key, type, false, min, max, NULL, value, NULL, what, offsetof(struct config_pnp, field), 0,       \
            CONFIG_PER_PNP                                                                                     \
    }

static const struct config_key keys[] = {
    TEXT("root", root, 1, 4095, "/srv/dialtone", "directory of boot, CFG and resource files"),
    SWITCH("root.follow_symlinks", root_follow, "0", "follow symbolic links that stay beneath the root"),
    SWITCH("root.ignore_case", root_ignore_case, "0",
           "find every name whatever its case, by all protocols; 0 does so for names that begin with a MAC address"),
    { "listen", CONFIG_ADDRESSES, false, 1, 1024, NULL, "*, [::]", NULL,
      "numeric addresses, separated by commas; `*, [::]` is all", AT(listen), 0, CONFIG_ONCE },
    SWITCH("tftp.enable", tftp_enable, "1", "serve TFTP"),
    PORT("tftp.port", tftp_port, "69 when it may be bound, else 6969", "UDP port; 0 takes any free one"),
    SWITCH("tftp.single_port", tftp_single_port, "0",
           "answer from that port itself, for phones behind a NAT; by RFC 1350 each transfer has another one"),
    { "tftp.port_range", CONFIG_PORTS, false, 1024, 65535, NULL, "", "any",
      "ports of the transfers, FIRST-LAST, for a firewall; each worker needs one, and 64 each are enough",
      AT(tftp_port_range),
      0, CONFIG_ONCE },
    SWITCH("http.enable", http_enable, "1", "serve HTTP"),
    PORT("http.port", http_port, "80 when it may be bound, else 8080", "TCP port; 0 takes any free one"),
    SWITCH("ftp.enable", ftp_enable, "1", "serve FTP"),
    PORT("ftp.port", ftp_port, "21 when it may be bound, else 2121", "TCP port; 0 takes any free one"),
    { "ftp.passive_ports", CONFIG_PORTS, false, 1024, 65535, NULL, "61000-61255", NULL,
      "ports for PASV and EPSV, FIRST-LAST, shared out among the workers",
      AT(ftp_passive_ports), 0, CONFIG_ONCE },
    SWITCH("ftp.active", ftp_active, "1",
           "connect to clients that say PORT or EPRT; 0 forbids the process to connect"),
    { "ftp.tls", CONFIG_CHOICE, false, 0, 0, "off optional required", "optional", NULL,
      "AUTH TLS by FTP: never, for who asks, or before any login and transfer; needs tls.certificate",
      AT(ftp_tls), 0,
      CONFIG_ONCE },
    SWITCH("https.enable", https_enable, "1", "serve HTTPS; needs tls.certificate"),
    PORT("https.port", https_port, "443 when it may be bound, else 8443", "TCP port; 0 takes any free one"),
    TEXT("tls.certificate", tls_certificate, 0, 8192, "",
         "PEM file of the certificate and its chain; an ECDSA and an RSA one may be given, separated by a comma"),
    TEXT("tls.key", tls_key, 0, 8192, "",
         "PEM file of each certificate's private key, in the same order, readable by its owner only"),
    { "tls.min_version", CONFIG_CHOICE, false, 0, 0, "1.2 1.3", "1.2", NULL, "oldest version of TLS that is spoken",
      AT(tls_min_version), 0, CONFIG_ONCE },
    { "tls.client_certificates", CONFIG_CHOICE, false, 0, 0, "off optional required", "off", NULL,
      "certificates of phones: not asked for, asked for, or nobody comes in without one",
      AT(tls_client_certificates), 0, CONFIG_ONCE },
    TEXT("tls.client_ca", tls_client_ca, 0, 4095, "",
         "PEM file of the authorities whose certificates phones show"),
    TEXT("tls.client_crl", tls_client_crl, 0, 4095, "",
         "PEM file of these authorities' revocation lists, one of each; blank is none"),
    LIVE_TEXT("tls.client_revoked", tls_client_revoked, 0, 65536, "",
              "serial numbers of certificates that are revoked, hexadecimal, separated by commas"),
    LIVE_TEXT("tls.server_names", tls_server_names, 0, 8192, "",
              "host names of this server, separated by commas, *. for one label of any kind: whoever asks for another"
              " is turned away in the handshake; blank is any"),
    SWITCH("tls.legacy", tls_legacy, "0",
           "serve old phones too: TLS 1.0 and 1.1 and their ciphers, on tls.legacy_port and nowhere else"),
    PORT("tls.legacy_port", tls_legacy_port, "8444", "TCP port of tls.legacy; 0 takes any free one"),
    NUMBER("tls.workers", tls_workers, 0, 64, "0",
           "threads that serve HTTPS and FTP over TLS, and nothing else; 0 is one a processor"),
    NUMBER("workers", workers, 0, 64, "0", "threads that serve TFTP, HTTP and FTP; 0 is one a processor"),
    TEXT("state.dir", state_dir, 1, 4000, "/var/lib/dialtone", "directory of the journal's database"),
    { "journal", CONFIG_CHOICE, false, 0, 0, "off lines rows both", "both", NULL,
      "lines on standard output, rows in the database, or both", AT(journal), 0, CONFIG_ONCE },
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
    LIMIT("guard.unknown", guard_unknown, 0, 1000000, "500",
          "phones never seen before that one address may ask for in vain, at once: a building's on its first day; 0 is no"
          " limit"),
    NUMBER("guard.unknown_s", guard_unknown_s, 1, 3600, "6",
           "seconds for each one more; at 6 the 16 million of one vendor's address block take three years"),
    LIMIT("guard.shut_s", guard_shut_s, 1, 86400, "300",
          "seconds that an address which goes on is refused every phone that never asked from there"),
    SWITCH("upload.enable", upload_enable, "1", "take the files that phones send"),
    TEXT("upload.dir", upload_dir, 0, 4000, "", "directory of those files; blank is `uploads` in state.dir"),
    SWITCH("upload.overwrite", upload_overwrite, "1", "a phone may replace what it has sent before"),
    { "upload.mode", CONFIG_CHOICE, false, 0, 0, "0600 0644", "0600", NULL,
      "permissions of those files, and of new ones that an access rule lets be written; they hold passwords",
      AT(upload_mode), 0, CONFIG_ONCE },
    LIMIT("upload.file_max", upload_file_max, 1, UINT32_MAX, "1048576",
          "bytes of one upload; a phone's settings have some 100 KiB"),
    LIMIT("upload.total_mib", upload_total_mib, 1, UINT32_MAX, "1024",
          "MiB of all uploads with their versions; 1000 phones with five files of 50 KiB in four versions"),
    LIMIT("upload.files", upload_files, 1, UINT32_MAX, "200000",
          "uploads with their versions: 10,000 phones' worth"),
    LIMIT("upload.at_once", upload_at_once, 1, 100000, "256", "uploads at once; a descriptor or two each"),
    LIMIT("upload.rate", upload_rate, 0, 1000000, "20",
          "files a second from one address without a login, in bursts of 100 times that; 0 is no limit"),
    LIMIT("upload.versions", upload_versions, 0, 100, "3", "older versions that are kept of each upload"),
    NUMBER("http.connections", http_connections, 1, 1000000, "10000",
           "HTTP connections at once; HTTPS has as many of its own"),
    LIMIT("http.peer_connections", http_peer_connections, 1, 1000000, "256",
          "HTTP connections at once from one address; phones behind a NAT share one"),
    LIMIT("http.head_s", http_head_s, 1, 300, "10", "seconds within which a request must be complete"),
    LIMIT("http.idle_s", http_idle_s, 1, 3600, "60", "seconds that a kept connection may be silent"),
    LIMIT("http.rate_bytes", http_rate_bytes, 0, UINT32_MAX, "0",
          "bytes a second that one new HTTP or HTTPS connection is sent at most, 4096 being the least; 0 is no limit"),
    LIMIT("ftp.rate_bytes", ftp_rate_bytes, 0, UINT32_MAX, "0",
          "bytes a second that one new FTP data connection is sent at most, 4096 being the least; 0 is no limit"),
    NUMBER("ftp.sessions", ftp_sessions, 1, 1000000, "10000",
           "FTP sessions at once; 4 KB each; with TLS as many of their own, 18 KB each"),
    LIMIT("ftp.peer_sessions", ftp_peer_sessions, 1, 1000000, "500",
          "FTP sessions at once from one address; phones behind a NAT share one"),
    LIMIT("ftp.login_s", ftp_login_s, 1, 300, "30", "seconds within which a login must be complete"),
    LIMIT("ftp.idle_s", ftp_idle_s, 1, 3600, "300", "seconds that a session without a transfer may be silent"),
    SWITCH("pnp.enable", pnp_enable, "0",
           "tell phones that ask by multicast (PnP) where their server is: all of a network that are started come here"),
    PORT("pnp.port", pnp_port, "5060", "UDP port; phones ask on 5060; 0 takes any free one"),
    TEXT("pnp.interfaces", pnp_interfaces, 0, 1024, "",
         "network interfaces to listen on, separated by commas, also ones that come later; blank is every one"),
    SWITCH("pnp.unicast", pnp_unicast, "0", "also answer what is sent to this host alone and not to the group"),
    { "pnp.url", CONFIG_URL, false, 0, 511, NULL, "", NULL,
      "provisioning server URL for phones of this vendor, sent as it is written here",
      AT(pnp_url), 0, CONFIG_ONCE },
    LIMIT("pnp.rate", pnp_rate, 1, 1000000, "5",
          "PnP requests a second from one address, in bursts of 4 times that"),
    LIMIT("pnp.total_rate", pnp_total_rate, 1, 1000000, "2000",
          "PnP requests a second in all, in bursts of 2 times that"),
    NUMBER("pnp.exchanges", pnp_exchanges, 1, 1000000, "20000",
           "PnP exchanges remembered at once, each for 32 s; some 1.5 KB each, never more than 6"),
    PNP("vendor", CONFIG_TEXT, vendors, 0, 256, "",
        "vendors that rule N (1 to 64) is for, as the phones say themselves, separated by commas; * is every one"),
    PNP("model", CONFIG_TEXT, models, 0, 1024, "", "models it is for, separated by commas"),
    PNP("mac", CONFIG_MACS, macs, 0, 1024, "", "beginnings of MAC addresses it is for, separated by commas"),
    PNP("url", CONFIG_URL, url, 0, 511, "", "URL for these phones; blank is no answer"),
    TEXT("users.file", users_file, 0, 4095, "",
         "file of more users, NAME:HASH a line as dialtone passwd --file writes it; SIGHUP reads it again"),
    RULE("prefix", CONFIG_PREFIX, prefix, 1, 1024, NULL, NULL,
         "directory or file, / first, that rule N (1 to 64) is for; of several rules the longest prefix decides"),
    RULE("users", CONFIG_USERS, users, 0, 65536, NULL, "",
         "users who may, separated by commas; * is every user and every phone whose certificate names its MAC"),
    RULE("anonymous", CONFIG_SWITCH, anonymous, 0, 1, NULL, "0", "may everybody without a name"),
    RULE("networks", CONFIG_NETWORKS, networks, 0, 4096, NULL, "",
         "networks (10.0.0.0/8) it may be asked from, separated by commas; blank is any"),
    RULE("protocols", CONFIG_SOME, protocols, 0, 64, "tftp http https ftp", "",
         "protocols it may be asked by, separated by commas; blank is all"),
    RULE("read", CONFIG_SWITCH, read, 0, 1, NULL, "1", "may be read at all"),
    RULE("bind", CONFIG_CHOICE, bind, 0, 0, "auto none certificate login either", "auto",
         "who gets a phone's own files (<MAC>.cfg, <MAC>-...): nobody but the phone, by its certificate, by a login"
         " under its MAC, or by either; auto: by either on HTTPS with tls.client_certificates, else whoever may read"),
    RULE("write", CONFIG_CHOICE, write, 0, 0, "none uploads create overwrite", "none",
         "what may be written: nothing, what phones send, new files, any file"),
    RULE("file_max", CONFIG_NUMBER, file_max, 1, 1048576, NULL, "256",
         "MiB of one written file; a firmware has up to 150. What phones send has upload.file_max besides"),
    RULE("directory_max", CONFIG_NUMBER, directory_max, 1, 16777216, NULL, "10240",
         "MiB below the prefix, 4 KiB more a file, past which nothing is written: firmware of 60 models"),
    REDIRECT("from", CONFIG_PREFIX, from, 1, 1024, NULL, NULL,
             "directory or file, / first, that HTTP and HTTPS lead elsewhere (N is 1 to 64); the longest decides"),
    REDIRECT("to", CONFIG_TARGET, to, 1, 511, NULL, NULL, "where to: a path, or a URL of http or https"),
    REDIRECT("status", CONFIG_CHOICE, status, 0, 0, "301 302 307 308", "302",
             "what is said: 301 and 308 are for good, 307 and 308 keep the method"),
    { "user.NAME", CONFIG_HASH, true, 1, 512, NULL, NULL, NULL,
      "password of the user NAME as dialtone passwd prints it; keep the file to yourself", 0, 0,
      CONFIG_PER_USER },
};

#define KEYS (sizeof keys / sizeof *keys)

const struct config_key *config_keys(size_t *ret_count)
{
    *ret_count = KEYS;
    return keys;
}

static void *field_of(void *base, size_t offset)
{
    return (char *)base + offset;
}

static const void *value_of(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static bool is_number(const struct config_key *k)
{
    return k->type == CONFIG_NUMBER || k->type == CONFIG_SWITCH;
}

/* `base`: the configuration, or one rule of it. */
static bool store(struct config *c, void *base, const struct config_key *k, struct slice value)
{
    uint64_t number = 0;
    slice_u64(value, 0, UINT32_MAX, &number);
    if (k->type == CONFIG_SWITCH)
        *(bool *)field_of(base, k->offset) = number != 0;
    else if (k->type == CONFIG_NUMBER)
        *(uint32_t *)field_of(base, k->offset) = (uint32_t)number;
    else if (!arena_copy(c->arena, value, field_of(base, k->offset)))
        return false;
    if (k->set_offset)
        *(bool *)field_of(base, k->set_offset) = true;
    return true;
}

/* A literal needs no copy, so this cannot fail. */
static void store_default(struct config *c, void *base, const struct config_key *k)
{
    if (is_number(k))
        store(c, base, k, slice_str(k->default_value));
    else
        *(struct slice *)field_of(base, k->offset) = slice_str(k->default_value);
    if (k->set_offset)
        *(bool *)field_of(base, k->set_offset) = false;
}

static bool is_of_rule(const struct config_key *k)
{
    return k->times == CONFIG_PER_RULE || k->times == CONFIG_PER_PNP || k->times == CONFIG_PER_REDIRECT;
}

/* The rule that the key's offset is into, `n` from 0. */
static void *rule_of(struct config *c, const struct config_key *k, size_t n)
{
    if (k->times == CONFIG_PER_REDIRECT)
        return &c->redirects[n];
    return k->times == CONFIG_PER_PNP ? (void *)&c->pnp[n] : (void *)&c->access[n];
}

/* What follows the number in the keys of rules. */
static const char *rule_key(const struct config_key *k)
{
    return strstr(k->key, ".N.") + strlen(".N.");
}

void config_init(struct config *c, struct arena *arena)
{
    *c = (struct config){ .arena = arena };
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].times == CONFIG_ONCE)
            store_default(c, c, &keys[i]);
        for (size_t n = 0; is_of_rule(&keys[i]) && n < CONFIG_RULES_MAX; n++)
            store_default(c, rule_of(c, &keys[i], n), &keys[i]);
    }
}

/* A key as it is written: its row, and which rule or user it is of. */
struct found {
    const struct config_key *key;
    size_t rule; /* from 0 */
    struct slice user;
};

static const struct config_key *row_of(struct slice name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (slice_eq(slice_str(keys[i].key), name))
            return &keys[i];
    return NULL;
}

static bool find_rule_key(struct slice rest, enum config_times times, struct found *f)
{
    struct slice number;
    uint64_t n;
    if (!slice_cut(&rest, '.', &number) || !slice_u64(number, 1, CONFIG_RULES_MAX, &n))
        return false;
    f->rule = (size_t)n - 1;
    for (size_t i = 0; i < KEYS; i++)
        if (keys[i].times == times && slice_eq(slice_str(rule_key(&keys[i])), rest))
            f->key = &keys[i];
    return f->key != NULL;
}

static bool find_key(struct slice key, struct found *ret_found)
{
    struct found f = { 0 };
    if (slice_starts(key, SLICE("access."))) {
        find_rule_key(slice_from(key, strlen("access.")), CONFIG_PER_RULE, &f);
    } else if (slice_starts(key, SLICE("pnp.")) && key.len > strlen("pnp.") && byte_is_digit(key.ptr[strlen("pnp.")])) {
        find_rule_key(slice_from(key, strlen("pnp.")), CONFIG_PER_PNP, &f);
    } else if (slice_starts(key, SLICE("redirect."))) {
        find_rule_key(slice_from(key, strlen("redirect.")), CONFIG_PER_REDIRECT, &f);
    } else if (slice_starts(key, SLICE("user."))) {
        f.user = slice_from(key, strlen("user."));
        f.key = user_name_ok(f.user) ? row_of(SLICE("user.NAME")) : NULL;
    } else {
        f.key = row_of(key);
    }
    *ret_found = f;
    return f.key != NULL;
}

static struct config_user *find_user(const struct config *c, struct slice name)
{
    for (struct config_user *u = c->users; u; u = u->next)
        if (slice_eq(u->name, name))
            return u;
    return NULL;
}

static bool store_user(struct config *c, struct slice name, struct slice hash)
{
    struct config_user *u = find_user(c, name), **end = &c->users;
    if (u)
        return arena_copy(c->arena, hash, &u->hash);
    u = ARENA_NEW(c->arena, struct config_user);
    if (!u || !arena_copy(c->arena, name, &u->name) || !arena_copy(c->arena, hash, &u->hash))
        return false;
    while (*end)
        end = &(*end)->next;
    *end = u;
    c->user_count++;
    return true;
}

static bool store_found(struct config *c, const struct found *f, struct slice value)
{
    switch (f->key->times) {
    case CONFIG_ONCE:
        return store(c, c, f->key, value);
    case CONFIG_PER_RULE:
        c->access[f->rule].used = true;
        return store(c, &c->access[f->rule], f->key, value);
    case CONFIG_PER_PNP:
        c->pnp[f->rule].used = true;
        return store(c, &c->pnp[f->rule], f->key, value);
    case CONFIG_PER_REDIRECT:
        c->redirects[f->rule].used = true;
        return store(c, &c->redirects[f->rule], f->key, value);
    case CONFIG_PER_USER:
        return store_user(c, f->user, value);
    }
    return false;
}

bool config_set(struct config *c, struct slice key, struct slice value, struct place at, struct diag *findings)
{
    struct found f;
    bool known = find_key(key, &f);
    const char *what = known ? config_value_fault(f.key, value) : NULL;
    if (!known)
        diag_add(findings, SEVERITY_ERROR, at, "'%.*s' is not a key of this configuration", SLICE_ARG(key));
    else if (what)
        config_value_report(f.key, key, value, what, at, findings);
    else if (f.user.len && c->user_count == CONFIG_USERS_MAX && !find_user(c, f.user))
        diag_add(findings, SEVERITY_ERROR, at, "more than %d users", CONFIG_USERS_MAX);
    else if (!store_found(c, &f, value))
        diag_add(findings, SEVERITY_ERROR, at, "%.*s: out of memory", SLICE_ARG(key));
    else
        return true;
    return false;
}

bool config_parse(struct config *c, struct slice bytes, struct slice file, struct diag *findings)
{
    bool ok = true;
    struct slice line;
    struct found f;
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
        const char *where = find_key(key, &f) && value.len ? value.ptr : text.ptr;
        struct place at = { file, number, (uint32_t)(where - line.ptr) + 1 };
        ok = config_set(c, key, value, at, findings) && ok;
    }
    return ok;
}

/* Rules come from several lines. */
static const struct place whole = { { "configuration", 13 }, 0, 0 };

static bool check_users(const struct config *c, size_t n, struct diag *findings)
{
    struct slice rest = c->access[n].users, name;
    struct mac mac;
    bool ok = true;
    while (slice_cut(&rest, ',', &name)) {
        name = slice_trim(name);
        /* Others may be in the file; and a certificate needs no user. */
        if (find_user(c, name) || c->users_file.len || slice_eq(name, SLICE("*")) || mac_parse(name, &mac))
            continue;
        diag_add(findings, SEVERITY_ERROR, whole, "access.%zu.users: there is no user.%.*s", n + 1,
                 SLICE_ARG(name));
        ok = false;
    }
    return ok;
}

/* `/a` and `/a/` are one. */
static struct slice bare(struct slice prefix)
{
    return prefix.len && prefix.ptr[prefix.len - 1] == '/' ? slice_first(prefix, prefix.len - 1) : prefix;
}

static bool check_rule(const struct config *c, size_t n, struct diag *findings)
{
    const struct config_rule *rule = &c->access[n];
    bool users_ok = check_users(c, n, findings);
    if (!rule->prefix.len) {
        diag_add(findings, SEVERITY_ERROR, whole, "access.%zu has no access.%zu.prefix", n + 1, n + 1);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        if (c->access[i].used && slice_eq(bare(c->access[i].prefix), bare(rule->prefix))) {
            diag_add(findings, SEVERITY_ERROR, whole, "access.%zu and access.%zu have one prefix",
                     i + 1, n + 1);
            return false;
        }
    return users_ok;
}

/* Nobody could prove anything then, and every phone's own files would be gone. */
static void check_bind(const struct config *c, size_t n, struct diag *findings)
{
    if (slice_eq(c->access[n].bind, SLICE("certificate")) && slice_eq(c->tls_client_certificates, SLICE("off")))
        diag_add(findings, SEVERITY_WARNING, whole,
                 "access.%zu.bind = certificate, and tls.client_certificates is off: nobody gets the files of phones there",
                 n + 1);
}

bool config_check(const struct config *c, struct diag *findings)
{
    bool ok = true;
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++) {
        if (!c->access[n].used)
            continue;
        ok = check_rule(c, n, findings) && ok;
        check_bind(c, n, findings);
    }
    if (c->ftp_enable && slice_eq(c->ftp_tls, SLICE("required")) && !c->tls_certificate.len) {
        diag_add(findings, SEVERITY_ERROR, whole, "ftp.tls = required needs tls.certificate and tls.key");
        ok = false;
    }
    ok = config_redirect_check(c, findings) && ok;
    return config_pnp_check(c, findings) && ok;
}

static void print_value(const void *base, const struct config_key *k, struct buf *out)
{
    buf_str(out, " = ");
    if (k->type == CONFIG_SWITCH)
        buf_number(out, *(const bool *)value_of(base, k->offset));
    else if (k->type == CONFIG_NUMBER)
        buf_number(out, *(const uint32_t *)value_of(base, k->offset));
    else
        buf_text(out, *(const struct slice *)value_of(base, k->offset));
    buf_byte(out, '\n');
}

/* How such a key is written, as a comment. */
static void print_example(const struct config_key *k, struct buf *out)
{
    const char *value = k->unset ? k->unset : k->default_value ? k->default_value : "none";
    buf_format(out, "# %s\n# %s = (%s)\n", k->description, k->key, value[0] ? value : "blank");
}

static void print_once(const struct config *c, const struct config_key *k, struct buf *out)
{
    if (k->set_offset && !*(const bool *)value_of(c, k->set_offset)) {
        print_example(k, out);
        return;
    }
    buf_format(out, "# %s\n%s", k->description, k->key);
    print_value(c, k, out);
}

static void print_rule(const void *rule, enum config_times times, size_t n, struct buf *out)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].times != times)
            continue;
        size_t room = (size_t)(rule_key(&keys[i]) - keys[i].key) - strlen(".N.");
        buf_format(out, "%.*s.%zu.%s", (int)room, keys[i].key, n + 1, rule_key(&keys[i]));
        print_value(rule, &keys[i], out);
    }
}

bool config_print(const struct config *c, struct buf *out)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (keys[i].times == CONFIG_ONCE)
            print_once(c, &keys[i], out);
        else
            print_example(&keys[i], out);
    }
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++) {
        if (c->pnp[n].used)
            print_rule(&c->pnp[n], CONFIG_PER_PNP, n, out);
        if (c->access[n].used)
            print_rule(&c->access[n], CONFIG_PER_RULE, n, out);
        if (c->redirects[n].used)
            print_rule(&c->redirects[n], CONFIG_PER_REDIRECT, n, out);
    }
    for (const struct config_user *u = c->users; u; u = u->next)
        buf_format(out, "user.%.*s = %.*s\n", SLICE_ARG(u->name), SLICE_ARG(u->hash));
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

/* The first key of a PnP rule that is another one now. */
static const struct config_key *changed_pnp(const struct config *c, const struct config *fresh)
{
    for (size_t n = 0; n < CONFIG_RULES_MAX; n++)
        for (size_t i = 0; i < KEYS; i++)
            if (keys[i].times == CONFIG_PER_PNP &&
                !slice_eq(*(const struct slice *)value_of(&c->pnp[n], keys[i].offset),
                          *(const struct slice *)value_of(&fresh->pnp[n], keys[i].offset)))
                return &keys[i];
    return NULL;
}

void config_apply_live(struct config *c, const struct config *fresh, config_restart *restart, void *context)
{
    for (size_t i = 0; i < KEYS; i++) {
        const struct config_key *k = &keys[i];
        if (k->times != CONFIG_ONCE || !differs(c, fresh, k))
            continue;
        if (!k->live) {
            restart(context, k);
            continue;
        }
        /* Texts belong to another arena: whoever lives by them takes them himself. */
        if (is_number(k))
            *(uint32_t *)field_of(c, k->offset) = *(const uint32_t *)value_of(fresh, k->offset);
    }
    const struct config_key *pnp = changed_pnp(c, fresh);
    if (pnp)
        restart(context, pnp);
}
