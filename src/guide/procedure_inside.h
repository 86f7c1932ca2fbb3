/* The inside of guide/procedure: shared by the files of the state machine, by nobody else.
 *
 *   procedure.c           wishes and answers, retries, endings
 *   procedure_files.c     which file is asked for next: boot files, includes, the old mechanism, MAC-local
 *   procedure_seal.c      encrypted files and their key files
 *   procedure_resources.c what the CFG files' URLs ask for
 *   procedure_firmware.c  a ROM that came: installed or not */
#ifndef DIALTONE_GUIDE_PROCEDURE_INSIDE_H
#define DIALTONE_GUIDE_PROCEDURE_INSIDE_H

#include "guide/address.h"
#include "guide/boot.h"
#include "guide/procedure.h"
#include "guide/resource.h"

enum state {
    STATE_CALL,
    STATE_CALL_WAIT,
    STATE_RETRY_WAIT,
    STATE_SINGLE,
    STATE_MAC_BOOT,
    STATE_COMMON_BOOT,
    STATE_INCLUDE,
    STATE_COMMON_CFG,
    STATE_PIN,
    STATE_MAC_CFG,
    STATE_LOCAL,
    STATE_KEY_RSA,    /* <base>.enc of an encrypted file */
    STATE_KEY_SHARED, /* <base>_Security.enc */
    STATE_RESOURCE,
    STATE_KEEP,
    STATE_DROP,
    STATE_APPLY,
    STATE_REBOOT,
    STATE_DONE
};

/* A CFG file of this run, in the order of applying. */
struct run_cfg {
    struct run_cfg *next;
    struct cfg_file cfg;
    bool resources_known; /* the same file last time: its resources are not asked for again */
};

struct procedure {
    struct arena *arena;
    size_t failures; /* of the arena before the run */
    struct identity id;
    const struct memory *before;
    struct memory after;
    struct report report;
    struct wildcards wildcards;
    struct slice user, password; /* given for the server; "" none */
    enum state state;
    enum state retry_state;     /* where STATE_RETRY_WAIT goes back to */
    unsigned attempts;          /* of the present fetch */
    uint32_t call_waited_ms;
    unsigned pin_tries;
    struct slice directory;     /* of the server URL */
    struct slice why;           /* of the present wish */
    struct report_file *asking; /* SINGLE .. KEY_SHARED: the file that is wished for */
    struct seal_keys keys;
    struct report_file *sealed; /* KEY_*: the file that waits for the key; else NULL */
    enum state sealed_state;
    struct slice sealed_bytes;
    struct boot_file boot;
    struct slice boot_url;
    const struct boot_include *include; /* the next to look at */
    bool rest_pass;                     /* exclude mode: the pass over includes without [MODEL] */
    bool own_found, any_asked;
    struct run_cfg *cfgs, **cfgs_tail;
    struct cfg_file *local;
    const struct run_cfg *resource_cfg; /* whose resources are asked for now */
    const struct cfg_assignment *resource_next;
    bool resource_one_cfg;            /* old mechanism: only this file's */
    void (*after_resources)(struct procedure *p);
    const struct resource *resource; /* of the present one; NULL: firmware */
    uint32_t resource_line;
    struct slice resource_name;
    char *resource_bytes; /* good, and to be kept */
    size_t resource_len;
    struct settings_run run;
    struct settings effective_before;
};

#define PARAM(name) SLICE("static.auto_provision." name)

/* Endings (procedure.c). `why` lives as long as the arena. */
void run_finish(struct procedure *p, enum run_outcome outcome, struct slice why);
/* Nothing was applied: what held before holds on. */
void run_finish_as_before(struct procedure *p, enum run_outcome outcome, struct slice why);
void run_fail(struct procedure *p, struct slice why);
void run_fail_memory(struct procedure *p);
void run_fail_file(struct procedure *p, enum file_outcome outcome, struct slice why);
/* The name by which the next run knows the file just used. */
struct slice run_file_name(const struct procedure *p);
/* Puts the file just used among those the next run compares with. */
bool run_remember_file(struct procedure *p);

/* Bytes that have come: opens what is encrypted, or asks for its key first (procedure_seal.c) ... */
void run_take_file(struct procedure *p, struct slice bytes);
/* ... then reads them, or refuses what no phone reads (procedure.c). */
void run_take_text(struct procedure *p, struct slice text);
/* The server has no such key file. */
void run_no_key_file(struct procedure *p);

/* The way through the files (procedure_files.c). */
void run_ask(struct procedure *p, enum state state, struct slice url, struct slice why);
/* A boot file under the one name that the server URL has. */
bool run_looks_like_boot(const struct procedure *p, struct slice text);
void run_begin(struct procedure *p, struct slice server);
void run_got_file(struct procedure *p, struct slice bytes);
void run_absent_file(struct procedure *p);
void run_ask_mac_cfg(struct procedure *p);
void run_no_pin(struct procedure *p);
/* Why a MAC-local CFG file from the server has no say, whatever came of asking for it; "" when it has. */
struct slice run_local_ignored(const struct procedure *p);
void run_ignore_local(struct procedure *p, struct slice why);
/* All files are there: unchanged, or resources and then apply. */
void run_conclude(struct procedure *p);

/* Resources (procedure_resources.c): asks for the next one in force, or goes on with after_resources. */
void run_ask_resources(struct procedure *p);
/* It came: it is checked, and kept when it is good. */
void run_got_resource(struct procedure *p, struct slice bytes);
void run_kept_resource(struct procedure *p, bool kept, struct slice why);
/* A ROM came, whose resource is the last of the report. */
void run_got_firmware(struct procedure *p);
/* It was installed, and nothing else was done. */
void run_finish_upgrade(struct procedure *p);
/* Those of one file (old mechanism), then `then`. */
void run_ask_resources_of(struct procedure *p, const struct run_cfg *cfg, void (*then)(struct procedure *p));
/* Those of every file of the run, then `then`. */
void run_ask_all_resources(struct procedure *p, void (*then)(struct procedure *p));

#endif
