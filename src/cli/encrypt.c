/* dialtone encrypt: files as phones take them encrypted. */
#include "cli/seal_files.h"

#include "base/rootdir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

struct encrypt {
    struct seal_files f;
    struct seal_key *keys; /* of every file */
};

static bool make_key(const struct seal_files *f, struct seal_key *ret_key)
{
    unsigned char random[SEAL_RANDOM_BYTES];
    bool made = getrandom(random, sizeof random, 0) == sizeof random &&
                seal_key_make(random, (size_t)f->key_length, ret_key);
    seal_wipe(random, sizeof random);
    return made;
}

/* A phone has one common key and one of its own: so many are made, and for envelopes one a file. */
static const struct seal_key *made_before(const struct encrypt *e, size_t index)
{
    struct name_meaning m = name_meaning(slice_str(e->f.names[index]));
    for (size_t i = 0; i < index && !e->f.options.rsa_key; i++) {
        struct name_meaning other = name_meaning(slice_str(e->f.names[i]));
        bool mac = seal_owner_of(m.kind) == SEAL_MAC, other_mac = seal_owner_of(other.kind) == SEAL_MAC;
        if (mac == other_mac && (!mac || mac_eq(m.mac, other.mac)))
            return &e->keys[i];
    }
    return NULL;
}

static int choose_keys(struct encrypt *e)
{
    bool given = e->f.keys.common.len || e->f.keys.mac.len;
    for (size_t i = 0; i < e->f.count; i++) {
        const struct seal_key *key = given ? seal_files_key(&e->f, e->f.names[i]) : made_before(e, i);
        if (key)
            e->keys[i] = *key;
        else if (given)
            return EXIT_FAILED;
        else if (!make_key(&e->f, &e->keys[i]))
            return seal_files_fail(&e->f, e->f.names[i], "the system gives no random bytes");
    }
    return EXIT_DONE;
}

/* `<file>:<key>`, as the vendor's tool writes its Aeskey.txt. Before any file: keys that nobody has are of no
 * use. */
static int write_list(struct encrypt *e)
{
    struct seal_files *f = &e->f;
    size_t cap = 1;
    if (!f->list)
        return EXIT_DONE;
    for (size_t i = 0; i < f->count; i++)
        cap += strlen(seal_files_last(f->names[i])) + SEAL_KEY_BYTES_MAX + 2;
    struct buf text = buf_on(malloc(cap), cap);
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (f->force ? O_TRUNC : O_EXCL);
    int fd = text.ptr ? open(f->list, flags, 0600) : -1;
    for (size_t i = 0; i < f->count && text.ptr; i++)
        buf_format(&text, "%s:%.*s\n", seal_files_last(f->names[i]), SLICE_ARG(seal_key_slice(&e->keys[i])));
    int error = !text.ptr ? -ENOMEM : fd < 0 ? -errno : rootdir_write(fd, buf_slice(&text));
    if (!error && fsync(fd) < 0)
        error = -errno;
    if (fd >= 0)
        close(fd);
    if (text.ptr)
        seal_wipe(text.ptr, cap);
    free(text.ptr);
    return error ? seal_files_fail(f, f->list, strerror(-error)) : EXIT_DONE;
}

static int write_key_file(struct seal_files *f, const char *name, const struct seal_key *key, mode_t mode)
{
    char wrapped[SEAL_KEY_BYTES_MAX];
    struct slice last;
    if (!f->key_file)
        return EXIT_DONE;
    if (!seal_key_wrap(seal_key_slice(key), wrapped) ||
        !seal_key_file_name(slice_str(name), SEAL_SECURITY_ENC, &f->arena, &last))
        return seal_files_fail(f, name, "out of memory");
    return seal_files_write(f, name, last.ptr, slice_of(wrapped, key->len), mode, NULL);
}

/* Phones take the header for the sign of the right key. */
static void look_at(const struct seal_files *f, const char *name, struct slice plain)
{
    enum seal_text text = seal_judge(plain);
    const char *why = "is not UTF-8 text, by which a wrong key is known from the right one";
    if (text == SEAL_TEXT_NO_HEADER)
        why = "has no header `#!version:1.0.0.1`, by which a phone knows the right key";
    if (text != SEAL_TEXT_GOOD)
        fprintf(stderr, "dialtone %s: %s: warning: %s\n", f->verb->name, name, why);
}

static int close_file(struct seal_files *f, const char *name, const struct seal_key *key, struct slice plain,
                      struct slice *ret_bytes)
{
    const char *why = NULL;
    struct slice pem = slice_of(f->keys.pem, f->keys.pem_len);
    if (f->options.rsa_key)
        why = seal_envelope_close(pem, seal_key_slice(key), plain, &f->arena, ret_bytes);
    else if (!seal_close(seal_key_slice(key), plain, f->pkcs7 ? SEAL_PKCS7 : SEAL_SPACES, &f->arena, ret_bytes))
        why = "out of memory";
    return why ? seal_files_fail(f, name, why) : EXIT_DONE;
}

static int encrypt(struct seal_files *f, const char *name, const struct seal_key *key)
{
    struct slice plain, bytes = SLICE_NONE;
    struct stat st;
    int status = seal_files_read(f, name, &plain, &st);
    if (status)
        return status;
    if (plain.len == 0)
        return seal_files_fail(f, name, "is empty");
    if (seal_form(plain) != SEAL_PLAIN)
        return seal_files_fail(f, name, "is encrypted already");
    look_at(f, name, plain);
    mode_t mode = st.st_mode & 0666;
    status = close_file(f, name, key, plain, &bytes);
    if (!status)
        status = write_key_file(f, name, key, mode);
    return status ? status : seal_files_write(f, name, seal_files_last(name), bytes, mode, &st);
}

static int run(struct encrypt *e)
{
    int status;
    e->keys = calloc(e->f.count, sizeof *e->keys);
    if (!e->keys)
        return seal_files_fail(&e->f, "keys", "out of memory");
    status = choose_keys(e);
    if (!status)
        status = write_list(e);
    size_t count = status ? 0 : e->f.count;
    for (size_t i = 0; i < count; i++) {
        arena_reset(&e->f.arena);
        if (encrypt(&e->f, e->f.names[i], &e->keys[i]))
            status = EXIT_FAILED;
    }
    seal_wipe(e->keys, e->f.count * sizeof *e->keys);
    free(e->keys);
    return status;
}

int verb_encrypt(const struct verb *verb, int argc, char **argv)
{
    struct encrypt e = { 0 };
    int status = seal_files_parse(verb, true, argc, argv, &e.f);
    if (!status)
        status = run(&e);
    seal_files_free(&e.f);
    return status;
}
