/* The program's verbs: one file a verb, one row of the table in main.c. */
#ifndef DIALTONE_CLI_VERB_H
#define DIALTONE_CLI_VERB_H

/* What main() returns. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct verb {
    const char *name;
    const char *help;  /* one line */
    const char *usage; /* what follows the name, lines separated by newlines */
    /* argv[0] is the verb's name. */
    int (*run)(const struct verb *verb, int argc, char **argv);
};

/* Says what is wrong and how it is meant, on standard error; returns EXIT_USAGE. */
int verb_misused(const struct verb *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

int verb_cert(const struct verb *verb, int argc, char **argv);
int verb_check(const struct verb *verb, int argc, char **argv);
int verb_decrypt(const struct verb *verb, int argc, char **argv);
int verb_demo(const struct verb *verb, int argc, char **argv);
int verb_dhcp(const struct verb *verb, int argc, char **argv);
int verb_discover(const struct verb *verb, int argc, char **argv);
int verb_doctor(const struct verb *verb, int argc, char **argv);
int verb_encrypt(const struct verb *verb, int argc, char **argv);
int verb_explain(const struct verb *verb, int argc, char **argv);
int verb_local(const struct verb *verb, int argc, char **argv);
int verb_models(const struct verb *verb, int argc, char **argv);
int verb_notify(const struct verb *verb, int argc, char **argv);
int verb_passwd(const struct verb *verb, int argc, char **argv);
int verb_phone(const struct verb *verb, int argc, char **argv);
int verb_serve(const struct verb *verb, int argc, char **argv);

#endif
