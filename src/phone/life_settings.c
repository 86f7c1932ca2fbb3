#include "phone/life_inside.h"

#include "guide/digest.h"
#include "guide/local.h"
#include "phone/trust.h"

#include <errno.h>
#include <stdlib.h>

#define LOCAL_SENT SLICE("local.sent")
#define AGENT_BYTES 128

/* --- personal settings --- */

static bool change(struct life *l, struct settings *s, struct slice key, struct slice value)
{
    struct arena *arena = &l->ram.arena;
    if (value.len == 0) {
        settings_remove(s, key);
        return true;
    }
    return arena_copy(arena, key, &key) && arena_copy(arena, value, &value) &&
           settings_put(s, key, value, (struct origin){ SETTINGS_FLASH, 0 });
}

int life_set(struct life *l, struct slice key, struct slice value)
{
    struct life_ram *ram = &l->ram;
    const struct param *param = param_find(key, NULL);
    if (ram->state == LIFE_OFF || ram->state == LIFE_UPDATING || ram->state == LIFE_REBOOTING)
        return -EBUSY;
    if (!local_is_assignment(key, value))
        return -EINVAL;
    bool central = local_layer_of(&ram->effective, key, ram->id.firmware) == LOCAL_CENTRAL;
    /* The one that holds is the one that is changed: what is personal from an earlier firmware stays so. */
    struct settings *layer =
        central && !settings_get(&ram->memory.personal, key) ? &ram->memory.central : &ram->memory.personal;
    if (!change(l, layer, key, value))
        return -ENOMEM;
    if (!life_keep(l))
        return -EIO;
    life_tell(l, "set by the user: %.*s%s", SLICE_ARG(key),
              param && param->reboot ? "; it takes effect after a reboot" : "");
    screen_touch(l->screen);
    if (ram->state == LIFE_IDLE) {
        life_local_changed(l);
        life_plan(l);
    }
    return 0;
}

/* --- upload of the MAC-local CFG file --- */

/* What would be uploaded, on the heap; NULL: out of memory. */
static char *local_bytes(struct life *l, size_t *ret_len)
{
    for (size_t room = 16 * 1024; room <= FLASH_BYTES_MAX; room *= 4) {
        char *bytes = malloc(room);
        struct buf out = buf_on(bytes, room);
        if (!bytes)
            return NULL;
        if (local_print(&l->ram.memory.personal, &l->ram.arena, &out)) {
            *ret_len = out.len;
            return bytes;
        }
        free(bytes);
    }
    return NULL;
}

/* static.auto_provision.encryption.config: the file goes encrypted, under the same name (facts.md 1.2). In
 * place; false: no key, or no memory. */
static bool seal_bytes(struct life *l, char **bytes, size_t *len)
{
    struct slice plain = slice_of(*bytes, *len), sealed;
    const char *why =
        seal_for_upload(&l->options.keys, &l->ram.effective, NAME_MAC_LOCAL, plain, &l->ram.arena, &sealed);
    if (why) {
        life_tell(l, "upload: %s", why);
        return false;
    }
    if (sealed.ptr == plain.ptr)
        return true;
    char *copy = realloc(*bytes, sealed.len);
    if (!copy)
        return false;
    memcpy(copy, sealed.ptr, sealed.len);
    *bytes = copy;
    *len = sealed.len;
    return true;
}

static void forget(struct life *l)
{
    struct upload *u = &l->upload;
    timer_stop(&l->loop->wheel, &u->wait);
    free(u->bytes);
    u->bytes = NULL;
    u->changed = false;
    arena_free(&u->arena);
}

void life_upload_stop(struct life *l)
{
    if (l->upload.under_way)
        l->transport->cancel(l->transport);
    l->upload.under_way = false;
    if (l->upload.bytes)
        forget(l);
}

static bool note_sent(struct life *l, struct slice md5)
{
    struct life_ram *ram = &l->ram;
    return arena_copy(&ram->arena, md5, &md5) &&
           settings_put(&ram->memory.notes, LOCAL_SENT, md5, (struct origin){ SETTINGS_FLASH, 0 }) &&
           life_keep(l);
}

static void send_it(struct life *l);

static void on_wait(struct timer *timer)
{
    send_it(container_of(timer, struct life, upload.wait));
}

static bool try_again(struct life *l, const struct fetched *fetched)
{
    struct upload *u = &l->upload;
    struct life_ram *ram = &l->ram;
    u->attempts++;
    if (fetched->outcome != FETCH_FAILED || fetched->denied ||
        u->attempts >= settings_number(&ram->effective, SLICE("static.auto_provision.attempt_before_failed")))
        return false;
    uint64_t delay_s =
        settings_number(&ram->effective, SLICE("static.auto_provision.retry_delay_after_file_transfer_failed"));
    life_timer(l, &u->wait, delay_s * 1000, on_wait);
    return true;
}

