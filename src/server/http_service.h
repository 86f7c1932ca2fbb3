/* HTTP/1.1, serving side: GET and HEAD of the files of the tree, PUT, POST and DELETE where they
 * may be; HTTPS is the same over a TLS stream.
 *
 * One request, from head to journal: the stream hands bytes to the guard (proto/http_request.h); a whole head
 * becomes a request, its target a name, the name a question to the tree, the answer a head and a body, and the
 * end of it exactly one journal event. Requests on one connection are answered in their order. What writes has
 * a body that goes to server/http_intake.h piece by piece; "100 Continue" is said when it would be taken and
 * has not begun, and the answer comes when the file is on the disk. What is refused is refused before the body
 * is read, and the connection closed.
 *
 * What is refused, and how: 400 malformed (and close), 401 a rule wants a login, 403 a rule, a link or no
 * permission, 404 absent or a directory (nothing is ever listed), 405 any other method of RFC 9110, 408 a head
 * that does not come whole in time or a body that drips, 411 no length, 412, 413 too large or a body of a
 * method that takes none, 414, 415, 416, 417, 429 too many failed logins or unknown phones (server/guard.h),
 * 431, 501 an unknown method or transfer coding, 503 no room or a failing machine, 505; what server/upload.h
 * refuses as http_intake_status() says.
 *
 * Ceilings (security.md R11, R12): a connection that is answered in the round that it came in never counts. One
 * that has to wait takes a slot, of `http.connections` in all (divided by the workers) and
 * `http.peer_connections` an address. When all slots are taken the connection that has been idle, unfinished or
 * closing for longest makes room; when there is none such, or the address has its share, 503. A head must be
 * whole within `http.head_s` of its first byte however it drips, a kept-alive connection may be silent for
 * `http.idle_s`, a reader is cut that does not take HTTP_SEND_FLOOR_BYTES in HTTP_SEND_CHECK_S seconds, and a
 * sender of a body that does not send HTTP_TAKE_FLOOR_BYTES in HTTP_TAKE_CHECK_S. When there are too many
 * uploads at once, the body that has been on its way for longest, and for HTTP_TAKE_CHECK_S, makes room.
 *
 * Memory: an idle connection holds 352 bytes (on 64 bits; checked in http_connection.c) and nothing of libuv's;
 * one whose head is not whole HTTP_HEAD_BYTES_MAX more, one whose answer is under way some 2 KiB more and its
 * share of the blob, one whose body is under way some 4 KiB and none of the body.
 *
 * HTTPS: the handshake has to be done within `http.head_s` too, and a connection takes its slot with it. One
 * that failed makes one event, without a name, as long as there are not too many (server/fault_log.h).
 * Certificates of phones: net/tls.h and server/caller.h; on a connection that has stayed while the trusted ones
 * changed they are looked at again, and who would not come in any more gets 503 and the end of the connection.
 * A peer that speaks plain HTTP gets 400 in plain text. An idle connection holds some 14 KiB more. */
#ifndef DIALTONE_SERVER_HTTP_SERVICE_H
#define DIALTONE_SERVER_HTTP_SERVICE_H

#include "server/service.h"

#define HTTP_SEND_CHECK_S 20
/* 1 KiB a second: a phone on the worst of links takes more. */
#define HTTP_SEND_FLOOR_BYTES ((uint64_t)HTTP_SEND_CHECK_S * 1024)
/* A body that comes slower than this is cut (security.md R12). */
#define HTTP_TAKE_CHECK_S HTTP_SEND_CHECK_S
#define HTTP_TAKE_FLOOR_BYTES HTTP_SEND_FLOOR_BYTES
/* After the last answer: this long, and so many bytes, to let the peer read it before it hears a reset. */
#define HTTP_LINGER_S 2
#define HTTP_LINGER_BYTES_MAX ((size_t)256 * 1024)
/* What a client shall wait after a 503. */
#define HTTP_RETRY_S 5
struct http_service;

/* See service.h. `fd` listens already. */
int http_service_open(struct worker *worker, int fd, struct http_service **ret_service);
/* Every connection speaks TLS with the worker's context. */
int https_service_open(struct worker *worker, int fd, struct http_service **ret_service);
/* With worker->tls_legacy. */
int https_legacy_service_open(struct worker *worker, int fd, struct http_service **ret_service);
/* Answers what the kernel has queued, finishes transfers, closes idle connections. */
void http_service_drain(struct http_service *s, void (*done)(void *context), void *context);
void http_service_close(struct http_service *s);

#endif
