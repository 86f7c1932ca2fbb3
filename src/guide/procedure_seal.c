/* Encrypted boot and CFG files (guide, "Encrypting Configuration Files"; facts.md 1.1 to 1.3).
 *
 *     plain   --> static.auto_provision.update_file_mode = 1 and no boot file: refused; else read
 *     AES     --> aes_key_in_file = 0: the key that the settings give
 *                 aes_key_in_file = 1: <base>.enc (RSA), absent: <base>_Security.enc, absent: refused
 *     RSA mode -> aes_key_in_file = 1: the RSA private key of one's own; else refused
 *
 * Settings are those of this run so far, and before the first CFG file those of flash: a key that a file brings
 * holds from the next file on. What comes out is judged before anything of it is read (security.md R26); a
 * wrong key ends the run as a file that no phone can read does. */
#include "base/url.h"
#include "guide/procedure_inside.h"
#include "guide/seal_envelope.h"

static void refuse(struct procedure *p, struct slice why)
{
    diag_add(&p->report.findings, SEVERITY_ERROR, (struct place){ p->asking->url, 1, 0 }, "%.*s",
             SLICE_ARG(why));
    run_fail_file(p, FILE_REFUSED, why);
}

static bool before_any_cfg(const struct procedure *p)
{
    return p->state == STATE_MAC_BOOT || p->state == STATE_COMMON_BOOT || p->state == STATE_SINGLE;
}

static const struct settings *settings_now(const struct procedure *p)
{
    return before_any_cfg(p) ? &p->before->central : &p->after.central;
}

/* A PIN CFG file stands in place of the MAC-oriented one. */
static enum seal_owner owner_of_file(const struct procedure *p)
{
    return p->state == STATE_MAC_CFG ? SEAL_MAC : seal_owner_of(p->asking->kind);
}

static bool opens(struct procedure *p, struct slice key, struct slice bytes)
{
    struct slice plain;
    return key.len && !seal_key_fault(key) && seal_open(key, bytes, p->arena, &plain) &&
           seal_judge(plain) == SEAL_TEXT_GOOD;
}

/* "; the common AES key would be right", when it is so. */
static const char *better_key(struct procedure *p, struct slice wrong, struct slice bytes)
{
    struct slice common = seal_keys_for(&p->keys, settings_now(p), SEAL_COMMON);
    struct slice mac = seal_keys_for(&p->keys, settings_now(p), SEAL_MAC);
    if (!seal_key_eq(common, wrong) && opens(p, common, bytes))
        return "; the common AES key would be right";
    return !seal_key_eq(mac, wrong) && opens(p, mac, bytes) ? "; the MAC-oriented AES key would be right" : "";
}

static void read_opened(struct procedure *p, struct slice plain, struct slice with)
{
    if (arena_format(p->arena, &p->asking->why, "decrypted with %.*s", SLICE_ARG(with)))
        run_take_text(p, plain);
    else
        run_fail_memory(p);
}

static void open_with(struct procedure *p, struct slice key, struct slice bytes, struct slice with)
{
    struct slice plain, why;
    if (!seal_open(key, bytes, p->arena, &plain)) {
        run_fail_memory(p);
        return;
    }
    const char *fault = seal_text_fault(seal_judge(plain));
    if (!fault)
        read_opened(p, plain, with);
    else if (arena_format(p->arena, &why, "%s (AES, opened with %.*s%s)", fault, SLICE_ARG(with),
                          better_key(p, key, bytes)))
        refuse(p, why);
    else
        run_fail_memory(p);
}

static void open_with_settings(struct procedure *p, struct slice bytes)
{
    enum seal_owner owner = owner_of_file(p);
    struct slice key = seal_keys_for(&p->keys, settings_now(p), owner), why;
    const char *fault = key.len ? seal_key_fault(key) : NULL;
    if (key.len == 0)
        run_take_text(p, bytes); /* refuses it as what it is */
    else if (!fault)
        open_with(p, key, bytes, slice_str(seal_owner_words(owner)));
    else if (arena_format(p->arena, &why, "looks encrypted (AES); %s %s", seal_owner_words(owner), fault))
        refuse(p, why);
    else
        run_fail_memory(p);
}

