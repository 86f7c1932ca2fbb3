/* dialtone passwd: a user's line for the configuration of dialtone serve. */
#include "server/users.h"

#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* A password, its line end, and one byte more to see that it is too long. */
#define LINE_BYTES (AUTH_PASSWORD_BYTES_MAX + 3)

static bool get_password(char *into, struct slice *ret_password)
{
    char again_bytes[LINE_BYTES];
    struct slice again;
    if (!isatty(STDIN_FILENO)) {
        if (secret_line(STDIN_FILENO, into, LINE_BYTES, ret_password))
            return true;
        fprintf(stderr, "dialtone passwd: no password on standard input\n");
        return false;
    }
    bool same = secret_ask(STDIN_FILENO, "Password: ", into, LINE_BYTES, ret_password) &&
                secret_ask(STDIN_FILENO, "Again: ", again_bytes, LINE_BYTES, &again) && slice_eq(*ret_password, again);
    OPENSSL_cleanse(again_bytes, sizeof again_bytes);
    if (!same)
        fprintf(stderr, "dialtone passwd: the two are not the same\n");
    return same;
}

static int print_line(struct slice name, struct slice password)
{
    unsigned char salt[16];
    char bytes[USER_HASH_TEXT_BYTES_MAX + 1];
    struct buf out = BUF_ON(bytes);
    struct user_hash hash;
    if (getrandom(salt, sizeof salt, 0) != sizeof salt || !user_hash_make(name, password, salt, &hash)) {
        fprintf(stderr, "dialtone passwd: the crypto library failed\n");
        return EXIT_FAILED;
    }
    user_hash_print(&hash, &out);
    printf("user.%.*s = %.*s\n", SLICE_ARG(name), SLICE_ARG(buf_slice(&out)));
    return fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int make(struct slice name, bool weak)
{
    char bytes[LINE_BYTES];
    struct slice password;
    int status = EXIT_FAILED;
    if (get_password(bytes, &password)) {
        const char *fault = password_fault(password, weak);
        if (fault)
            fprintf(stderr, "dialtone passwd: the password %s%s\n", fault,
                    password_fault(password, true) ? "" : "; --weak takes it all the same");
        else
            status = print_line(name, password);
    }
    OPENSSL_cleanse(bytes, sizeof bytes);
    return status;
}

int verb_passwd(const struct verb *verb, int argc, char **argv)
{
    static const struct option longs[] = { { "weak", no_argument, NULL, 'w' }, { NULL, 0, NULL, 0 } };
    bool weak = false;
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
        if (option != 'w')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        weak = true;
    }
    if (optind == argc)
        return verb_misused(verb, "whose password? A name is needed");
    /* A password given here would be in the shell's history and everybody's process list: it is not repeated.
     */
    if (optind + 1 < argc)
        return verb_misused(verb, "one name and nothing else: the password is read from standard input");
    if (!user_name_ok(slice_str(argv[optind])))
        return verb_misused(verb, "a name is 1 to %d letters, digits, '.', '_', '-' and '@'",
                            USER_NAME_BYTES_MAX);
    return make(slice_str(argv[optind]), weak);
}
