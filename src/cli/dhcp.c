/* dialtone dhcp: what to tell a DHCP server, and what DHCP servers tell phones. */
#include "cli/dhcp_report.h"
#include "cli/dhcp_snippet.h"
#include "cli/interrupt.h"
#include "cli/search.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>

/* A server's whole answer is some hundred lines at most (OpenWrt, an entry for each address block). */
#define SNIPPET_BYTES ((size_t)64 * 1024)
/* dnsmasq and dhcpd look whether an address is free before they offer it, up to three seconds. */
#define PROBE_WAIT_S 6
#define WAIT_S_MAX 600

enum { FOR = 256, URL, OPTION, PER_VENDOR, V6, V4, JSON, MAC, VENDOR_CLASS, WAIT, INFORM, STAY };

struct arguments {
    const struct verb *verb;
    const char *target, *url, *interface, *mac, *vendor_class, *wait;
    const char *options[OPTION_CUSTOMS_MAX];
    size_t option_count;
    bool per_vendor, v4, v6, json, inform, stay;
    enum dhcp_mode mode;
};

static const struct option longs[] = {
    { "for", required_argument, NULL, FOR },
    { "url", required_argument, NULL, URL },
    { "option", required_argument, NULL, OPTION },
    { "per-vendor", no_argument, NULL, PER_VENDOR },
    { "v6", no_argument, NULL, V6 },
    { "v4", no_argument, NULL, V4 },
    { "json", no_argument, NULL, JSON },
    { "mac", required_argument, NULL, MAC },
    { "vendor-class", required_argument, NULL, VENDOR_CLASS },
    { "wait", required_argument, NULL, WAIT },
    { "inform", no_argument, NULL, INFORM },
    { "stay", no_argument, NULL, STAY },
    { NULL, 0, NULL, 0 },
};

/* The actions, and the options that each takes. */
static int snippet(struct arguments *a);
static int probe(struct arguments *a);
static int lease(struct arguments *a);
static const struct action {
    const char *name;
    int (*run)(struct arguments *a);
    int options[10];
} actions[] = {
    { "snippet", snippet, { FOR, URL, OPTION, PER_VENDOR, V6 } },
    { "probe", probe, { 'i', OPTION, V4, V6, JSON, MAC, VENDOR_CLASS, WAIT, INFORM } },
    { "lease", lease, { 'i', OPTION, V4, V6, JSON, MAC, VENDOR_CLASS, WAIT, STAY } },
};

static bool takes(const struct action *action, int option)
{
    for (size_t i = 0; i < sizeof action->options / sizeof *action->options; i++)
        if (action->options[i] == option)
            return true;
    return false;
}

static bool take(struct arguments *a, int option)
{
    const struct {
        int option;
        const char **text;
    } texts[] = { { FOR, &a->target }, { URL, &a->url },   { 'i', &a->interface },
                  { MAC, &a->mac },    { WAIT, &a->wait }, { VENDOR_CLASS, &a->vendor_class } };
    const struct {
        int option;
        bool *flag;
    } flags[] = { { PER_VENDOR, &a->per_vendor }, { V4, &a->v4 },         { V6, &a->v6 },
                  { JSON, &a->json },             { INFORM, &a->inform }, { STAY, &a->stay } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].option == option)
            *texts[i].text = optarg;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].option == option)
            *flags[i].flag = true;
    if (option == OPTION && a->option_count == OPTION_CUSTOMS_MAX)
        return false;
    if (option == OPTION)
        a->options[a->option_count++] = optarg;
    return true;
}

static int parse(struct arguments *a, const struct action *action, int argc, char **argv)
{
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+:i:", longs, NULL)) != -1) {
        if (option == ':')
            return verb_misused(a->verb, "%s needs a value", argv[optind - 1]);
        if (option == '?' || !takes(action, option))
            return verb_misused(a->verb, "%s: no option %s", action->name, argv[optind - 1]);
        if (!take(a, option))
            return verb_misused(a->verb, "more options than a phone asks for");
    }
    if (optind < argc)
        return verb_misused(a->verb, "'%s' is one word too many", argv[optind]);
    return EXIT_DONE;
}

int verb_dhcp(const struct verb *verb, int argc, char **argv)
{
    struct arguments a = { .verb = verb };
    if (argc < 2)
        return verb_misused(verb, "what to do: snippet, probe or lease");
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (!slice_eq(slice_str(argv[1]), slice_str(actions[i].name)))
            continue;
        int status = parse(&a, &actions[i], argc - 1, argv + 1);
        return status ? status : actions[i].run(&a);
    }
    return verb_misused(verb, "'%s' is not one of snippet, probe and lease", argv[1]);
}

