#include "cli/secret.h"

#include "server/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

/* A key, its line end, and some bytes more to see that it is too long. */
#define LINE_BYTES (SEAL_KEY_BYTES_MAX + 8)

bool secret_line(int fd, char *into, size_t cap, struct slice *ret_line)
{
    size_t len = 0;
    ssize_t got = 1;
    while (len < cap && (got = read(fd, into + len, 1)) == 1 && into[len] != '\n')
        len++;
    if (got < 0 || (got == 0 && len == 0))
        return false;
    if (len && into[len - 1] == '\r')
        len--;
    *ret_line = slice_of(into, len);
    return true;
}

bool secret_ask(int tty, const char *prompt, char *into, size_t cap, struct slice *ret_line)
{
    struct termios before, silent;
    if (tcgetattr(tty, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
        return false;
    fputs(prompt, stderr);
    bool fine = secret_line(tty, into, cap, ret_line);
    tcsetattr(tty, TCSAFLUSH, &before);
    fputs("\n", stderr);
    return fine;
}

void secret_guard(void)
{
    /* Neither is worth ending for. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    /* The leak sanitizer looks at its own process from outside. */
    if (!CONFINE_SANITIZED)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static int say(const struct verb *verb, const char *what, const char *why)
{
    fprintf(stderr, "dialtone %s: %s: %s\n", verb->name, what, why);
    return EXIT_FAILED;
}

/* Somebody took the option for the key itself: it is not repeated. */
static int cannot_open(const struct verb *verb, const char *option, const char *path, int error)
{
    if (seal_key_fault(slice_str(path)) == NULL)
        return say(verb, option,
                   "there is no such file; the option takes a file that holds the key (or -), never the "
                   "key itself");
    fprintf(stderr, "dialtone %s: %s: %s: %s\n", verb->name, option, path, strerror(error));
    return EXIT_FAILED;
}

static int take_key(const struct verb *verb, const char *what, struct slice text, struct seal_key *ret_key)
{
    const char *fault = seal_key_fault(text);
    if (fault) {
        fprintf(stderr, "dialtone %s: the key of %s %s\n", verb->name, what, fault);
        return EXIT_FAILED;
    }
    seal_key_take(text, ret_key);
    return EXIT_DONE;
}

/* All of a small file, at most `cap` bytes; -1 after a word. */
static ssize_t read_file(const struct verb *verb, const char *option, const char *path, char *into, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 1;
    if (fd < 0) {
        cannot_open(verb, option, path, errno);
        return -1;
    }
    while (len < cap && (got = read(fd, into + len, cap - len)) > 0)
        len += (size_t)got;
    if (got < 0)
        cannot_open(verb, option, path, errno);
    close(fd);
    return got < 0 ? -1 : (ssize_t)len;
}

static int read_key(const struct verb *verb, const char *option, const char *path, struct seal_key *ret_key)
{
    char bytes[LINE_BYTES];
    int status = EXIT_FAILED;
    if (!path)
        return EXIT_DONE;
    if (strcmp(path, "-") == 0)
        return secret_key_ask(verb, false, ret_key);
    ssize_t len = read_file(verb, option, path, bytes, sizeof bytes);
    if (len >= 0) {
        struct slice all = slice_of(bytes, (size_t)len),
                     line = slice_trim(slice_first(all, slice_find(all, '\n')));
        bool key_file = seal_key_fault(line) && seal_key_unwrap(all, ret_key);
        status = key_file ? EXIT_DONE : take_key(verb, option, line, ret_key);
    }
    seal_wipe(bytes, sizeof bytes);
    return status;
}

int secret_key_ask(const struct verb *verb, bool again, struct seal_key *ret_key)
{
    char bytes[LINE_BYTES], again_bytes[LINE_BYTES];
    struct slice line = SLICE_NONE, second = SLICE_NONE;
    bool tty = isatty(STDIN_FILENO) == 1;
    bool read = tty ? secret_ask(STDIN_FILENO, "AES key: ", bytes, sizeof bytes, &line)
                    : secret_line(STDIN_FILENO, bytes, sizeof bytes, &line);
    bool same = read && (!tty || !again ||
                         (secret_ask(STDIN_FILENO, "Again: ", again_bytes, sizeof again_bytes, &second) &&
                          seal_key_eq(line, second)));
    int status = EXIT_FAILED;
    if (!read)
        say(verb, "standard input", "no key there");
    else if (!same)
        say(verb, "AES key", "the two are not the same");
    else
        status = take_key(verb, "standard input", line, ret_key);
    seal_wipe(bytes, sizeof bytes);
    seal_wipe(again_bytes, sizeof again_bytes);
    return status;
}

static int read_pem(const struct verb *verb, const char *path, bool private_half, struct secret_keys *keys)
{
    const char *option = private_half ? "--rsa-key" : "--envelope";
    if (!path)
        return EXIT_DONE;
    keys->pem = malloc(SEAL_PEM_BYTES_MAX);
    ssize_t len = keys->pem ? read_file(verb, option, path, keys->pem, SEAL_PEM_BYTES_MAX) : -1;
    if (len < 0)
        return keys->pem ? EXIT_FAILED : say(verb, option, "out of memory");
    keys->pem_len = (size_t)len;
    const char *fault = seal_rsa_fault(slice_of(keys->pem, keys->pem_len), private_half);
    return fault ? say(verb, path, fault) : EXIT_DONE;
}

int secret_keys_read(const struct verb *verb, const struct secret_options *options, bool private_half,
                     struct secret_keys *ret_keys)
{
    *ret_keys = (struct secret_keys){ 0 };
    if (options->aes_common || options->aes_mac || options->rsa_key)
        secret_guard();
    int status = read_key(verb, "--aes-common", options->aes_common, &ret_keys->common);
    if (!status)
        status = read_key(verb, "--aes-mac", options->aes_mac, &ret_keys->mac);
    return status ? status : read_pem(verb, options->rsa_key, private_half, ret_keys);
}

void secret_keys_wipe(struct secret_keys *keys)
{
    if (keys->pem)
        seal_wipe(keys->pem, SEAL_PEM_BYTES_MAX);
    free(keys->pem);
    seal_wipe(keys, sizeof *keys);
}

struct seal_keys secret_keys_lend(const struct secret_keys *keys)
{
    return (struct seal_keys){ seal_key_slice(&keys->common), seal_key_slice(&keys->mac),
                               slice_of(keys->pem, keys->pem_len) };
}
