#include "bench/load.h"
#include "bench/load_tls.h"

#include "base/buf.h"
#include "base/rootdir.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 15000
#define FILE_BYTES_MAX ((size_t)64 << 20)
/* So that a dead server is not hammered. */
#define PAUSE_MS 100
/* How exactly timeouts are kept; small against LOAD_RESEND_MS, and a sweep over all clients stays cheap. */
#define SWEEP_MS 10
/* What is still under way so long after the end of the run has failed. */
#define DRAIN_MS 15000
#define EVENTS 256

/* A time in microseconds falls into one of 64 slots for each power of two: 1.6 % exact. */
#define SLOTS ((size_t)64 * 32)

struct run {
    struct load load; /* first: a protocol's pointer to it is a pointer to the whole */
    struct load_client *clients;
    size_t client_count;
    uint64_t requests_max; /* 0: as many as fit into run_ms */
    uint64_t run_ms;
    uint64_t rate;   /* requests a second, whatever became of those before; 0: a client asks when it is answered */
    bool cut;        /* what is under way at end_us is neither good nor bad */
    uint64_t begin_us, end_us; /* end_us 0: not a matter of time */
    uint64_t last_us;          /* when the last request ended */
    uint64_t started, in_time; /* requests; in_time: good ones that ended before end_us */
    size_t busy;               /* clients with a request under way or a pause before the next */
    struct load_client **idle; /* with a rate: those that have neither */
    size_t idle_count;
    uint64_t slowest_us;
    uint64_t outcomes[LOAD_OUTCOMES];
    uint64_t slots[SLOTS];
};

uint64_t load_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void load_wait_ms(struct load_client *client, uint64_t ms)
{
    client->due_us = load_now_us() + ms * 1000;
}

bool load_open(struct load *load, struct load_client *client, int type, uint32_t events)
{
    struct sockaddr_in source = { .sin_family = AF_INET, .sin_addr = client->source };
    struct epoll_event event = { .events = events, .data.ptr = client };
    int on = 1;
    client->fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return false;
    /* The port is chosen when the pair of addresses is known, so that 28,000 of them last for any run. */
    if (type == SOCK_STREAM)
        setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    return bind(client->fd, (const struct sockaddr *)&source, sizeof source) == 0 &&
           epoll_ctl(load->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0;
}

void load_close(struct load_client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
}

bool load_take(struct load *load, struct load_client *client, struct slice bytes)
{
    struct slice expected = slice_first(slice_from(load->expected, client->received), bytes.len);
    client->received += bytes.len;
    load->bytes += bytes.len;
    return load->count ? expected.len == bytes.len : slice_eq(expected, bytes);
}

static size_t slot_of(uint64_t us)
{
    unsigned shift = 0;
    while (us >> shift >= 64)
        shift++;
    size_t slot = shift * (size_t)64 + (size_t)(us >> shift);
    return slot < SLOTS ? slot : SLOTS - 1;
}

/* The time in microseconds that `per_mille` of the good requests stay below. */
static uint64_t percentile_us(const struct run *run, uint64_t per_mille)
{
    uint64_t wanted = run->outcomes[LOAD_OK] * per_mille / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        seen += run->slots[i];
        if (seen > wanted)
            return (uint64_t)(i % 64) << (i / 64);
    }
    return 0;
}

static bool may_start(const struct run *run, uint64_t now_us)
{
    return run->end_us ? now_us < run->end_us : run->started < run->requests_max;
}

static void start_at(struct run *run, struct load_client *client, uint64_t began_us)
{
    run->started++;
    client->busy = true;
    client->started_us = began_us;
    client->resends = 0;
    client->received = 0;
    run->load.protocol->start(&run->load, client);
}

static void rest(struct run *run, struct load_client *client)
{
    load_close(client);
    run->busy--;
    if (run->rate)
        run->idle[run->idle_count++] = client;
}

