/* Zero Touch: the wizard that a phone shows while it starts (guide, "Zero Touch").
 *
 *     Zero Touch: press OK within N s --OK--> network parameters --Next--> server URL, user name, password
 * --OK--> found |                                      |                            |
 *            +--- time over, Cancel ----------------+------ Cancel --------------+--> nothing: PnP is next
 *
 * What was entered is the phone's from then on: network parameters and the address go to flash. */
#ifndef DIALTONE_PHONE_ZERO_TOUCH_H
#define DIALTONE_PHONE_ZERO_TOUCH_H

#include "phone/source.h"

/* A form that somebody opened and left does not keep a phone from starting for good; our own choice. */
#define ZERO_TOUCH_LEFT_MS (5 * 60 * 1000)

struct zero_touch;
/* NULL: out of memory. Freed by its own `close`. */
struct source *zero_touch_new(void);

#endif
