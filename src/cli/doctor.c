/* dialtone doctor: what keeps phones from being provisioned, seen from the administrator's machine. */
#include "cli/doctor.h"

#include "cli/phone_options.h"
#include "cli/search.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DOCTOR_ARENA_BYTES ((size_t)1 << 20)
#define TEXT_BYTES ((size_t)4 * 1024)
#define WAIT_S_MAX 600
/* Who is not asked for another one is a phone that every tree has something for: boot files, accounts. */
#define USUAL_MODEL "T46S"
#define USUAL_FIRMWARE "66.84.0.15"

/* Guide, chapter "Troubleshooting", word for word. */
static const char *const guide_sentences[] = {
    [GUIDE_NOTHING] = NULL,
    [GUIDE_CONFIGURED] = "Ensure that the auto provisioning feature is configured properly.",
    [GUIDE_REACHABLE] = "Ensure that the provisioning server and network are reachable.",
    [GUIDE_CREDENTIALS] = "Ensure that authentication credentials configured on the IP phone are correct.",
    [GUIDE_FILES] = "Ensure that configuration files exist on the provisioning server.",
    [GUIDE_TRUST] =
        "Ensure that the certificate for the provisioning server has been uploaded to the phone's trusted"
        " certificates list.",
    [GUIDE_SET_UP] = "Ensure that the provisioning server is properly set up.",
    [GUIDE_URL] = "Ensure that the access URL is correct.",
    [GUIDE_EXIST] = "Ensure that the requested files exist on the provisioning server.",
    [GUIDE_PERMISSIONS] =
        "Ensure that the complete path to the root directory of the FTP server is authorized.",
    [GUIDE_UPLOADS] =
        "Check security permissions on the root directory of the FTP server, if necessary, change the"
        " permissions.",
    [GUIDE_DHCP] = "Ensure that settings are correct on the DHCP server.",
};

static const char *const severity_words[] = { "ok", "note", "warning", "error" };

/* --- what was found --- */

static json_t *json_text(const char *text)
{
    char bytes[2 * TEXT_BYTES];
    struct buf out = BUF_ON(bytes);
    if (!text)
        return json_null();
    buf_escaped(&out, slice_str(text));
    return json_stringn(out.ptr, out.len);
}

static void put_json(struct doctor *d, const struct doctor_about *a, const char *what)
{
    bool helps = a->severity >= DOCTOR_WARNING;
    json_t *finding =
        json_pack("{ss ss so so so so}", "severity", severity_words[a->severity], "check", a->check, "about",
                  json_text(a->about), "what", json_text(what), "todo", json_text(helps ? a->todo : NULL),
                  "guide", json_text(helps ? guide_sentences[a->guide] : NULL));
    json_array_append_new(d->findings, finding);
}

static void put_text(const struct doctor_about *a, const char *what)
{
    static const char *const colours[] = { "32", "0", "33", "31" };
    char bytes[2 * TEXT_BYTES];
    struct buf out = BUF_ON(bytes);
    bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    buf_escaped(&out, slice_str(a->about));
    buf_str(&out, ": ");
    buf_escaped(&out, slice_str(what));
    if (colour)
        printf("\033[%sm%-8s\033[0m%-10s%.*s\n", colours[a->severity], severity_words[a->severity], a->check,
               SLICE_ARG(buf_slice(&out)));
    else
        printf("%-8s%-10s%.*s\n", severity_words[a->severity], a->check, SLICE_ARG(buf_slice(&out)));
    if (a->severity >= DOCTOR_WARNING && a->todo)
        printf("                  do: %s\n", a->todo);
    if (a->severity >= DOCTOR_WARNING && a->guide)
        printf("                  guide: \"%s\"\n", guide_sentences[a->guide]);
    fflush(stdout);
}