static void start_next(struct run *run, struct load_client *client)
{
    uint64_t now = load_now_us();
    client->due_us = 0;
    if (run->rate || !may_start(run, now))
        rest(run, client);
    else
        start_at(run, client, now);
}

/* When the next request of a rate is to start. */
static uint64_t next_us(const struct run *run)
{
    return run->begin_us + run->started * 1000000 / run->rate;
}

/* What could not start in time, for want of a client or of the processor, counts from when it should have: a server
 * that stalls is not spared the requests that would have come meanwhile. */
static void start_due(struct run *run)
{
    for (uint64_t at = next_us(run); at <= load_now_us() && run->idle_count && may_start(run, at); at = next_us(run)) {
        run->busy++;
        start_at(run, run->idle[--run->idle_count], at);
    }
}

void load_end(struct load *load, struct load_client *client, enum load_outcome outcome)
{
    struct run *run = (struct run *)load;
    uint64_t now = load_now_us();
    client->busy = false;
    run->outcomes[outcome]++;
    run->last_us = now;
    if (outcome != LOAD_OK) {
        load_close(client);
        load_wait_ms(client, PAUSE_MS);
        return;
    }
    run->slots[slot_of(now - client->started_us)]++;
    if (now - client->started_us > run->slowest_us)
        run->slowest_us = now - client->started_us;
    if (!run->end_us || now <= run->end_us)
        run->in_time++;
    start_next(run, client);
}

static void sweep(struct run *run, uint64_t now_us)
{
    for (size_t i = 0; i < run->client_count; i++) {
        struct load_client *client = &run->clients[i];
        if (client->due_us == 0 || client->due_us > now_us)
            continue;
        if (client->busy)
            run->load.protocol->overdue(&run->load, client);
        else
            start_next(run, client);
    }
}

static void give_up(struct run *run)
{
    for (size_t i = 0; i < run->client_count; i++)
        if (run->clients[i].busy)
            run->outcomes[LOAD_SILENT]++;
}

static bool goes_on(const struct run *run)
{
    uint64_t now = load_now_us();
    if (run->cut && now >= run->end_us)
        return false;
    return run->busy || (run->rate && may_start(run, next_us(run)));
}

static int wait_for_events(const struct run *run, struct epoll_event *events)
{
    uint64_t us = SWEEP_MS * 1000, now = load_now_us();
    if (run->rate && run->idle_count) {
        uint64_t next = next_us(run);
        us = next <= now ? 0 : next - now < us ? next - now : us;
    }
    struct timespec longest = { .tv_nsec = (long)us * 1000 };
    return epoll_pwait2(run->load.epoll, events, EVENTS, &longest, NULL);
}

static void drive(struct run *run)
{
    struct epoll_event events[EVENTS];
    uint64_t next_sweep = run->begin_us;
    while (goes_on(run)) {
        if (run->rate)
            start_due(run);
        int count = wait_for_events(run, events);
        for (int i = 0; i < count; i++) {
            struct load_client *client = events[i].data.ptr;
            if (client->busy)
                run->load.protocol->event(&run->load, client);
        }
        uint64_t now = load_now_us();
        if (now < next_sweep)
            continue;
        next_sweep = now + SWEEP_MS * 1000;
        sweep(run, now);
        if (run->end_us && now > run->end_us + DRAIN_MS * 1000) {
            give_up(run);
            return;
        }
    }
}

static void begin(struct run *run)
{
    bool loopback = ntohl(run->load.server.sin_addr.s_addr) >> 24 == 127;
    run->begin_us = run->last_us = load_now_us();
    run->end_us = run->requests_max ? 0 : run->begin_us + run->run_ms * 1000;
    run->busy = run->rate ? 0 : run->client_count;
    for (size_t i = 0; i < run->client_count; i++) {
        struct load_client *client = &run->clients[i];
        client->fd = -1;
        /* 127.1.0.1 and so on: a phone has an address of its own. */
        client->source.s_addr = htonl(loopback ? 0x7f010001u + (uint32_t)i : INADDR_ANY);
        if (run->rate)
            run->idle[run->idle_count++] = client;
        else
            start_next(run, client);
    }
}

