#include "phone/fetch_inside.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

/* The user's libcurl may be built with anything; these four are what phones speak. */
#define PROTOCOLS "tftp,ftp,http,https"
#define REDIRECT_PROTOCOLS "http,https"

#define BLKSIZE 1432L
#define RECEIVE_BYTES 8192L
#define FIRST_BYTES ((size_t)4096)

static bool grow(struct fetch *f, size_t need)
{
    size_t cap = f->cap ? f->cap : FIRST_BYTES;
    while (cap < need)
        cap *= 2;
    char *bytes = realloc(f->bytes, cap);
    if (!bytes)
        return false;
    f->bytes = bytes;
    f->cap = cap;
    return true;
}

/* An HTTP body counts only behind 200; 203 is 200 through a proxy. */
static bool is_file(const struct fetch *f)
{
    long status = 0;
    if (f->scheme != FETCH_HTTP || f->verb != TRANSPORT_GET)
        return true;
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
    return status == 200 || status == 203;
}

static bool is_too_large(const struct fetch *f, size_t more)
{
    curl_off_t announced = -1;
    /* CURLOPT_MAXFILESIZE does not look at a TFTP tsize. */
    curl_easy_getinfo(f->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return more > f->limit - f->len || (announced > 0 && (uint64_t)announced > f->limit);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch *f = context;
    size_t len = size * count;
    if (!is_file(f))
        f->stop = FETCH_STOP_STATUS;
    else if (is_too_large(f, len))
        f->stop = FETCH_STOP_LARGE;
    else if (!f->discard && len > f->cap - f->len && !grow(f, f->len + len))
        f->stop = FETCH_STOP_MEMORY;
    if (f->stop != FETCH_STOP_NONE)
        return 0;
    if (!f->discard && len)
        memcpy(f->bytes + f->len, bytes, len);
    f->len += len;
    return len;
}

/* libcurl takes a head that breaks off for the whole of it, and what follows for an empty file. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch *f = context;
    struct slice line = slice_of(bytes, size * count);
    if (slice_starts(line, SLICE("HTTP/")))
        f->head_is_whole = false;
    else if (slice_trim(line).len == 0)
        f->head_is_whole = true;
    return line.len;
}

static size_t on_read(char *bytes, size_t size, size_t count, void *context)
{
    struct fetch *f = context;
    struct slice part = slice_first(slice_from(f->body, f->sent), size * count);
    if (part.len)
        memcpy(bytes, part.ptr, part.len);
    f->sent += part.len;
    fetch_heard(f);
    return part.len;
}

/* libcurl begins anew after a 401. */
static int on_seek(void *context, curl_off_t offset, int origin)
{
    struct fetch *f = context;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > f->body.len)
        return CURL_SEEKFUNC_FAIL;
    f->sent = (size_t)offset;
    return CURL_SEEKFUNC_OK;
}

static void note_ftp_reply(struct fetch *f, struct slice line)
{
    uint64_t status;
    if (f->control == CURL_SOCKET_BAD)
        f->control = f->driven;
    if (slice_u64(slice_first(line, 3), 100, 599, &status))
        f->ftp_status = (unsigned)status;
}

/* libcurl says QUIT and then blocks until the server answers. Nothing of that answer matters, so after QUIT
 * the control connection reads as closed. CURLINFO_RESPONSE_CODE would be of that answer: the one that tells is
 * kept here. */
static void hear_ftp(struct fetch *f, curl_infotype type, struct slice line)
{
    if (f->ftp_over)
        return;
    if (type == CURLINFO_HEADER_IN)
        note_ftp_reply(f, line);
    if (type == CURLINFO_HEADER_OUT && slice_starts(line, SLICE("QUIT"))) {
        f->ftp_over = true;
        if (f->control != CURL_SOCKET_BAD)
            shutdown(f->control, SHUT_RD);
    }
}

/* An answer that is there at once is read before fetch.c can look at it. Then only libcurl's own words tell an
 * ERROR packet from one that it does not like, and that an OACK came. */
static void hear_tftp(struct fetch *f, struct slice line)
{
    static const struct slice complaints[] = {
        { "Malformed", 9 },         { "invalid ", 8 },       { "blksize is ", 11 },
        { "server requested", 16 }, { "nternal error", 13 },
    };
    struct slice error = SLICE("TFTP error: ");
    if (slice_starts(line, error)) {
        struct buf text = BUF_ON(f->tftp_text);
        buf_text(&text, slice_first(slice_trim(slice_from(line, error.len)), FETCH_TFTP_TEXT_MAX));
        buf_terminate(&text);
        f->tftp_refused = true;
    }
    f->tftp_agreed |= slice_starts(line, SLICE("got option="));
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++)
        if (slice_find_text(line, complaints[i]) < line.len && !slice_starts(line, error))
            f->tftp_nonsense = true;
}

