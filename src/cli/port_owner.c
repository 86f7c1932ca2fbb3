#include "cli/port_owner.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* proc(5): the columns of /proc/net/tcp and its like, from 0. */
enum { COLUMN_LOCAL = 1, COLUMN_STATE = 3, COLUMN_INODE = 9, COLUMNS };
#define STATE_LISTEN SLICE("0A")

static size_t split(struct slice line, struct slice columns[COLUMNS])
{
    size_t count = 0;
    struct slice one;
    while (count < COLUMNS && slice_cut(&line, ' ', &one))
        if (one.len)
            columns[count++] = one;
    return count;
}

/* Addresses are compared as the kernel prints an IPv4 one; an IPv6 socket may have any IPv4 address too. */
static bool is_here(struct slice local, const union address *address)
{
    char wanted[16];
    uint64_t port;
    size_t colon = slice_find(local, ':');
    struct slice host = slice_first(local, colon);
    if (!slice_hex_u64(slice_from(local, colon + 1), 0, UINT16_MAX, &port) || port != address_port(address))
        return false;
    if (host.len != 8 || address->sa.sa_family != AF_INET || address->v4.sin_addr.s_addr == 0)
        return true;
    snprintf(wanted, sizeof wanted, "%08X", address->v4.sin_addr.s_addr);
    return slice_eq(host, slice_str(wanted)) || slice_eq(host, SLICE("00000000"));
}

static bool find_inode(const char *table, bool listening, const union address *address, uint64_t *ret_inode)
{
    FILE *file = fopen(table, "re");
    char *line = NULL;
    size_t cap = 0;
    bool found = false;
    while (file && !found && getline(&line, &cap, file) > 0) {
        struct slice c[COLUMNS];
        found = split(slice_trim(slice_str(line)), c) == COLUMNS && is_here(c[COLUMN_LOCAL], address) &&
                (!listening || slice_eq(c[COLUMN_STATE], STATE_LISTEN)) &&
                slice_u64(c[COLUMN_INODE], 1, UINT64_MAX, ret_inode);
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

static bool has_socket(int fds, const char *wanted)
{
    DIR *list = fdopendir(fds);
    bool found = false;
    if (!list)
        close(fds);
    for (struct dirent *e; list && !found && (e = readdir(list));) {
        char link[64];
        ssize_t len = readlinkat(dirfd(list), e->d_name, link, sizeof link);
        found = len > 0 && slice_eq(slice_of(link, (size_t)len), slice_str(wanted));
    }
    if (list)
        closedir(list);
    return found;
}

static size_t read_file(unsigned pid, const char *file, char *into, size_t cap)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/%s", pid, file);
    FILE *from = fopen(path, "re");
    size_t len = from ? fread(into, 1, cap - 1, from) : 0;
    into[len] = '\0';
    if (from)
        fclose(from);
    return len;
}

/* proc(5): the arguments of cmdline end with a NUL each. */
static void read_words(struct port_owner *o)
{
    char words[4096];
    struct slice rest = slice_of(words, read_file(o->pid, "cmdline", words, sizeof words)), program,
                 verb = SLICE_NONE;
    size_t len = read_file(o->pid, "comm", o->name, sizeof o->name);
    o->name[slice_trim(slice_of(o->name, len)).len] = '\0';
    if (slice_cut(&rest, '\0', &program))
        slice_cut(&rest, '\0', &verb);
    snprintf(o->verb, sizeof o->verb, "%.*s", SLICE_ARG(verb));
}

static void find_program(uint64_t inode, struct port_owner *o)
{
    char wanted[48], path[64];
    uint64_t pid;
    DIR *all = opendir("/proc");
    snprintf(wanted, sizeof wanted, "socket:[%llu]", (unsigned long long)inode);
    for (struct dirent *e; all && !o->pid && (e = readdir(all));) {
        if (!slice_u64(slice_str(e->d_name), 1, INT32_MAX, &pid))
            continue;
        snprintf(path, sizeof path, "/proc/%u/fd", (unsigned)pid);
        int fds = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fds < 0 || !has_socket(fds, wanted))
            continue;
        o->pid = (unsigned)pid;
        read_words(o);
    }
    if (all)
        closedir(all);
}

bool port_owner_find(int socket_type, const union address *address, struct port_owner *ret_owner)
{
    static const char *const tables[2][2] = { { "/proc/net/tcp", "/proc/net/tcp6" },
                                              { "/proc/net/udp", "/proc/net/udp6" } };
    bool stream = socket_type == SOCK_STREAM;
    struct port_owner o = { .pid = 0 };
    uint64_t inode;
    if (!find_inode(tables[!stream][0], stream, address, &inode) &&
        !find_inode(tables[!stream][1], stream, address, &inode))
        return false;
    find_program(inode, &o);
    *ret_owner = o;
    return true;
}