/* One JSON object on one line. Times and rates count good requests only. */
static void report(const struct run *run)
{
    static const char *const names[] = { "ok", "refused", "content", "silent", "connection", "malformed",
                                         "handshake" };
    uint64_t until = run->end_us ? run->end_us : run->last_us;
    double seconds = (double)(until - run->begin_us) / 1e6;
    uint64_t failures = 0;
    for (size_t i = LOAD_OK + 1; i < LOAD_OUTCOMES; i++)
        failures += run->outcomes[i];
    printf("{\"protocol\":\"%s\",\"clients\":%zu,\"requests\":%llu,\"failures\":%llu,\"retries\":%llu,",
           run->load.protocol->name, run->client_count, (unsigned long long)run->outcomes[LOAD_OK],
           (unsigned long long)failures, (unsigned long long)run->load.retries);
    printf("\"seconds\":%.3f,\"requests_per_s\":%.1f,\"p50_us\":%llu,\"p99_us\":%llu", seconds,
           seconds > 0 ? (double)run->in_time / seconds : 0.0, (unsigned long long)percentile_us(run, 500),
           (unsigned long long)percentile_us(run, 990));
    printf(",\"max_us\":%llu,\"mb_per_s\":%.1f", (unsigned long long)run->slowest_us,
           seconds > 0 ? (double)run->load.bytes / 1e6 / seconds : 0.0);
    for (size_t i = LOAD_OK + 1; i < LOAD_OUTCOMES; i++)
        printf(",\"%s\":%llu", names[i], (unsigned long long)run->outcomes[i]);
    puts("}");
}

static int usage(void)
{
    fputs("usage: load --protocol tftp|http|https|ftp --host IPV4 --port N --path NAME --expect FILE\n"
          "            [--clients N] [--close] [--tls12] [--rsa] [--resume] [--windowsize N] [--count]\n"
          "            (--requests N | --ms N [--cut]) [--rate N]\n",
          stderr);
    return 2;
}

static bool set_number(const char *text, uint64_t max, uint64_t *ret_value)
{
    return slice_u64(slice_str(text), 1, max, ret_value);
}

static bool set_protocol(struct run *run, struct slice name)
{
    static const struct load_protocol *const protocols[] = { &load_tftp, &load_http, &load_https, &load_ftp };
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (slice_eq(name, slice_str(protocols[i]->name)))
            run->load.protocol = protocols[i];
    return run->load.protocol != NULL;
}

static bool set_option(struct run *run, int option, const char *text, const char **expect)
{
    uint64_t number;
    switch (option) {
    case 't':
        return set_protocol(run, slice_str(text));
    case 'h':
        return inet_pton(AF_INET, text, &run->load.server.sin_addr) == 1;
    case 'p':
        if (!set_number(text, 65535, &number))
            return false;
        run->load.server.sin_port = htons((uint16_t)number);
        return true;
    case 'f':
        run->load.path = slice_str(text);
        return true;
    case 'e':
        *expect = text;
        return true;
    case 'c':
        if (!set_number(text, CLIENTS_MAX, &number))
            return false;
        run->client_count = (size_t)number;
        return true;
    case 'k':
        run->load.close = true;
        return true;
    case '2':
        run->load.tls_1_2 = true;
        return true;
    case 'r':
        run->load.rsa = true;
        return true;
    case 's':
        run->load.resume = true;
        return true;
    case 'w':
        return set_number(text, 65535, &run->load.window);
    case 'o':
        run->load.count = true;
        return true;
    case 'x':
        run->cut = true;
        return true;
    case 'a':
        return set_number(text, 1000000, &run->rate);
    case 'n':
        return set_number(text, UINT32_MAX, &run->requests_max);
    case 'm':
        return set_number(text, 86400000, &run->run_ms);
    default:
        return false;
    }
}