static void open_envelope(struct procedure *p, struct slice bytes)
{
    struct slice plain = SLICE_NONE, why;
    const char *fault = "static.auto_provision.aes_key_in_file = 0";
    if (settings_is_on(settings_now(p), PARAM("aes_key_in_file")))
        fault = p->keys.rsa_private.len ? NULL : "this phone has no key for it";
    if (!fault)
        fault = seal_envelope_open(p->keys.rsa_private, bytes, p->arena, &plain);
    if (!fault)
        fault = seal_text_fault(seal_judge(plain));
    if (!fault)
        read_opened(p, plain, SLICE("the RSA private key"));
    else if (arena_format(p->arena, &why, "encrypted in RSA mode; %s", fault))
        refuse(p, why);
    else
        run_fail_memory(p);
}

/* The file just fetched waits for its key. */
static void ask_key_file(struct procedure *p, enum state state, struct slice ending, struct slice why)
{
    struct url url = { 0 };
    struct slice name, text;
    url_parse(p->sealed->url, &url);
    if (seal_key_file_name(url_last_segment(&url), ending, p->arena, &name) &&
        url_resolve(p->sealed->url, name, p->arena, &text))
        run_ask(p, state, text, why);
    else
        run_fail_file(p, FILE_REFUSED, SLICE("its key file has too long a name"));
}

static void wait_for_key(struct procedure *p, struct slice bytes)
{
    p->sealed = p->asking;
    p->sealed_state = p->state;
    p->sealed_bytes = bytes;
    p->sealed->outcome = FILE_ASKED;
    ask_key_file(p, STATE_KEY_RSA, SEAL_ENC, SLICE("static.auto_provision.aes_key_in_file = 1: the key file"));
}

static void back_to_sealed(struct procedure *p)
{
    p->asking = p->sealed;
    p->state = p->sealed_state;
    p->sealed = NULL;
}

static void got_key_file(struct procedure *p, struct slice bytes)
{
    struct seal_key key = { .len = 0 };
    struct slice name = run_file_name(p), with;
    const char *fault = NULL;
    if (p->state == STATE_KEY_SHARED)
        fault = seal_key_unwrap(bytes, &key) ? NULL : "no key comes out of it";
    else
        fault = p->keys.rsa_private.len ? seal_rsa_unwrap(p->keys.rsa_private, bytes, p->arena, &key)
                                        : "it is for an RSA private key, and this phone has none";
    p->asking->outcome = fault ? FILE_REFUSED : FILE_USED;
    p->asking->why = slice_str(fault);
    back_to_sealed(p);
    if (fault ? !arena_format(p->arena, &with, "looks encrypted (AES); its key file %.*s is of no use",
                              SLICE_ARG(name))
              : !arena_format(p->arena, &with, "the key in %.*s", SLICE_ARG(name)))
        run_fail_memory(p);
    else if (fault)
        refuse(p, with);
    else
        open_with(p, seal_key_slice(&key), p->sealed_bytes, with);
    seal_wipe(&key, sizeof key);
}

void run_no_key_file(struct procedure *p)
{
    if (p->state == STATE_KEY_RSA) {
        ask_key_file(p, STATE_KEY_SHARED, SEAL_SECURITY_ENC, SLICE("then the other key file"));
        return;
    }
    back_to_sealed(p);
    refuse(p,
           SLICE("looks encrypted (AES); static.auto_provision.aes_key_in_file = 1, and no key file is there"));
}

static bool plain_is_refused(const struct procedure *p, struct slice bytes)
{
    bool boot = p->state == STATE_MAC_BOOT || p->state == STATE_COMMON_BOOT ||
                (p->state == STATE_SINGLE && run_looks_like_boot(p, bytes));
    return !boot && settings_is_on(settings_now(p), PARAM("update_file_mode"));
}

void run_take_file(struct procedure *p, struct slice bytes)
{
    if (p->state == STATE_KEY_RSA || p->state == STATE_KEY_SHARED) {
        got_key_file(p, bytes);
        return;
    }
    switch (seal_form(bytes)) {
    case SEAL_PLAIN:
        if (plain_is_refused(p, bytes))
            refuse(
                p,
                SLICE("not encrypted; static.auto_provision.update_file_mode = 1 takes encrypted files only"));
        else
            run_take_text(p, bytes);
        break;
    case SEAL_ENVELOPE:
        open_envelope(p, bytes);
        break;
    case SEAL_AES:
        if (settings_is_on(settings_now(p), PARAM("aes_key_in_file")))
            wait_for_key(p, bytes);
        else
            open_with_settings(p, bytes);
        break;
    }
}
