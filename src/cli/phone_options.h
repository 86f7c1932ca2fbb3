/* The options that say which phone: the same for `phone`, `explain` and `discover`. */
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
    bool discover;         /* the server is searched for on the network ... */
    const char *interface; /* ... of this one; NULL: the first that is up */
    uint32_t time_scale;
    const char *user, *control, *keys;    /* NULL: not given */
    const char *trusted, *device_certificate, *device_key;
    const char *sip, *sip_auth;           /* NULL: not given */
    char password[PHONE_PASSWORD_MAX + 1]; /* from --password-file */
};

/* Which verb reads them: each takes its part of the options. */
enum phone_taker { PHONE_TAKER_PHONE = 1, PHONE_TAKER_EXPLAIN = 2, PHONE_TAKER_DISCOVER = 4 };

/* EXIT_DONE, or EXIT_USAGE after saying what is wrong: a bad MAC, an unknown model, a bad firmware version,
 * a server URL that no phone can fetch from, an option that this verb does not take. */
int phone_arguments_parse(const struct verb *verb, int argc, char **argv, enum phone_taker taker,
                          struct phone_arguments *ret_arguments);

/* The same of the identity alone. */
int phone_identity_parse(const struct verb *verb, const char *mac, const char *model, const char *firmware,
                         struct identity *ret_id);

/* What these arguments say of certificates, for fetch_trust(); trust_close() it. EXIT_DONE, or EXIT_FAILED after saying
 * what is wrong. */
struct trust;
int phone_arguments_trust(const struct phone_arguments *a, struct trust **ret_trust);

#endif