static void find(struct doctor *d, const struct doctor_about *about, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static void find(struct doctor *d, const struct doctor_about *about, const char *format, va_list args)
{
    char what[TEXT_BYTES];
    vsnprintf(what, sizeof what, format, args);
    d->counts[about->severity]++;
    if (d->findings)
        put_json(d, about, what);
    else
        put_text(about, what);
}

void doctor_find(struct doctor *d, const struct doctor_about *about, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    find(d, about, format, args);
    va_end(args);
}

void doctor_say(struct doctor *d, enum doctor_severity severity, const char *check, const char *about,
                const char *format, ...)
{
    const struct doctor_about a = { severity, check, about, NULL, GUIDE_NOTHING };
    va_list args;
    va_start(args, format);
    find(d, &a, format, args);
    va_end(args);
}

void doctor_add_url(struct doctor *d, struct slice url, struct slice told_by)
{
    struct doctor_url fresh;
    for (size_t i = 0; i < d->url_count; i++)
        if (slice_eq(d->urls[i].url, url))
            return;
    if (d->url_count < DOCTOR_URLS_MAX && arena_copy(&d->arena, url, &fresh.url) &&
        arena_copy(&d->arena, told_by, &fresh.told_by))
        d->urls[d->url_count++] = fresh;
}

/* --- the command line --- */

struct texts {
    const char *mac, *model, *firmware, *wait;
};

static int parse(struct doctor *d, struct texts *t, int argc, char **argv)
{
    enum { ROOT = 256, MAC, MODEL, FIRMWARE, URL, TRUSTED, WAIT, NO_PROBE, JSON };
    static const struct option longs[] = {
        { "config", required_argument, NULL, 'c' },    { "root", required_argument, NULL, ROOT },
        { "interface", required_argument, NULL, 'i' }, { "mac", required_argument, NULL, MAC },
        { "model", required_argument, NULL, MODEL },   { "firmware", required_argument, NULL, FIRMWARE },
        { "url", required_argument, NULL, URL },       { "trusted", required_argument, NULL, TRUSTED },
        { "wait", required_argument, NULL, WAIT },     { "no-probe", no_argument, NULL, NO_PROBE },
        { "json", no_argument, NULL, JSON },           { NULL, 0, NULL, 0 },
    };
    const struct {
        int option;
        const char **text;
    } texts[] = { { ROOT, &d->words.root }, { 'c', &d->words.file },  { 'i', &d->interface },
                  { MAC, &t->mac },         { MODEL, &t->model },     { FIRMWARE, &t->firmware },
                  { URL, &d->url },         { TRUSTED, &d->trusted }, { WAIT, &t->wait } };
    int option;
    opterr = 0;
    optind = 1;
    while ((option = getopt_long(argc, argv, "+:c:i:o:", longs, NULL)) != -1) {
        if (option == ':')
            return verb_misused(d->verb, "%s needs a value", argv[optind - 1]);
        if (option == '?')
            return verb_misused(d->verb, "no option %s", argv[optind - 1]);
        if (option == 'o' && !config_words_add(&d->words, optarg))
            return verb_misused(d->verb, "more than %d times -o", CONFIG_WORDS_MAX);
        d->no_probe = d->no_probe || option == NO_PROBE;
        d->json = d->json || option == JSON;
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
            if (texts[i].option == option)
                *texts[i].text = optarg;
    }
    return optind < argc ? verb_misused(d->verb, "'%s' is one word too many", argv[optind]) : EXIT_DONE;
}

static void make_up_phone(struct doctor *d)
{
    struct interface on = { .mac = { 0 } };
    int error = d->interface ? interface_find(slice_str(d->interface), &on) : interface_first(&on);
    if (error)
        on = (struct interface){ .mac = { 0 } };
    d->id.mac = search_mac(&on);
    d->id.model = model_find(SLICE(USUAL_MODEL));
    firmware_parse(SLICE(USUAL_FIRMWARE), &d->id.firmware);
}

static int read_arguments(struct doctor *d, int argc, char **argv)
{
    struct texts t = { .mac = NULL };
    uint64_t wait_s = 0;
    int status = parse(d, &t, argc, argv);
    d->configured = d->words.root || d->words.file || d->words.option_count;
    d->named = t.mac || t.model || t.firmware;
    if (!status && d->named)
        status = phone_identity_parse(d->verb, t.mac, t.model, t.firmware, &d->id);
    else if (!status)
        make_up_phone(d);
    if (!status && t.wait && !slice_u64(slice_str(t.wait), 1, WAIT_S_MAX, &wait_s))
        status =
            verb_misused(d->verb, "--wait is a number of seconds from 1 to %d, not '%s'", WAIT_S_MAX, t.wait);
    d->wait_ms = (uint32_t)wait_s * 1000;
    return status;
}

/* --- the visit --- */

static bool write_json(const struct doctor *d)
{
    json_t *report = json_pack("{sO si si}", "findings", d->findings, "errors", (int)d->counts[DOCTOR_ERROR],
                               "warnings", (int)d->counts[DOCTOR_WARNING]);
    bool done = report && json_dumpf(report, stdout, JSON_INDENT(2)) == 0 && fputc('\n', stdout) != EOF;
    json_decref(report);
    return done;
}

static int sum_up(const struct doctor *d)
{
    bool written = true;
    if (d->findings)
        written = write_json(d);
    else
        printf("%u error%s, %u warning%s\n", d->counts[DOCTOR_ERROR], d->counts[DOCTOR_ERROR] == 1 ? "" : "s",
               d->counts[DOCTOR_WARNING], d->counts[DOCTOR_WARNING] == 1 ? "" : "s");
    return written && fflush(stdout) == 0 && d->counts[DOCTOR_ERROR] == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int visit(struct doctor *d)
{
    int error = loop_open(&d->loop, &clock_system, NULL, d);
    if (error) {
        fprintf(stderr, "dialtone doctor: no event loop: %s\n", uv_strerror(error));
        return EXIT_FAILED;
    }
    d->findings = d->json ? json_array() : NULL;
    doctor_here(d);
    doctor_files(d);
    if (d->url)
        doctor_add_url(d, slice_str(d->url), SLICE("--url"));
    if (!d->no_probe)
        doctor_network(d);
    doctor_urls(d);
    int status = sum_up(d);
    json_decref(d->findings);
    loop_close(&d->loop);
    return status;
}

int verb_doctor(const struct verb *verb, int argc, char **argv)
{
    struct doctor d = { .verb = verb };
    int status = read_arguments(&d, argc, argv);
    if (status)
        return status;
    signal(SIGPIPE, SIG_IGN); /* phone/fetch.h */
    status = config_load(&d.loaded, &d.words);
    arena_init(&d.arena, DOCTOR_ARENA_BYTES);
    if (status == EXIT_USAGE)
        config_say(&d.loaded.findings);
    else
        status = visit(&d);
    arena_free(&d.arena);
    arena_free(&d.loaded.arena);
    return status;
}
