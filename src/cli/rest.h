/* What a program gives back while it waits for hours. */
#ifndef DIALTONE_CLI_REST_H
#define DIALTONE_CLI_REST_H

/* Free memory goes back to the system, and so do the pages of code and constants, which are read in again from
 * the files' cache as they are needed: libcurl alone brings thirty libraries, whose start-up code is never run
 * a second time. */
void rest(void);

#endif
