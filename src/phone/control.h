/* A phone's own HTTP port: a small API for scripts and for the pages of its web interface.
 *
 *     GET  /api/state       {"state": "idle", "mac": ..., "last_run": {...}, "next_run": {...}, ...}
 *     GET  /api/screen      {"name": "idle", "title": ..., "lines": [...], "fields": [...],
 *                            "soft_keys": [...], "text": ...}
 *     GET  /api/settings    {"account.1.label": "Desk", ...}; secrets are masked, also in URLs
 *     POST /api/press       {"keys": ["*", "1", "ok"]}
 *     POST /api/text        {"text": "A31"}
 *     POST /api/dial        {"number": "*123"}
 *     POST /api/setting     {"key": "account.1.label", "value": "Paul"}; "value" missing or null: reset
 *     POST /api/call        {"active": true}
 *     POST /api/provision   {}
 *     POST /api/reboot      {}
 *
 * A POST answers {"ok": true}, everything else that went wrong {"error": "..."}. One request a connection.
 *
 * There are no users: whoever reaches the port has the phone in his hands. So it listens where it is told to
 * and nowhere by itself, and a web page somewhere else cannot use a browser to reach it (security.md R23): GET
 * changes nothing; the Host must be `localhost` or a numeric address, which no name that is rebound is; a POST
 * must be application/json, which a foreign page may not send without asking first, and an Origin, where there
 * is one, must be this very port.
 *
 * Ceilings: CONTROL_CONNECTIONS_MAX at once (the oldest goes), a head as proto/http_request.h has it, a body of
 * CONTROL_BODY_MAX bytes, CONTROL_TIMEOUT_MS for the whole of a request and its answer. */
#ifndef DIALTONE_PHONE_CONTROL_H
#define DIALTONE_PHONE_CONTROL_H

#include "net/address.h"
#include "phone/life.h"

#define CONTROL_CONNECTIONS_MAX 16
#define CONTROL_BODY_MAX ((size_t)16 * 1024)
#define CONTROL_TIMEOUT_MS 10000

struct control;

/* Listens; port 0 takes any free one. Life and screen are borrowed. 0 or a negative errno. */
int control_open(struct loop *loop, const union address *at, struct life *life, struct screen *screen,
                 struct control **ret_control);
/* Where it listens. */
const union address *control_address(const struct control *c);
/* Leaves handles closing on the loop; neither life nor screen is used any more. NULL is none. */
void control_close(struct control *c);

#endif
