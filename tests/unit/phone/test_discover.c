#include "tests/unit/test.h"

#include "phone/discover.h"
#include "phone/zero_touch.h"

/* Sources from a script, on a loop that never runs: its wheel is turned by hand. */
struct scripted {
    struct source source; /* first */
    struct house *house;
    const char *url; /* NULL: answers when the test says */
    source_done *done;
    void *context;
    unsigned started, cancelled;
    struct timer timer;
};

struct house {
    struct manual_clock clock;
    struct loop loop;
    struct screen screen;
    struct arena arena;
    struct memory memory;
    struct scripted pnp, dhcp;
    struct discover *discover;
    unsigned done;
    char url[256], user[64], source[32], said[1024];
    bool entered;
    size_t settings;
};

static void answer(struct timer *timer)
{
    struct scripted *s = container_of(timer, struct scripted, timer);
    struct found_address found = { .url = slice_str(s->url), .source = address_source_name(s->source.kind) };
    s->done(s->context, &found, slice_str(found.url.len ? "answered" : "no answer"));
}

static const char *start(struct source *source, const struct source_ask *ask, source_done *done, void *context)
{
    struct scripted *s = (struct scripted *)source;
    (void)ask;
    s->started++;
    s->done = done;
    s->context = context;
    if (s->url)
        loop_timer(&s->house->loop, &s->timer, 10, answer);
    return NULL;
}

static void cancel(struct source *source)
{
    struct scripted *s = (struct scripted *)source;
    timer_stop(&s->house->loop.wheel, &s->timer);
    s->cancelled++;
}

static void drop(struct source *source)
{
    (void)source;
}

static void pass(struct house *h, uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i += 5) {
        manual_clock_advance(&h->clock, 5);
        h->loop.now_ms = h->clock.now_ms;
        wheel_advance(&h->loop.wheel, h->loop.now_ms);
    }
}

static void told(void *context, const struct discovery *d)
{
    struct house *h = context;
    size_t len = strlen(h->said);
    snprintf(h->said + len, sizeof h->said - len, "%s%s%s: %.*s%s%.*s\n", d->wins ? "* " : "",
             address_source_name(d->source), d->asked ? "" : " not asked", SLICE_ARG(d->url), d->url.len ? ", " : "",
             SLICE_ARG(d->why));
}

static void found(void *context, const struct found_address *a)
{
    struct house *h = context;
    h->done++;
    snprintf(h->url, sizeof h->url, "%.*s", SLICE_ARG(a->url));
    snprintf(h->user, sizeof h->user, "%.*s", SLICE_ARG(a->user));
    snprintf(h->source, sizeof h->source, "%s", a->source);
    h->entered = a->entered;
    h->settings = a->setting_count;
}

static void set(struct house *h, const char *key, const char *value)
{
    assert_true(settings_put(&h->memory.central, slice_str(key), slice_str(value), (struct origin){ SETTINGS_FLASH, 1 }));
}

static int setup(void **state)
{
    struct house *h = calloc(1, sizeof *h);
    *state = h;
    manual_clock_init(&h->clock, 0);
    arena_init(&h->arena, (size_t)4 << 20);
    memory_init(&h->memory, &h->arena);
    assert_int_equal(loop_open(&h->loop, &h->clock.clock, NULL, h), 0);
    screen_init(&h->screen, &h->loop, 1);
    h->pnp = (struct scripted){ .source = { ADDRESS_PNP, start, cancel, drop }, .house = h, .url = "" };
    h->dhcp = (struct scripted){ .source = { ADDRESS_DHCP, start, cancel, drop }, .house = h, .url = "" };
    return 0;
}

static int teardown(void **state)
{
    struct house *h = *state;
    discover_free(h->discover);
    screen_clear(&h->screen);
    memory_free(&h->memory);
    arena_free(&h->arena);
    loop_close(&h->loop);
    free(h);
    return 0;
}

static void search(struct house *h, const char *model, bool all)
{
    struct discover_options o = { .loop = &h->loop, .id = { .model = model_find(slice_str(model)) },
                                  .zero_touch = zero_touch_new(), .pnp = &h->pnp.source, .dhcp = &h->dhcp.source,
                                  .all = all, .told = told, .context = h };
    h->discover = discover_new(&o);
    struct address_finder *f = discover_finder(h->discover);
    assert_true(f->start(f, &h->memory, &h->screen, found, h));
    assert_int_equal(h->done, 0);
}