static int on_talk(CURL *easy, curl_infotype type, char *bytes, size_t len, void *context)
{
    struct fetch *f = context;
    (void)easy;
    if (f->scheme == FETCH_FTP)
        hear_ftp(f, type, slice_of(bytes, len));
    if (f->scheme == FETCH_TFTP && type == CURLINFO_TEXT)
        hear_tftp(f, slice_of(bytes, len));
    return 0;
}

static bool limit_protocols(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, PROTOCOLS) &&
           !curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, REDIRECT_PROTOCOLS);
#else
    return !curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                             (long)(CURLPROTO_TFTP | CURLPROTO_FTP | CURLPROTO_HTTP | CURLPROTO_HTTPS)) &&
           !curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static bool set_numbers(CURL *easy)
{
    static const struct {
        CURLoption option;
        long value;
    } numbers[] = {
        { CURLOPT_NOSIGNAL, 1 },
        { CURLOPT_BUFFERSIZE, RECEIVE_BYTES },
        /* A phone opens a connection for every file (facts.md 5.2, 5.7). */
        { CURLOPT_FRESH_CONNECT, 1 },
        { CURLOPT_FORBID_REUSE, 1 },
        { CURLOPT_PATH_AS_IS, 1 },
        { CURLOPT_TFTP_BLKSIZE, BLKSIZE },
        { CURLOPT_FTP_USE_EPSV, 0 },
        { CURLOPT_FTP_SKIP_PASV_IP, 1 }, /* security.md R8 */
        { CURLOPT_FTP_FILEMETHOD, CURLFTPMETHOD_NOCWD },
        { CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
        { CURLOPT_SSL_ENABLE_ALPN, 0 },
        { CURLOPT_FAILONERROR, 1 },
        { CURLOPT_MAXREDIRS, FETCH_REDIRECTS_MAX },
        { CURLOPT_HTTPAUTH, (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST) },
#if LIBCURL_VERSION_NUM >= 0x075700
        /* The trusted certificates are megabytes: not between requests. */
        { CURLOPT_CA_CACHE_TIMEOUT, 0 },
        /* A name that is being looked up does not hold a cancelled request. */
        { CURLOPT_QUICK_EXIT, 1 },
#endif
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (curl_easy_setopt(easy, numbers[i].option, numbers[i].value))
            return false;
    return true;
}

static bool make_headers(struct fetch *f)
{
    /* No 100-continue: phones are not known to ask, and a server that does not know it costs a second. */
    static const char *const more[] = { "Content-Type: application/octet-stream", "Expect:" };
    f->headers = curl_slist_append(NULL, "Connection: close");
    f->upload_headers = curl_slist_append(NULL, "Connection: close");
    for (size_t i = 0; f->upload_headers && i < sizeof more / sizeof *more; i++)
        if (!curl_slist_append(f->upload_headers, more[i]))
            return false;
    return f->headers && f->upload_headers;
}

bool fetch_prepare(struct fetch *f)
{
    CURL *e = f->easy;
    return (f->headers || make_headers(f)) && set_numbers(e) && limit_protocols(e) &&
           !curl_easy_setopt(e, CURLOPT_NOPROXY, "*") && !curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read) &&
           !curl_easy_setopt(e, CURLOPT_READDATA, f) && !curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek) &&
           !curl_easy_setopt(e, CURLOPT_SEEKDATA, f) &&
           !curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header) &&
           !curl_easy_setopt(e, CURLOPT_HEADERDATA, f) &&
           !curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_write) &&
           !curl_easy_setopt(e, CURLOPT_WRITEDATA, f) && !curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, on_talk) &&
           !curl_easy_setopt(e, CURLOPT_DEBUGDATA, f) && !curl_easy_setopt(e, CURLOPT_ERRORBUFFER, f->error);
}

static enum fetch_scheme scheme_of(struct slice name)
{
    static const struct {
        struct slice name;
        enum fetch_scheme scheme;
    } schemes[] = {
        { { "tftp", 4 }, FETCH_TFTP },
        { { "ftp", 3 }, FETCH_FTP },
        { { "http", 4 }, FETCH_HTTP },
        { { "https", 5 }, FETCH_HTTP },
    };
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (slice_eq_nocase(name, schemes[i].name))
            return schemes[i].scheme;
    return FETCH_NO_SCHEME;
}

