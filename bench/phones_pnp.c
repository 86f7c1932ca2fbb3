/* Phones that are started after a power cut: each asks the group once by PnP, from an address of its own
 * (127.1.0.1 on), so many a second, sends again as RFC 3261 says, and acknowledges its NOTIFY.
 *
 * Prints one JSON object: how many got a URL, how long that took, how many datagrams were sent again. */
#include "base/buf.h"
#include "base/slice.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PHONES_MAX 20000
#define EVENTS 256
/* After the last phone was started; RFC 3261's timer F. */
#define PATIENCE_US UINT64_C(32000000)
#define SWEEP_US 10000
#define MESSAGE_BYTES 2048

struct phone {
    int fd;
    unsigned number;
    bool done;
    uint64_t started_us, due_us, wait_us;
    unsigned sent;
};

struct run {
    struct sockaddr_in group;
    struct phone *phones;
    uint64_t count, rate;
    bool silent; /* never acknowledge */
    int epoll;
    uint64_t started, answered, resent, notifies;
    uint64_t *latency_us;
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct in_addr address_of(unsigned number)
{
    return (struct in_addr){ htonl(0x7f010001u + number) };
}

static void send_subscribe(struct run *r, struct phone *p)
{
    char bytes[MESSAGE_BYTES], host[INET_ADDRSTRLEN], mac[16];
    struct in_addr source = address_of(p->number);
    struct buf out = BUF_ON(bytes);
    inet_ntop(AF_INET, &source, host, sizeof host);
    snprintf(mac, sizeof mac, "001565%06x", p->number);
    buf_format(
        &out,
        "SUBSCRIBE sip:MAC%s@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP %s:5059;branch=z9hG4bK%u\r\n"
        "From: <sip:MAC%s@224.0.1.75>;tag=%u\r\nTo: <sip:MAC%s@224.0.1.75>\r\nCall-ID: %u@%s\r\n"
        "CSeq: 1 SUBSCRIBE\r\nContact: <sip:MAC%s@%s:5059>\r\nMax-Forwards: 70\r\n"
        "User-Agent: Yealink SIP-T46S 66.84.0.15\r\nExpires: 0\r\n"
        "Event: ua-profile;profile-type=\"device\";vendor=\"yealink\";model=\"T46S\";version=\"66.84.0.15\"\r\n"
        "Accept: application/url\r\nContent-Length: 0\r\n\r\n",
        mac, host, p->number, mac, p->number, mac, p->number, host, mac, host);
    sendto(p->fd, out.ptr, out.len, 0, (struct sockaddr *)&r->group, sizeof r->group);
    r->resent += p->sent > 0;
    p->sent++;
}

static bool open_phone(struct run *r, struct phone *p)
{
    struct sockaddr_in own = { .sin_family = AF_INET, .sin_addr = address_of(p->number) };
    struct in_addr lo = { htonl(INADDR_LOOPBACK) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = p };
    p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return p->fd >= 0 && bind(p->fd, (struct sockaddr *)&own, sizeof own) == 0 &&
           setsockopt(p->fd, IPPROTO_IP, IP_MULTICAST_IF, &lo, sizeof lo) == 0 &&
           epoll_ctl(r->epoll, EPOLL_CTL_ADD, p->fd, &event) == 0;
}

static void start(struct run *r, struct phone *p)
{
    p->started_us = now_us();
    p->wait_us = 500000;
    p->due_us = p->started_us + p->wait_us;
    send_subscribe(r, p);
}

/* The line of this name with its end, as the message has it. */
static struct slice line_of(struct slice message, const char *name)
{
    struct slice rest = message, line;
    while (slice_cut(&rest, '\n', &line))
        if (slice_starts(line, slice_str(name)))
            return slice_of(line.ptr, line.len + 1);
    return SLICE_NONE;
}

static void acknowledge(const struct run *r, struct phone *p, struct slice notify, const struct sockaddr_in *to)
{
    static const char *const names[] = { "Via:", "From:", "To:", "Call-ID:", "CSeq:" };
    char bytes[MESSAGE_BYTES];
    struct buf out = BUF_ON(bytes);
    if (r->silent)
        return;
    buf_str(&out, "SIP/2.0 200 OK\r\n");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        buf_text(&out, line_of(notify, names[i]));
    buf_str(&out, "Content-Length: 0\r\n\r\n");
    sendto(p->fd, out.ptr, out.len, 0, (const struct sockaddr *)to, sizeof *to);
}

static void receive(struct run *r, struct phone *p)
{
    char bytes[MESSAGE_BYTES];
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    ssize_t got;
    while ((got = recvfrom(p->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &len)) > 0) {
        struct slice message = slice_of(bytes, (size_t)got);
        p->due_us = 0;
        if (!slice_starts(message, SLICE("NOTIFY ")))
            continue;
        r->notifies++;
        acknowledge(r, p, message, &from);
        if (!p->done)
            r->latency_us[r->answered++] = now_us() - p->started_us;
        p->done = true;
    }
}

static void sweep(struct run *r, uint64_t now)
{
    for (uint64_t i = 0; i < r->started; i++) {
        struct phone *p = &r->phones[i];
        if (!p->due_us || now < p->due_us)
            continue;
        p->wait_us = p->wait_us * 2 < 4000000 ? p->wait_us * 2 : 4000000;
        p->due_us = now + p->wait_us;
        send_subscribe(r, p);
    }
}

static void drive(struct run *r)
{
    struct epoll_event events[EVENTS];
    uint64_t begin = now_us(), next_sweep = begin, now = begin;
    while (r->answered < r->count && now < begin + r->count * 1000000 / r->rate + PATIENCE_US) {
        while (r->started < r->count && begin + r->started * 1000000 / r->rate <= now)
            start(r, &r->phones[r->started++]);
        int count = epoll_wait(r->epoll, events, EVENTS, 1);
        for (int i = 0; i < count; i++)
            receive(r, events[i].data.ptr);
        now = now_us();
        if (now >= next_sweep) {
            sweep(r, now);
            next_sweep = now + SWEEP_US;
        }
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void report(struct run *r, uint64_t took_us)
{
    qsort(r->latency_us, r->answered, sizeof *r->latency_us, by_value);
    uint64_t p50 = r->answered ? r->latency_us[r->answered / 2] : 0;
    uint64_t p99 = r->answered ? r->latency_us[r->answered * 99 / 100] : 0;
    printf("{\"phones\":%llu,\"answered\":%llu,\"unanswered\":%llu,\"resent\":%llu,\"notifies\":%llu,"
           "\"seconds\":%.3f,\"p50_us\":%llu,\"p99_us\":%llu}\n",
           (unsigned long long)r->count, (unsigned long long)r->answered,
           (unsigned long long)(r->count - r->answered), (unsigned long long)r->resent,
           (unsigned long long)r->notifies, (double)took_us / 1e6, (unsigned long long)p50,
           (unsigned long long)p99);
}

static bool read_options(struct run *r, int argc, char **argv)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "phones", required_argument, NULL, 'n' },
        { "rate", required_argument, NULL, 'r' },
        { "silent", no_argument, NULL, 's' },
        { NULL, 0, NULL, 0 },
    };
    uint64_t port = 0;
    int option;
    bool fine = true;
    r->count = 10000;
    r->rate = 1000;
    while (fine && (option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        struct slice text = slice_str(optarg);
        if (option == 's')
            r->silent = true;
        else
            fine = option == 'p'   ? slice_u64(text, 1, 65535, &port)
                   : option == 'n' ? slice_u64(text, 1, PHONES_MAX, &r->count)
                   : option == 'r' ? slice_u64(text, 1, 1000000, &r->rate)
                                   : false;
    }
    r->group = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    inet_pton(AF_INET, "224.0.1.75", &r->group.sin_addr);
    return fine && port && optind == argc;
}

int main(int argc, char **argv)
{
    static struct run run;
    struct rlimit limit;
    if (!read_options(&run, argc, argv)) {
        fputs("usage: phones_pnp --port N [--phones N] [--rate N] [--silent]\n", stderr);
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    run.epoll = epoll_create1(EPOLL_CLOEXEC);
    run.phones = calloc(run.count, sizeof *run.phones);
    run.latency_us = calloc(run.count, sizeof *run.latency_us);
    if (run.epoll < 0 || !run.phones || !run.latency_us)
        return 1;
    for (unsigned i = 0; i < run.count; i++) {
        run.phones[i].number = i;
        if (!open_phone(&run, &run.phones[i])) {
            perror("phones_pnp: a socket");
            return 1;
        }
    }
    uint64_t begin = now_us();
    drive(&run);
    report(&run, now_us() - begin);
    return run.answered == run.count ? 0 : 1;
}
