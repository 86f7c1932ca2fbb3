#include "server/user_hash.h"

#define N_MAX 32768
#define BLOCKS_MAX 16
/* N * r * 128 bytes is what a check takes. */
#define MEMORY_MAX ((uint64_t)64 << 20)

bool user_name_ok(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!byte_is_alpha(c) && !byte_is_digit(c) && (!c || !strchr("._-@", c)))
            return false;
    }
    return name.len > 0 && name.len <= USER_NAME_BYTES_MAX;
}

static bool parse_bytes(struct slice hex, unsigned char *into, size_t min, size_t max, size_t *ret_len)
{
    if (hex.len % 2 || hex.len / 2 < min || hex.len / 2 > max)
        return false;
    for (size_t i = 0; i < hex.len; i++)
        if (byte_hex(hex.ptr[i]) < 0 || byte_lower(hex.ptr[i]) != hex.ptr[i])
            return false;
    for (size_t i = 0; i < hex.len / 2; i++)
        into[i] = (unsigned char)(byte_hex(hex.ptr[2 * i]) << 4 | byte_hex(hex.ptr[2 * i + 1]));
    *ret_len = hex.len / 2;
    return true;
}

static bool cut_number(struct slice *rest, uint64_t max, uint32_t *ret_number)
{
    struct slice part;
    uint64_t number;
    if (!slice_cut(rest, '$', &part) || !slice_u64(part, 1, max, &number))
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool parse_scrypt(struct slice rest, struct user_hash *h)
{
    struct slice part;
    size_t len;
    if (!slice_cut(&rest, '$', &part) || !slice_eq(part, SLICE("scrypt")) || !cut_number(&rest, N_MAX, &h->n) ||
        !cut_number(&rest, BLOCKS_MAX, &h->r) || !cut_number(&rest, BLOCKS_MAX, &h->p))
        return false;
    if (h->n < 2 || (h->n & (h->n - 1)) || (uint64_t)h->n * h->r * 128 > MEMORY_MAX)
        return false;
    return slice_cut(&rest, '$', &part) && parse_bytes(part, h->salt, 8, sizeof h->salt, &h->salt_len) &&
           parse_bytes(rest, h->hash, sizeof h->hash, sizeof h->hash, &len);
}

static bool parse_ha1(struct slice hex, char *into, size_t digits)
{
    unsigned char bytes[32];
    size_t len;
    if (into[0] || !parse_bytes(hex, bytes, digits / 2, digits / 2, &len))
        return false;
    memcpy(into, hex.ptr, digits);
    into[digits] = '\0';
    return true;
}

bool user_hash_parse(struct slice text, struct user_hash *ret_hash)
{
    struct user_hash h = { 0 };
    struct slice part;
    if (text.len > USER_HASH_TEXT_BYTES_MAX || slice_ends(text, SLICE(";")) || !slice_cut(&text, ';', &part) ||
        !parse_scrypt(part, &h))
        return false;
    while (slice_cut(&text, ';', &part)) {
        bool fine = slice_starts(part, SLICE("md5$"))
                        ? parse_ha1(slice_from(part, 4), h.md5, 32)
                        : slice_starts(part, SLICE("sha256$")) && parse_ha1(slice_from(part, 7), h.sha256, 64);
        if (!fine)
            return false;
    }
    *ret_hash = h;
    return true;
}

static void put_hex(struct buf *out, const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        buf_format(out, "%02x", bytes[i]);
}

void user_hash_print(const struct user_hash *h, struct buf *out)
{
    buf_format(out, "scrypt$%u$%u$%u$", h->n, h->r, h->p);
    put_hex(out, h->salt, h->salt_len);
    buf_byte(out, '$');
    put_hex(out, h->hash, sizeof h->hash);
    if (h->md5[0])
        buf_format(out, ";md5$%s", h->md5);
    if (h->sha256[0])
        buf_format(out, ";sha256$%s", h->sha256);
}
