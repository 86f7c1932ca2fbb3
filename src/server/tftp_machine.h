/* The machine in a slot of the TFTP service: a read transfer or an upload, asked the same questions.
 *
 * Everything that differs between the two is behind these functions; the service knows slots, sockets, limits and
 * the journal. */
#ifndef DIALTONE_SERVER_TFTP_MACHINE_H
#define DIALTONE_SERVER_TFTP_MACHINE_H

#include "server/tftp_transfer.h"
#include "server/tftp_upload.h"
#include "server/upload.h"

struct tftp_machine {
    bool writes;
    union {
        struct tftp_transfer read;
        struct {
            struct tftp_upload write;
            struct tftp_sink sink;
            struct upload *upload; /* NULL once stored or given up */
        };
    };
};

/* Each takes over the file or the upload and sends the first datagram. */
void tftp_machine_read(struct tftp_machine *m, const struct tftp_packet *request, const struct tree_file *file,
                       struct tftp_ceilings ceilings, struct tftp_wire *wire, uint64_t now_ms);
void tftp_machine_write(struct tftp_machine *m, const struct tftp_packet *request, struct upload *upload,
                        struct tftp_ceilings ceilings, struct tftp_wire *wire, uint64_t now_ms);

/* See the machines. */
void tftp_machine_receive(struct tftp_machine *m, const struct tftp_packet *packet, struct tftp_wire *wire,
                          uint64_t now_ms);
void tftp_machine_timeout(struct tftp_machine *m, struct tftp_wire *wire, uint64_t now_ms);
void tftp_machine_asked_again(struct tftp_machine *m, struct tftp_wire *wire, uint64_t now_ms);
/* Its turn has come. */
void tftp_machine_go_on(struct tftp_machine *m, struct tftp_wire *wire);
/* Nothing goes to the peer. */
void tftp_machine_stop(struct tftp_machine *m, enum outcome outcome, const char *reason);
/* Lets go of the file; an upload that was not stored is undone. */
void tftp_machine_release(struct tftp_machine *m);

/* After STORING began: commits. `done` is the service's, which then calls tftp_machine_stored(). */
void tftp_machine_commit(struct tftp_machine *m, upload_done *done, void *context);
void tftp_machine_stored(struct tftp_machine *m, enum upload_answer answer, struct tftp_wire *wire,
                         uint64_t now_ms);
/* The ERROR for a refused upload. */
uint16_t tftp_machine_code(enum upload_answer answer);

static inline enum tftp_state tftp_machine_state(const struct tftp_machine *m)
{
    return (enum tftp_state)(m->writes ? m->write.talk.state : m->read.talk.state);
}
static inline uint64_t tftp_machine_due_ms(const struct tftp_machine *m)
{
    return m->writes ? m->write.talk.due_ms : m->read.talk.due_ms;
}
static inline unsigned tftp_machine_resends(const struct tftp_machine *m)
{
    return m->writes ? m->write.talk.resends : m->read.talk.resends;
}
/* Blocks that the peer is known to have, or to have sent: whether it has moved. */
static inline uint64_t tftp_machine_blocks(const struct tftp_machine *m)
{
    return m->writes ? m->write.had : m->read.acked;
}

/* Outcome, code, reason and bytes of one that has ended, or is stored. */
void tftp_machine_note(const struct tftp_machine *m, struct journal_event *event);

#endif
