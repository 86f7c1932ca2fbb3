#include "server/tftp_machine.h"

uint16_t tftp_machine_code(enum upload_answer answer)
{
    static const uint16_t codes[UPLOAD_ANSWERS] = {
        [UPLOAD_FINE] = 0,
        [UPLOAD_OFF] = TFTP_ERROR_ACCESS,
        [UPLOAD_BAD_NAME] = TFTP_ERROR_ACCESS,
        [UPLOAD_STRANGER] = TFTP_ERROR_ACCESS,
        [UPLOAD_FORBIDDEN] = TFTP_ERROR_ACCESS,
        [UPLOAD_NO_DIRECTORY] = TFTP_ERROR_ABSENT,
        [UPLOAD_ABSENT] = TFTP_ERROR_ABSENT,
        [UPLOAD_EXISTS] = TFTP_ERROR_EXISTS,
        [UPLOAD_NOT_EMPTY] = TFTP_ERROR_OTHER,
        [UPLOAD_BAD_OFFSET] = TFTP_ERROR_OTHER,
        [UPLOAD_TOO_LARGE] = TFTP_ERROR_FULL,
        [UPLOAD_FULL] = TFTP_ERROR_FULL,
        [UPLOAD_BUSY] = TFTP_ERROR_OTHER,
        [UPLOAD_TOO_OFTEN] = TFTP_ERROR_OTHER,
        [UPLOAD_READ_ONLY] = TFTP_ERROR_ACCESS,
        [UPLOAD_BROKEN] = TFTP_ERROR_OTHER,
    };
    return codes[answer];
}

/* The sink of an upload's machine. */
static bool take(struct tftp_sink *sink, struct slice bytes, uint16_t *ret_code, const char **ret_reason)
{
    struct tftp_machine *m = container_of(sink, struct tftp_machine, sink);
    enum upload_answer answer = upload_write(m->upload, bytes);
    if (answer == UPLOAD_FINE)
        return true;
    *ret_code = tftp_machine_code(answer);
    *ret_reason = upload_answer_words(answer);
    return false;
}

void tftp_machine_read(struct tftp_machine *m, const struct tftp_packet *request, const struct tree_file *file,
                       struct tftp_ceilings ceilings, struct tftp_wire *wire, uint64_t now_ms)
{
    m->writes = false;
    tftp_transfer_start(&m->read, request, file, ceilings, wire, now_ms);
}

void tftp_machine_write(struct tftp_machine *m, const struct tftp_packet *request, struct upload *upload,
                        struct tftp_ceilings ceilings, struct tftp_wire *wire, uint64_t now_ms)
{
    m->writes = true;
    m->sink.take = take;
    m->upload = upload;
    tftp_upload_start(&m->write, request, ceilings, wire, now_ms);
}

void tftp_machine_receive(struct tftp_machine *m, const struct tftp_packet *packet, struct tftp_wire *wire,
                          uint64_t now_ms)
{
    if (m->writes)
        tftp_upload_receive(&m->write, packet, &m->sink, wire, now_ms);
    else
        tftp_transfer_receive(&m->read, packet, wire, now_ms);
}

void tftp_machine_go_on(struct tftp_machine *m, struct tftp_wire *wire)
{
    if (!m->writes)
        tftp_transfer_go_on(&m->read, wire);
}

void tftp_machine_timeout(struct tftp_machine *m, struct tftp_wire *wire, uint64_t now_ms)
{
    if (m->writes)
        tftp_upload_timeout(&m->write, wire, now_ms);
    else
        tftp_transfer_timeout(&m->read, wire, now_ms);
}

void tftp_machine_asked_again(struct tftp_machine *m, struct tftp_wire *wire, uint64_t now_ms)
{
    if (m->writes)
        tftp_upload_asked_again(&m->write, wire, now_ms);
    else
        tftp_transfer_asked_again(&m->read, wire, now_ms);
}

void tftp_machine_stop(struct tftp_machine *m, enum outcome outcome, const char *reason)
{
    if (m->writes && m->write.talk.state == TFTP_STORING) {
        upload_leave(m->upload);
        m->upload = NULL;
    }
    if (m->writes)
        tftp_upload_stop(&m->write, outcome, 0, reason, NULL);
    else
        tftp_transfer_stop(&m->read, outcome, 0, reason, NULL);
}

void tftp_machine_release(struct tftp_machine *m)
{
    if (!m->writes)
        tftp_transfer_release(&m->read);
    else if (m->upload)
        upload_abort(m->upload);
}

void tftp_machine_commit(struct tftp_machine *m, upload_done *done, void *context)
{
    upload_commit(m->upload, done, context);
}

void tftp_machine_stored(struct tftp_machine *m, enum upload_answer answer, struct tftp_wire *wire, uint64_t now_ms)
{
    const char *reason = answer == UPLOAD_FINE ? NULL : upload_answer_words(answer);
    m->upload = NULL;
    tftp_upload_stored(&m->write, tftp_machine_code(answer), reason, wire, now_ms);
}

void tftp_machine_note(const struct tftp_machine *m, struct journal_event *event)
{
    event->outcome = (enum outcome)(m->writes ? m->write.talk.outcome : m->read.talk.outcome);
    event->code = m->writes ? m->write.talk.code : m->read.talk.code;
    event->reason = m->writes ? m->write.talk.reason : m->read.talk.reason;
    event->bytes = m->writes ? m->write.bytes : tftp_transfer_acked_bytes(&m->read);
}
