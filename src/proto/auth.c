#include "proto/auth.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? memchr(digits, c, 64) : NULL;
    return at ? (int)(at - digits) : -1;
}

bool auth_base64_decode(struct slice text, struct buf *out)
{
    size_t padding = 0;
    uint32_t bits = 0;
    if (text.len % 4)
        return false;
    while (padding < 2 && text.len && text.ptr[text.len - 1] == '=') {
        text.len--;
        padding++;
    }
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4)
            buf_byte(out, (char)(bits >> (6 - i % 4 * 2) & 0xff));
    }
    /* What the padding cuts off must be nothing; the first digit after whole ones gave no byte yet. */
    uint32_t stray = padding == 2 ? bits & 15 : padding == 1 ? bits & 3 : 0;
    return !stray && buf_ok(out);
}

static bool has_controls(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_is_control(text.ptr[i]))
            return true;
    return false;
}

static bool parse_basic(struct slice token, struct buf *room, struct auth *a)
{
    size_t from = room->len;
    if (!auth_base64_decode(token, room))
        return false;
    struct slice both = slice_from(buf_slice(room), from);
    size_t colon = slice_find(both, ':');
    a->user = slice_first(both, colon);
    a->password = slice_from(both, colon + 1);
    return colon < both.len && !has_controls(both);
}

