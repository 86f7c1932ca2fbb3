/* dialtone decrypt: encrypted files as they were before. */
#include "cli/seal_files.h"

#include <errno.h>
#include <stdio.h>

/* `<base>_Security.enc` beside the file. */
static int read_key_file(struct seal_files *f, const char *name, struct seal_key *ret_key)
{
    struct slice last, path, bytes;
    struct stat st;
    size_t directory = (size_t)(seal_files_last(name) - name);
    if (!seal_key_file_name(slice_str(name), SEAL_SECURITY_ENC, &f->arena, &last) ||
        !arena_format(&f->arena, &path, "%.*s%.*s", SLICE_ARG(slice_of(name, directory)), SLICE_ARG(last)))
        return seal_files_fail(f, name, "out of memory");
    int status = seal_files_read(f, path.ptr, &bytes, &st);
    if (status)
        return status;
    return seal_key_unwrap(bytes, ret_key) ? EXIT_DONE : seal_files_fail(f, path.ptr, "no key comes out of it");
}

static int open_aes(struct seal_files *f, const char *name, struct slice bytes, struct slice *ret_plain)
{
    struct seal_key from_file = { .len = 0 };
    const struct seal_key *key = &from_file;
    int status = EXIT_DONE;
    if (f->key_file)
        status = read_key_file(f, name, &from_file);
    else if (f->options.rsa_key && !f->keys.common.len && !f->keys.mac.len)
        status = seal_files_fail(f, name, "is encrypted with AES alone: --aes-common or --key-file");
    else
        key = seal_files_key(f, name);
    if (!status && key && !seal_open(seal_key_slice(key), bytes, &f->arena, ret_plain))
        status = seal_files_fail(f, name, "out of memory");
    seal_wipe(&from_file, sizeof from_file);
    return key ? status : EXIT_FAILED;
}

static int open_envelope(struct seal_files *f, const char *name, struct slice bytes, struct slice *ret_plain)
{
    if (!f->keys.pem)
        return seal_files_fail(f, name, "is encrypted in RSA mode: --rsa-key");
    const char *why = seal_envelope_open(slice_of(f->keys.pem, f->keys.pem_len), bytes, &f->arena, ret_plain);
    return why ? seal_files_fail(f, name, why) : EXIT_DONE;
}

/* What is no text is not written; text without a header may be, and what is not UTF-8 when it is forced. */
static int judge(const struct seal_files *f, const char *name, struct slice plain)
{
    enum seal_text text = seal_judge(plain);
    const char *fault = seal_text_fault(text);
    if (text == SEAL_TEXT_GARBAGE || (text == SEAL_TEXT_DAMAGED && !f->force))
        return seal_files_fail(f, name, fault);
    if (fault)
        fprintf(stderr, "dialtone %s: %s: warning: %s\n", f->verb->name, name, fault);
    return EXIT_DONE;
}

static int decrypt(struct seal_files *f, const char *name)
{
    struct slice bytes, plain = SLICE_NONE;
    struct stat st;
    int status = seal_files_read(f, name, &bytes, &st);
    if (status)
        return status;
    switch (seal_form(bytes)) {
    case SEAL_PLAIN:
        return seal_files_fail(f, name, "is not encrypted");
    case SEAL_AES:
        status = open_aes(f, name, bytes, &plain);
        break;
    case SEAL_ENVELOPE:
        status = open_envelope(f, name, bytes, &plain);
        break;
    }
    if (!status)
        status = judge(f, name, plain);
    return status ? status : seal_files_write(f, name, seal_files_last(name), plain, 0600, &st);
}

int verb_decrypt(const struct verb *verb, int argc, char **argv)
{
    struct seal_files f;
    int status = seal_files_parse(verb, false, argc, argv, &f);
    size_t count = status ? 0 : f.count;
    for (size_t i = 0; i < count; i++) {
        arena_reset(&f.arena);
        if (decrypt(&f, f.names[i]))
            status = EXIT_FAILED;
    }
    seal_files_free(&f);
    return status;
}
