/* Which DHCP option gives the provisioning server's URL, and what is wrong with the others.
 *
 * IPv4: the custom options in the order of their list, then 66, then 43; IPv6: the custom ones, then 59 (guide,
 * "Obtaining the Provisioning Server Address"; facts.md 4). A phone with both families looks at IPv4 first: the
 * guide does not say, and its own pictures show IPv4 (L).
 *
 * Values are bytes from the network: nothing here trusts them, and nothing is cut to fit (security.md R19). */
#ifndef DIALTONE_GUIDE_ADDRESS_OPTION_H
#define DIALTONE_GUIDE_ADDRESS_OPTION_H

#include "guide/address.h"

/* static.auto_provision.dhcp_option.list_user_options and list_user6_options. */
#define OPTION_CUSTOM4_MIN 128
#define OPTION_CUSTOM4_MAX 254
#define OPTION_CUSTOM6_MIN 135
#define OPTION_CUSTOM6_MAX 65535
/* No list of such options in any template is longer than a few. */
#define OPTION_CUSTOMS_MAX 16
enum { OPTION_V4_TFTP_SERVER = 66, OPTION_V4_VENDOR = 43, OPTION_V6_BOOTFILE = 59 };

/* A list of options, in order. */
struct option_list {
    uint16_t codes[OPTION_CUSTOMS_MAX];
    size_t count;
};
/* `128,160`: numbers with commas and blanks between, each in the family's range, none twice; "" is an empty list.
 * False for anything else. */
bool option_list_parse(struct slice text, bool v6, struct option_list *ret_list);
/* The custom ones and then the guide's own, best first: what a phone asks for and looks at. `ret_codes` has room for
 * OPTION_CUSTOMS_MAX + 2. */
size_t option_list_order(const struct option_list *custom, bool v6, uint16_t *ret_codes);

enum option_verdict {
    OPTION_URL,     /* has a scheme of ours */
    OPTION_HOST,    /* a host or an address without scheme: it got the server type's */
    OPTION_INSIDE,  /* 43: the value of a sub-option */
    OPTION_EMPTY,
    OPTION_CONTROL, /* control bytes, also a NUL that is not at the end */
    OPTION_LONG,    /* longer than URL_BYTES_MAX */
    OPTION_SCHEME,  /* a URL, but of a scheme that a phone does not fetch by */
    OPTION_NO_URL,  /* neither URL nor host */
    OPTION_NO_SUB   /* 43: neither text nor a sub-option with a URL */
};
/* Words for a person: "a URL", "not a URL and not a host" ... */
const char *option_verdict_words(enum option_verdict verdict);

struct option_finding {
    uint16_t code;
    bool v6;
    bool usable;          /* the verdict is one of the first three */
    bool acs;             /* it looks like the URL of a TR-069 server (ACS): usable, but hardly what was meant */
    uint8_t sub;          /* OPTION_INSIDE: which sub-option of 43 */
    enum option_verdict verdict;
    enum address_kind kind;
    struct slice value; /* as it came, borrowed */
    struct slice url;   /* as address_read() gives it, wildcards still in; "" when not usable */
};

/* Looks at one value. `type` is static.auto_provision.server.type, "" means its default, tftp. False when out of
 * memory. */
bool address_option_read(uint16_t code, bool v6, struct slice value, struct slice type, struct arena *arena,
                         struct option_finding *ret_finding);
/* How early a phone looks at it: 0 is first. Codes that it does not look at give SIZE_MAX. */
size_t address_option_rank(uint16_t code, bool v6, const struct option_list *custom4,
                           const struct option_list *custom6);
/* The usable one of the best rank, the first of equals; NULL when there is none. */
const struct option_finding *address_option_choose(const struct option_finding *findings, size_t count,
                                                   const struct option_list *custom4,
                                                   const struct option_list *custom6);

#endif
