/* Secrets from a terminal, standard input or a file, never from the command line: everybody on the machine reads that,
 * and the shell keeps it (security.md R27). */
#ifndef DIALTONE_CLI_SECRET_H
#define DIALTONE_CLI_SECRET_H

#include "cli/verb.h"
#include "guide/seal_envelope.h"
#include "guide/seal_keys.h"

/* One line without its end into `cap` bytes, byte by byte: what follows it is not ours. A line that does not fit is cut
 * there. False at the end of input, or on an error. */
bool secret_line(int fd, char *into, size_t cap, struct slice *ret_line);
/* The same from a terminal, without echo. */
bool secret_ask(int tty, const char *prompt, char *into, size_t cap, struct slice *ret_line);
/* From here on nobody else looks into this process, and it leaves no core. */
void secret_guard(void);

/* Keys that options give. */
struct secret_keys {
    struct seal_key common, mac;
    char *pem; /* of an RSA key; NULL: none */
    size_t pem_len;
};
/* Files as the options name them; NULL: not given. */
struct secret_options {
    const char *aes_common, *aes_mac, *rsa_key;
};
/* EXIT_DONE, or after saying what is wrong EXIT_FAILED. AES keys: text in the first line, or a key file
 * `_Security.enc`; "-" is a line of standard input, or asked for at the terminal. `private_half` of the RSA key.
 * secret_keys_wipe() is due in any case. */
int secret_keys_read(const struct verb *verb, const struct secret_options *options, bool private_half,
                     struct secret_keys *ret_keys);
/* A key that no option gave: asked for, twice where `again`, or a line of standard input. */
int secret_key_ask(const struct verb *verb, bool again, struct seal_key *ret_key);
void secret_keys_wipe(struct secret_keys *keys);
/* Borrows. */
struct seal_keys secret_keys_lend(const struct secret_keys *keys);

#endif
