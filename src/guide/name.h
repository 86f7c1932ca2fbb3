/* A file's name -> what it is to a phone. Only the last path segment counts, in any case of its letters. */
#ifndef DIALTONE_GUIDE_NAME_H
#define DIALTONE_GUIDE_NAME_H

#include "base/buf.h"
#include "guide/mac.h"

enum name_kind {
    NAME_COMMON_BOOT,     /* y000000000000.boot */
    NAME_MAC_BOOT,        /* 00156574b150.boot */
    NAME_COMMON_CFG,      /* y000000000066.cfg */
    NAME_MAC_CFG,         /* 00156574b150.cfg */
    NAME_MAC_LOCAL,       /* 00156574b150-local.cfg */
    NAME_MAC_CONTACT,     /* 00156574b150-contact.xml */
    NAME_MAC_CALLLOG,     /* 00156574b150-calllog.xml */
    NAME_MAC_ALL,         /* 00156574b150-all.cfg */
    NAME_MAC_LOG,         /* 00156574b150-boot.log, -sys.log */
    NAME_KEY_FILE,        /* <base>_Security.enc, <base>.enc */
    NAME_CUSTOM_CFG,      /* any other .cfg: custom CFG or PIN CFG */
    NAME_BOOT_MISNAMED,   /* another .boot: no phone asks for it by itself */
    NAME_FIRMWARE,        /* .rom */
    NAME_RESOURCE,        /* the guide's resource files by their ending: .xml .lang .js .wav .dob .png .jpg ... */
    NAME_OTHER
};

struct name_meaning {
    enum name_kind kind;
    bool has_mac;
    struct mac mac;
    bool has_common_cfg;
    uint64_t common_cfg; /* the number in y%012u.cfg */
};

struct name_meaning name_meaning(struct slice path);
/* Whether a path belongs to one phone and to nobody else: its last part begins with a bare MAC that no letter or digit
 * follows (<MAC>.cfg, <MAC>-local.cfg, <MAC>_Security.enc, <MAC>.cfg.old), or a directory of it is one (`$MAC/`). */
bool name_is_bound(struct slice path);
/* Whose such a path is: the MAC of the last part that names one. False: it is not bound. */
bool name_owner(struct slice path, struct mac *ret_mac);
/* Whether it is this phone's: every part that names a phone names this one. */
bool name_is_of(struct slice path, struct mac mac);
/* What phones send by themselves: MAC-local CFG files, contacts, call logs, exported settings, logs (guide, "Using
 * MAC-local CFG File"; facts.md 5.5). Nothing else is ever taken from a phone. */
bool name_kind_is_sent(enum name_kind kind);
/* The same of a name. Quick for one that is none, as nearly all that are asked for. */
bool name_is_sent(struct slice path);
/* "common boot file", "MAC-oriented CFG file" ... : the guide's own words. */
const char *name_kind_words(enum name_kind kind);
/* The names a phone asks for. */
void name_print_common_boot(struct buf *out);
void name_print_mac_boot(struct mac mac, struct buf *out);
void name_print_common_cfg(unsigned number, struct buf *out);
void name_print_mac_cfg(struct mac mac, struct buf *out);
void name_print_mac_local(struct mac mac, struct buf *out);

#endif
