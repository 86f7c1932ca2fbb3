#include "phone/zero_touch.h"

#include "guide/address.h"
#include "phone/form.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

/* What the network form fills in, in its order; the next one is asked for a static address only. */
static const char *const network_keys[] = { "static.network.internet_port.type",
                                            "static.network.internet_port.ip",
                                            "static.network.internet_port.mask",
                                            "static.network.internet_port.gateway" };
static const char *const dns_keys[] = { "static.network.primary_dns", "static.network.secondary_dns" };
#define NETWORK_KEYS (sizeof network_keys / sizeof *network_keys)
#define DNS_KEYS (sizeof dns_keys / sizeof *dns_keys)
/* static.network.internet_port.type: 0 is DHCP. */
#define STATIC_ADDRESS SLICE("2")

struct zero_touch {
    struct source source;
    struct source_ask ask;
    source_done *done;
    void *context;
    struct dialog question;
    struct form network, dns, server;
    struct notice wrong;
    struct form *again; /* behind the notice */
};

static struct slice value_of(const struct zero_touch *z, const char *key)
{
    return settings_value(z->ask.settings, slice_str(key));
}

static void close_all(struct zero_touch *z)
{
    struct form *forms[] = { &z->network, &z->dns, &z->server };
    screen_pop(&z->question);
    notice_hide(&z->wrong);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        form_close(forms[i]);
        form_wipe(forms[i]);
    }
}

static void end_without(struct zero_touch *z, const char *why)
{
    struct found_address nothing = { .source = address_source_name(ADDRESS_ZERO_TOUCH) };
    close_all(z);
    z->done(z->context, &nothing, slice_str(why));
}

static void show(struct zero_touch *z, struct form *f)
{
    form_open(f, z->ask.screen);
    dialog_expires(&f->dialog, ZERO_TOUCH_LEFT_MS);
}

/* Said, and the form is there again with what was entered. */
static void refuse(struct zero_touch *z, struct form *f, const char *what)
{
    z->again = f;
    notice_line(&z->wrong, 0, slice_str(what));
    notice_show(&z->wrong, z->ask.screen, 2000);
}

static void on_told(struct notice *n)
{
    struct zero_touch *z = container_of(n, struct zero_touch, wrong);
    show(z, z->again);
}

/* --- the server --- */

static void put_settings(struct zero_touch *z, struct found_address *found)
{
    bool is_static = slice_eq(form_text(&z->network, 0), STATIC_ADDRESS);
    for (size_t i = 0; i < (is_static ? NETWORK_KEYS : 1); i++)
        found->settings[found->setting_count++] = (struct found_setting){ slice_str(network_keys[i]),
                                                                          form_text(&z->network, i) };
    for (size_t i = 0; is_static && i < DNS_KEYS; i++)
        found->settings[found->setting_count++] =
            (struct found_setting){ slice_str(dns_keys[i]), form_text(&z->dns, i) };
}

static bool is_url(struct zero_touch *z, struct slice text)
{
    struct arena arena;
    struct slice url;
    arena_init(&arena, (size_t)16 << 10);
    bool good = address_read(text, value_of(z, "static.auto_provision.server.type"), &arena, &url) != ADDRESS_BAD;
    arena_free(&arena);
    return good;
}

static void on_server(struct form *f, bool accepted)
{
    struct zero_touch *z = container_of(f, struct zero_touch, server);
    struct found_address found = { .url = form_text(f, 0), .user = form_text(f, 1), .password = form_text(f, 2),
                                   .source = address_source_name(ADDRESS_ZERO_TOUCH), .entered = true };
    if (!accepted) {
        end_without(z, "cancelled");
    } else if (!is_url(z, found.url)) {
        refuse(z, f, "Invalid provisioning server URL!");
    } else {
        put_settings(z, &found);
        z->done(z->context, &found, SLICE("entered"));
        close_all(z);
    }
}

static void ask_server(struct zero_touch *z)
{
    if (z->server.count == 0) {
        form_init(&z->server, "zero-touch-server", "Auto Provision", on_server);
        form_add(&z->server, "Server URL", FIELD_TEXT, 0, value_of(z, "static.auto_provision.server.url"));
        form_add(&z->server, "User Name", FIELD_TEXT, 99, value_of(z, "static.auto_provision.server.username"));
        form_add(&z->server, "Password", FIELD_PASSWORD, 100, SLICE(""));
    }
    show(z, &z->server);
}

/* --- the network --- */

