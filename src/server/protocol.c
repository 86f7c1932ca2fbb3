#include "server/protocol.h"

const char *protocol_name(enum protocol protocol)
{
    static const char *const names[] = { "tftp", "http", "https", "ftp", "pnp" };
    return names[protocol];
}
