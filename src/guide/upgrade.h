/* Firmware upgrades: the version of a ROM, the version a phone runs, and circles.
 *
 * A ROM is asked for whenever its parameter is in force and compared with what the phone runs (facts.md 5.6):
 * the same does nothing, another is installed and the phone reboots and provisions itself anew. The version is
 * in the name, `66.84.0.20.rom`, `T46U(T43U,T46U)-108.86.0.20.rom`; ROMs themselves are nobody's to read, so a
 * name without one says nothing and does nothing. The first number is the hardware: a ROM for other hardware is
 * refused.
 *
 * What a phone runs is a note in its flash, `upgrade.to`, good as long as it left the factory with what
 * `upgrade.from` says. `upgrade.left` lists the versions it left since a run last ended without an upgrade: who
 * is told to go back to one of those goes in a circle. */
#ifndef DIALTONE_GUIDE_UPGRADE_H
#define DIALTONE_GUIDE_UPGRADE_H

#include "guide/memory.h"

/* False: no version in the name. */
bool upgrade_version_of(struct slice url, struct firmware *ret_firmware);
/* What a phone runs that left the factory with `factory`. */
struct firmware upgrade_running(const struct memory *m, struct firmware factory);

enum upgrade_answer {
    UPGRADE_SAME,
    UPGRADE_INSTALL,
    UPGRADE_UNKNOWN, /* no version in its name */
    UPGRADE_OTHER_HARDWARE,
    UPGRADE_CIRCLE /* it ran that version before, in the same go */
};
enum upgrade_answer upgrade_decide(const struct memory *m, struct firmware runs, struct slice url,
                                   struct firmware *ret_firmware);
/* Puts the notes: it ran `runs` and has `next` from the coming reboot on. False: out of memory. */
bool upgrade_note(struct memory *m, struct firmware runs, struct firmware next, struct arena *arena);
/* A run ended without an upgrade. */
void upgrade_settled(struct memory *m);

#endif
