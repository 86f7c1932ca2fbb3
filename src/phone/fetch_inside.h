/* The inside of phone/fetch: shared by its files, by nobody else.
 *
 *   fetch.c         handles on the loop: start, drive, cancel, close
 *   fetch_request.c what libcurl is told about a request
 *   fetch_judge.c   what came of it, in the words of a person */
#ifndef DIALTONE_PHONE_FETCH_INSIDE_H
#define DIALTONE_PHONE_FETCH_INSIDE_H

#include "base/buf.h"
#include "base/url.h"
#include "net/address.h"
#include "phone/fetch.h"
#include "phone/trust.h"

#include <curl/curl.h>

#define FETCH_WHY_BYTES 512
#define FETCH_REDIRECTS_MAX 5
/* Of a TFTP ERROR packet's message. */
#define FETCH_TFTP_TEXT_MAX 100

enum fetch_scheme { FETCH_NO_SCHEME, FETCH_TFTP, FETCH_FTP, FETCH_HTTP };

/* Why our own callback ended the transfer. */
enum fetch_stop { FETCH_STOP_NONE, FETCH_STOP_LARGE, FETCH_STOP_MEMORY, FETCH_STOP_STATUS };

struct fetch_watch;

struct fetch {
    struct transport transport;
    struct loop *loop;
    CURLM *multi;
    CURL *easy; /* of the present request, or the last */
    struct curl_slist *headers, *upload_headers;
    uv_timer_t curl_timer;
    struct timer silence;
    struct timer nudge;          /* TFTP: libcurl repeats its request only when it is called */
    struct fetch_watch *watches; /* the sockets libcurl waits for */
    bool short_of_memory;        /* a socket could not be watched */
    curl_socket_t driven;        /* whose event libcurl is handling; -1: none */
    const struct trust *trust;   /* NULL: nothing imported, no certificate of its own */

    /* The request under way. */
    transport_done *done; /* NULL: none */
    void *context;
    enum fetch_scheme scheme;
    uint32_t timeout_ms;
    size_t limit;
    bool discard;
    enum transport_verb verb;
    struct slice body; /* of an upload */
    size_t sent;       /* of it */
    bool credentials;      /* the URL or the request brought some */
    bool head_is_whole;    /* HTTP: of the last answer */
    bool second_try;       /* FTP as anonymous, TFTP without options */
    curl_socket_t control; /* FTP: the control connection; -1: not known */
    unsigned ftp_status;   /* of the last reply before QUIT; 0: none */
    bool ftp_over;         /* QUIT was said */
    enum fetch_stop stop;
    char *bytes;
    size_t len, cap;
    bool tftp_refused;  /* an ERROR packet came */
    bool tftp_agreed;   /* an OACK was understood */
    union address tftp_peer; /* who answered first; family AF_UNSPEC: nobody yet */
    bool tftp_nonsense; /* something came that libcurl does not like */
    int tftp_error;     /* number in the ERROR packet; -1: not known */
    char tftp_text[FETCH_TFTP_TEXT_MAX + 1];
    char error[CURL_ERROR_SIZE];
    struct transport_request demands; /* what it says of certificates; nothing else of it is to be looked at */
    struct trust_verdict verdict;
};

/* The server's silence is counted from now on. */
void fetch_heard(struct fetch *f);
/* Everything that is the same for every request. False: out of memory. */
bool fetch_prepare(struct fetch *f);
/* 0, -EINVAL for a URL that cannot be fetched, -ENOMEM. */
int fetch_describe(struct fetch *f, const struct transport_request *r);
/* Whether the answer asks for the other way of asking (fetch.h); set up when so. */
bool fetch_try_again(struct fetch *f, CURLcode code);

/* The outcome of a transfer that ended with `code`, the reason written to `why`; bytes are left out. */
enum fetch_outcome fetch_judge(const struct fetch *f, CURLcode code, struct buf *why);
/* Whether it was for want of a user name and password, or of others: HTTP 401, FTP 530. */
bool fetch_is_denied(const struct fetch *f, CURLcode code);

#endif
