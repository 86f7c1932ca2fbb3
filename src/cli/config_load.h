/* The daemon's configuration as a command line names it: -c FILE, -o KEY=VALUE, --root DIR. */
#ifndef DIALTONE_CLI_CONFIG_LOAD_H
#define DIALTONE_CLI_CONFIG_LOAD_H

#include "server/config.h"

/* A configuration file has some hundred lines. */
#define CONFIG_LOAD_BYTES_MAX ((size_t)1024 * 1024)
#define CONFIG_WORDS_MAX 64

struct config_words {
    const char *root, *file; /* NULL: not given */
    const char *options[CONFIG_WORDS_MAX];
    size_t option_count;
};
/* False: more than CONFIG_WORDS_MAX. */
bool config_words_add(struct config_words *w, const char *option);

struct config_loaded {
    struct arena arena; /* of the rest; the caller frees it, whatever came of the load */
    struct config config;
    struct diag findings;
};
/* Defaults, then the file, then the command line. EXIT_DONE, EXIT_USAGE for the command line's part, else
 * EXIT_FAILED; why stands in the findings. */
int config_load(struct config_loaded *l, const struct config_words *w);
/* To standard error, a line each. */
void config_say(const struct diag *findings);

#endif
