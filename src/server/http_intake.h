/* One request's body on its way into an upload (server/upload.h): its framing taken off (proto/http_body.h), of a form
 * the one file taken out (proto/http_form.h). Knows neither socket nor connection.
 *
 *   http_intake_open    asks whether it may come at all; nothing is read yet
 *   http_intake_feed    bytes as they come, until the body is whole or refused
 *   http_intake_store   puts it on the disk, whole or not at all (security.md R22)
 *   http_intake_close   at any time: what is not stored by then never was
 *
 * A raw body is the file. A form (multipart/form-data) has to hold exactly one file, whatever fields are beside it; put
 * to a directory it is stored there under the file's own name, for which the access rules are asked anew.
 *
 * Some 1.6 KiB beside the upload itself; nothing of the body is kept. */
#ifndef DIALTONE_SERVER_HTTP_INTAKE_H
#define DIALTONE_SERVER_HTTP_INTAKE_H

#include "proto/http_body.h"
#include "proto/http_condition.h"
#include "server/upload.h"

/* Of a form: fields, header lines and delimiters, what is not the file itself. */
#define HTTP_FORM_BESIDE_BYTES_MAX ((uint64_t)64 * 1024)

struct http_intake;

/* How an answer of server/upload.h is said by HTTP. */
unsigned http_intake_status(enum upload_answer answer);

/* What is there now; false: no file. */
bool http_intake_version(struct worker *w, struct slice name, struct http_validator *ret_version);

struct http_intake_order {
    struct worker *worker;
    const struct http_request *request; /* PUT or POST */
    struct caller caller;               /* what it points to is copied, but for the peer */
    struct slice name;                  /* decoded */
    bool directory;                     /* it has to be one */
    enum access_write write;            /* what the rules allow there */
};
/* 0, or the status of a refusal with *ret_reason (static text): 400, 403, 405, 409, 411, 412, 413, 415, 429, 500, 503,
 * 507. */
unsigned http_intake_open(const struct http_intake_order *order, struct http_intake **ret_intake,
                          const char **ret_reason);
void http_intake_close(struct http_intake *i);

enum http_intake_step { HTTP_INTAKE_MORE, HTTP_INTAKE_WHOLE, HTTP_INTAKE_REFUSED };
/* Takes what it uses off the front of *input; what is left behind a whole body is the next request's. */
enum http_intake_step http_intake_feed(struct http_intake *i, struct slice *input);
/* Of HTTP_INTAKE_REFUSED. */
unsigned http_intake_refusal(const struct http_intake *i, const char **ret_reason);

/* 0: `done` comes later; or a status at once (412: the file is no longer the one that the request was about). */
unsigned http_intake_store(struct http_intake *i, upload_done *done, void *context, const char **ret_reason);
/* To be called first in `done`. */
void http_intake_stored(struct http_intake *i);

/* Bytes that were fed. */
uint64_t http_intake_received(const struct http_intake *i);
/* Bytes of the file. */
uint64_t http_intake_bytes(const struct http_intake *i);
/* Where the file goes: of a form to a directory once its name is known. */
struct slice http_intake_name(const struct http_intake *i);
/* There was a file of this name when it was begun. */
bool http_intake_replaces(const struct http_intake *i);
/* The client waits for "100 Continue" and has sent nothing yet. */
bool http_intake_is_awaited(const struct http_intake *i);
bool http_intake_is_1_0(const struct http_intake *i);

#endif
