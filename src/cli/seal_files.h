/* What `encrypt` and `decrypt` share: their options, and files that are read whole and written whole or not at all. */
#ifndef DIALTONE_CLI_SEAL_FILES_H
#define DIALTONE_CLI_SEAL_FILES_H

#include "cli/secret.h"

#include <sys/stat.h>

struct seal_files {
    const struct verb *verb;
    bool encrypting;
    struct secret_options options; /* encrypt: rsa_key is the one of --envelope */
    struct secret_keys keys;
    const char *out;  /* NULL: beside the input */
    const char *list; /* encrypt: where the keys go; NULL: nowhere */
    bool make_key, key_file, pkcs7, force;
    uint64_t key_length;
    char **names;
    size_t count;
    struct arena arena; /* of one file */
};

/* EXIT_DONE, EXIT_USAGE, or EXIT_FAILED after saying what is wrong. seal_files_free() is due in any case. */
int seal_files_parse(const struct verb *verb, bool encrypting, int argc, char **argv, struct seal_files *ret_files);
void seal_files_free(struct seal_files *f);
/* Complains about one file; returns EXIT_FAILED. */
int seal_files_fail(const struct seal_files *f, const char *name, const char *why);
/* The part behind the last slash. */
const char *seal_files_last(const char *name);
int seal_files_read(struct seal_files *f, const char *name, struct slice *ret_bytes, struct stat *ret_stat);
/* Puts bytes under `last` into the directory of `name`'s output. With `input`, refuses without --force what is that
 * file. */
int seal_files_write(const struct seal_files *f, const char *name, const char *last, struct slice bytes, mode_t mode,
                     const struct stat *input);
/* Of the file's kind; NULL: none was given for it, which has been said. */
const struct seal_key *seal_files_key(const struct seal_files *f, const char *name);

#endif
