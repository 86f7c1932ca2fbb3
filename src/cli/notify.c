/* dialtone notify: tells phones to provision themselves. Here the options and whom they mean; notify_run.c sends. */
#include "base/clock.h"
#include "cli/notify_run.h"
#include "cli/secret.h"
#include "guide/model.h"
#include "store/journal_store.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_DEFAULT "/var/lib/dialtone"
#define PASSWORD_BYTES 256
/* More than these are better told by --all. */
#define NAMED_MAX 256

struct wanted {
    const struct verb *verb;
    const char *to[NAMED_MAX], *macs[NAMED_MAX];
    size_t to_count, mac_count;
    bool all, reboot, insecure, json;
    const char *model, *state, *user, *password_file, *authorities;
    const char *rate_text, *wait_text, *port_text, *hours_text;
    uint64_t rate, wait_s, port, hours;
    char password[PASSWORD_BYTES];
    struct slice password_line;
    struct arena arena;
    struct notify_goal *goals;
    size_t count, room;
};

/* --- options --- */

enum { TO = 256, MAC, ALL, REBOOT, RATE, MODEL, OLDER, STATE, PORT, USER, PASSWORD, CA, INSECURE, WAIT, JSON };
static const struct option options[] = {
    { "to", required_argument, NULL, TO },
    { "mac", required_argument, NULL, MAC },
    { "all", no_argument, NULL, ALL },
    { "reboot", no_argument, NULL, REBOOT },
    { "rate", required_argument, NULL, RATE },
    { "model", required_argument, NULL, MODEL },
    { "older-than", required_argument, NULL, OLDER },
    { "state", required_argument, NULL, STATE },
    { "port", required_argument, NULL, PORT },
    { "user", required_argument, NULL, USER },
    { "password-file", required_argument, NULL, PASSWORD },
    { "ca", required_argument, NULL, CA },
    { "insecure", no_argument, NULL, INSECURE },
    { "wait", required_argument, NULL, WAIT },
    { "json", no_argument, NULL, JSON },
    { NULL, 0, NULL, 0 },
};

static bool add(const char *list[NAMED_MAX], size_t *count, const char *text)
{
    if (*count == NAMED_MAX)
        return false;
    list[(*count)++] = text;
    return true;
}

/* Where the text of an option goes; NULL: it has none. */
static const char **text_of(struct wanted *w, int option)
{
    switch (option) {
    case RATE:
        return &w->rate_text;
    case MODEL:
        return &w->model;
    case OLDER:
        return &w->hours_text;
    case STATE:
        return &w->state;
    case PORT:
        return &w->port_text;
    case USER:
        return &w->user;
    case PASSWORD:
        return &w->password_file;
    case CA:
        return &w->authorities;
    case WAIT:
        return &w->wait_text;
    default:
        return NULL;
    }
}

static bool *flag_of(struct wanted *w, int option)
{
    switch (option) {
    case ALL:
        return &w->all;
    case REBOOT:
        return &w->reboot;
    case INSECURE:
        return &w->insecure;
    case JSON:
        return &w->json;
    default:
        return NULL;
    }
}

static int parse(struct wanted *w, int argc, char **argv)
{
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
        const char **text = text_of(w, option);
        bool *flag = flag_of(w, option), fine = true;
        if (option == ':')
            return verb_misused(w->verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(w->verb, "no option %s", argv[optind - 1]);
        if (text)
            *text = optarg;
        else if (flag)
            *flag = true;
        else if (option == TO)
            fine = add(w->to, &w->to_count, optarg);
        else
            fine = add(w->macs, &w->mac_count, optarg);
        if (!fine)
            return verb_misused(w->verb, "more than %d phones by name", NAMED_MAX);
    }
    return optind < argc ? verb_misused(w->verb, "'%s' is one word too many", argv[optind]) : EXIT_DONE;
}

static int number(const struct wanted *w, const char *name, const char *text, uint64_t max, uint64_t *number)
{
    if (!text || slice_u64(slice_str(text), 1, max, number))
        return EXIT_DONE;
    return verb_misused(w->verb, "%s is a number from 1 to %llu, not '%s'", name, (unsigned long long)max, text);
}

