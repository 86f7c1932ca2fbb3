/* SIP (proto/sip.h): a message is read, printed and read again; a stream is cut into messages. */
#include "fuzz.h"

#include "proto/sip.h"

static void check_text(struct slice s)
{
    MUST(s.len == 0 || s.ptr);
    for (size_t i = 0; i < s.len; i++)
        MUST(!byte_is_control(s.ptr[i]) || s.ptr[i] == '\t');
}

static void check_parts(const struct sip_message *m)
{
    MUST(m->line_count <= SIP_FIELDS_MAX && m->body.len <= SIP_MESSAGE_BYTES_MAX);
    MUST(m->status == 0 || (m->status >= 100 && m->status <= 699));
    MUST(m->field[SIP_FIELD_CALL_ID].len);
    MUST(m->status || (m->via.host.len && m->from.uri.text.len && m->to.uri.text.len && m->target.text.len));
    for (size_t i = 0; i < m->line_count; i++) {
        struct slice value;
        check_text(m->lines[i].name);
        check_text(m->lines[i].value);
        sip_value(m->lines[i].value);
        if (sip_param(m->lines[i].value, SLICE("tag"), &value))
            check_text(value);
    }
    check_text(m->contact.text);
    check_text(m->target.text);
    MUST(sip_mac_user(m->target.user).len <= m->target.user.len);
}

static void check_answer(const struct sip_message *m)
{
    static char bytes[2 * SIP_MESSAGE_BYTES_MAX];
    struct sip_source source = { SLICE("192.0.2.9"), 5059 };
    struct buf out = BUF_ON(bytes);
    struct sip_message answer;
    const char *reason;
    struct arena a;
    sip_put_answer(&out, m, 200, SLICE("totag"), &source);
    sip_put_end(&out, SLICE_NONE, SLICE_NONE);
    MUST(buf_ok(&out));
    arena_init(&a, 2 * SIP_READ_BYTES_MAX);
    if (out.len <= SIP_MESSAGE_BYTES_MAX) {
        MUST(sip_read(buf_slice(&out), &a, &answer, &reason));
        MUST(answer.status == 200);
        MUST(slice_eq(answer.field[SIP_FIELD_CALL_ID], m->field[SIP_FIELD_CALL_ID]));
        MUST(slice_eq(answer.field[SIP_FIELD_FROM], m->field[SIP_FIELD_FROM]));
    }
    arena_free(&a);
}

/* Printed and read again it says the same. */
static void check_again(const struct sip_message *m)
{
    static char bytes[2 * SIP_MESSAGE_BYTES_MAX];
    struct buf out = BUF_ON(bytes);
    struct sip_message again;
    const char *reason;
    struct arena a;
    size_t len;
    sip_print(m, &out);
    MUST(buf_ok(&out));
    arena_init(&a, 2 * SIP_READ_BYTES_MAX);
    if (out.len <= SIP_MESSAGE_BYTES_MAX && sip_read(buf_slice(&out), &a, &again, &reason)) {
        MUST(again.status == m->status && again.method == m->method && again.cseq == m->cseq);
        MUST(slice_eq(again.body, m->body) && !again.cut);
        MUST(slice_eq(again.target.text, m->target.text) && slice_eq(again.contact.text, m->contact.text));
        MUST(slice_eq(again.from.tag, m->from.tag) && slice_eq(again.via.branch, m->via.branch));
        MUST(sip_frame(buf_slice(&out), &len) == SIP_FRAME_WHOLE && len == out.len);
    } else {
        /* Only a line more, our own Content-Length, can stand in the way. */
        MUST(out.len > SIP_MESSAGE_BYTES_MAX || m->line_count == SIP_FIELDS_MAX);
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = slice_of(data, size);
    struct sip_message m;
    const char *reason = NULL;
    struct arena a;
    size_t len = 0;
    enum sip_frame frame = sip_frame(bytes, &len);
    if (frame == SIP_FRAME_WHOLE || frame == SIP_FRAME_EMPTY)
        MUST(len > 0 && len <= size);
    arena_init(&a, SIP_READ_BYTES_MAX);
    bool read = sip_read(bytes, &a, &m, &reason);
    MUST(read || reason);
    if (read) {
        check_parts(&m);
        check_again(&m);
        if (!m.status)
            check_answer(&m);
    } else {
        MUST(a.failures == 0);
    }
    arena_free(&a);
    return 0;
}