static void pnp_before_dhcp_before_flash(void **state)
{
    struct house *h = *state;
    h->pnp.url = "http://pnp/";
    h->dhcp.url = "http://dhcp/";
    set(h, "static.auto_provision.server.url", "http://flash/");
    search(h, "T46S", false);
    pass(h, 100);
    assert_string_equal(h->url, "http://pnp/");
    assert_string_equal(h->source, "PnP");
    assert_int_equal(h->dhcp.started, 0);
    assert_string_equal(h->said, "zero touch not asked: static.zero_touch.enable is 0\n* PnP: http://pnp/, answered\n");
}

static void what_is_silent_or_off_falls_through_to_the_next(void **state)
{
    struct house *h = *state;
    h->dhcp.url = "tftp://dhcp/";
    set(h, "static.auto_provision.pnp_enable", "0");
    search(h, "T46S", false);
    pass(h, 100);
    assert_string_equal(h->url, "tftp://dhcp/");
    assert_int_equal(h->pnp.started, 0);
}

static void flash_is_the_last_with_its_user_and_password(void **state)
{
    struct house *h = *state;
    set(h, "static.auto_provision.server.url", "http://flash/");
    set(h, "static.auto_provision.server.username", "desk");
    search(h, "T46S", false);
    pass(h, 100);
    assert_string_equal(h->url, "http://flash/");
    assert_string_equal(h->user, "desk");
    assert_string_equal(h->source, "flash");
    assert_int_equal(h->pnp.started + h->dhcp.started, 2);
}

static void nothing_anywhere_is_an_answer_too(void **state)
{
    struct house *h = *state;
    search(h, "T46S", false);
    pass(h, 100);
    assert_int_equal(h->done, 1);
    assert_string_equal(h->url, "");
}

static void R18_an_answer_by_pnp_does_not_lead_away_from_https(void **state)
{
    struct house *h = *state;
    h->pnp.url = "http://evil/";
    set(h, "static.auto_provision.server.url", "https://ours/");
    search(h, "T46S", false);
    pass(h, 100);
    assert_string_equal(h->url, "https://ours/");
}

static void what_nobody_can_fetch_from_is_passed_over(void **state)
{
    struct house *h = *state;
    h->pnp.url = "gopher://x/";
    h->dhcp.url = "http://dhcp/$PN";
    search(h, "T46S", false);
    pass(h, 100);
    assert_string_equal(h->url, "http://dhcp/$PN");
}

static void a_person_is_told_of_all_of_them(void **state)
{
    struct house *h = *state;
    h->pnp.url = "http://pnp/";
    h->dhcp.url = "http://dhcp/";
    search(h, "T46S", true);
    pass(h, 100);
    assert_string_equal(h->url, "http://pnp/");
    assert_string_equal(h->said, "zero touch not asked: static.zero_touch.enable is 0\n* PnP: http://pnp/, answered\n"
                                 "DHCP: http://dhcp/, answered\nflash: static.auto_provision.server.url is not set\n");
}

static void power_that_goes_ends_the_search(void **state)
{
    struct house *h = *state;
    h->pnp.url = NULL;
    search(h, "T46S", false);
    pass(h, 100);
    discover_finder(h->discover)->cancel(discover_finder(h->discover));
    assert_int_equal(h->pnp.cancelled, 1);
    pass(h, 1000);
    assert_int_equal(h->done, 0);
    /* And can be begun anew. */
    h->pnp.url = "http://pnp/";
    struct address_finder *f = discover_finder(h->discover);
    assert_true(f->start(f, &h->memory, &h->screen, found, h));
    pass(h, 100);
    assert_string_equal(h->url, "http://pnp/");
}

/* --- zero touch --- */

static const char *shown(struct house *h)
{
    static struct screen_view v;
    screen_view(&h->screen, &v);
    return v.name ? v.name : "";
}

static void wizard(struct house *h)
{
    set(h, "static.zero_touch.enable", "1");
    h->pnp.url = "http://pnp/";
    search(h, "T46S", false);
    pass(h, 50);
    assert_string_equal(shown(h), "zero-touch");
}