/* --- snippet --- */

/* 43.1 is sub-option 1 of option 43. */
static bool parse_code(struct slice text, bool v6, struct snippet *s)
{
    uint64_t code, sub = 0;
    struct option_list custom;
    size_t dot = slice_find(text, '.');
    if (dot < text.len && !slice_u64(slice_from(text, dot + 1), 1, 254, &sub))
        return false;
    if (!slice_u64(slice_first(text, dot), 1, UINT16_MAX, &code))
        return false;
    s->code = (uint16_t)code;
    s->sub = (uint8_t)sub;
    if (v6 ? code == OPTION_V6_BOOTFILE : code == OPTION_V4_TFTP_SERVER || code == OPTION_V4_VENDOR)
        return !sub || (!v6 && code == OPTION_V4_VENDOR);
    return !sub && option_list_parse(text, v6, &custom);
}

static int check_url(const struct arguments *a, const struct snippet *s)
{
    struct option_finding f = { 0 };
    struct arena arena;
    arena_init(&arena, (size_t)1 << 16);
    bool fine = address_option_read(OPTION_V4_TFTP_SERVER, false, s->url, SLICE_NONE, &arena, &f) &&
                f.verdict == OPTION_URL;
    arena_free(&arena);
    if (!fine)
        return verb_misused(
            a->verb, "'%s' is not a URL that phones fetch from: tftp://, ftp://, http:// or https://", a->url);
    for (size_t i = 0; i < s->url.len; i++)
        if (s->url.ptr[i] & 0x80)
            return verb_misused(a->verb, "a URL in an option is ASCII; write other letters as %%XX");
    if (s->url.len + (s->sub ? 2 : 0) > SNIPPET_URL_MAX)
        return verb_misused(a->verb, "the URL is longer than the %d bytes of an option", SNIPPET_URL_MAX);
    return EXIT_DONE;
}

static int snippet(struct arguments *a)
{
    static char bytes[SNIPPET_BYTES];
    struct buf out = BUF_ON(bytes), list = BUF_ON(bytes);
    struct snippet s = { .url = slice_str(a->url), .per_vendor = a->per_vendor, .v6 = a->v6 };
    const struct snippet_target *target = a->target ? snippet_target_find(slice_str(a->target)) : NULL;
    const char *number = a->option_count ? a->options[0] : a->v6 ? "59" : "66";
    snippet_target_list(&list);
    if (!target)
        return verb_misused(a->verb, "--for names the DHCP server: %.*s", SLICE_ARG(buf_slice(&list)));
    if (!a->url)
        return verb_misused(a->verb, "--url says where phones are to fetch from");
    if (a->option_count > 1 || !parse_code(slice_str(number), a->v6, &s))
        return verb_misused(a->verb, "--option is one of %s, not '%s'",
                            a->v6 ? "59 and 135 to 65535" : "66, 43, 43.1 to 43.254 and 128 to 254", number);
    int status = check_url(a, &s);
    const char *objection = snippet_objection(target, &s);
    if (!status && objection)
        status = verb_misused(a->verb, "%s", objection);
    if (status)
        return status;
    snippet_print(target, &s, &out);
    bool done = buf_ok(&out) && fwrite(out.ptr, 1, out.len, stdout) == out.len && fflush(stdout) == 0;
    return done ? EXIT_DONE : EXIT_FAILED;
}

/* --- probe and lease --- */

struct search {
    const struct arguments *arguments;
    struct dhcp_options options;
    struct loop loop;
    struct interrupt interrupt;
    struct dhcp_client *client;
    int status;
};

static void on_done(void *context, const struct dhcp_result *result)
{
    struct search *s = context;
    bool written = s->arguments->json ? dhcp_report_json(&s->options, result, stdout)
                                      : dhcp_report_text(&s->options, result, stdout);
    bool leased = result->lease.held || s->arguments->mode != DHCP_LEASE || !s->options.v4;
    s->status = written && result->winner && leased ? EXIT_DONE : EXIT_FAILED;
    if (leased && !s->arguments->json && result->lease.held)
        printf("the interface has its address until it is taken away\n");
    fflush(stdout);
    if (!s->arguments->stay || !result->lease.held)
        loop_stop(&s->loop);
}