static void on_sent(void *context, const struct fetched *fetched)
{
    struct life *l = context;
    struct upload *u = &l->upload;
    char url[URL_BYTES_MAX];
    struct buf name = BUF_ON(url);
    u->under_way = false;
    url_print_public(u->url, &name);
    bool stored = fetched->outcome == FETCH_GOT;
    bool again = !stored && !u->changed && try_again(l, fetched);
    life_tell(l, "upload %.*s: %.*s%s", SLICE_ARG(buf_slice(&name)),
              SLICE_ARG(stored ? SLICE("stored") : fetched->why), again ? "; once more later" : "");
    if (again)
        return;
    if (stored)
        note_sent(l, slice_str(u->md5));
    bool changed = u->changed;
    forget(l);
    if (changed)
        life_local_changed(l);
}

static bool is_same_host(const struct life *l, struct slice text)
{
    struct url server, target;
    return url_parse(l->upload.server, &server) && url_parse(text, &target) && url_same_host(&server, &target);
}

/* As for downloads: the server's credentials for the server alone (security.md R24). */
static void lend_credentials(const struct life *l, struct transport_request *request)
{
    const struct found_address *a = &l->ram.address;
    if (!is_same_host(l, request->url))
        return;
    request->user = a->user.len ? a->user : life_value(l, "static.auto_provision.server.username");
    request->password = a->user.len ? a->password : life_value(l, "static.auto_provision.server.password");
}

static void send_it(struct life *l)
{
    struct upload *u = &l->upload;
    char bytes[AGENT_BYTES];
    struct buf agent = BUF_ON(bytes);
    bool post = slice_eq(life_value(l, "static.auto_provision.custom.upload_method"), SLICE("1"));
    bool with_mac = !slice_eq(life_value(l, "static.auto_provision.user_agent_mac.enable"), SLICE("0"));
    identity_print_user_agent(&l->ram.id, with_mac, &agent);
    struct transport_request request = {
        .verb = post ? TRANSPORT_POST : TRANSPORT_PUT,
        .body = slice_of(u->bytes, u->len),
        .url = u->url,
        .user_agent = buf_slice(&agent),
        .timeout_ms = 1000 * (uint32_t)settings_number(&l->ram.effective,
                                                       SLICE("static.auto_provision.attempt_expired_time")),
    };
    trust_demand(&l->ram.effective, l->flash, &request);
    lend_credentials(l, &request);
    u->under_way = l->transport->start(l->transport, &request, on_sent, l);
    if (u->under_way)
        return;
    life_tell(l, "upload: out of memory");
    forget(l);
}

/* The URL, in the upload's arena. NULL, or why there is none. */
static const char *aim(struct life *l)
{
    struct upload *u = &l->upload;
    struct wildcards w = { .pn = life_value(l, "static.auto_provision.url_wildcard.pn"), .mac = l->ram.id.mac };
    struct slice type = life_value(l, "static.auto_provision.server.type"), text, directory;
    if (w.pn.len == 0)
        w.pn = model_short_name(l->ram.id.model);
    if (!address_expand(l->ram.address.url, &w, &u->arena, &text) ||
        address_read(text, type.len ? type : SLICE("tftp"), &u->arena, &u->server) == ADDRESS_BAD ||
        !url_directory(u->server, &u->arena, &directory))
        return "the server URL is not one that a phone can use";
    return local_url(&l->ram.effective, directory, &w, &u->arena, &u->url);
}

static bool has_to_be_sent(struct life *l, char md5[DIGEST_MD5_HEX])
{
    const struct life_ram *ram = &l->ram;
    struct slice sent = settings_value(&ram->memory.notes, LOCAL_SENT);
    return digest_md5(slice_of(l->upload.bytes, l->upload.len), md5) && !slice_eq(slice_str(md5), sent) &&
           (sent.len || ram->memory.personal.count);
}

void life_local_changed(struct life *l)
{
    struct upload *u = &l->upload;
    /* Given up, it might still be on the wire and arrive behind the next one. */
    u->changed = u->under_way;
    if (u->under_way)
        return;
    life_upload_stop(l);
    if (!settings_is_on(&l->ram.effective, SLICE("static.auto_provision.custom.sync")) || !l->ram.known)
        return;
    arena_init(&u->arena, (size_t)32 * 1024);
    u->attempts = 0;
    u->bytes = local_bytes(l, &u->len);
    if (!u->bytes || !has_to_be_sent(l, u->md5) || !seal_bytes(l, &u->bytes, &u->len)) {
        forget(l);
        return;
    }
    const char *why = aim(l);
    if (!why) {
        send_it(l);
        return;
    }
    life_tell(l, "upload: %s", why);
    forget(l);
}

void life_local_came(struct life *l)
{
    char md5[DIGEST_MD5_HEX];
    size_t len;
    char *bytes = local_bytes(l, &len);
    if (bytes && digest_md5(slice_of(bytes, len), md5))
        note_sent(l, slice_str(md5));
    free(bytes);
}