static int check(struct wanted *w)
{
    int status = number(w, "--rate", w->rate_text, 1000, &w->rate);
    if (!status)
        status = number(w, "--wait", w->wait_text, 3600, &w->wait_s);
    if (!status)
        status = number(w, "--port", w->port_text, UINT16_MAX, &w->port);
    if (!status)
        status = number(w, "--older-than", w->hours_text, 1000000, &w->hours);
    if (status)
        return status;
    if (!!w->to_count + !!w->mac_count + w->all != 1)
        return verb_misused(w->verb, "one of --to, --mac and --all says which phones");
    if (!w->user != !w->password_file)
        return verb_misused(w->verb, "--user and --password-file go together");
    if (w->model && !model_find(slice_str(w->model)))
        return verb_misused(w->verb, "no model '%s'; `dialtone models` lists them", w->model);
    if ((w->model || w->hours_text) && !w->all)
        return verb_misused(w->verb, "--model and --older-than choose among --all");
    return EXIT_DONE;
}

static int read_password(struct wanted *w)
{
    const char *path = w->password_file;
    if (!path)
        return EXIT_DONE;
    secret_guard();
    int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    bool fine = fd >= 0 && secret_line(fd, w->password, sizeof w->password, &w->password_line) && w->password_line.len;
    if (fd > STDIN_FILENO)
        close(fd);
    return fine ? EXIT_DONE : verb_misused(w->verb, "the password file %s: no password in its first line", path);
}

/* --- whom they mean --- */

static struct notify_goal *new_goal(struct wanted *w)
{
    if (w->count == w->room) {
        size_t room = w->room ? 2 * w->room : 64;
        struct notify_goal *more = reallocarray(w->goals, room, sizeof *more);
        if (!more)
            return NULL;
        w->goals = more;
        w->room = room;
    }
    struct notify_goal *g = &w->goals[w->count++];
    *g = (struct notify_goal){ .why = "" };
    return g;
}

static void look_up(struct notify_goal *g)
{
    char name[256];
    struct buf host = BUF_ON(name);
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM }, *found = NULL;
    if (address_parse(g->target.host, g->target.port, &g->to))
        return;
    buf_text(&host, g->target.host);
    int error = buf_terminate(&host) ? getaddrinfo(name, NULL, &hints, &found) : EAI_NONAME;
    g->why = error ? gai_strerror(error) : "";
    if (error)
        return;
    memcpy(&g->to, found->ai_addr, found->ai_addrlen);
    address_set_port(&g->to, g->target.port);
    freeaddrinfo(found);
}

static int add_targets(struct wanted *w)
{
    for (size_t i = 0; i < w->to_count; i++) {
        struct notify_goal *g = new_goal(w);
        if (!g)
            return EXIT_FAILED;
        if (!notify_target_parse(slice_str(w->to[i]), &g->target))
            return verb_misused(w->verb, "'%s' is not a target such as sip:1001@10.0.0.5:5060;transport=tcp", w->to[i]);
        look_up(g);
    }
    return EXIT_DONE;
}

/* The host of a journal's peer: `10.2.20.73:4711`, `[::1]:4711`. */
static struct slice host_of(struct slice peer)
{
    struct slice host = slice_first(peer, slice_find_last(peer, ':'));
    bool brackets = host.len > 1 && host.ptr[0] == '[';
    return brackets ? slice_first(slice_from(host, 1), host.len - 2) : host;
}

static bool add_phone(struct wanted *w, const struct journal_row *row)
{
    struct mac mac;
    char bare[16], colons[24];
    struct buf user = BUF_ON(bare), name = BUF_ON(colons);
    struct notify_goal *g = new_goal(w);
    if (!g || !mac_parse(row->mac, &mac))
        return false;
    mac_print_bare(mac, &user);
    mac_print_colons(mac, &name);
    g->target.port = (uint16_t)w->port;
    if (!address_parse(host_of(row->peer), g->target.port, &g->to))
        g->why = "the journal's address of it cannot be read";
    return arena_copy(&w->arena, buf_slice(&user), &g->target.user) &&
           arena_copy(&w->arena, buf_slice(&name), &g->name) &&
           arena_copy(&w->arena, host_of(row->peer), &g->target.host);
}

