/* One provisioning run, the guide's, as a state machine without I/O.
 *
 * It says what it wants next (procedure_wish) and is told what came of it (procedure_answer_*). The phone
 * answers with real protocols, explain with a directory, a test with a script; so what explain says is what a
 * phone does. No socket, no file, no clock: waiting is a wish like any other.
 *
 *     in a call? --yes--> wait 30 s, look again; after 2 h: failed
 *         | no
 *     server URL, wildcards replaced
 *         |-- names a file (.boot, .cfg, a query) --> fetch it alone; absent: failed ----------+
 *         |-- names a directory                                                                |
 *         |     firmware reads boot files?  --no--------------------+                          |
 *         |        | yes                                            |                          |
 *         |     <mac>.boot --absent--> y000000000000.boot --absent--+                          |
 *         |        | got                   | got                    |                          |
 *         |        +-----------+-----------+             old mechanism: y0000000000XX.cfg      |
 *         |                    |                            | got: its resources and firmware  |
 *         |                    | <------- a boot file ------|--------------------------------- +
 *         |          includes, top to bottom               |  absent: go on                    |
 *         |            append mode: own model's and         <mac>.cfg, or what                 | a CFG file
 *         |              those without [MODEL]              static.custom_mac_cfg.url names    |
 *         |            exclude mode: own model's;           ($pin: ask the user)               |
 *         |              none there: those without [MODEL]    | got: its resources             |
 *         |            absent: the next one                   | both absent: failed            |
 *         |            all absent: failed                     |                                |
 *         |                    +---------------+--------------+--------------------------------+
 *         |                                    |
 *         |                   custom.sync = 1: <mac>-local.cfg; absent: go on
 *         |                                    |
 *         |          every file's MD5 as last time, same phone and firmware? --yes--> unchanged
 *         |                                    | no
 *         |                   resources and firmware (boot files, single file)
 *         |                                    |
 *         |                                  apply --> reboot when a changed setting asks for it --> provisioned
 *         |
 *     firmware of another version (guide/upgrade.h): installed with what is applied, then reboot; by the old mechanism
 *     at once, nothing applied, reboot --> upgraded (facts.md 0.7, 5.6). After the reboot the run comes again.
 *     any file, any time: no answer or a server error --> attempt_before_failed tries,
 *     retry_delay_after_file_transfer_failed apart --> failed, nothing applied.
 *     A file that no phone can read (HTML, binary, the old format) --> failed, nothing applied.
 *     An encrypted file is opened first, with the key that holds by then, or after its key file <base>.enc or
 *     <base>_Security.enc was asked for (procedure_seal.c); a wrong key --> failed, nothing applied.
 *     An absent file is an answer, not a failure: HTTP 404, FTP 550, any TFTP ERROR (facts.md 5.3, 5.7).
 *
 * Where the guide is silent: a run without any CFG file that was named and there applies nothing, so that a
 * directory lost on the server does not reset every phone (facts.md 9); with boot files "unchanged" looks at
 * every file of the run (facts.md 7.6); resources are asked for even when they were fetched before, but not
 * those of a file that the old mechanism finds unchanged on the same phone and firmware. */
#ifndef DIALTONE_GUIDE_PROCEDURE_H
#define DIALTONE_GUIDE_PROCEDURE_H

#include "guide/report.h"
#include "guide/seal_keys.h"

/* Guide, "Triggering the IP Phone": the call status is looked at every 30 seconds for 2 hours. */
#define PROCEDURE_CALL_LOOK_MS 30000
#define PROCEDURE_CALL_GIVE_UP_MS (2 * 60 * 60 * 1000)
/* A wrong PIN is asked for again this often. */
#define PROCEDURE_PIN_TRIES 3
/* Boot and CFG files of the wild stay below 200 KB; a bigger one is a mistake or an attack. */
#define PROCEDURE_FILE_BYTES_MAX ((size_t)4 * 1024 * 1024)