/* Each --option is a list, or one of a list; v6 ones are those that IPv4 has not. */
static bool sort_options(const struct arguments *a, struct dhcp_options *o)
{
    for (size_t i = 0; i < a->option_count; i++) {
        struct option_list one;
        bool v4 = option_list_parse(slice_str(a->options[i]), false, &one);
        struct option_list *list = v4 ? &o->custom4 : &o->custom6;
        bool both = v4 && option_list_parse(slice_str(a->options[i]), true, &(struct option_list){ 0 });
        if (!v4 && !option_list_parse(slice_str(a->options[i]), true, &one))
            return false;
        if (one.count != 1 || list->count == OPTION_CUSTOMS_MAX)
            return false;
        list->codes[list->count++] = one.codes[0];
        if (both && o->custom6.count < OPTION_CUSTOMS_MAX)
            o->custom6.codes[o->custom6.count++] = one.codes[0];
    }
    return true;
}

static int find_interface(const struct arguments *a, struct interface *ret_interface)
{
    int error = a->interface ? interface_find(slice_str(a->interface), ret_interface) : interface_first(ret_interface);
    if (error && a->interface)
        fprintf(stderr, "dialtone dhcp: %s: %s\n", a->interface, dhcp_error_words(error, false));
    else if (error)
        fprintf(stderr, "dialtone dhcp: no Ethernet interface is up; -i names one\n");
    return error ? EXIT_FAILED : EXIT_DONE;
}

static int read_options(const struct arguments *a, struct dhcp_options *o)
{
    uint64_t wait_s = a->mode == DHCP_LEASE ? DHCP_WAIT_MS / 1000 : PROBE_WAIT_S;
    *o = (struct dhcp_options){ .mode = a->mode, .v4 = a->v4 || !a->v6, .v6 = a->v6 || !a->v4,
                                .vendor_class = a->vendor_class ? slice_str(a->vendor_class) : SLICE("yealink"),
                                .collect = a->mode != DHCP_LEASE };
    if (a->wait && !slice_u64(slice_str(a->wait), 1, WAIT_S_MAX, &wait_s))
        return verb_misused(a->verb, "--wait is a number of seconds from 1 to %d, not '%s'", WAIT_S_MAX, a->wait);
    if (!sort_options(a, o))
        return verb_misused(a->verb, "--option is a custom option: 128 to 254, for IPv6 135 to 65535");
    if (o->vendor_class.len > 255)
        return verb_misused(a->verb, "--vendor-class is longer than the 255 bytes of an option");
    if (a->mac && !mac_parse(slice_str(a->mac), &o->mac))
        return verb_misused(a->verb, "'%s' is not a MAC address such as 00:15:65:74:b1:50", a->mac);
    o->wait_ms = (uint32_t)wait_s * 1000;
    int status = find_interface(a, &o->interface);
    if (!status && !a->mac)
        o->mac = search_mac(&o->interface);
    return status;
}

static int refuse(const struct search *s, int error)
{
    const char *name = s->options.interface.name;
    if (error == -EPERM && s->options.mode == DHCP_LEASE &&
        memcmp(s->options.mac.bytes, s->options.interface.mac, sizeof s->options.mac.bytes) != 0)
        fprintf(stderr, "dialtone dhcp: %s is not the phone's own: its MAC address is another one\n", name);
    else
        fprintf(stderr, "dialtone dhcp: %s: %s\n", name, dhcp_error_words(error, !s->options.v4));
    return EXIT_FAILED;
}

static void say_what(const struct search *s)
{
    char bytes[32];
    struct buf mac = BUF_ON(bytes);
    mac_print_colons(s->options.mac, &mac);
    fprintf(stderr, "asking on %s as %.*s, vendor class %.*s, for %u s\n", s->options.interface.name,
            SLICE_ARG(buf_slice(&mac)), SLICE_ARG(s->options.vendor_class), s->options.wait_ms / 1000);
}

static int run_search(struct arguments *a)
{
    struct search s = { .arguments = a, .status = EXIT_FAILED };
    int status = read_options(a, &s.options);
    if (status)
        return status;
    int error = loop_open(&s.loop, &clock_system, NULL, &s);
    if (error) {
        fprintf(stderr, "dialtone dhcp: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    interrupt_open(&s.interrupt, &s.loop);
    error = dhcp_client_start(&s.loop, &s.options, on_done, &s, &s.client);
    if (error) {
        status = refuse(&s, error);
    } else {
        say_what(&s);
        loop_run(&s.loop);
        status = s.status;
    }
    dhcp_client_stop(s.client);
    interrupt_close(&s.interrupt);
    loop_close(&s.loop);
    return status;
}

static int probe(struct arguments *a)
{
    a->mode = a->inform ? DHCP_INFORM : DHCP_PROBE;
    return run_search(a);
}

static int lease(struct arguments *a)
{
    a->mode = DHCP_LEASE;
    if (!a->interface || !a->mac)
        return verb_misused(a->verb, "lease takes an address, so -i and --mac say where and for which phone");
    return run_search(a);
}
