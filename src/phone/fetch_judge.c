#include "phone/fetch_inside.h"

#include <errno.h>

struct verdict {
    CURLcode code;
    enum fetch_outcome outcome;
    const char *why;
};

static const struct verdict verdicts[] = {
    { CURLE_COULDNT_RESOLVE_HOST, FETCH_FAILED, "host name not found" },
    { CURLE_GOT_NOTHING, FETCH_FAILED, "the server closed the connection without an answer" },
    { CURLE_PARTIAL_FILE, FETCH_FAILED, "the connection broke off in the middle of the file" },
    { CURLE_RECV_ERROR, FETCH_FAILED, "the connection broke off" },
    { CURLE_SEND_ERROR, FETCH_FAILED, "the connection broke off" },
    { CURLE_WEIRD_SERVER_REPLY, FETCH_FAILED, "the answer is not of this protocol" },
    { CURLE_OUT_OF_MEMORY, FETCH_FAILED, "out of memory" },
    { CURLE_URL_MALFORMAT, FETCH_REFUSED, "not a URL that can be fetched" },
    { CURLE_SSL_CACERT_BADFILE, FETCH_FAILED, "the list of trusted certificates cannot be read" },
};

static void put_limit(const struct fetch *f, struct buf *why)
{
    buf_str(why, "larger than ");
    buf_number(why, f->limit);
    buf_str(why, " bytes");
}

static void put_silence(const struct fetch *f, struct buf *why)
{
    bool whole = f->timeout_ms % 1000 == 0;
    buf_str(why, "no answer within ");
    buf_number(why, whole ? f->timeout_ms / 1000 : f->timeout_ms);
    buf_str(why, whole ? " s" : " ms");
}

/* What a person can use of libcurl's "error:0A00010B:SSL routines::wrong version number" and of its "OpenSSL
 * SSL_connect: Connection reset by peer in connection to h:443". */
static struct slice tls_reason(struct slice text)
{
    text = slice_first(text, slice_find_text(text, SLICE(" in connection to ")));
    size_t colon = slice_find_last(text, ':');
    text = slice_trim(colon == text.len ? text : slice_from(text, colon + 1));
    return slice_eq(text, SLICE("SSL_ERROR_SYSCALL")) ? SLICE("the connection broke off") : text;
}

/* What a server says that is not content with the phone's certificate, in OpenSSL's words for the alert. By TLS 1.3 it
 * comes after the handshake, where libcurl takes it for a broken connection. */
static bool put_alert(const struct fetch *f, struct buf *why)
{
    static const struct {
        const char *alert, *words;
    } alerts[] = {
        { "alert certificate required", "the server wants the phone's own certificate, and this phone shows none" },
        { "alert certificate revoked", "the server says that the phone's own certificate is revoked" },
        { "alert certificate expired", "the server says that the phone's own certificate has expired" },
        { "alert unknown ca", "the server does not know the authority of the phone's own certificate" },
        { "alert bad certificate", "the server does not accept the phone's own certificate" },
        { "alert unsupported certificate", "the server says that the phone's own certificate is of the wrong kind" },
        { "alert certificate unknown", "the server does not accept the phone's own certificate" },
        { "unrecognized name", "the server says that it is not the host of the URL" },
    };
    struct slice error = slice_str(f->error);
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (slice_find_text(error, slice_str(alerts[i].alert)) < error.len) {
            buf_str(why, alerts[i].words);
            return true;
        }
    return false;
}

static void put_tls(const struct fetch *f, CURLcode code, struct buf *why)
{
    if (code == CURLE_SSL_CONNECT_ERROR) {
        buf_str(why, "no TLS connection: ");
        buf_escaped(why, tls_reason(slice_str(f->error)));
    } else if (f->verdict.error && f->demands.verify_peer) {
        trust_explain(&f->verdict, why);
    } else {
        buf_str(why, "the server's certificate");
        if (f->verdict.seen)
            buf_format(why, " '%s'", f->verdict.name);
        buf_str(why, " is for another host");
    }
}

static void put_no_connection(const struct fetch *f, struct buf *why)
{
    char bytes[96];
    long number = 0;
    curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &number);
    if (number == ECONNREFUSED)
        buf_str(why, "connection refused");
    else if (number)
        buf_format(why, "cannot connect: %s", strerror_r((int)number, bytes, sizeof bytes));
    else
        buf_str(why, "cannot connect");
}

/* What has nothing to do with the protocol on top. */
static enum fetch_outcome judge_network(const struct fetch *f, CURLcode code, struct buf *why)
{
    if ((code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR || code == CURLE_SSL_CONNECT_ERROR) && put_alert(f, why))
        return FETCH_FAILED;
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (verdicts[i].code == code) {
            buf_str(why, verdicts[i].why);
            return verdicts[i].outcome;
        }
    }
    if (code == CURLE_OPERATION_TIMEDOUT)
        put_silence(f, why);
    else if (code == CURLE_COULDNT_CONNECT)
        put_no_connection(f, why);
    else if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR)
        put_tls(f, code, why);
    else
        buf_str(why, curl_easy_strerror(code));
    return FETCH_FAILED;
}

