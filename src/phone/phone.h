/* One virtual phone: drives the guide's procedure with a transport, keeps flash, tells what happens.
 *
 * A phone lives on one loop. It is powered on, runs once, and says so; what it remembers is in flash only, so
 * powering it on again is a real reboot. */
#ifndef DIALTONE_PHONE_PHONE_H
#define DIALTONE_PHONE_PHONE_H

#include "net/loop.h"
#include "phone/flash.h"
#include "phone/transport.h"

/* Memory of one run: a big tree of CFG files, parsed, with every loser. */
#define PHONE_ARENA_BYTES ((size_t)64 * 1024 * 1024)

/* The person in front of the phone, for the questions that a run has. Any function may be NULL. */
struct phone_user {
    bool (*in_call)(void *context);
    /* True: the answer comes by phone_enter_pin(), not from inside this call. `why` is one line. */
    bool (*asks_pin)(void *context, struct slice why);
    /* The server wants a user name and password, or other ones when it was given some. True: the answer comes by
     * phone_enter_credentials(), not from inside this call. */
    bool (*asks_credentials)(void *context, bool had_some);
    void *context;
};

/* How often wrong credentials are asked for again in one run. */
#define PHONE_LOGIN_TRIES 3

struct phone_options {
    struct identity id;          /* as it left the factory: flash knows of upgrades */
    struct slice server;         /* URL; "": the one in flash, static.auto_provision.server.url */
    struct slice user, password; /* for that server; "" none: those in flash */
    struct slice pin;            /* what is entered when nobody else answers; "": nothing */
    struct seal_keys keys;       /* beside those in flash */
    uint32_t time_scale;         /* waits are this many times shorter; 1: real time */
    struct phone_user person;
};

/* Who looks on. Everything is borrowed for the call; any of them may be NULL. */
struct phone_watch {
    void (*file)(void *context, const struct report_file *file); /* its outcome is known */
    void (*resource)(void *context, const struct report_resource *resource);
    void (*waits)(void *context, uint32_t wait_ms, struct slice why);
    void (*applies)(void *context, const struct report *report);
    void (*reboots)(void *context, struct slice why);
    /* The run is over; the report lives until phone_power_on() or phone_free(). May power it on again, not free it. */
    void (*done)(void *context, const struct report *report);
    void *context;
    void *done_context; /* of `done`; NULL: `context` */
};

struct phone;

/* Everything is borrowed and outlives the phone. NULL: out of memory. */
struct phone *phone_new(struct loop *loop, struct transport *transport, const struct flash *flash,
                        const struct phone_options *options, const struct phone_watch *watch);
void phone_free(struct phone *p);
/* The answers of the person; "" is none. For a question that was not asked, or a run that is over, nothing happens. */
void phone_enter_pin(struct phone *p, struct slice pin);
void phone_enter_credentials(struct phone *p, struct slice user, struct slice password);
/* What was entered last and let this run in; "" when nothing was. Borrowed until the next run. */
void phone_entered_credentials(const struct phone *p, struct slice *ret_user, struct slice *ret_password);
/* Ends a run where it stands, as a power cut would: `done` is not called. */
void phone_stop(struct phone *p);
/* Starts a run; not while one is going. NULL, or why it cannot: "flash: damaged ...", "no server URL ...". */
const char *phone_power_on(struct phone *p);

#endif