static bool is_token_byte(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_blanks(struct slice *rest)
{
    while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
        *rest = slice_from(*rest, 1);
}

static bool take_token(struct slice *rest, struct slice *ret_token)
{
    size_t len = 0;
    while (len < rest->len && is_token_byte(rest->ptr[len]))
        len++;
    *ret_token = slice_first(*rest, len);
    *rest = slice_from(*rest, len);
    return len > 0;
}

/* A quoted-string, its escapes undone in `room`. */
static bool take_quoted(struct slice *rest, struct buf *room, struct slice *ret_text)
{
    size_t from = room->len;
    for (size_t i = 1; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (c == '"') {
            *ret_text = slice_from(buf_slice(room), from);
            *rest = slice_from(*rest, i + 1);
            return buf_ok(room);
        }
        if (c == '\\' && ++i < rest->len)
            c = rest->ptr[i];
        if (byte_is_control(c))
            return false;
        buf_byte(room, c);
    }
    return false;
}

static bool take_value(struct slice *rest, struct buf *room, struct slice *ret_value)
{
    return rest->len && rest->ptr[0] == '"' ? take_quoted(rest, room, ret_value) : take_token(rest, ret_value);
}

enum parameter {
    PARAMETER_USERNAME,
    PARAMETER_REALM,
    PARAMETER_NONCE,
    PARAMETER_URI,
    PARAMETER_RESPONSE,
    PARAMETER_CNONCE,
    PARAMETER_NC,
    PARAMETER_QOP,
    PARAMETER_ALGORITHM,
    PARAMETER_USERHASH,
    PARAMETER_OPAQUE,
    PARAMETER_STALE,
    PARAMETER_COUNT
};
static const char *const parameter_names[PARAMETER_COUNT] = {
    "username", "realm", "nonce", "uri", "response", "cnonce", "nc", "qop", "algorithm", "userhash", "opaque", "stale",
};

/* One `name=value`. Unknown names are passed over (RFC 7616 3.4), a known one twice is refused. */
static bool take_parameter(struct slice *rest, struct buf *room, struct slice values[PARAMETER_COUNT])
{
    struct slice name, value;
    if (!take_token(rest, &name))
        return false;
    skip_blanks(rest);
    if (!rest->len || rest->ptr[0] != '=')
        return false;
    *rest = slice_from(*rest, 1);
    skip_blanks(rest);
    if (!take_value(rest, room, &value))
        return false;
    for (size_t i = 0; i < PARAMETER_COUNT; i++) {
        if (!slice_eq_nocase(name, slice_str(parameter_names[i])))
            continue;
        if (values[i].ptr)
            return false;
        values[i] = value.ptr ? value : SLICE("");
    }
    return true;
}

static bool take_parameters(struct slice rest, struct buf *room, struct slice values[PARAMETER_COUNT])
{
    for (;;) {
        skip_blanks(&rest);
        if (rest.len && rest.ptr[0] == ',') { /* RFC 9110 5.6.1: empty elements */
            rest = slice_from(rest, 1);
            continue;
        }
        if (!rest.len)
            return true;
        if (!take_parameter(&rest, room, values))
            return false;
        skip_blanks(&rest);
        if (rest.len && rest.ptr[0] != ',')
            return false;
    }
}

static bool is_hex(struct slice text, size_t digits)
{
    for (size_t i = 0; i < text.len; i++)
        if (byte_hex(text.ptr[i]) < 0)
            return false;
    return text.len == digits;
}

static bool parse_algorithm(struct slice text, enum auth_algorithm *ret_algorithm)
{
    *ret_algorithm = slice_eq_nocase(text, SLICE("SHA-256")) ? AUTH_SHA256 : AUTH_MD5;
    return !text.ptr || slice_eq_nocase(text, slice_str(auth_algorithm_name(*ret_algorithm)));
}

static bool parse_digest(struct slice rest, struct buf *room, struct auth *a)
{
    struct slice v[PARAMETER_COUNT] = { 0 };
    uint64_t count;
    if (!take_parameters(rest, room, v))
        return false;
    for (size_t i = 0; i <= PARAMETER_QOP; i++)
        if (!v[i].ptr)
            return false;
    if (!slice_eq_nocase(v[PARAMETER_QOP], SLICE("auth")) ||
        !parse_algorithm(v[PARAMETER_ALGORITHM], &a->algorithm) ||
        (v[PARAMETER_USERHASH].ptr && !slice_eq_nocase(v[PARAMETER_USERHASH], SLICE("false"))))
        return false;
    if (!is_hex(v[PARAMETER_RESPONSE], auth_digits(a->algorithm)) || v[PARAMETER_NC].len != 8 ||
        !slice_hex_u64(v[PARAMETER_NC], 1, UINT32_MAX, &count))
        return false;
    a->user = v[PARAMETER_USERNAME];
    a->realm = v[PARAMETER_REALM];
    a->nonce = v[PARAMETER_NONCE];
    a->uri = v[PARAMETER_URI];
    a->response = v[PARAMETER_RESPONSE];
    a->cnonce = v[PARAMETER_CNONCE];
    a->nc = v[PARAMETER_NC];
    a->count = (uint32_t)count;
    return true;
}

bool auth_parse(struct slice value, struct buf *room, struct auth *ret_auth)
{
    struct slice scheme, rest = slice_trim(value);
    struct auth a = { 0 };
    bool fine = false;
    if (rest.len > AUTH_VALUE_BYTES_MAX || !take_token(&rest, &scheme) || !rest.len || rest.ptr[0] != ' ')
        return false;
    rest = slice_trim(rest);
    if (slice_eq_nocase(scheme, SLICE("Basic"))) {
        fine = parse_basic(rest, room, &a);
    } else if (slice_eq_nocase(scheme, SLICE("Digest"))) {
        a.scheme = AUTH_DIGEST;
        fine = parse_digest(rest, room, &a);
    }
    if (!fine || a.user.len > AUTH_USER_BYTES_MAX || a.password.len > AUTH_PASSWORD_BYTES_MAX)
        return false;
    *ret_auth = a;
    return true;
}

/* `auth` among others. */
static bool has_qop_auth(struct slice list)
{
    struct slice one;
    while (slice_cut(&list, ',', &one))
        if (slice_eq_nocase(slice_trim(one), SLICE("auth")))
            return true;
    return false;
}

bool auth_challenge_parse(struct slice value, struct buf *room, struct auth_challenge *ret_challenge)
{
    struct slice v[PARAMETER_COUNT] = { 0 }, scheme, rest = slice_trim(value);
    struct auth_challenge c = { 0 };
    if (rest.len > AUTH_VALUE_BYTES_MAX || !take_token(&rest, &scheme) ||
        !slice_eq_nocase(scheme, SLICE("Digest")) || !take_parameters(slice_trim(rest), room, v) ||
        !v[PARAMETER_REALM].ptr || !v[PARAMETER_NONCE].ptr || !parse_algorithm(v[PARAMETER_ALGORITHM], &c.algorithm) ||
        (v[PARAMETER_QOP].ptr && !has_qop_auth(v[PARAMETER_QOP])))
        return false;
    c.realm = v[PARAMETER_REALM];
    c.nonce = v[PARAMETER_NONCE];
    c.opaque = v[PARAMETER_OPAQUE];
    c.qop = v[PARAMETER_QOP].ptr != NULL;
    c.stale = slice_eq_nocase(v[PARAMETER_STALE], SLICE("true"));
    *ret_challenge = c;
    return true;
}

const char *auth_algorithm_name(enum auth_algorithm algorithm)
{
    return algorithm == AUTH_MD5 ? "MD5" : "SHA-256";
}

size_t auth_digits(enum auth_algorithm algorithm)
{
    return algorithm == AUTH_MD5 ? 32 : 64;
}

void auth_challenge_basic(struct slice realm, struct buf *out)
{
    /* RFC 7617 2.1: the only value there is, and phones that do not know it pass over it. */
    buf_format(out, "Basic realm=\"%.*s\", charset=\"UTF-8\"", SLICE_ARG(realm));
}

void auth_challenge_digest(struct slice realm, enum auth_algorithm algorithm, struct slice nonce, bool stale,
                           struct buf *out)
{
    buf_format(out, "Digest realm=\"%.*s\", qop=\"auth\", algorithm=%s, nonce=\"%.*s\", opaque=\"0\"%s",
               SLICE_ARG(realm), auth_algorithm_name(algorithm), SLICE_ARG(nonce), stale ? ", stale=true" : "");
}

static bool hash(enum auth_algorithm algorithm, const struct buf *text, char ret_hex[AUTH_HEX_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    const EVP_MD *md = algorithm == AUTH_MD5 ? EVP_md5() : EVP_sha256();
    if (!buf_ok(text) || EVP_Digest(text->ptr, text->len, digest, &len, md, NULL) != 1 ||
        len * 2 != auth_digits(algorithm))
        return false;
    for (size_t i = 0; i < len; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[(size_t)len * 2] = '\0';
    return true;
}

bool auth_ha1(enum auth_algorithm algorithm, struct slice user, struct slice realm, struct slice password,
              char ret_hex[AUTH_HEX_BYTES])
{
    char bytes[512];
    struct buf text = BUF_ON(bytes);
    buf_text(&text, user);
    buf_byte(&text, ':');
    buf_text(&text, realm);
    buf_byte(&text, ':');
    buf_text(&text, password);
    bool fine = hash(algorithm, &text, ret_hex);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return fine;
}

static void put_quoted(struct buf *out, const char *name, struct slice text)
{
    buf_format(out, "%s=\"", name);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_byte(out, '\\');
        buf_byte(out, text.ptr[i]);
    }
    buf_str(out, "\", ");
}

/* RFC 2069 2.4: without count and cnonce. */
static bool old_response(const struct auth *a, struct slice ha1, struct slice method, char ret_hex[AUTH_HEX_BYTES])
{
    char bytes[AUTH_VALUE_BYTES_MAX + 256], ha2[AUTH_HEX_BYTES];
    struct buf text = BUF_ON(bytes);
    buf_text(&text, method);
    buf_byte(&text, ':');
    buf_text(&text, a->uri);
    if (!hash(a->algorithm, &text, ha2))
        return false;
    text = BUF_ON(bytes);
    buf_text(&text, ha1);
    buf_byte(&text, ':');
    buf_text(&text, a->nonce);
    buf_byte(&text, ':');
    buf_str(&text, ha2);
    return hash(a->algorithm, &text, ret_hex);
}

static void put_reply(const struct auth_challenge *c, const struct auth *a, const char *response, struct buf *out)
{
    buf_str(out, "Digest ");
    put_quoted(out, "username", a->user);
    put_quoted(out, "realm", c->realm);
    put_quoted(out, "nonce", c->nonce);
    put_quoted(out, "uri", a->uri);
    if (c->opaque.ptr)
        put_quoted(out, "opaque", c->opaque);
    if (c->qop)
        buf_format(out, "qop=auth, nc=%.*s, cnonce=\"%.*s\", ", SLICE_ARG(a->nc), SLICE_ARG(a->cnonce));
    buf_format(out, "algorithm=%s, response=\"%s\"", auth_algorithm_name(c->algorithm), response);
}

bool auth_put_digest(const struct auth_challenge *c, const struct auth_reply *reply, struct buf *out)
{
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES], digits[9];
    struct buf nc = BUF_ON(digits);
    buf_format(&nc, "%08x", reply->count);
    struct auth a = { .algorithm = c->algorithm,
                      .user = reply->user,
                      .nonce = c->nonce,
                      .uri = reply->uri,
                      .cnonce = reply->cnonce,
                      .nc = buf_slice(&nc) };
    if (!auth_ha1(c->algorithm, reply->user, c->realm, reply->password, ha1))
        return false;
    struct slice key = slice_of(ha1, auth_digits(c->algorithm));
    bool fine = c->qop ? auth_response(&a, key, reply->method, response)
                       : old_response(&a, key, reply->method, response);
    OPENSSL_cleanse(ha1, sizeof ha1);
    if (fine)
        put_reply(c, &a, response, out);
    return fine && buf_ok(out);
}

/* RFC 7616 3.4.1 and 3.4.3. */
bool auth_response(const struct auth *auth, struct slice ha1, struct slice method, char ret_hex[AUTH_HEX_BYTES])
{
    char bytes[AUTH_VALUE_BYTES_MAX + 256], ha2[AUTH_HEX_BYTES];
    struct buf text = BUF_ON(bytes);
    buf_text(&text, method);
    buf_byte(&text, ':');
    buf_text(&text, auth->uri);
    if (!hash(auth->algorithm, &text, ha2))
        return false;
    text = BUF_ON(bytes);
    buf_text(&text, ha1);
    buf_byte(&text, ':');
    buf_text(&text, auth->nonce);
    buf_byte(&text, ':');
    buf_text(&text, auth->nc);
    buf_byte(&text, ':');
    buf_text(&text, auth->cnonce);
    buf_str(&text, ":auth:");
    buf_str(&text, ha2);
    return hash(auth->algorithm, &text, ret_hex);
}
