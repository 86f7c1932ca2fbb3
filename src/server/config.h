/* The daemon's configuration: the phones' own grammar (`tftp.port = 69`), one schema table from which the
 * parser, the bounds, `serve --check-config`, `serve --print-config` and the manual page come. */
#ifndef DIALTONE_SERVER_CONFIG_H
#define DIALTONE_SERVER_CONFIG_H

#include "base/diag.h"

#define CONFIG_RULES_MAX 64
#define CONFIG_USERS_MAX 4096

/* access.N: see server/access.h for what it means. */
struct config_rule {
    bool used; /* one of its keys was given */
    struct slice prefix;
    struct slice users;     /* names, separated by commas */
    struct slice networks;  /* separated by commas; "": any */
    struct slice protocols; /* separated by commas; "": all */
    struct slice write;     /* none, uploads, create, overwrite */
    struct slice bind;      /* auto, none, certificate, login, either */
    bool anonymous, read;
    uint32_t file_max, directory_max; /* MiB */
};

/* pnp.N: see server/pnp_phone.h for what it means. */
struct config_pnp {
    bool used;            /* one of its keys was given */
    struct slice vendors; /* separated by commas; "*": any */
    struct slice models;  /* separated by commas */
    struct slice macs;    /* beginnings of MAC addresses, separated by commas */
    struct slice url;     /* "": no answer */
};

/* redirect.N: see server/redirect.h. */
struct config_redirect {
    bool used;
    struct slice from, to;
    struct slice status; /* 301, 302, 307 or 308 */
};

/* user.NAME */
struct config_user {
    struct config_user *next;
    struct slice name;
    struct slice hash; /* server/user_hash.h */
};

/* Texts borrow from the arena that config_init() was given. */
struct config {
    struct arena *arena;
    struct slice root;        /* root: directory of boot, CFG and resource files */
    bool root_ignore_case;    /* root.ignore_case: in the names that are asked for */
    bool root_follow;         /* root.follow_symlinks: links that stay beneath */
    struct slice listen;      /* listen: numeric addresses, separated by commas */
    bool tftp_enable;         /* tftp.enable */
    uint32_t tftp_port;       /* tftp.port: 0 any free; default 69 when it may be bound, else 6969 */
    bool tftp_port_set;
    bool tftp_single_port;    /* tftp.single_port: answers from tftp.port itself */
    struct slice tftp_port_range; /* tftp.port_range: of the transfers, see config_ports(); "": any */
    bool http_enable;         /* http.enable */
    uint32_t http_port;       /* http.port: 0 any free; default 80 when it may be bound, else 8080 */
    bool http_port_set;
    bool ftp_enable;          /* ftp.enable */
    uint32_t ftp_port;        /* ftp.port: 0 any free; default 21 when it may be bound, else 2121 */
    bool ftp_port_set;
    struct slice ftp_passive_ports; /* ftp.passive_ports: FIRST-LAST, see config_ports() */
    bool ftp_active;          /* ftp.active: PORT and EPRT */
    struct slice ftp_tls;     /* ftp.tls: off, optional, required */
    bool https_enable;        /* https.enable: with tls_certificate only */
    uint32_t https_port;      /* https.port: 0 any free; default 443 when it may be bound, else 8443 */
    bool https_port_set;
    struct slice tls_certificate, tls_key; /* tls.certificate, tls.key: PEM files, at most 2, separated by commas */
    struct slice tls_min_version; /* tls.min_version: 1.2 or 1.3 */
    struct slice tls_client_certificates; /* tls.client_certificates: off, optional, required */
    struct slice tls_client_ca, tls_client_crl; /* PEM files */
    struct slice tls_client_revoked; /* tls.client_revoked: serial numbers */
    struct slice tls_server_names; /* tls.server_names */
    bool tls_legacy;          /* tls.legacy: a listener of its own for TLS 1.0 */
    uint32_t tls_legacy_port; /* tls.legacy_port: 0 any free; default 8444 */
    bool tls_legacy_port_set;
    uint32_t tls_workers;     /* tls.workers: threads; 0: one a core */
    uint32_t workers;         /* workers: threads; 0: one a core */
    struct slice state_dir;   /* state.dir: where the journal's database lives */
    struct slice journal;     /* journal: off, lines, rows, both */
    uint32_t journal_rows;    /* journal.rows: kept in the database */
    struct slice run_user;    /* run.user: whom to become after binding; "": the owner of the tree */
    bool run_confine;         /* run.confine: refuse to run when the walls do not stand */
    uint32_t run_drain_s;     /* run.drain_s: SIGTERM gives transfers under way this long */
    uint32_t tftp_transfers;  /* tftp.transfers: at once in all */
    uint32_t tftp_peer_transfers;
    uint32_t tftp_rate;       /* requests a second from one address */
    uint32_t tftp_blksize_max;
    bool upload_enable;       /* upload.enable */
    struct slice upload_dir;  /* upload.dir; "": `uploads` in state.dir */
    bool upload_overwrite;    /* upload.overwrite: a phone may replace its own file */
    struct slice upload_mode; /* upload.mode: 0600 or 0644 */
    uint32_t guard_unknown;   /* guard.unknown: phones, see server/guard.h; 0: no guard */
    uint32_t guard_unknown_s; /* guard.unknown_s: one more each */
    uint32_t guard_shut_s;    /* guard.shut_s */
    uint32_t upload_file_max; /* bytes */
    uint32_t upload_total_mib;
    uint32_t upload_files;    /* with versions */
    uint32_t upload_at_once;
    uint32_t upload_rate;     /* uploads a second from one address */
    uint32_t upload_versions; /* older ones of a file */
    uint32_t http_connections;
    uint32_t http_peer_connections;
    uint32_t http_head_s;     /* a request head must be complete within */
    uint32_t http_idle_s;     /* a kept-alive connection may be silent for */
    uint32_t http_rate_bytes; /* http.rate_bytes: a second, to one connection; 0: no limit */
    uint32_t ftp_rate_bytes;  /* ftp.rate_bytes */
    uint32_t ftp_sessions;    /* ftp.sessions: at once in all */
    uint32_t ftp_peer_sessions;
    uint32_t ftp_login_s;     /* a login must be complete within */
    uint32_t ftp_idle_s;      /* a session without a transfer may be silent for */
    bool pnp_enable;          /* pnp.enable */
    uint32_t pnp_port;        /* pnp.port: 0 any free; default 5060 */
    bool pnp_port_set;
    struct slice pnp_interfaces; /* pnp.interfaces: names separated by commas; "": every one that can multicast */
    bool pnp_unicast;         /* pnp.unicast: also what is sent to this host alone */
    struct slice pnp_url;     /* pnp.url: for this vendor's phones that no rule is for */
    uint32_t pnp_rate;        /* SUBSCRIBEs a second from one address */
    uint32_t pnp_total_rate;  /* and from all */
    uint32_t pnp_exchanges;   /* remembered at once */
    struct config_pnp pnp[CONFIG_RULES_MAX];     /* pnp.1 first */
    struct config_rule access[CONFIG_RULES_MAX]; /* access.1 first */
    struct config_redirect redirects[CONFIG_RULES_MAX];
    struct slice users_file;                     /* users.file: more of them, NAME:HASH a line */
    struct config_user *users;                   /* in the order of their first mention */
    uint32_t user_count;
};