/* TFTP and FTP know names only, no query; libcurl would take `;type=` and `;mode=` for its own. */
static void put_path(struct buf *out, const struct url *url, enum fetch_scheme scheme)
{
    char bytes[3 * URL_BYTES_MAX + 1];
    struct buf text = BUF_ON(bytes);
    url_encode(url->path, &text);
    if (url->has_query)
        buf_byte(&text, '?');
    url_encode(url->query, &text);
    for (size_t i = 0; i < text.len; i++) {
        bool special = text.ptr[i] == ';' || text.ptr[i] == '?';
        if (special && scheme != FETCH_HTTP)
            buf_format(out, "%%%02X", (unsigned char)text.ptr[i]);
        else
            buf_byte(out, text.ptr[i]);
    }
}

static bool is_ipv6(struct slice host)
{
    return slice_find(host, ':') < host.len;
}

/* Without user and password: those go as options, so that libcurl knows whose they are. */
static int set_url(struct fetch *f, const struct url *url)
{
    char bytes[10 * URL_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    buf_text(&out, url->scheme);
    buf_str(&out, is_ipv6(url->host) ? "://[" : "://");
    buf_text(&out, url->host);
    buf_str(&out, is_ipv6(url->host) ? "]" : "");
    if (url->port)
        buf_format(&out, ":%u", url->port);
    put_path(&out, url, f->scheme);
    if (!buf_terminate(&out))
        return -EINVAL;
    return curl_easy_setopt(f->easy, CURLOPT_URL, bytes) ? -ENOMEM : 0;
}

/* "" takes the option back. */
static int set_text(struct fetch *f, CURLoption option, struct slice text)
{
    char bytes[URL_BYTES_MAX + 1];
    struct buf out = BUF_ON(bytes);
    buf_text(&out, text);
    if (!buf_terminate(&out) || memchr(bytes, '\0', text.len) || memchr(bytes, '\n', text.len))
        return -EINVAL;
    return curl_easy_setopt(f->easy, option, text.len ? bytes : NULL) ? -ENOMEM : 0;
}

static bool set_user(struct fetch *f, const char *user, const char *password)
{
    return !curl_easy_setopt(f->easy, CURLOPT_USERNAME, user) &&
           !curl_easy_setopt(f->easy, CURLOPT_PASSWORD, password);
}

static int set_credentials(struct fetch *f, const struct transport_request *r, const struct url *url)
{
    char user[URL_BYTES_MAX + 1], password[URL_BYTES_MAX + 1];
    struct buf u = BUF_ON(user), p = BUF_ON(password);
    bool fits = true;
    if (url->has_user) {
        fits = url_decode(url->user, &u) && url_decode(url->password, &p);
    } else {
        buf_text(&u, r->user);
        buf_text(&p, r->password);
    }
    if (!fits || !buf_terminate(&u) || !buf_terminate(&p))
        return -EINVAL;
    f->credentials = u.len > 0;
    if (f->scheme == FETCH_FTP && !f->credentials)
        return set_user(f, "anonymous", "") ? 0 : -ENOMEM;
    return set_user(f, f->credentials ? user : NULL, f->credentials ? password : NULL) ? 0 : -ENOMEM;
}

static CURLcode on_context(CURL *easy, void *context, void *pointer)
{
    struct fetch *f = pointer;
    (void)easy;
    f->verdict = (struct trust_verdict){ 0 };
    return trust_apply(f->trust, &f->demands, context, &f->verdict) ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* Without verification the trusted certificates are not even read: they are megabytes. */
static bool set_trust(struct fetch *f, const struct transport_request *r)
{
    CURL *e = f->easy;
#if LIBCURL_VERSION_NUM >= 0x075400
    char *file = NULL, *directory = NULL;
    if (r->verify_peer && !r->only_imported) {
        curl_easy_getinfo(e, CURLINFO_CAINFO, &file);
        curl_easy_getinfo(e, CURLINFO_CAPATH, &directory);
        /* As curl and OpenSSL's own programs have it: a file instead of the machine's list. */
        const char *own = secure_getenv("SSL_CERT_FILE");
        if (own && own[0]) {
            file = (char *)(uintptr_t)own;
            directory = NULL;
        }
    }
    if (curl_easy_setopt(e, CURLOPT_CAINFO, file) || curl_easy_setopt(e, CURLOPT_CAPATH, directory))
        return false;
#endif
    f->demands = *r;
    f->verdict = (struct trust_verdict){ 0 };
    return !curl_easy_setopt(e, CURLOPT_SSL_CTX_FUNCTION, on_context) &&
           !curl_easy_setopt(e, CURLOPT_SSL_CTX_DATA, f) &&
           !curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, r->verify_peer ? 1L : 0L) &&
           !curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, r->verify_host ? 2L : 0L);
}