static bool is_meant(const struct wanted *w, const struct journal_row *row)
{
    int64_t age_ms = clock_wall_ms(&clock_system) - row->time_ms;
    if (w->model && model_find(row->model) != model_find(slice_str(w->model)))
        return false;
    return !w->hours_text || age_ms > (int64_t)w->hours * 3600 * 1000;
}

static bool on_phone(void *context, const struct journal_row *row)
{
    struct wanted *w = context;
    struct mac mac;
    if (!mac_parse(row->mac, &mac))
        return true;
    for (size_t i = 0; i < w->mac_count; i++) {
        struct mac one;
        if (mac_parse(slice_str(w->macs[i]), &one) && mac_eq(one, mac))
            return add_phone(w, row);
    }
    return !w->all || !is_meant(w, row) || add_phone(w, row);
}

/* MACs that the journal does not know are said with the others. */
static int add_strangers(struct wanted *w)
{
    for (size_t i = 0; i < w->mac_count; i++) {
        struct mac mac;
        char bytes[24];
        struct buf name = BUF_ON(bytes);
        bool found = false;
        if (!mac_parse(slice_str(w->macs[i]), &mac))
            return verb_misused(w->verb, "'%s' is not a MAC address such as 00:15:65:74:b1:50", w->macs[i]);
        mac_print_colons(mac, &name);
        for (size_t j = 0; j < w->count; j++)
            found = found || slice_eq(w->goals[j].name, buf_slice(&name));
        if (found)
            continue;
        struct notify_goal *g = new_goal(w);
        if (!g || !arena_copy(&w->arena, buf_slice(&name), &g->name))
            return EXIT_FAILED;
        g->target = (struct notify_target){ SLICE_NONE, SLICE("unknown"), (uint16_t)w->port, NOTIFY_UDP };
        g->why = "the journal knows no address of it";
    }
    return EXIT_DONE;
}

static int add_phones(struct wanted *w)
{
    struct journal_store *store;
    char *path;
    if (asprintf(&path, "%s/journal.db", w->state) < 0)
        return EXIT_FAILED;
    int error = journal_store_open_to_read(path, &store);
    if (!error) {
        error = journal_store_phones(store, on_phone, w);
        if (error)
            fprintf(stderr, "dialtone notify: %s: %s\n", path, strerror(-error));
        journal_store_close(store);
    }
    free(path);
    return error ? EXIT_FAILED : add_strangers(w);
}

static int notify(struct wanted *w)
{
    int status = w->to_count ? add_targets(w) : add_phones(w);
    if (status)
        return status;
    if (w->count == 0) {
        fprintf(stderr, "dialtone notify: no such phone is in the journal\n");
        return EXIT_FAILED;
    }
    struct notify_plan plan = {
        .goals = w->goals,
        .count = w->count,
        .reboot = w->reboot,
        .json = w->json,
        .summary = w->all || w->count > 1,
        .user = slice_str(w->user),
        .password = w->password_line,
        .wait_ms = (uint32_t)w->wait_s * 1000,
        .rate = (uint32_t)w->rate,
        .authorities = w->authorities,
        .insecure = w->insecure,
    };
    return notify_run(&plan);
}

int verb_notify(const struct verb *verb, int argc, char **argv)
{
    struct wanted w = { .verb = verb, .state = STATE_DEFAULT, .rate = 10, .port = 5060 };
    int status = parse(&w, argc, argv);
    arena_init(&w.arena, (size_t)256 << 20);
    if (!status)
        status = check(&w);
    if (!status)
        status = read_password(&w);
    if (!status)
        status = notify(&w);
    explicit_bzero(w.password, sizeof w.password);
    free(w.goals);
    arena_free(&w.arena);
    return status;
}