static bool are_addresses(const struct form *f, size_t from, bool last_may_be_blank)
{
    for (size_t i = from; i < f->count; i++) {
        struct slice text = form_text(f, i);
        char copy[64];
        struct in_addr address;
        bool blank = text.len == 0 && last_may_be_blank && i + 1 == f->count;
        snprintf(copy, sizeof copy, "%.*s", SLICE_ARG(text));
        if (!blank && inet_pton(AF_INET, copy, &address) != 1)
            return false;
    }
    return true;
}

static void on_dns(struct form *f, bool accepted)
{
    struct zero_touch *z = container_of(f, struct zero_touch, dns);
    if (!accepted)
        end_without(z, "cancelled");
    else if (!are_addresses(f, 0, true))
        refuse(z, f, "Invalid IP address!");
    else
        ask_server(z);
}

static void on_network(struct form *f, bool accepted)
{
    struct zero_touch *z = container_of(f, struct zero_touch, network);
    struct slice type = form_text(f, 0);
    if (!accepted) {
        end_without(z, "cancelled");
    } else if (!slice_eq(type, SLICE("0")) && !slice_eq(type, STATIC_ADDRESS)) {
        refuse(z, f, "The type is 0 or 2!");
    } else if (slice_eq(type, SLICE("0"))) {
        ask_server(z);
    } else if (!are_addresses(f, 1, false)) {
        refuse(z, f, "Invalid IP address!");
    } else {
        show(z, &z->dns);
    }
}

static void ask_network(struct zero_touch *z)
{
    struct slice type = value_of(z, network_keys[0]);
    form_init(&z->network, "zero-touch-network", "Network", on_network);
    z->network.accept = "Next";
    form_add(&z->network, "Type (0 DHCP, 2 static)", FIELD_NUMBER, 1, type.len ? type : SLICE("0"));
    form_add(&z->network, "IP Address", FIELD_TEXT, 15, value_of(z, network_keys[1]));
    form_add(&z->network, "Subnet Mask", FIELD_TEXT, 15, value_of(z, network_keys[2]));
    form_add(&z->network, "Gateway", FIELD_TEXT, 15, value_of(z, network_keys[3]));
    form_init(&z->dns, "zero-touch-dns", "Network", on_dns);
    z->dns.accept = "Next";
    form_add(&z->dns, "Primary DNS", FIELD_TEXT, 15, value_of(z, dns_keys[0]));
    form_add(&z->dns, "Secondary DNS", FIELD_TEXT, 15, value_of(z, dns_keys[1]));
    show(z, &z->network);
}

/* --- the question --- */

static void draw_question(struct dialog *d, struct screen_view *v)
{
    const struct zero_touch *z = container_of(d, struct zero_touch, question);
    view_title(v, SLICE("Zero Touch"));
    view_line(v, "Press OK within %llu s to set up this phone.",
              (unsigned long long)settings_number(z->ask.settings, SLICE("static.zero_touch.wait_time")));
    view_soft(v, 1, "Cancel");
    view_soft(v, 4, "OK");
}

static void key_question(struct dialog *d, enum key key)
{
    struct zero_touch *z = container_of(d, struct zero_touch, question);
    if (key == KEY_OK || key == KEY_SOFT_4) {
        screen_pop(d);
        ask_network(z);
    } else if (key == KEY_X || key == KEY_SOFT_1) {
        end_without(z, "cancelled");
    }
}

static void question_expired(struct dialog *d)
{
    end_without(container_of(d, struct zero_touch, question), "nobody pressed OK");
}

static const char *start(struct source *s, const struct source_ask *ask, source_done *done, void *context)
{
    struct zero_touch *z = container_of(s, struct zero_touch, source);
    if (!ask->screen)
        return "nobody looks at the screen";
    z->ask = *ask;
    z->done = done;
    z->context = context;
    z->server.count = 0;
    z->question = (struct dialog){ .name = "zero-touch", .draw = draw_question, .key = key_question,
                                   .expired = question_expired };
    notice_init(&z->wrong, "zero-touch-wrong", "Zero Touch");
    z->wrong.done = on_told;
    screen_push(ask->screen, &z->question);
    dialog_expires(&z->question, settings_number(ask->settings, SLICE("static.zero_touch.wait_time")) * 1000);
    return NULL;
}

static void cancel(struct source *s)
{
    struct zero_touch *z = container_of(s, struct zero_touch, source);
    if (z->ask.screen)
        close_all(z);
}

static void drop(struct source *s)
{
    cancel(s);
    free(container_of(s, struct zero_touch, source));
}

struct source *zero_touch_new(void)
{
    struct zero_touch *z = calloc(1, sizeof *z);
    if (!z)
        return NULL;
    z->source = (struct source){ ADDRESS_ZERO_TOUCH, start, cancel, drop };
    return &z->source;
}
