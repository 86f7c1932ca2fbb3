/* URL -> bytes, or bytes -> URL, whatever brings them: libcurl over real networks (phone/fetch.h), a script in a test.
 *
 * One request at a time, as a phone fetches. */
#ifndef DIALTONE_PHONE_TRANSPORT_H
#define DIALTONE_PHONE_TRANSPORT_H

#include "guide/procedure.h"

struct flash;

/* Uploads: PUT or POST over HTTP with the bytes as the body, STOR over FTP, WRQ over TFTP whatever of the two it is. */
enum transport_verb { TRANSPORT_GET, TRANSPORT_PUT, TRANSPORT_POST };

struct transport_request {
    enum transport_verb verb;
    struct slice body;           /* of an upload; borrowed until its end */
    struct slice url;            /* absolute; may bring its own user and password */
    struct slice user, password; /* used when the URL brings none; "" none */
    struct slice user_agent;
    uint32_t timeout_ms;         /* silence that counts as a failure; connecting counts too */
    size_t limit;                /* bytes; a longer file is refused */
    bool discard;                /* only whether it comes matters (firmware): no bytes are kept */
    /* https, as phone/trust.h sets it. */
    bool verify_peer;   /* only accept trusted certificates */
    bool verify_host;   /* and only for this host */
    bool only_imported; /* of the trusted ones */
    bool no_imported;
    bool custom_device;        /* the phone does not show the certificate that it was made with */
    const struct flash *flash; /* where imported ones lie; NULL: nowhere */
};

/* Called once for a request, from the loop, never from inside `start`. The bytes are borrowed for the call. Of
 * an upload FETCH_GOT says that the server has it; no bytes. */
typedef void transport_done(void *context, const struct fetched *fetched);

struct transport {
    /* False: out of memory; `done` will not be called. */
    bool (*start)(struct transport *t, const struct transport_request *r, transport_done *done, void *context);
    /* Drops the request under way; `done` is not called any more. */
    void (*cancel)(struct transport *t);
    void (*close)(struct transport *t);
};

#endif