/* False: `code` is of no ERROR packet. -1: libcurl does not tell its number. */
static bool tftp_error_number(const struct fetch *f, CURLcode code, int *ret_number)
{
    static const struct {
        CURLcode code;
        int number;
    } errors[] = {
        { CURLE_TFTP_NOTFOUND, 1 },        { CURLE_TFTP_PERM, 2 },          { CURLE_REMOTE_DISK_FULL, 3 },
        { CURLE_TFTP_UNKNOWNID, 5 },       { CURLE_REMOTE_FILE_EXISTS, 6 }, { CURLE_TFTP_NOSUCHUSER, 7 },
        { CURLE_ABORTED_BY_CALLBACK, -1 },
    };
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].code == code) {
            *ret_number = f->tftp_error >= 0 ? f->tftp_error : errors[i].number;
            return true;
        }
    }
    /* ERROR 0 and 4, but also what libcurl itself does not like. */
    *ret_number = f->tftp_error;
    return code == CURLE_TFTP_ILLEGAL && (f->tftp_refused || !f->tftp_nonsense);
}

/* TFTP itself has no other way to tell that the file is whole. Some servers say 0 when they do not know. */
static bool is_as_long_as_announced(const struct fetch *f, struct buf *why)
{
    curl_off_t announced = -1;
    curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    if (f->verb != TRANSPORT_GET || announced <= 0 || (uint64_t)announced == f->len)
        return true;
    buf_format(why, "%zu bytes came, and the server has announced %lld", f->len, (long long)announced);
    return false;
}

static enum fetch_outcome judge_tftp(const struct fetch *f, CURLcode code, struct buf *why)
{
    int number = -1;
    if (code == CURLE_OK)
        return is_as_long_as_announced(f, why) ? FETCH_GOT : FETCH_FAILED;
    if (tftp_error_number(f, code, &number)) {
        buf_str(why, "TFTP error");
        if (number >= 0)
            buf_format(why, " %d", number);
        buf_str(why, f->tftp_text[0] ? ": " : "");
        buf_escaped(why, slice_str(f->tftp_text));
        return FETCH_ABSENT;
    }
    if (code == CURLE_TFTP_ILLEGAL) {
        buf_str(why, "the answer is not TFTP");
        return FETCH_FAILED;
    }
    /* Given up after its own number of repetitions. */
    return judge_network(f, code == CURLE_COULDNT_CONNECT ? CURLE_OPERATION_TIMEDOUT : code, why);
}

static enum fetch_outcome judge_ftp(const struct fetch *f, CURLcode code, struct buf *why)
{
    /* libcurl calls a 421 ("service not available") a time-out. */
    bool silence = code == CURLE_OPERATION_TIMEDOUT && f->ftp_status != 421;
    bool network = silence || code == CURLE_COULDNT_CONNECT;
    if (code == CURLE_OK)
        return FETCH_GOT;
    if (network || f->ftp_status < 400)
        return judge_network(f, code, why);
    buf_format(why, "FTP %u", f->ftp_status);
    if (f->ftp_status == 550 || f->ftp_status == 553)
        return FETCH_ABSENT;
    if (f->ftp_status == 530)
        buf_str(why, ": user name or password not accepted");
    return FETCH_FAILED;
}

static enum fetch_outcome judge_status(const struct fetch *f, long status, struct buf *why)
{
    buf_format(why, "HTTP %ld", status);
    if (status == 403 || status == 404 || status == 410)
        return FETCH_ABSENT;
    if (status == 401)
        buf_str(why, f->credentials ? ": user name or password not accepted"
                                    : ": asks for a user name and password");
    return FETCH_FAILED;
}

static enum fetch_outcome judge_http(const struct fetch *f, CURLcode code, struct buf *why)
{
    long status = 0;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    bool stored = f->verb != TRANSPORT_GET && status >= 200 && status < 300;
    if (code == CURLE_OK && !f->head_is_whole) {
        buf_str(why, "the connection broke off in the head of the answer");
        return FETCH_FAILED;
    }
    if (code == CURLE_OK && (status == 200 || status == 203 || stored))
        return FETCH_GOT;
    if (code == CURLE_OK || code == CURLE_HTTP_RETURNED_ERROR || f->stop == FETCH_STOP_STATUS)
        return judge_status(f, status, why);
    if (code == CURLE_TOO_MANY_REDIRECTS) {
        buf_format(why, "more than %d redirects", FETCH_REDIRECTS_MAX);
        return FETCH_FAILED;
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL && status >= 300 && status < 400) {
        buf_str(why, "redirected to what is neither http nor https");
        return FETCH_REFUSED;
    }
    /* What libcurl takes for HTTP/0.9. */
    return judge_network(f, code == CURLE_UNSUPPORTED_PROTOCOL ? CURLE_WEIRD_SERVER_REPLY : code, why);
}

bool fetch_is_denied(const struct fetch *f, CURLcode code)
{
    long status = 0;
    if (f->scheme == FETCH_FTP)
        return code != CURLE_OK && f->ftp_status == 530;
    if (f->scheme != FETCH_HTTP || (code != CURLE_OK && code != CURLE_HTTP_RETURNED_ERROR && !f->stop))
        return false;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 401;
}

enum fetch_outcome fetch_judge(const struct fetch *f, CURLcode code, struct buf *why)
{
    if (f->stop == FETCH_STOP_LARGE || code == CURLE_FILESIZE_EXCEEDED) {
        put_limit(f, why);
        return FETCH_REFUSED;
    }
    if (f->stop == FETCH_STOP_MEMORY || f->short_of_memory)
        return judge_network(f, CURLE_OUT_OF_MEMORY, why);
    switch (f->scheme) {
    case FETCH_TFTP:
        return judge_tftp(f, code, why);
    case FETCH_FTP:
        return judge_ftp(f, code, why);
    case FETCH_HTTP:
        return judge_http(f, code, why);
    case FETCH_NO_SCHEME:
        break;
    }
    return judge_network(f, CURLE_URL_MALFORMAT, why);
}
