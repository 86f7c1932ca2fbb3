/* The inside of phone/life: shared by its files, by nobody else.
 *
 *   life.c          power, the address, runs, reboots
 *   life_due.c      time: what is due when
 *   life_person.c   the screen: idle, questions of a run, activation codes
 *   life_settings.c personal settings and their upload */
#ifndef DIALTONE_PHONE_LIFE_INSIDE_H
#define DIALTONE_PHONE_LIFE_INSIDE_H

#include "base/url.h"
#include "guide/activation.h"
#include "phone/idle.h"
#include "phone/life.h"

/* What the phone knows besides its flash; dropped at a reboot. */
struct life_ram {
    enum life_state state;
    struct arena arena; /* of memory, effective */
    struct memory memory;
    struct settings effective;
    struct zone zone;
    struct identity id;
    struct arena address_arena; /* of the found address */
    struct found_address address;
    bool searching; /* the finder does */
    bool known;     /* the address was searched for and found */
    struct phone *phone;
    enum trigger running, queued;
    struct trigger_due due;
    bool told_due;
    bool rested; /* since the last run */
    uint64_t rest_since_ms, touched_ms, powered_ms;
    bool network_unavailable;
    bool asked_pin;
    bool wants_reboot; /* the run that has just ended */
    bool local_came;   /* it took a MAC-local CFG file from the server */
    unsigned code;     /* X of static.autoprovision.X whose run goes on or waits; 0: none */
    enum run_outcome outcome;
    int64_t ran_s;
};

/* The MAC-local CFG file on its way to the server. */
struct upload {
    char *bytes; /* NULL: nothing is on its way */
    size_t len;
    char md5[33];
    struct arena arena; /* of the URLs */
    struct slice url, server;
    unsigned attempts;
    bool under_way; /* the transport has it; else it waits */
    bool changed;   /* meanwhile: it has to be looked at again */
    struct timer wait;
};

struct life {
    struct loop *loop;
    struct transport *transport;
    const struct flash *flash;
    struct screen *screen;
    struct life_options options;
    struct life_watch watch;
    /* Of the machine, not of the phone's memory. */
    uint64_t started_ms;
    int64_t started_wall_ms;
    unsigned power_ons, runs;
    uint64_t reboots_ms[LIFE_REBOOTS_MAX]; /* the latest, in a circle */
    unsigned reboots;
    bool synced; /* a check-sync has rebooted it, at synced_ms */
    uint64_t synced_ms;
    bool in_call;
    int64_t wall_shift_ms; /* wall clock against the monotonic one, as planned with */
    char problem[256];
    char why[256]; /* of the last run */
    struct timer due_timer;
    struct timer step; /* what must not happen inside of somebody's call */
    void (*next_step)(struct life *l);
    uint32_t sync_waited_ms; /* a reboot waits for the end of a call */
    struct timer sync_timer;
    struct life_ram ram;
    struct upload upload;
    /* On the screen. */
    struct idle idle;
    struct notice updating, rebooting, message;
    struct form question; /* PIN or credentials */
    struct form confirm;  /* of an activation code */
};

/* life.c */
void life_tell(const struct life *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `step` after the present call has returned. One at a time: a later one takes the place of an earlier. */
void life_later(struct life *l, void (*step)(struct life *l));
/* A run for this reason, now or behind the one that goes on. */
void life_run(struct life *l, enum trigger trigger);
/* Writes memory to flash. False: told, and what is in memory holds until the reboot. */
bool life_keep(struct life *l);
/* Settings and what hangs on them, from `memory`. False: out of memory. */
bool life_settle(struct life *l);
struct slice life_value(const struct life *l, const char *key);

/* life_due.c */
uint64_t life_now_ms(const struct life *l); /* of the phone: --time-scale is in */
int64_t life_wall_s(const struct life *l);
/* `after_ms` of the phone's time. */
void life_timer(struct life *l, struct timer *t, uint64_t after_ms, void (*fire)(struct timer *timer));
/* When the next run is due is worked out anew. */
void life_plan(struct life *l);

/* life_person.c */
void life_screen_open(struct life *l);
void life_screen_close(struct life *l);
void life_show_updating(struct life *l, bool shown);
struct phone_user life_person(struct life *l);
/* A run by activation code: its server, user and password. */
void life_activated(const struct life *l, struct phone_options *options);
/* A run is over: what was entered for it is kept or forgotten. */
void life_login_done(struct life *l);
/* The run ends here, as if power were gone for a moment; it did not fail, it did not happen. */
void life_stop_run(struct life *l);

/* life_settings.c */
/* Looks whether the MAC-local CFG file has to be uploaded. */
void life_local_changed(struct life *l);
/* The run took the server's copy: what the phone has now is what the server has. */
void life_local_came(struct life *l);
void life_upload_stop(struct life *l);

#endif
