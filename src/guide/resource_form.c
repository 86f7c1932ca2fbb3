#include "guide/resource_form.h"

#include "guide/utf16.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

static uint32_t little(struct slice bytes, size_t at, size_t count)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++)
        value |= (uint32_t)(uint8_t)bytes.ptr[at + i] << (8 * i);
    return value;
}

/* --- text --- */

static const char *as_text(struct slice bytes, struct arena *arena, struct slice *ret_text)
{
    *ret_text = bytes;
    if (utf16_is(bytes) && !utf16_to_utf8(bytes, arena, ret_text))
        return "out of memory";
    if (slice_starts(*ret_text, SLICE("\xef\xbb\xbf")))
        *ret_text = slice_from(*ret_text, 3);
    return slice_find(*ret_text, '\0') < ret_text->len ? "binary, not text" : NULL;
}

static bool is_pair(struct slice line)
{
    size_t equals = slice_find_text(line, SLICE("\" = \""));
    if (equals == line.len)
        equals = slice_find_text(line, SLICE("\"=\""));
    return slice_starts(line, SLICE("\"")) && equals > 0 && equals < line.len && slice_ends(line, SLICE("\""));
}

static const char *lang_fault(struct slice bytes, struct arena *arena, size_t *ret_entries)
{
    struct slice text, line;
    const char *fault = as_text(bytes, arena, &text);
    bool headed = false;
    while (!fault && slice_cut(&text, '\n', &line)) {
        line = slice_trim(line);
        headed |= slice_starts_nocase(line, SLICE("[ lang ]")) || slice_starts_nocase(line, SLICE("[lang]"));
        *ret_entries += is_pair(line);
    }
    if (!fault && !headed)
        fault = "no [ Lang ] in it: not a language pack";
    return !fault && *ret_entries == 0 ? "no \"text\" = \"text\" in it: cut off or empty" : fault;
}

/* Braces outside of quotes must match: a pack that was cut off does not. */
static bool braces_match(struct slice text)
{
    long depth = 0;
    char quote = 0;
    for (size_t i = 0; i < text.len && depth >= 0; i++) {
        char c = text.ptr[i];
        if (quote && c == '\\')
            i++;
        else if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else
            depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    }
    return depth == 0 && !quote;
}

static const char *script_fault(struct slice bytes, struct arena *arena)
{
    struct slice text;
    const char *fault = as_text(bytes, arena, &text);
    if (!fault && slice_find_text(text, SLICE("_objTrans")) == text.len)
        fault = "no _objTrans in it: not a language pack of the web pages";
    return !fault && !braces_match(text) ? "braces or quotes do not match: cut off?" : fault;
}

/* --- sounds, pictures, archives --- */

static const char *sound_fault(struct slice bytes)
{
    if (bytes.len < 12 || !slice_starts(bytes, SLICE("RIFF")) ||
        !slice_eq(slice_first(slice_from(bytes, 8), 4), SLICE("WAVE")))
        return "not a WAV sound";
    for (size_t at = 12; at + 8 <= bytes.len;) {
        uint64_t size = little(bytes, at + 4, 4);
        if (size > bytes.len - at - 8)
            return "cut off";
        if (slice_eq(slice_first(slice_from(bytes, at), 4), SLICE("data")))
            return size ? NULL : "no sound in it";
        at += 8 + (size_t)(size + (size & 1));
    }
    return "no sound in it";
}

static const char *png_fault(struct slice bytes)
{
    return slice_find_text(slice_from(bytes, bytes.len > 12 ? bytes.len - 12 : 0), SLICE("IEND")) < 12
               ? NULL
               : "cut off";
}

static const char *picture_fault(struct slice name, struct slice bytes)
{
    if (slice_starts(bytes, SLICE("\x89PNG\r\n\x1a\n")))
        return png_fault(bytes);
    if (slice_starts(bytes, SLICE("\xff\xd8\xff")))
        return slice_ends(bytes, SLICE("\xff\xd9")) ? NULL : "cut off";
    if (slice_starts(bytes, SLICE("BM")) && bytes.len >= 6)
        return little(bytes, 2, 4) <= bytes.len ? NULL : "cut off";
    /* The phone's own picture format has no mark that is known. */
    return slice_ends_nocase(name, SLICE(".dob")) ? NULL : "not a PNG, JPEG or BMP picture";
}

static const char *tar_fault(struct slice bytes, size_t *ret_entries)
{
    size_t at = 0;
    while (at + 512 <= bytes.len && bytes.ptr[at]) {
        uint64_t sum, counted = 0, size = 0;
        struct slice field = slice_trim(slice_first(slice_from(bytes, at + 148), 6));
        for (size_t i = 0; i < 512; i++)
            counted += i >= 148 && i < 156 ? ' ' : (uint8_t)bytes.ptr[at + i];
        for (size_t i = 0; i < 11; i++)
            size = size * 8 + (uint64_t)((bytes.ptr[at + 124 + i] - '0') & 7);
        sum = 0;
        for (size_t i = 0; i < field.len && field.ptr[i] >= '0' && field.ptr[i] <= '7'; i++)
            sum = sum * 8 + (uint64_t)(field.ptr[i] - '0');
        if (sum != counted)
            return "not a tar archive";
        if (size > bytes.len - at - 512)
            return "cut off";
        at += 512 + (size_t)((size + 511) / 512 * 512);
        ++*ret_entries;
    }
    return *ret_entries ? NULL : "not a tar archive";
}

/* --- certificates and keys --- */

static BIO *bio_of(struct slice bytes)
{
    return bytes.len <= INT32_MAX ? BIO_new_mem_buf(bytes.ptr, (int)bytes.len) : NULL;
}

static const char *certificate_fault(struct slice bytes, size_t *ret_entries)
{
    BIO *bio = bio_of(bytes);
    X509 *certificate = NULL;
    if (!bio)
        return "out of memory";
    while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        X509_free(certificate);
        ++*ret_entries;
    }
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    if (*ret_entries == 0 && (certificate = d2i_X509(NULL, &at, (long)bytes.len))) {
        X509_free(certificate);
        ++*ret_entries;
    }
    BIO_free(bio);
    ERR_clear_error();
    return *ret_entries ? NULL : "not a certificate (PEM or DER)";
}

/* No prompt: a key behind a password is of no use to a phone. */
static int no_password(char *into, int size, int writing, void *context)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static const char *key_fault(struct slice bytes)
{
    BIO *bio = bio_of(bytes);
    if (!bio)
        return "out of memory";
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
    const char *fault = key ? NULL : "not a private key (PEM, without a password)";
    EVP_PKEY_free(key);
    BIO_free(bio);
    ERR_clear_error();
    return fault;
}

const char *resource_form_fault(enum resource_form form, struct slice name, struct slice bytes, struct arena *arena,
                                size_t *ret_entries)
{
    if (bytes.len == 0)
        return "empty";
    switch (form) {
    case RESOURCE_FORM_LANG:
        return lang_fault(bytes, arena, ret_entries);
    case RESOURCE_FORM_SCRIPT:
        return script_fault(bytes, arena);
    case RESOURCE_FORM_SOUND:
        return sound_fault(bytes);
    case RESOURCE_FORM_PICTURE:
        return picture_fault(name, bytes);
    case RESOURCE_FORM_TAR:
        return tar_fault(bytes, ret_entries);
    case RESOURCE_FORM_CERTIFICATE:
        return certificate_fault(bytes, ret_entries);
    case RESOURCE_FORM_KEY:
        return key_fault(bytes);
    case RESOURCE_FORM_XML:
    case RESOURCE_FORM_ANY:
        break;
    }
    return NULL;
}