static bool read_options(struct run *run, int argc, char **argv, const char **expect)
{
    static const struct option options[] = {
        { "protocol", required_argument, NULL, 't' }, { "host", required_argument, NULL, 'h' },
        { "port", required_argument, NULL, 'p' },     { "path", required_argument, NULL, 'f' },
        { "expect", required_argument, NULL, 'e' },   { "clients", required_argument, NULL, 'c' },
        { "close", no_argument, NULL, 'k' },          { "requests", required_argument, NULL, 'n' },
        { "ms", required_argument, NULL, 'm' },       { "tls12", no_argument, NULL, '2' },
        { "rsa", no_argument, NULL, 'r' },            { "resume", no_argument, NULL, 's' },
        { "windowsize", required_argument, NULL, 'w' }, { "count", no_argument, NULL, 'o' },
        { "cut", no_argument, NULL, 'x' },            { "rate", required_argument, NULL, 'a' },
        { NULL, 0, NULL, 0 },
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0)
        if (!set_option(run, option, optarg, expect))
            return false;
    return optind == argc && run->load.protocol && run->load.server.sin_addr.s_addr && *expect &&
           run->load.server.sin_port && run->load.path.len && !run->requests_max != !run->run_ms &&
           (!run->cut || run->run_ms) && (!run->load.window || run->load.protocol == &load_tftp);
}

static bool read_expected(const char *path, struct arena *arena, struct slice *ret_bytes)
{
    struct rootdir here = { .fd = AT_FDCWD };
    struct slice name = slice_str(path);
    size_t slash = slice_find_last(name, '/');
    char directory[ROOTDIR_PATH_MAX + 1];
    struct buf out = BUF_ON(directory);
    buf_text(&out, slash < name.len ? slice_first(name, slash + 1) : SLICE("."));
    if (!buf_terminate(&out) || rootdir_open_root(directory, true, &here) < 0)
        return false;
    if (slash < name.len)
        name = slice_from(name, slash + 1);
    int failed = rootdir_read(&here, name, FILE_BYTES_MAX, arena, ret_bytes);
    rootdir_close(&here);
    return failed == 0;
}

static void raise_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool has_no_failure(const struct run *run)
{
    uint64_t failures = 0;
    for (size_t i = LOAD_OK + 1; i < LOAD_OUTCOMES; i++)
        failures += run->outcomes[i];
    return failures == 0;
}

int main(int argc, char **argv)
{
    static struct run run = { .client_count = 1, .load.server.sin_family = AF_INET };
    const char *expect = NULL;
    struct arena arena;
    if (!read_options(&run, argc, argv, &expect))
        return usage();
    arena_init(&arena, FILE_BYTES_MAX + CLIENTS_MAX * (sizeof *run.clients + sizeof *run.idle));
    run.clients = ARENA_ARRAY(&arena, struct load_client, run.client_count);
    run.idle = ARENA_ARRAY(&arena, struct load_client *, run.client_count);
    if (!run.clients || !run.idle || !read_expected(expect, &arena, &run.load.expected)) {
        fprintf(stderr, "load: cannot read %s\n", expect);
        return 2;
    }
    raise_descriptors();
    run.load.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (run.load.epoll < 0 || !run.load.protocol->prepare(&run.load)) {
        fputs("load: no epoll descriptor, no such TLS, or the path is too long\n", stderr);
        return 2;
    }
    begin(&run);
    drive(&run);
    report(&run);
    load_tls_end(&run.load, run.clients, run.client_count);
    arena_free(&arena);
    bool all_good = run.outcomes[LOAD_OK] && run.started == run.outcomes[LOAD_OK];
    return all_good || (run.cut && run.load.bytes && has_no_failure(&run)) ? 0 : 1;
}
