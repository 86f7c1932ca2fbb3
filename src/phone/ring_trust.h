/* Whom a phone knows (sip.trust_ctrl; security.md R18): the host of its provisioning server, the SIP servers of its
 * accounts and their outbound proxies. Names and addresses as they stand in the settings. */
#ifndef DIALTONE_PHONE_RING_TRUST_H
#define DIALTONE_PHONE_RING_TRUST_H

#include "guide/settings.h"

/* 16 accounts with two servers and a proxy each are mostly the same few hosts; more than these are not trusted. */
#define RING_HOSTS_MAX 32

/* Each once; borrowed from the settings and the URL. Returns how many. */
size_t ring_trusted_hosts(const struct settings *s, struct slice server_url, struct slice ret_hosts[RING_HOSTS_MAX]);

#endif