enum config_type {
    CONFIG_TEXT,     /* min..max bytes */
    CONFIG_CHOICE,   /* one of the words in `words` */
    CONFIG_ADDRESSES, /* numeric, separated by commas */
    CONFIG_PORTS,    /* config_ports() */
    CONFIG_NUMBER,   /* min..max */
    CONFIG_SWITCH,   /* 0 or 1 */
    CONFIG_PREFIX,   /* a directory or file of the tree, `/` first */
    CONFIG_TARGET,   /* redirect_target_ok() */
    CONFIG_USERS,    /* user names, separated by commas */
    CONFIG_NETWORKS, /* numeric, separated by commas */
    CONFIG_SOME,     /* some of the words in `words`, separated by commas */
    CONFIG_URL,      /* that phones can fetch from, and without a password unless it is https */
    CONFIG_MACS,     /* beginnings of MAC addresses (config_mac_prefix()), separated by commas */
    CONFIG_HASH      /* what `dialtone passwd` prints; no value of it is ever shown */
};

/* How often a key may be there. */
enum config_times {
    CONFIG_ONCE,
    CONFIG_PER_RULE, /* `access.N.key`; offsets are into struct config_rule */
    CONFIG_PER_PNP,  /* `pnp.N.key`; offsets are into struct config_pnp */
    CONFIG_PER_REDIRECT, /* `redirect.N.key`; offsets are into struct config_redirect */
    CONFIG_PER_USER  /* `user.NAME` */
};

/* One row of the schema. */
struct config_key {
    const char *key;
    enum config_type type;
    bool live; /* SIGHUP applies it; the others need a restart */
    uint32_t min, max;
    const char *words;         /* CONFIG_CHOICE: separated by blanks */
    const char *default_value; /* as written in a file; NULL: none, the key has to be given */
    const char *unset;         /* what holds when the key is not given, for ports; NULL: the default value */
    const char *description;   /* one line */
    size_t offset, set_offset; /* into struct config; set_offset 0: none */
    enum config_times times;
};
const struct config_key *config_keys(size_t *ret_count);

/* `FIRST-LAST` or one port, within 1024..65535, at most CONFIG_PORTS_MAX of them: each is a descriptor. */
#define CONFIG_PORTS_MAX 8192
bool config_ports(struct slice text, uint16_t *ret_first, uint16_t *ret_last);

/* `00:15:65`, `001565`: 1 to 12 hexadecimal digits, with or without separators (`:`, `-`, `.`) between them, written
 * bare and in lower case. */
#define CONFIG_MAC_DIGITS 12
bool config_mac_prefix(struct slice text, struct buf *out);

/* Every key at its default. */
void config_init(struct config *c, struct arena *arena);
/* One `key=value`; false with a finding at `at` (unknown key, out of bounds). */
bool config_set(struct config *c, struct slice key, struct slice value, struct place at, struct diag *findings);
/* A whole file: `key = value` lines, `#` comments, blank lines. False when a finding is an error. */
bool config_parse(struct config *c, struct slice bytes, struct slice file, struct diag *findings);
/* What only the whole can tell, once file and command line are read: a rule without a prefix, two for one prefix, a
 * user that is not there. False with findings. */
bool config_check(const struct config *c, struct diag *findings);
/* As a file that config_parse() reads back to the same. False when `out` is full. */
bool config_print(const struct config *c, struct buf *out);

/* Of `fresh` into `c` what a running server can change; each other key that differs is given to `restart`. Rules
 * and users are left alone: a running server holds them as a struct access. */
typedef void config_restart(void *context, const struct config_key *key);
void config_apply_live(struct config *c, const struct config *fresh, config_restart *restart, void *context);

#endif
