/* The idle screen: clock, accounts, what the phone stands at; a number that is dialled from it; a small menu.
 *
 * It knows nothing of provisioning: its owner fills in the facts when it is drawn, and hears of dialled numbers
 * and of what was picked in the menu. */
#ifndef DIALTONE_PHONE_IDLE_H
#define DIALTONE_PHONE_IDLE_H

#include "phone/form.h"

/* Accounts shown; the rest is on the next page of a real phone. */
#define IDLE_ACCOUNTS_MAX 4
/* Guide, "Auto Provisioning via Activation Code": a code has at most 32 characters; numbers may be longer. */
#define IDLE_NUMBER_MAX 63

struct idle_facts {
    unsigned hour, minute;                    /* local time */
    struct slice accounts[IDLE_ACCOUNTS_MAX]; /* labels, borrowed */
    size_t account_count;
    bool dnd, in_call, network_unavailable;
    struct slice status; /* one line, "": none */
};

enum idle_pick { IDLE_PROVISION, IDLE_REBOOT, IDLE_DND, IDLE_CALL };

struct idle {
    struct dialog dialog;
    struct form number; /* being dialled */
    struct dialog menu;
    void (*describe)(void *context, struct idle_facts *facts);
    void (*dialled)(void *context, struct slice number); /* OK was pressed behind it; never empty */
    void (*picked)(void *context, enum idle_pick pick);
    void *context;
};

void idle_init(struct idle *i, void *context);
/* The lowest dialog of a screen with nothing on it. */
void idle_open(struct idle *i, struct screen *s);
void idle_close(struct idle *i);

#endif
