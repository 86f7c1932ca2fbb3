/* The data ports of a worker's FTP service: bound before the process is confined, which forbids binding, and
 * lent one by one to sessions that say PASV or EPSV.
 *
 * A port listens only while it is lent: nothing waits on one before, and what waits when it is given back is
 * reset. Which one is lent is random (security.md R7, CVE-1999-0017), so a stranger cannot tell the next. When
 * all are lent, the one that has been lent longest and for FTP_PORTS_GRACE_MS at least is taken from its
 * borrower. */
#ifndef DIALTONE_SERVER_FTP_PORTS_H
#define DIALTONE_SERVER_FTP_PORTS_H

#include "net/listener.h"

#define FTP_PORTS_GRACE_MS 1000

struct ftp_ports;
struct ftp_port;

/* What happens to a lent port; both are told with what ftp_ports_lend() was given. */
struct ftp_borrower {
    /* A connection: it owns fd from then on. The port stays lent; giving it back here is fine. */
    void (*accepted)(void *context, int fd, const union address *peer);
    /* It was taken away, and is no longer the borrower's. */
    void (*lost)(void *context);
};

/* Binds every `share`-th port of first..last at the host of `at`, from first + index on; those that somebody
 * else has are left out. `done` is called once, after ftp_ports_close(). 0 or a negative errno: -EADDRINUSE
 * when not one could be bound. */
struct ftp_ports_range {
    uint16_t first, last;
    unsigned index, share;
};
int ftp_ports_open(struct loop *loop, const union address *at, const struct ftp_ports_range *range,
                   const struct ftp_borrower *borrower, struct ftp_ports **ret_ports);
/* All must have been given back. The memory goes when the loop has closed the last of them; then `done`. */
void ftp_ports_close(struct ftp_ports *p, void (*done)(void *context), void *context);

/* NULL: none to be had. */
struct ftp_port *ftp_ports_lend(struct ftp_ports *p, void *context);
uint16_t ftp_port_number(const struct ftp_port *port);
void ftp_ports_give_back(struct ftp_ports *p, struct ftp_port *port);
/* For tests. */
size_t ftp_ports_free(const struct ftp_ports *p);

#endif
