#include "cli/seal_files.h"

#include "base/rootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Contact files are the largest that phones take encrypted. */
#define FILE_BYTES_MAX ((size_t)64 << 20)

enum { COMMON = 256, MAC, RSA, ENVELOPE, OUT, LIST, MAKE, LENGTH, KEY_FILE, PKCS7, FORCE };

static const struct option encrypt_options[] = {
    { "aes-common", required_argument, NULL, COMMON },
    { "aes-mac", required_argument, NULL, MAC },
    { "envelope", required_argument, NULL, ENVELOPE },
    { "out", required_argument, NULL, OUT },
    { "key-list", required_argument, NULL, LIST },
    { "make-key", no_argument, NULL, MAKE },
    { "key-length", required_argument, NULL, LENGTH },
    { "key-file", no_argument, NULL, KEY_FILE },
    { "pkcs7", no_argument, NULL, PKCS7 },
    { "force", no_argument, NULL, FORCE },
    { NULL, 0, NULL, 0 },
};
static const struct option decrypt_options[] = {
    { "aes-common", required_argument, NULL, COMMON },
    { "aes-mac", required_argument, NULL, MAC },
    { "rsa-key", required_argument, NULL, RSA },
    { "out", required_argument, NULL, OUT },
    { "key-file", no_argument, NULL, KEY_FILE },
    { "force", no_argument, NULL, FORCE },
    { NULL, 0, NULL, 0 },
};

static bool take_option(struct seal_files *f, int option)
{
    const struct {
        int option;
        const char **text;
    } texts[] = { { COMMON, &f->options.aes_common },
                  { MAC, &f->options.aes_mac },
                  { RSA, &f->options.rsa_key },
                  { ENVELOPE, &f->options.rsa_key },
                  { OUT, &f->out },
                  { LIST, &f->list } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].option == option)
            *texts[i].text = optarg;
    f->make_key = f->make_key || option == MAKE;
    f->key_file = f->key_file || option == KEY_FILE;
    f->pkcs7 = f->pkcs7 || option == PKCS7;
    f->force = f->force || option == FORCE;
    return option != LENGTH || (slice_u64(slice_str(optarg), 16, 32, &f->key_length) &&
                                (f->key_length == 16 || f->key_length == 32));
}

static int check_options(const struct seal_files *f)
{
    const struct verb *verb = f->verb;
    bool given = f->options.aes_common || f->options.aes_mac;
    if (!f->count)
        return verb_misused(verb, "which files?");
    if (!f->out && !f->force)
        return verb_misused(verb, "--out DIR says where the new files go; --force replaces the given ones");
    if (f->make_key && given)
        return verb_misused(verb, "a key is either made or given");
    if (f->make_key && !f->key_file && !f->list && !f->options.rsa_key)
        return verb_misused(verb, "--make-key needs --key-list or --key-file, or nobody would know the keys");
    if (f->encrypting && f->key_file && f->options.rsa_key)
        return verb_misused(verb, "an envelope holds its key: --key-file would give it to everybody");
    if (!f->encrypting && f->key_file && given)
        return verb_misused(verb, "the keys are either in the key files or given");
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; f->out && k < i; k++)
            if (strcmp(seal_files_last(f->names[i]), seal_files_last(f->names[k])) == 0)
                return verb_misused(verb, "%s and %s would be the same file in %s", f->names[k], f->names[i],
                                    f->out);
    return EXIT_DONE;
}

/* A key is asked for when no option says another way. */
static int get_keys(struct seal_files *f)
{
    const struct secret_options *o = &f->options;
    int status = secret_keys_read(f->verb, o, !f->encrypting, &f->keys);
    bool another_way =
        o->aes_common || o->aes_mac || o->rsa_key || f->make_key || (f->key_file && !f->encrypting);
    return status || another_way ? status : secret_key_ask(f->verb, f->encrypting, &f->keys.common);
}

int seal_files_parse(const struct verb *verb, bool encrypting, int argc, char **argv,
                     struct seal_files *ret_files)
{
    struct seal_files *f = ret_files;
    int option, status = EXIT_DONE;
    *f = (struct seal_files){ .verb = verb, .encrypting = encrypting, .key_length = 16 };
    arena_init(&f->arena, 8 * FILE_BYTES_MAX);
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, ":", encrypting ? encrypt_options : decrypt_options, NULL)) !=
           -1) {
        if (option == ':')
            return verb_misused(verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(verb, "no option %s", argv[optind - 1]);
        if (!take_option(f, option))
            return verb_misused(verb, "--key-length is 16 or 32");
    }
    f->names = argv + optind;
    f->count = (size_t)(argc - optind);
    status = check_options(f);
    if (status)
        return status;
    secret_guard();
    return get_keys(f);
}

