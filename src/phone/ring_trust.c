#include "phone/ring_trust.h"

#include "base/buf.h"
#include "base/url.h"

#define ACCOUNTS_MAX 16

/* Longer than a name can be. */
#define HOST_BYTES_MAX 253

static size_t add(struct slice hosts[RING_HOSTS_MAX], size_t count, struct slice host)
{
    if (!host.len || host.len > HOST_BYTES_MAX || count == RING_HOSTS_MAX)
        return count;
    for (size_t i = 0; i < count; i++)
        if (slice_eq_nocase(hosts[i], host))
            return count;
    hosts[count] = host;
    return count + 1;
}

size_t ring_trusted_hosts(const struct settings *s, struct slice server_url, struct slice ret_hosts[RING_HOSTS_MAX])
{
    static const char *const keys[] = { "sip_server.1.address", "sip_server.2.address", "outbound_host",
                                        "outbound_proxy.1.address", "outbound_proxy.2.address" };
    char bytes[64];
    struct url url;
    size_t count = 0;
    if (server_url.len && url_parse(server_url, &url))
        count = add(ret_hosts, count, url.host);
    for (unsigned x = 1; x <= ACCOUNTS_MAX; x++)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            struct buf key = BUF_ON(bytes);
            buf_format(&key, "account.%u.%s", x, keys[i]);
            count = add(ret_hosts, count, slice_trim(settings_value(s, buf_slice(&key))));
        }
    return count;
}
