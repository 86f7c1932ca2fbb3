#include "server/caller.h"

#include "server/users.h"

bool caller_mac(const struct caller *c, struct mac *ret_mac)
{
    if (!c->certificate)
        return c->user && mac_parse(c->user->name, ret_mac);
    *ret_mac = *c->certificate;
    return true;
}

bool caller_claims(const struct caller *c, struct mac *ret_mac)
{
    if (caller_mac(c, ret_mac))
        return true;
    if (!c->agent)
        return false;
    *ret_mac = *c->agent;
    return true;
}
