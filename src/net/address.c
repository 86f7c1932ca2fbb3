#include "net/address.h"

#include <arpa/inet.h>

bool address_parse(struct slice host, uint16_t port, union address *ret_address)
{
    char text[INET6_ADDRSTRLEN + 1];
    union address a = { 0 };
    if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = slice_from(slice_first(host, host.len - 1), 1);
    if (slice_eq(host, SLICE("*")))
        host = SLICE("0.0.0.0");
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &a.v4.sin_addr) == 1) {
        a.v4.sin_family = AF_INET;
    } else {
        a = (union address){ 0 };
        if (inet_pton(AF_INET6, text, &a.v6.sin6_addr) != 1)
            return false;
        a.v6.sin6_family = AF_INET6;
    }
    address_set_port(&a, port);
    *ret_address = a;
    return true;
}

socklen_t address_length(const union address *a)
{
    return a->sa.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

uint16_t address_port(const union address *a)
{
    return ntohs(a->sa.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void address_set_port(union address *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
    else
        a->v4.sin_port = htons(port);
}

bool address_same_host(const union address *a, const union address *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    if (a->sa.sa_family == AF_INET6)
        return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0 &&
               a->v6.sin6_scope_id == b->v6.sin6_scope_id;
    return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

bool address_eq(const union address *a, const union address *b)
{
    return address_same_host(a, b) && address_port(a) == address_port(b);
}

static uint64_t mix(uint64_t h)
{
    /* The finaliser of MurmurHash3 (public domain constants): every input bit reaches every output bit. */
    h ^= h >> 33;
    h *= UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    h *= UINT64_C(0xc4ceb9fe1a85ec53);
    return h ^ h >> 33;
}

uint64_t address_hash(const union address *a, uint64_t seed)
{
    uint64_t high = 0, low;
    if (a->sa.sa_family == AF_INET6) {
        memcpy(&high, a->v6.sin6_addr.s6_addr, 8);
        memcpy(&low, a->v6.sin6_addr.s6_addr + 8, 8);
    } else {
        low = a->v4.sin_addr.s_addr;
    }
    return mix(mix(mix(seed ^ high) ^ low) ^ address_port(a));
}

struct slice address_owner(const union address *a)
{
    if (a->sa.sa_family != AF_INET6)
        return slice_of(&a->v4.sin_addr, 4);
    bool mapped = IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
    return mapped ? slice_of(a->v6.sin6_addr.s6_addr + 12, 4) : slice_of(a->v6.sin6_addr.s6_addr, 8);
}

void address_print_host(const union address *a, struct buf *out)
{
    char text[INET6_ADDRSTRLEN] = "?";
    if (a->sa.sa_family != AF_INET6)
        inet_ntop(AF_INET, &a->v4.sin_addr, text, sizeof text);
    else if (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr))
        inet_ntop(AF_INET, a->v6.sin6_addr.s6_addr + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, &a->v6.sin6_addr, text, sizeof text);
    buf_str(out, text);
}

void address_print(const union address *a, struct buf *out)
{
    bool brackets = a->sa.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
    buf_str(out, brackets ? "[" : "");
    address_print_host(a, out);
    buf_str(out, brackets ? "]" : "");
    buf_format(out, ":%u", address_port(a));
}

/* The address' own bytes, of an IPv4 address mapped into IPv6 the last four. */
static struct slice bytes_of(const union address *a)
{
    if (a->sa.sa_family != AF_INET6)
        return slice_of(&a->v4.sin_addr, 4);
    bool mapped = IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr);
    return slice_of(a->v6.sin6_addr.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
}

bool network_parse(struct slice text, struct network *ret_network)
{
    struct network n;
    size_t slash = slice_find(text, '/');
    struct slice host = slice_first(text, slash);
    if (slice_eq(host, SLICE("*")) || !address_parse(host, 0, &n.base))
        return false;
    uint64_t most = bytes_of(&n.base).len * 8, bits = most;
    if (slash < text.len && !slice_u64(slice_from(text, slash + 1), 0, most, &bits))
        return false;
    n.bits = (unsigned)bits;
    *ret_network = n;
    return true;
}

bool network_holds(const struct network *n, const union address *a)
{
    struct slice base = bytes_of(&n->base), host = bytes_of(a);
    if (base.len != host.len || memcmp(base.ptr, host.ptr, n->bits / 8) != 0)
        return false;
    unsigned rest = n->bits % 8;
    return !rest || (unsigned char)(base.ptr[n->bits / 8] ^ host.ptr[n->bits / 8]) >> (8 - rest) == 0;
}
