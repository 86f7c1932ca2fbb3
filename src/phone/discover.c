#include "phone/discover.h"

#include "base/url.h"
#include "guide/address.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A URL, a user, a password and what a wizard asks, several times over. */
#define FOUND_BYTES ((size_t)64 << 10)
/* As many settings as one phone holds. */
#define SETTINGS_BYTES ((size_t)16 << 20)

struct discover {
    struct address_finder finder;
    struct discover_options options;
    struct source *sources[ADDRESS_SOURCES];
    struct settings settings; /* a copy: flash may be written while it searches */
    struct arena settings_arena;
    struct source_ask ask;
    struct timer first;
    finder_done *done;
    void *context;
    size_t at; /* the source that is asked */
    bool searching, found;
    bool early; /* DHCP has answered before its turn: in early_* */
    char early_url[URL_BYTES_MAX], early_why[256];
    struct arena arena; /* of the winner */
    struct found_address winner;
};

static void go_on(struct discover *d);

static void tell(struct discover *d, const struct discovery *what)
{
    if (d->options.told)
        d->options.told(d->options.context, what);
}

static bool copy_settings(struct discover *d, const struct found_address *found)
{
    bool copied = true;
    for (size_t i = 0; copied && i < found->setting_count; i++)
        copied = arena_copy(&d->arena, found->settings[i].value, &d->winner.settings[i].value);
    return copied;
}

static bool copy_winner(struct discover *d, const struct found_address *found)
{
    d->winner = *found;
    return arena_copy(&d->arena, found->url, &d->winner.url) && arena_copy(&d->arena, found->user, &d->winner.user) &&
           arena_copy(&d->arena, found->password, &d->winner.password) && copy_settings(d, found);
}

static struct slice flash_url(const struct discover *d)
{
    return settings_value(d->ask.settings, SLICE("static.auto_provision.server.url"));
}

static bool can_fetch(const struct discover *d, struct slice text)
{
    struct arena arena;
    struct slice url;
    arena_init(&arena, FOUND_BYTES);
    enum address_kind kind =
        address_read(text, settings_value(d->ask.settings, SLICE("static.auto_provision.server.type")), &arena, &url);
    arena_free(&arena);
    return kind != ADDRESS_BAD;
}

static void judge(struct discover *d, const struct found_address *found, struct slice why)
{
    enum address_source source = (enum address_source)d->at;
    struct discovery what = { .source = source, .url = found->url, .why = why, .asked = true };
    if (found->url.len && !can_fetch(d, found->url)) {
        what.refused = true;
        what.why = SLICE("refused: not a URL that a phone can fetch from");
    } else if (found->url.len && !address_may_override(source, found->url, flash_url(d))) {
        what.refused = true;
        what.why = SLICE("refused: flash has an https URL, which an answer that proves nothing does not replace");
    } else if (found->url.len && !d->found) {
        d->found = what.wins = copy_winner(d, found);
    }
    tell(d, &what);
}

static void on_source(void *context, const struct found_address *found, struct slice why)
{
    struct discover *d = context;
    judge(d, found, why);
    d->at++;
    go_on(d);
}

static void ask_flash(struct discover *d)
{
    struct found_address found = {
        .url = flash_url(d),
        .user = settings_value(d->ask.settings, SLICE("static.auto_provision.server.username")),
        .password = settings_value(d->ask.settings, SLICE("static.auto_provision.server.password")),
        .source = address_source_name(ADDRESS_FLASH),
    };
    judge(d, &found, found.url.len ? SLICE("static.auto_provision.server.url")
                                   : SLICE("static.auto_provision.server.url is not set"));
}

static bool asks_network(const struct discover *d)
{
    return d->options.network_first && d->sources[ADDRESS_DHCP];
}

static void on_network(void *context, const struct found_address *found, struct slice why)
{
    struct discover *d = context;
    snprintf(d->early_url, sizeof d->early_url, "%.*s", SLICE_ARG(found->url));
    snprintf(d->early_why, sizeof d->early_why, "%.*s", SLICE_ARG(why));
    d->early = true;
    go_on(d);
}

static void take_early(struct discover *d)
{
    struct found_address found = { .url = slice_str(d->early_url), .source = address_source_name(ADDRESS_DHCP) };
    judge(d, &found, slice_str(d->early_why));
}

