#include "guide/seal_keys.h"

#define PARAM(name) SLICE("static.auto_provision." name)

enum seal_owner seal_owner_of(enum name_kind kind)
{
    bool mac = kind == NAME_MAC_BOOT || kind == NAME_MAC_CFG || kind == NAME_MAC_ALL ||
               kind == NAME_MAC_LOCAL || kind == NAME_MAC_CONTACT || kind == NAME_MAC_CALLLOG;
    return mac ? SEAL_MAC : SEAL_COMMON;
}

const char *seal_owner_words(enum seal_owner owner)
{
    switch (owner) {
    case SEAL_COMMON:
        return "the common AES key";
    case SEAL_MAC:
        return "the MAC-oriented AES key";
    }
    return "";
}

static struct slice own_key(const struct seal_keys *given, const struct settings *s, enum seal_owner owner)
{
    struct slice name = owner == SEAL_MAC ? PARAM("aes_key_16.mac") : PARAM("aes_key_16.com");
    struct slice lent = !given ? SLICE_NONE : owner == SEAL_MAC ? given->mac : given->common;
    const struct setting *setting = settings_get(s, name);
    bool new = setting && !slice_eq(setting->origin.file, SETTINGS_FLASH);
    return lent.len && !new ? lent : settings_value(s, name);
}

struct slice seal_keys_for(const struct seal_keys *given, const struct settings *s, enum seal_owner owner)
{
    struct slice key = own_key(given, s, owner);
    return key.len || owner == SEAL_COMMON ? key : own_key(given, s, SEAL_COMMON);
}

/* The setting that says whether files of this kind go out encrypted; "" when none does. */
static struct slice encryption_setting(enum name_kind kind)
{
    if (kind == NAME_MAC_LOCAL)
        return PARAM("encryption.config");
    if (kind == NAME_MAC_CONTACT)
        return PARAM("encryption.directory");
    return kind == NAME_MAC_CALLLOG ? PARAM("encryption.call_log") : SLICE_NONE;
}

const char *seal_for_upload(const struct seal_keys *given, const struct settings *s, enum name_kind kind,
                            struct slice plain, struct arena *arena, struct slice *ret_bytes)
{
    struct slice setting = encryption_setting(kind), key = seal_keys_for(given, s, SEAL_MAC);
    if (setting.len == 0 || !settings_is_on(s, setting)) {
        *ret_bytes = plain;
        return NULL;
    }
    if (key.len == 0)
        return "it is to be encrypted, and no AES key is set";
    if (seal_key_fault(key))
        return "it is to be encrypted, and the AES key is neither 16 nor 32 of the allowed characters";
    return seal_close(key, plain, SEAL_SPACES, arena, ret_bytes) ? NULL : "out of memory";
}
