/* The daemon's configuration: the phones' own grammar (`tftp.port = 69`), one schema table from which the
 * parser, the bounds, `serve --check-config`, `serve --print-config` and the manual page come. */
#ifndef DIALTONE_SERVER_CONFIG_H
#define DIALTONE_SERVER_CONFIG_H

#include "base/diag.h"

/* Texts borrow from the arena that config_init() was given. */
struct config {
    struct arena *arena;
    struct slice root;        /* root: directory of boot, CFG and resource files */
    bool root_follow;         /* root.follow_symlinks: links that stay beneath */
    struct slice listen;      /* listen: numeric addresses, separated by commas */
    bool tftp_enable;         /* tftp.enable */
    uint32_t tftp_port;       /* tftp.port: 0 any free; default 69 when it may be bound, else 6969 */
    bool tftp_port_set;
    bool http_enable;         /* http.enable */
    uint32_t http_port;       /* http.port: 0 any free; default 80 when it may be bound, else 8080 */
    bool http_port_set;
    uint32_t workers;         /* workers: threads; 0: one a core */
    struct slice state_dir;   /* state.dir: where the journal's database lives */
    struct slice journal;     /* journal: off, lines, rows, both */
    struct slice run_user;    /* run.user: whom to become after binding; "": the owner of the tree */
    uint32_t tftp_transfers;  /* tftp.transfers: at once in all */
    uint32_t tftp_peer_transfers;
    uint32_t tftp_rate;       /* requests a second from one address */
    uint32_t tftp_blksize_max;
    uint32_t http_connections;
    uint32_t http_peer_connections;
    uint32_t http_head_s;     /* a request head must be complete within */
    uint32_t http_idle_s;     /* a kept-alive connection may be silent for */
};

/* Every key at its default. */
void config_init(struct config *c, struct arena *arena);
/* One `key=value`; false with a finding at `at` (unknown key, out of bounds). */
bool config_set(struct config *c, struct slice key, struct slice value, struct place at, struct diag *findings);
/* A whole file. False when a finding is an error. */
bool config_parse(struct config *c, struct slice bytes, struct slice file, struct diag *findings);
/* As a file that config_parse() reads back to the same. False when `out` is full. */
bool config_print(const struct config *c, struct buf *out);

#endif