/* NULL: its answer is on the way. */
static const char *ask(struct discover *d)
{
    struct source *s = d->sources[d->at];
    const char *off = address_source_off((enum address_source)d->at, d->ask.settings, d->ask.id.model);
    if (off)
        return off;
    return s ? s->start(s, &d->ask, on_source, d) : "cannot be asked here";
}

static void finish(struct discover *d)
{
    struct found_address found = d->winner;
    d->searching = false;
    if (!d->found)
        found = (struct found_address){ .source = "" };
    d->done(d->context, &found);
}

static void go_on(struct discover *d)
{
    for (; d->at < ADDRESS_FLASH && (!d->found || d->options.all); d->at++) {
        bool off = address_source_off((enum address_source)d->at, d->ask.settings, d->ask.id.model) != NULL;
        if (d->at == ADDRESS_DHCP && d->early && !off) {
            take_early(d);
            continue;
        }
        const char *not_asked = ask(d);
        if (!not_asked)
            return;
        tell(d, &(struct discovery){ .source = (enum address_source)d->at, .why = slice_str(not_asked) });
    }
    d->at = ADDRESS_FLASH;
    if (!d->found || d->options.all)
        ask_flash(d);
    finish(d);
}

/* The answer never comes from inside of the question. */
static void on_first(struct timer *timer)
{
    struct discover *d = container_of(timer, struct discover, first);
    struct source *dhcp = d->sources[ADDRESS_DHCP];
    const char *why = asks_network(d) ? dhcp->start(dhcp, &d->ask, on_network, d) : "";
    if (!why)
        return;
    /* Then it is asked in its turn, and says once more why not. */
    go_on(d);
}

static void forget(struct discover *d)
{
    settings_free(&d->settings);
    arena_free(&d->settings_arena);
    arena_free(&d->arena);
    d->winner = (struct found_address){ .source = "" };
    d->found = d->early = false;
    d->at = 0;
}

static bool start(struct address_finder *f, const struct memory *memory, struct screen *screen, finder_done *done,
                  void *context)
{
    struct discover *d = container_of(f, struct discover, finder);
    forget(d);
    settings_init(&d->settings, &d->settings_arena);
    if (!settings_overlay(&d->settings, &memory->central, &memory->personal))
        return false;
    d->ask = (struct source_ask){ &d->settings, d->options.id, screen };
    d->done = done;
    d->context = context;
    d->searching = true;
    loop_timer(d->options.loop, &d->first, 0, on_first);
    return true;
}

static void cancel(struct address_finder *f)
{
    struct discover *d = container_of(f, struct discover, finder);
    timer_stop(&d->options.loop->wheel, &d->first);
    size_t asked = asks_network(d) && !d->early ? ADDRESS_DHCP : d->at;
    if (d->searching && asked < ADDRESS_FLASH && d->sources[asked])
        d->sources[asked]->cancel(d->sources[asked]);
    d->searching = false;
}

struct discover *discover_new(const struct discover_options *options)
{
    struct source *const sources[ADDRESS_SOURCES] = { [ADDRESS_ZERO_TOUCH] = options->zero_touch,
                                                      [ADDRESS_PNP] = options->pnp,
                                                      [ADDRESS_DHCP] = options->dhcp };
    struct discover *d = calloc(1, sizeof *d);
    if (!d) {
        for (size_t i = 0; i < ADDRESS_SOURCES; i++)
            if (sources[i])
                sources[i]->close(sources[i]);
        return NULL;
    }
    d->options = *options;
    memcpy(d->sources, sources, sizeof sources);
    d->finder = (struct address_finder){ start, cancel };
    arena_init(&d->arena, FOUND_BYTES);
    arena_init(&d->settings_arena, SETTINGS_BYTES);
    settings_init(&d->settings, &d->settings_arena);
    return d;
}

void discover_free(struct discover *d)
{
    if (!d)
        return;
    cancel(&d->finder);
    for (size_t i = 0; i < ADDRESS_SOURCES; i++)
        if (d->sources[i])
            d->sources[i]->close(d->sources[i]);
    forget(d);
    free(d);
}

struct address_finder *discover_finder(struct discover *d)
{
    return &d->finder;
}