void seal_files_free(struct seal_files *f)
{
    secret_keys_wipe(&f->keys);
    arena_free(&f->arena);
}

int seal_files_fail(const struct seal_files *f, const char *name, const char *why)
{
    fprintf(stderr, "dialtone %s: %s: %s\n", f->verb->name, name, why);
    return EXIT_FAILED;
}

const char *seal_files_last(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

int seal_files_read(struct seal_files *f, const char *name, struct slice *ret_bytes, struct stat *ret_stat)
{
    /* O_NONBLOCK: a FIFO of that name holds nobody up. */
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return seal_files_fail(f, name, strerror(errno));
    const char *why = fstat(fd, ret_stat) < 0 ? strerror(errno) : NULL;
    if (!why && !S_ISREG(ret_stat->st_mode))
        why = "is not a regular file";
    if (!why && ret_stat->st_size > (off_t)FILE_BYTES_MAX)
        why = "is larger than any file that phones take encrypted";
    size_t size = why ? 0 : (size_t)ret_stat->st_size;
    char *bytes = why ? NULL : arena_alloc(&f->arena, size + 1);
    ssize_t got = bytes ? rootdir_read_at(fd, 0, bytes, size) : 0;
    if (!why && !bytes)
        why = "out of memory";
    if (!why && got != (ssize_t)size)
        why = got < 0 ? strerror((int)-got) : "changed while it was read";
    close(fd);
    if (why)
        return seal_files_fail(f, name, why);
    *ret_bytes = slice_of(bytes, size);
    return EXIT_DONE;
}

/* The directory that the output of `name` goes to. */
static int open_directory(const struct seal_files *f, const char *name, int *ret_fd)
{
    char path[ROOTDIR_PATH_MAX + 1];
    struct buf text = BUF_ON(path);
    if (f->out) {
        buf_str(&text, f->out);
    } else {
        size_t len = (size_t)(seal_files_last(name) - name);
        buf_text(&text, len ? slice_of(name, len) : SLICE("."));
    }
    if (!buf_terminate(&text))
        return -ENAMETOOLONG;
    if (f->out && mkdir(path, 0755) < 0 && errno != EEXIST)
        return -errno;
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *ret_fd < 0 ? -errno : 0;
}

static int place(int dirfd, const char *last, struct slice bytes, mode_t mode, bool may_replace)
{
    char temporary[ROOTDIR_TEMPORARY_BYTES];
    int fd, error = rootdir_temporary(dirfd, mode, temporary, &fd);
    if (error)
        return error;
    error = rootdir_write(fd, bytes);
    /* Whatever the umask takes away: the server must read what it could read before. */
    if (!error && fchmod(fd, mode) < 0)
        error = -errno;
    if (error)
        unlinkat(dirfd, temporary, 0);
    else
        error = rootdir_place(dirfd, fd, temporary, last, may_replace);
    close(fd);
    return error;
}

static bool is_input(int dirfd, const char *last, const struct stat *input)
{
    struct stat st;
    return input && fstatat(dirfd, last, &st, 0) == 0 && st.st_dev == input->st_dev &&
           st.st_ino == input->st_ino;
}

int seal_files_write(const struct seal_files *f, const char *name, const char *last, struct slice bytes,
                     mode_t mode, const struct stat *input)
{
    int dirfd, error = open_directory(f, name, &dirfd);
    if (error)
        return seal_files_fail(f, f->out ? f->out : name, strerror(-error));
    if (!f->force && is_input(dirfd, last, input)) {
        close(dirfd);
        return seal_files_fail(f, name, "lies in that very directory and would be replaced; --force does it");
    }
    error = place(dirfd, last, bytes, mode, true);
    close(dirfd);
    return error ? seal_files_fail(f, last, strerror(-error)) : EXIT_DONE;
}

const struct seal_key *seal_files_key(const struct seal_files *f, const char *name)
{
    bool mac = seal_owner_of(name_meaning(slice_str(name)).kind) == SEAL_MAC;
    if (mac && f->keys.mac.len)
        return &f->keys.mac;
    if (f->keys.common.len)
        return &f->keys.common;
    seal_files_fail(f, name, "takes the common AES key: --aes-common");
    return NULL;
}
