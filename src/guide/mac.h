/* MAC addresses and their spellings: `00:15:65:74:b1:50`, `00-15-65-74-B1-50`, `0015.6574.b150`, `00156574b150`. */
#ifndef DIALTONE_GUIDE_MAC_H
#define DIALTONE_GUIDE_MAC_H

#include "base/buf.h"

struct mac {
    uint8_t bytes[6];
};

/* Twelve hexadecimal digits in any case, bare or with one kind of separator (`:`, `-` or `.`) at even
 * distances. The whole text must be the address. */
bool mac_parse(struct slice text, struct mac *ret_mac);
/* As file names spell it: `00156574b150`. */
void mac_print_bare(struct mac mac, struct buf *out);
/* As a User-Agent spells it: `00:15:65:74:b1:50`. */
void mac_print_colons(struct mac mac, struct buf *out);
bool mac_eq(struct mac a, struct mac b);
/* True for the vendor's own address blocks (facts.md 8.2). */
bool mac_is_yealink(struct mac mac);
/* Those blocks, three bytes each: 0x001565 for 00:15:65. */
const uint32_t *mac_yealink_blocks(size_t *ret_count);

#endif