/* Silence is watched in fetch.c. These two are where libcurl must know as well: how often a TFTP request is
 * repeated follows from the first, and while it waits for FTP's last answer nothing else runs. */
static bool set_times(struct fetch *f)
{
    long connect_ms = f->scheme == FETCH_TFTP ? (long)f->timeout_ms : 0;
    long answer_s = ((long)f->timeout_ms + 999) / 1000;
    return !curl_easy_setopt(f->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) &&
           !curl_easy_setopt(f->easy, CURLOPT_SERVER_RESPONSE_TIMEOUT, answer_s);
}

/* libcurl tries one address only over UDP, and phones are IPv4 unless told otherwise. */
static long addresses(const struct fetch *f, const struct url *url)
{
    return f->scheme == FETCH_TFTP && !is_ipv6(url->host) ? CURL_IPRESOLVE_V4 : CURL_IPRESOLVE_WHATEVER;
}

/* Every request says what it is: the handle remembers the last one's. */
static bool set_verb(struct fetch *f, const struct transport_request *r)
{
    CURL *e = f->easy;
    curl_off_t len = (curl_off_t)r->body.len;
    bool post = r->verb == TRANSPORT_POST && f->scheme == FETCH_HTTP;
    bool put = r->verb != TRANSPORT_GET && !post;
    f->verb = r->verb;
    f->body = r->body;
    if (curl_easy_setopt(e, CURLOPT_HTTPGET, 1L) || curl_easy_setopt(e, CURLOPT_UPLOAD, put ? 1L : 0L) ||
        curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->verb == TRANSPORT_GET ? f->headers : f->upload_headers) ||
        curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, put ? len : (curl_off_t)-1) ||
        /* A phone's own settings go where its settings say, and nowhere else (security.md R24). */
        curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, r->verb == TRANSPORT_GET ? 1L : 0L))
        return false;
    return !post || (!curl_easy_setopt(e, CURLOPT_POST, 1L) && !curl_easy_setopt(e, CURLOPT_POSTFIELDS, NULL) &&
                     !curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, len));
}

static bool set_rest(struct fetch *f, const struct transport_request *r, const struct url *url)
{
    CURL *e = f->easy;
    curl_off_t largest = f->limit > INT64_MAX ? INT64_MAX : (curl_off_t)f->limit;
    return set_times(f) && set_trust(f, r) && set_verb(f, r) &&
           !curl_easy_setopt(e, CURLOPT_IPRESOLVE, addresses(f, url)) &&
           !curl_easy_setopt(e, CURLOPT_MAXFILESIZE_LARGE, largest) &&
           !curl_easy_setopt(e, CURLOPT_VERBOSE, f->scheme == FETCH_HTTP ? 0L : 1L) &&
           !curl_easy_setopt(e, CURLOPT_TFTP_NO_OPTIONS, 0L);
}

int fetch_describe(struct fetch *f, const struct transport_request *r)
{
    struct url url;
    if (!url_parse(r->url, &url) || (f->scheme = scheme_of(url.scheme)) == FETCH_NO_SCHEME)
        return -EINVAL;
    if (f->scheme != FETCH_HTTP && url_last_segment(&url).len == 0)
        return -EINVAL;
    f->timeout_ms = r->timeout_ms;
    /* What a server says to an upload is not a file. */
    f->limit = r->verb == TRANSPORT_GET ? r->limit : SIZE_MAX;
    f->discard = r->discard || r->verb != TRANSPORT_GET;
    int error = set_url(f, &url);
    if (!error)
        error = set_text(f, CURLOPT_USERAGENT, r->user_agent);
    if (!error)
        error = set_credentials(f, r, &url);
    return error ? error : set_rest(f, r, &url) ? 0 : -ENOMEM;
}

bool fetch_try_again(struct fetch *f, CURLcode code)
{
    if (f->second_try)
        return false;
    if (f->scheme == FETCH_FTP && f->credentials && code == CURLE_LOGIN_DENIED)
        f->second_try = set_user(f, "anonymous", "");
    /* libcurl takes the tsize 0 of an empty file for an error. */
    if (f->scheme == FETCH_TFTP && code == CURLE_TFTP_ILLEGAL && !f->tftp_refused)
        f->second_try = !curl_easy_setopt(f->easy, CURLOPT_TFTP_NO_OPTIONS, 1L);
    return f->second_try;
}
