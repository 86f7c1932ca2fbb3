/* FTP, serving side: the files of the tree, and what may be written (RFC 959, 1123, 2228, 2389, 2428, 3659,
 * 4217).
 *
 * One process serves every session. A line becomes a command (proto/ftp.h), its name a path that has neither
 * `.` nor `..`, the path a question to the tree (security.md R1, R2), the answer a reply on the control
 * connection and bytes on a data connection, and every transfer, change, absence or refusal exactly one journal
 * event. Every command has a reply. Pipelined commands are answered in their order; while a transfer is under
 * way ABOR, STAT without a name, NOOP and QUIT are taken at once when they come next, everything else waits for
 * its end.
 *
 * Who: the users of the configuration with their passwords (server/login.h), and `anonymous` and `ftp` with
 * any, an empty one included (guide, "capture of FTP": 530, then anonymous with nothing). Anybody else gets 530
 * after PASS. A password is blanked out once it was looked at.
 *
 * TLS: AUTH TLS moves the connection to a worker for TLS (server/ftp_relay.h), where a new session begins
 * without a login and without a line that came in the clear; PROT P has data connections by TLS too, and takes
 * the control connection's tickets. `ftp.tls`: off, optional, or required before any login and transfer. No
 * CCC.
 *
 * Writing: server/upload.h and server/change.h decide and do it. What breaks leaves the old file (R22): a data
 * connection that is reset, one by TLS that ends without close_notify, a client whose control connection ends
 * with it. While a file is on its way to the disk everything waits; a session that ends then leaves it to its
 * end. STOU draws a name with 32 random bits and never overwrites.
 *
 * Refused, and how: 421 no room, too slow or stopping (and closed), 425 no data connection, 426 it broke, 450
 * 451 the machine failed, 450 too many unknown phones asked for (server/guard.h), 452 no room for it, 500
 * unknown, 501 malformed, 502 REIN, SITE (CHMOD too), SMNT, AUTH without certificates, 503 out of order, 504
 * TYPE E, MODE B and such, AUTH SSL, PORT to a forbidden place, 521 PROT P is missing, 522 EPRT and EPSV of
 * another family, 530 not logged in or not as who may, 533 534 CCC, 536 PROT S and E, 550 absent, not to be
 * given, not to be written, a path above the root, 552 too large, 553 no name that may be written, 554 REST
 * past the end.
 *
 * Data connections (R7): PASV and EPSV listen on a random port of `ftp.passive_ports` (server/ftp_ports.h),
 * accept from the control connection's address only and FTP_DATA_WAIT_S at most; PORT and EPRT reach that
 * address only and no port below 1024, and nothing at all with `ftp.active = 0`.
 *
 * Ceilings (R9, R11): `ftp.sessions` in all (divided by the workers), `ftp.peer_sessions` an address. When all
 * are taken the session that has waited longest without a login makes room; when there is none, or the address
 * has its share, 421. A login must come within `ftp.login_s`, a command within `ftp.idle_s`; a reader or sender
 * is cut that does not make FTP_SEND_FLOOR_BYTES in FTP_SEND_CHECK_S seconds; who says FTP_FAULTS_MAX wrong
 * things in a row is sent away. A listing holds no more than FTP_CHUNK_BYTES at once, looks at FTP_LIST_STEPS
 * entries a round and at TREE_LISTING_ENTRIES_MAX in all.
 *
 * Memory: a session with its data connection takes at most FTP_SESSION_BYTES_MAX (checked in ftp_session.c) and
 * shares the file's blob; a listing or a transfer of TYPE A takes FTP_CHUNK_BYTES more while it lasts, an
 * upload what server/upload.h says, TLS some 14 KiB a connection. */
#ifndef DIALTONE_SERVER_FTP_SERVICE_H
#define DIALTONE_SERVER_FTP_SERVICE_H

#include "server/service.h"

#define FTP_SESSION_BYTES_MAX 4096
#define FTP_DATA_WAIT_S 30
#define FTP_SEND_CHECK_S 20
/* 1 KiB a second: a phone on the worst of links takes more. */
#define FTP_SEND_FLOOR_BYTES ((uint64_t)FTP_SEND_CHECK_S * 1024)
#define FTP_CHUNK_BYTES ((size_t)16 * 1024)
/* A client that dies ends both of its connections, a data connection in the clear like one that is done, and
 * the control connection perhaps a little later: so long is waited for that at the end of what is to be stored.
 */
#define FTP_LAST_WORD_MS 10
/* Taken from the kernel at once. */
#define FTP_RECEIVE_BYTES ((size_t)64 * 1024)
#define FTP_LIST_STEPS 128
#define FTP_FAULTS_MAX 20

struct ftp_service;

/* On a worker for TLS: serves those who have said AUTH TLS to ftp_service_open()'s (server/ftp_relay.h). `fd`
 * tells the address at which those listen, and is closed at once. The rest is the same. */
int ftps_service_open(struct worker *worker, int fd, struct ftp_service **ret_service);
/* See service.h. `fd` listens already; the passive ports are bound here, at its address. */
int ftp_service_open(struct worker *worker, int fd, struct ftp_service **ret_service);
/* Sessions without a transfer are told 421 and closed, the others when theirs has ended. */
void ftp_service_drain(struct ftp_service *s, void (*done)(void *context), void *context);
void ftp_service_close(struct ftp_service *s);

#endif