enum wish_kind {
    WISH_CALL,     /* is there an active call? procedure_answer_call() */
    WISH_WAIT,     /* let wait_ms go by; procedure_answer_waited() */
    WISH_PIN,      /* ask the user for the PIN; procedure_answer_pin() */
    WISH_FETCH,    /* a boot or CFG file; procedure_answer_fetch() with its bytes */
    WISH_RESOURCE, /* a resource file; or firmware (limit SIZE_MAX), whose bytes may stay away;
                      procedure_answer_fetch() */
    WISH_KEEP,     /* put `bytes` into flash as a resource of `key`; procedure_answer_kept() */
    WISH_DROP,     /* take the resource `name` of `key` out of flash, "" all of them; procedure_answer_kept() */
    WISH_APPLY,    /* put `memory` into flash; procedure_answer_applied() */
    WISH_REBOOT,   /* the phone reboots; procedure_answer_rebooted() */
    WISH_DONE      /* the run is over: procedure_report() */
};

struct wish {
    enum wish_kind kind;
    struct slice url;            /* FETCH, RESOURCE: absolute, wildcards replaced */
    struct slice user, password; /* for this URL, when it brings none of its own; "" none */
    bool own_server;             /* FETCH, RESOURCE: the server's user and password are for this URL */
    size_t limit;                /* FETCH, RESOURCE: a longer one is refused */
    struct slice key;            /* RESOURCE, KEEP: the parameter that asks; DROP: the one that had asked */
    struct slice name;           /* KEEP: last segment of the URL, decoded; KEEP, DROP */
    struct slice bytes;          /* KEEP */
    bool many;                   /* KEEP: beside the others of `key`, not in their place */
    uint32_t wait_ms;            /* WAIT */
    uint32_t timeout_ms;         /* FETCH, RESOURCE: silence of the server that counts as a failure */
    const struct memory *memory; /* APPLY */
    struct slice why;            /* one line for a person; "" when obvious */
};

enum fetch_outcome {
    FETCH_GOT,
    FETCH_ABSENT,  /* the server says there is no such file */
    FETCH_FAILED,  /* no or no clear answer: worth another try */
    FETCH_REFUSED, /* came, but too large or not acceptable: no other try */
    FETCH_OUTSIDE  /* explain only: on a server that it does not know; the run goes on as if absent */
};

struct fetched {
    enum fetch_outcome outcome;
    struct slice bytes; /* borrowed for the call */
    struct slice why;   /* borrowed for the call: "HTTP 404", "no answer within 5 s" */
    bool denied;        /* FAILED because the server wants a user name and password, or others */
};

struct procedure_start {
    struct identity id;
    struct slice server;         /* URL, before wildcards */
    struct slice user, password; /* for that server; "" none: static.auto_provision.server.username and .password */
    const struct memory *memory; /* what flash holds; must outlive the run */
    struct seal_keys keys;       /* beside those in flash; must outlive the run */
};

struct procedure;

/* Everything of the run lives in `arena` and on the heap until procedure_free(). NULL: out of memory. */
struct procedure *procedure_new(const struct procedure_start *start, struct arena *arena);
void procedure_free(struct procedure *p);
/* What it wants now; the same until it is answered. */
struct wish procedure_wish(const struct procedure *p);
void procedure_answer_call(struct procedure *p, bool active);
void procedure_answer_waited(struct procedure *p);
/* From now on for the server, instead of those it started with; copied. Ask for the wish again. False: out of
 * memory. */
bool procedure_use_credentials(struct procedure *p, struct slice user, struct slice password);
/* "": the user entered none. */
void procedure_answer_pin(struct procedure *p, struct slice pin);
void procedure_answer_fetch(struct procedure *p, const struct fetched *fetched);
/* `why` when it could not be kept: the run fails. */
/* `why` when flash could not be changed: it is told, and the run goes on. */
void procedure_answer_kept(struct procedure *p, bool kept, struct slice why);
void procedure_answer_applied(struct procedure *p, bool kept, struct slice why);
void procedure_answer_rebooted(struct procedure *p);
/* Complete at WISH_DONE; before that what is known so far. */
const struct report *procedure_report(const struct procedure *p);

#endif
