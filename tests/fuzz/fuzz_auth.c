/* HTTP authentication (proto/auth.h): an Authorization value, and what can be made of it; a challenge, whose answer has to be one
 * that we ourselves can read and find right. */
#include "fuzz.h"

#include "proto/auth.h"

static bool within(struct slice part, const char *from, size_t len)
{
    return part.len == 0 || (part.ptr >= from && part.ptr + part.len <= from + len);
}

static void check_text(struct slice part, struct slice value, const struct buf *room)
{
    MUST(within(part, value.ptr, value.len) || within(part, room->ptr, room->len));
    for (size_t i = 0; i < part.len; i++)
        MUST(!byte_is_control(part.ptr[i]));
}

static void check_digest(const struct auth *a)
{
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    MUST(a->count >= 1 && a->nc.len == 8 && a->response.len == auth_digits(a->algorithm));
    MUST(auth_ha1(a->algorithm, a->user, SLICE("dialtone"), SLICE("secret"), ha1));
    MUST(strlen(ha1) == auth_digits(a->algorithm));
    if (auth_response(a, slice_str(ha1), SLICE("GET"), response))
        MUST(strlen(response) == a->response.len);
}

static void check_challenge(struct slice value)
{
    char bytes[AUTH_VALUE_BYTES_MAX], reply_bytes[3 * AUTH_VALUE_BYTES_MAX], again_bytes[AUTH_VALUE_BYTES_MAX];
    char ha1[AUTH_HEX_BYTES], response[AUTH_HEX_BYTES];
    struct buf room = BUF_ON(bytes), reply = BUF_ON(reply_bytes), again = BUF_ON(again_bytes);
    struct auth_reply r = { SLICE("u\"ser"), SLICE("secret"), SLICE("NOTIFY"), SLICE("sip:1001@h"), SLICE("c"), 7 };
    struct auth_challenge c;
    struct auth a;
    if (!auth_challenge_parse(value, &room, &c) || !auth_put_digest(&c, &r, &reply))
        return;
    for (size_t i = 0; i < reply.len; i++)
        MUST(!byte_is_control(reply.ptr[i]));
    if (!c.qop || reply.len > AUTH_VALUE_BYTES_MAX)
        return;
    MUST(auth_parse(buf_slice(&reply), &again, &a));
    MUST(slice_eq(a.user, r.user) && slice_eq(a.realm, c.realm) && slice_eq(a.nonce, c.nonce) && a.count == 7);
    MUST(auth_ha1(a.algorithm, a.user, a.realm, r.password, ha1));
    MUST(auth_response(&a, slice_str(ha1), r.method, response) && slice_eq(slice_str(response), a.response));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = slice_of(data, size);
    char bytes[AUTH_VALUE_BYTES_MAX];
    struct buf room = BUF_ON(bytes);
    struct auth a;
    check_challenge(value);
    if (!auth_parse(value, &room, &a))
        return 0;
    MUST(buf_ok(&room) && size >= 6);
    MUST(a.user.len <= AUTH_USER_BYTES_MAX && a.password.len <= AUTH_PASSWORD_BYTES_MAX);
    const struct slice texts[] = { a.user, a.password, a.realm, a.nonce, a.uri, a.cnonce };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(texts[i], value, &room);
    if (a.scheme == AUTH_DIGEST)
        check_digest(&a);
    return 0;
}
