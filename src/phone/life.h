/* The life of one phone: power on, find the server, provision, idle, be triggered, reboot, and so on for
 * months.
 *
 *     power on --> flash is read --> zero touch, PnP, DHCP, flash: the server's address (phone/finder.h)
 *        ^                                          |
 *        |                                          v
 *     reboots <-- a setting wants it ---- run (phone/phone.h) <---- a trigger (guide/trigger.h), check-sync,
 *        ^                                          |              Auto Provision Now, activation code
 *        |                                          v                             ^
 *        +---- check-sync, the user -------------- idle --------------------------+
 *
 * One state machine on one loop; everything that it needs is handed in, so a test runs years of it on a manual
 * clock. A reboot is real: all that is not in flash is dropped, and read back.
 *
 * Limits against whoever makes a phone run or reboot in a circle (security.md R18): one run at most waits for
 * another to end; a check-sync reboots it once in LIFE_SYNC_INTERVAL_MS; runs reboot it LIFE_REBOOTS_MAX times
 * in LIFE_REBOOTS_MS. What is over that is told and left.
 *
 * Source: guide, chapters "Triggering the IP Phone to Perform Auto Provisioning", "Obtaining the Provisioning
 * Server Address", "Using MAC-local CFG File"; the phone's screen texts are those of the guide where it has
 * them. */
#ifndef DIALTONE_PHONE_LIFE_H
#define DIALTONE_PHONE_LIFE_H

#include "guide/trigger.h"
#include "phone/finder.h"
#include "phone/phone.h"

#define LIFE_REBOOT_MS 3000
#define LIFE_SYNC_INTERVAL_MS 60000
#define LIFE_REBOOTS_MAX 3
#define LIFE_REBOOTS_MS (10 * 60 * 1000)
/* Wrong credentials: the message "will disappear in two seconds" (guide, "Auto Provisioning via Activation
 * Code"). */
#define LIFE_WRONG_LOGIN_MS 2000
/* Nobody answers a question of a run: it goes on without. */
#define LIFE_QUESTION_MS (2 * 60 * 1000)
/* The wall clock is looked at so often: a jump of it moves what is due. */
#define LIFE_LOOK_MS 60000
/* Idle for so long, and nothing due as soon: it rests. */
#define LIFE_REST_MS 1000

enum life_state {
    LIFE_OFF,       /* before power on, or the flash cannot be read */
    LIFE_SEARCHING, /* for the server's address */
    LIFE_IDLE,
    LIFE_UPDATING,
    LIFE_REBOOTING
};
/* "off", "searching" ... */
const char *life_state_name(enum life_state state);

struct life_options {
    struct identity id;                  /* as it left the factory */
    struct slice server, user, password; /* given: nothing is searched for. "": none */
    struct slice pin;                    /* as in struct phone_options */
    struct seal_keys keys;               /* as there */
    uint32_t time_scale;                 /* all times are this many times shorter; 1: real time */
    bool has_person;                     /* somebody reads the screen: PIN and credentials may be asked for */
    struct address_finder *finder;       /* NULL: the server's address is in flash */
};

/* Who looks on; everything is borrowed for the call, and any function may be NULL. No function of this file is
 * called from inside of these. */
struct life_watch {
    struct phone_watch run; /* of every run */
    /* A run starts. `id` has the firmware that the phone runs by now. */
    void (*starts)(void *context, enum trigger trigger, const struct identity *id, struct slice server);
    /* One line about what happens besides: "idle; weekly is due 2026-11-23 02:10". */
    void (*event)(void *context, struct slice text);
    /* Nothing goes on and nothing is due for a while: a good moment to give memory back. */
    void (*rests)(void *context);
    void *context; /* of these three */
};

struct life;

/* Everything is borrowed and outlives it. NULL: out of memory. */
struct life *life_new(struct loop *loop, struct transport *transport, const struct flash *flash,
                      struct screen *screen, const struct life_options *options,
                      const struct life_watch *watch);
void life_free(struct life *l);
/* NULL, or why it cannot: "flash: damaged ...". Once. */
const char *life_power_on(struct life *l);

/* What the outside does to a phone. From the loop, never from inside of the watch. */

/* Auto Provision Now. While a run goes on another is put behind it, once. */
void life_provision_now(struct life *l);
/* A check-sync that was decided upon (guide/check_sync.h). With `reboot` the phone reboots, after a call that
 * goes on. */
void life_check_sync(struct life *l, bool reboot);
void life_reboot(struct life *l);
/* The call switch. */
void life_set_call(struct life *l, bool active);
/* A number dialled on the idle screen: an activation code, or a call. */
void life_dial(struct life *l, struct slice number);
void life_key(struct life *l, enum key key);
void life_text(struct life *l, struct slice text);
/* A setting changed by the user: non-static ones are personal, static ones are never (life_settings.c). `value`
 * "" resets it. 0, -EBUSY while a run may overwrite it, -EINVAL for a key or value that no CFG file can hold,
 * another negative errno when flash could not be written. */
int life_set(struct life *l, struct slice key, struct slice value);

/* How it stands; texts are borrowed until the next call into the loop. */
struct life_facts {
    enum life_state state;
    struct identity id;
    struct slice server; /* "": none known */
    const char *source;  /* of it; "" */
    bool in_call, network_unavailable;
    unsigned power_ons, runs; /* of this process */
    uint64_t up_s;            /* since power on */
    int64_t now_s;            /* UTC */
    int32_t utc_offset_s;
    enum run_outcome outcome; /* of the last run; RUN_GOING: none yet */
    struct slice why;
    int64_t ran_s; /* when it ended; 0: none yet */
    struct trigger_due due;
    const struct settings *effective;
};
struct life_facts life_facts(const struct life *l);

#endif