static void without_ok_within_the_wait_time_pnp_is_next(void **state)
{
    struct house *h = *state;
    wizard(h);
    pass(h, 4900);
    assert_int_equal(h->pnp.started, 0);
    pass(h, 200);
    assert_string_equal(h->url, "http://pnp/");
    assert_string_equal(shown(h), "");
}

static void the_wizard_asks_for_network_and_server(void **state)
{
    struct house *h = *state;
    wizard(h);
    screen_key(&h->screen, KEY_OK);
    assert_string_equal(shown(h), "zero-touch-network");
    screen_key(&h->screen, KEY_SOFT_4);
    assert_string_equal(shown(h), "zero-touch-server");
    screen_text(&h->screen, SLICE("http://10.2.11.101/$PN"));
    screen_key(&h->screen, KEY_DOWN);
    screen_text(&h->screen, SLICE("desk"));
    screen_key(&h->screen, KEY_DOWN);
    screen_text(&h->screen, SLICE("secret"));
    screen_key(&h->screen, KEY_OK);
    assert_string_equal(h->url, "http://10.2.11.101/$PN");
    assert_string_equal(h->user, "desk");
    assert_string_equal(h->source, "zero touch");
    assert_true(h->entered);
    assert_int_equal(h->settings, 1);
    assert_int_equal(h->pnp.started, 0);
    assert_string_equal(shown(h), "");
}

static void a_static_address_is_asked_for_whole(void **state)
{
    struct house *h = *state;
    wizard(h);
    screen_key(&h->screen, KEY_OK);
    screen_key(&h->screen, KEY_SOFT_3);
    screen_text(&h->screen, SLICE("2"));
    screen_key(&h->screen, KEY_OK);
    assert_string_equal(shown(h), "zero-touch-wrong");
    pass(h, 2100);
    assert_string_equal(shown(h), "zero-touch-network");
    static const char *const lines[] = { "10.2.20.9", "255.255.255.0", "10.2.20.1" };
    for (size_t i = 0; i < 3; i++) {
        screen_key(&h->screen, KEY_DOWN);
        screen_text(&h->screen, slice_str(lines[i]));
    }
    screen_key(&h->screen, KEY_OK);
    assert_string_equal(shown(h), "zero-touch-dns");
    screen_text(&h->screen, SLICE("10.2.20.1"));
    screen_key(&h->screen, KEY_OK);
    screen_text(&h->screen, SLICE("tftp://10.2.20.1/"));
    screen_key(&h->screen, KEY_OK);
    assert_string_equal(h->url, "tftp://10.2.20.1/");
    assert_int_equal(h->settings, 6);
}

static void cancel_anywhere_goes_on_with_pnp(void **state)
{
    struct house *h = *state;
    wizard(h);
    screen_key(&h->screen, KEY_OK);
    screen_key(&h->screen, KEY_OK);
    screen_key(&h->screen, KEY_X);
    pass(h, 100);
    assert_string_equal(h->url, "http://pnp/");
    assert_false(h->entered);
}

static void a_url_that_is_none_is_refused_and_asked_for_again(void **state)
{
    struct house *h = *state;
    wizard(h);
    screen_key(&h->screen, KEY_OK);
    screen_key(&h->screen, KEY_OK);
    screen_text(&h->screen, SLICE("gopher://x/"));
    screen_key(&h->screen, KEY_OK);
    assert_int_equal(h->done, 0);
    pass(h, 2100);
    assert_string_equal(shown(h), "zero-touch-server");
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(pnp_before_dhcp_before_flash),
        test(what_is_silent_or_off_falls_through_to_the_next),
        test(flash_is_the_last_with_its_user_and_password),
        test(nothing_anywhere_is_an_answer_too),
        test(R18_an_answer_by_pnp_does_not_lead_away_from_https),
        test(what_nobody_can_fetch_from_is_passed_over),
        test(a_person_is_told_of_all_of_them),
        test(power_that_goes_ends_the_search),
        test(without_ok_within_the_wait_time_pnp_is_next),
        test(the_wizard_asks_for_network_and_server),
        test(a_static_address_is_asked_for_whole),
        test(cancel_anywhere_goes_on_with_pnp),
        test(a_url_that_is_none_is_refused_and_asked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
