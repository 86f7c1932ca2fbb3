/* The phones: every row of every table of the guide (model.def is the one data file), and who a phone is.
 *
 * Source: guide, chapters "Supported Phones", "Editing Common Boot File", "Editing Common CFG File", "Editing
 * MAC-Oriented CFG File", "Resource Files"; rows marked `beyond_guide` are facts.md 8.2. */
#ifndef DIALTONE_GUIDE_MODEL_H
#define DIALTONE_GUIDE_MODEL_H

#include "base/buf.h"
#include "guide/mac.h"

struct model {
    struct slice product;       /* as the guide's tables say: "SIP-T46S" */
    struct slice name;          /* the $MODEL name: "T46S"; "" for models that [MODEL] cannot name */
    struct slice agent;         /* what its User-Agent says where that is not the product; else "" */
    struct slice aliases;       /* further spellings, separated by blanks */
    uint16_t common_cfg;        /* y%012u.cfg */
    uint8_t boot_generation;    /* first firmware generation that reads boot files; 0: none does */
    uint8_t exclude_generation; /* first with exclude mode; 0: none */
    uint8_t prefix_generation;  /* first that reads [MODEL] prefixes; 0: none (facts.md 7.3) */
    uint8_t accounts;           /* how many */
    bool zero_touch;
    bool softkey_layout;
    bool softkey_dialing; /* Dialing.xml among the six layouts */
    bool screen_saver;    /* CustomScreenSaver.xml */
    bool beyond_guide;    /* only facts.md knows it; minima are the family's and not vouched for */
};

/* All rows, in the order of the data file. */
const struct model *model_all(size_t *ret_count);
/* By product name, User-Agent product, $MODEL name or alias, in this order, with or without `SIP-`, in any
 * case, `_` and blank being one; NULL when unknown. `T21P_E2` finds the T21P E2, `T21_E2` the T21 E2. */
const struct model *model_find(struct slice name);
/* The rows that share a common CFG number, one a call: `after` is NULL first; NULL at the end. */
const struct model *model_by_common_cfg(uint64_t number, const struct model *after);
/* Whether `name`, already without blanks around it, stands in a [MODEL] list for this model (`T21P_E2` serves
 * both T21 E2 models). Exactly as the guide spells it: whether phones take another case is unknown. */
bool model_answers_to(const struct model *model, struct slice name);
/* The $MODEL name, or the product without `SIP-` where there is none: what static.auto_provision.url_wildcard.pn
 * says at the factory ("T46G") and what a person calls the phone. */
struct slice model_short_name(const struct model *model);

/* 66.84.0.15: hardware, generation, minor, build, each up to 65535. Forms with more fields (28.1.0.128.0.0.0,
 * facts.md 5.1) keep the first four; fewer than four are refused. */
struct firmware {
    uint16_t field[4];
};
bool firmware_parse(struct slice text, struct firmware *ret_firmware);
void firmware_print(struct firmware firmware, struct buf *out);
static inline unsigned firmware_generation(struct firmware firmware)
{
    return firmware.field[1];
}

/* One phone, as it says itself who it is. */
struct identity {
    struct mac mac;
    const struct model *model; /* never NULL in a phone of ours; NULL when a peer's is unknown */
    struct firmware firmware;
};

/* All three are false for an unknown model. */
bool identity_reads_boot_files(const struct identity *id);
bool identity_has_exclude_mode(const struct identity *id);
bool identity_reads_prefixes(const struct identity *id);
/* `Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37`; without the MAC when user_agent_mac.enable is 0. */
void identity_print_user_agent(const struct identity *id, bool with_mac, struct buf *out);

/* What a request's User-Agent says; every part may be missing (facts.md 5.1 lists the odd shapes). Bytes past
 * USER_AGENT_BYTES_MAX are not looked at. */
enum { USER_AGENT_BYTES_MAX = 512 };
struct user_agent {
    bool is_phone; /* it looks like one of these phones at all */
    const struct model *model;
    bool has_firmware, has_mac;
    struct firmware firmware;
    struct mac mac;
};
struct user_agent user_agent_parse(struct slice text);

#endif
