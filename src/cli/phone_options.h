/* The options that say which phone: the same for `phone` and `explain`. */
#ifndef DIALTONE_CLI_PHONE_OPTIONS_H
#define DIALTONE_CLI_PHONE_OPTIONS_H

#include "cli/secret.h"
#include "cli/verb.h"
#include "guide/model.h"

/* facts.md 6.1: 99 or 100 characters. */
#define PHONE_PASSWORD_MAX 255

struct phone_arguments {
    struct identity id;
    const char *root; /* explain only */
    const char *server, *flash, *pin;
    struct secret_options key_files;
    bool json, show_secrets, once;
    uint32_t time_scale;
    const char *user, *control, *keys;    /* NULL: not given */
    char password[PHONE_PASSWORD_MAX + 1]; /* from --password-file */
};

/* EXIT_DONE, or EXIT_USAGE after saying what is wrong: a bad MAC, an unknown model, a bad firmware version,
 * a server URL that no phone can fetch from.
 * `with_root`: explain's --root instead of the options of a running phone. */
int phone_arguments_parse(const struct verb *verb, int argc, char **argv, bool with_root,
                          struct phone_arguments *ret_arguments);

#endif
