#include "guide/resource.h"
#include "guide/upgrade.h"
#include "phone/life_inside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Settings of a big site, twice, with what they overrode. */
#define RAM_BYTES ((size_t)64 * 1024 * 1024)
#define ADDRESS_BYTES ((size_t)16 * 1024)
/* AutoDST.xml and what its walk needs. */
#define AUTO_DST_BYTES ((size_t)4 * 1024 * 1024)

const char *life_state_name(enum life_state state)
{
    static const char *const names[] = {
        [LIFE_OFF] = "off",           [LIFE_SEARCHING] = "searching", [LIFE_IDLE] = "idle",
        [LIFE_UPDATING] = "updating", [LIFE_REBOOTING] = "rebooting",
    };
    return names[state];
}

void life_tell(const struct life *l, const char *format, ...)
{
    char bytes[1024], safe[2048];
    struct buf out = BUF_ON(safe);
    va_list args;
    va_start(args, format);
    int len = vsnprintf(bytes, sizeof bytes, format, args);
    va_end(args);
    if (len < 0 || !l->watch.event)
        return;
    buf_escaped(&out, slice_str(bytes));
    l->watch.event(l->watch.context, buf_slice(&out));
}

static void on_step(struct timer *timer)
{
    struct life *l = container_of(timer, struct life, step);
    l->next_step(l);
}

static void power_cycle(struct life *l);

void life_later(struct life *l, void (*step)(struct life *l))
{
    /* Nothing takes the place of a reboot. */
    if (timer_is_running(&l->step) && l->next_step == power_cycle)
        return;
    l->next_step = step;
    loop_timer(l->loop, &l->step, 0, on_step);
}

struct slice life_value(const struct life *l, const char *key)
{
    return settings_value(&l->ram.effective, slice_str(key));
}

/* What AutoDST.xml in flash says of the zone (facts.md 6.3); asked only where the settings leave it to the file. */
static bool read_auto_dst(struct life *l, struct zone *ret_zone)
{
    struct arena scratch;
    struct slice bytes;
    if (!slice_eq(life_value(l, "local_time.summer_time"), SLICE("2")))
        return false;
    arena_init(&scratch, AUTO_DST_BYTES);
    bool known = flash_kept(l->flash, SLICE("auto_dst.url"), SLICE_NONE, &scratch, &bytes) == 0 &&
                 resource_auto_dst(bytes, life_value(l, "local_time.time_zone_name"),
                                   life_value(l, "local_time.time_zone"), &scratch, ret_zone);
    arena_free(&scratch);
    return known;
}

bool life_settle(struct life *l)
{
    struct zone automatic;
    struct life_ram *ram = &l->ram;
    settings_free(&ram->effective);
    settings_init(&ram->effective, &ram->arena);
    if (!settings_overlay(&ram->effective, &ram->memory.central, &ram->memory.personal))
        return false;
    ram->zone = zone_of_settings(&ram->effective, read_auto_dst(l, &automatic) ? &automatic : NULL);
    return true;
}

/* NULL, or what is wrong with the flash. */
static const char *read_flash(struct life *l)
{
    struct life_ram *ram = &l->ram;
    settings_free(&ram->effective);
    memory_free(&ram->memory);
    arena_free(&ram->arena);
    memory_init(&ram->memory, &ram->arena);
    settings_init(&ram->effective, &ram->arena);
    const char *why = flash_read(l->flash, &ram->memory, &ram->arena);
    return why ? why : life_settle(l) ? NULL : "out of memory";
}

bool life_keep(struct life *l)
{
    int error = flash_write(l->flash, &l->ram.memory, &l->ram.arena);
    if (error) {
        life_tell(l, "the flash could not be written: %s", strerror(-error));
        return false;
    }
    /* What was overridden and sorted meanwhile goes: a phone runs for months. */
    const char *why = read_flash(l);
    if (why)
        life_tell(l, "the flash could not be read back: %s", why);
    return !why;
}

/* Ends everything that lives in RAM only. */
static void drop_power(struct life *l)
{
    struct wheel *wheel = &l->loop->wheel;
    if (l->ram.searching)
        l->options.finder->cancel(l->options.finder);
    life_upload_stop(l);
    phone_free(l->ram.phone);
    life_screen_close(l);
    timer_stop(wheel, &l->due_timer);
    timer_stop(wheel, &l->step);
    timer_stop(wheel, &l->sync_timer);
    settings_free(&l->ram.effective);
    memory_free(&l->ram.memory);
    arena_free(&l->ram.arena);
    arena_free(&l->ram.address_arena);
    l->ram = (struct life_ram){ 0 };
    l->in_call = false;
    l->why[0] = '\0';
}

static void init_ram(struct life *l)
{
    arena_init(&l->ram.arena, RAM_BYTES);
    arena_init(&l->ram.address_arena, ADDRESS_BYTES);
    memory_init(&l->ram.memory, &l->ram.arena);
    settings_init(&l->ram.effective, &l->ram.arena);
}

static void idle(struct life *l)
{
    enum trigger queued = l->ram.queued;
    l->ram.state = LIFE_IDLE;
    l->ram.queued = TRIGGER_NONE;
    life_show_updating(l, false);
    screen_touch(l->screen);
    life_local_changed(l);
    if (queued)
        life_run(l, queued);
    else
        life_plan(l);
}

/* Power. */

static void on_found(void *context, const struct found_address *found);

static bool keep_address(struct life *l, const struct found_address *found)
{
    struct found_address *a = &l->ram.address;
    struct arena *arena = &l->ram.address_arena;
    arena_free(arena);
    *a = (struct found_address){ .source = found->source };
    return arena_copy(arena, found->url, &a->url) && arena_copy(arena, found->user, &a->user) &&
           arena_copy(arena, found->password, &a->password);
}

static void search(struct life *l)
{
    struct found_address given = {
        .url = l->options.server, .user = l->options.user, .password = l->options.password, .source = "given"
    };
    struct address_finder *finder = l->options.finder;
    l->ram.state = LIFE_SEARCHING;
    l->ram.searching =
        given.url.len == 0 && finder && finder->start(finder, &l->ram.memory, l->screen, on_found, l);
    if (l->ram.searching)
        return;
    if (given.url.len == 0)
        given = (struct found_address){ .url = life_value(l, "static.auto_provision.server.url"),
                                        .source = "flash" };
    on_found(l, &given);
}

static const char *boot(struct life *l)
{
    init_ram(l);
    l->ram.powered_ms = l->ram.rest_since_ms = l->ram.touched_ms = life_now_ms(l);
    const char *why = read_flash(l);
    if (why) {
        drop_power(l);
        snprintf(l->problem, sizeof l->problem, "flash: %s", why);
        return l->problem;
    }
    l->power_ons++;
    l->ram.id = l->options.id;
    l->ram.id.firmware = upgrade_running(&l->ram.memory, l->options.id.firmware);
    l->ram.memory.triggers.power_ons++;
    life_keep(l);
    l->ram.queued = settings_is_on(&l->ram.effective, SLICE("static.auto_provision.power_on"))
                        ? TRIGGER_POWER_ON
                        : TRIGGER_NONE;
    l->ram.state = LIFE_SEARCHING;
    life_screen_open(l);
    life_later(l, search);
    return NULL;
}

static void boot_again(struct life *l)
{
    const char *why = boot(l);
    if (why)
        life_tell(l, "%s", why);
}

static void on_booted(struct timer *timer)
{
    struct life *l = container_of(timer, struct life, due_timer);
    notice_hide(&l->rebooting);
    boot_again(l);
}

static void power_cycle(struct life *l)
{
    drop_power(l);
    l->ram.state = LIFE_REBOOTING;
    notice_init(&l->rebooting, "rebooting", "Rebooting");
    notice_line(&l->rebooting, 0, SLICE("Please wait..."));
    notice_show(&l->rebooting, l->screen, 0);
    life_timer(l, &l->due_timer, LIFE_REBOOT_MS, on_booted);
}

/* Reboots that runs ask for: not in a circle. */
static bool may_reboot_again(struct life *l)
{
    uint64_t now = life_now_ms(l), *oldest = &l->reboots_ms[l->reboots % LIFE_REBOOTS_MAX];
    if (l->reboots >= LIFE_REBOOTS_MAX && now - *oldest < LIFE_REBOOTS_MS) {
        life_tell(l, "no reboot: %d within the last %d minutes were asked for by runs", LIFE_REBOOTS_MAX,
                  LIFE_REBOOTS_MS / 60000);
        return false;
    }
    *oldest = now;
    l->reboots++;
    return true;
}

void life_reboot(struct life *l)
{
    if (l->ram.state == LIFE_OFF || l->ram.state == LIFE_REBOOTING)
        return;
    life_tell(l, "reboots: the user asked for it");
    life_later(l, power_cycle);
}

/* Runs. */

static bool enter(struct life *l, struct slice key, struct slice value)
{
    struct slice kept;
    struct settings *central = &l->ram.memory.central;
    if (value.len == 0) {
        settings_remove(central, key);
        return true;
    }
    return arena_copy(&l->ram.arena, value, &kept) &&
           settings_put(central, key, kept, (struct origin){ SETTINGS_FLASH, 0 });
}

/* What a person entered while the phone started is the phone's from now on. */
static void keep_entered(struct life *l, const struct found_address *found)
{
    bool kept = enter(l, SLICE("static.auto_provision.server.url"), found->url) &&
                enter(l, SLICE("static.auto_provision.server.username"), found->user) &&
                enter(l, SLICE("static.auto_provision.server.password"), found->password);
    for (size_t i = 0; kept && i < found->setting_count; i++)
        kept = enter(l, found->settings[i].key, found->settings[i].value);
    if (!kept)
        life_tell(l, "what was entered could not be kept: out of memory");
    else
        life_keep(l);
}

static void on_found(void *context, const struct found_address *found)
{
    struct life *l = context;
    l->ram.searching = false;
    if (found->entered)
        keep_entered(l, found);
    if (!keep_address(l, found)) {
        life_tell(l, "the server's address: out of memory");
        l->ram.address = (struct found_address){ .source = "" };
    }
    l->ram.known = l->ram.address.url.len > 0;
    l->ram.network_unavailable = !l->ram.known;
    if (!l->ram.known)
        life_tell(l, "no server URL given and none in flash");
    if (!l->ram.known)
        l->ram.queued = TRIGGER_NONE;
    idle(l);
}

static void after_run(struct life *l)
{
    bool reboot = l->ram.wants_reboot;
    const char *why = read_flash(l);
    if (why)
        life_tell(l, "the flash could not be read back: %s", why);
    else
        life_login_done(l);
    phone_free(l->ram.phone);
    l->ram.phone = NULL;
    l->ram.wants_reboot = false;
    l->ram.running = TRIGGER_NONE;
    if (l->ram.local_came)
        life_local_came(l);
    l->ram.local_came = false;
    l->ram.rest_since_ms = life_now_ms(l);
    if (reboot && may_reboot_again(l))
        power_cycle(l);
    else
        idle(l);
}

static void on_done(void *context, const struct report *r)
{
    struct life *l = context;
    struct buf why = BUF_ON(l->why);
    if (l->watch.run.done)
        l->watch.run.done(l->watch.run.done_context ? l->watch.run.done_context : l->watch.run.context, r);
    buf_text(&why, slice_first(r->why, sizeof l->why - 1));
    buf_terminate(&why);
    l->runs++;
    l->ram.outcome = r->outcome;
    l->ram.ran_s = life_wall_s(l);
    l->ram.network_unavailable = r->outcome == RUN_FAILED && r->files && r->files->outcome == FILE_FAILED;
    l->ram.wants_reboot = r->reboot;
    for (const struct report_file *f = r->files; f; f = f->next)
        l->ram.local_came = l->ram.local_came || (f->kind == NAME_MAC_LOCAL && f->outcome == FILE_USED);
    l->ram.local_came = l->ram.local_came && r->outcome == RUN_PROVISIONED;
    life_later(l, after_run);
}

void life_stop_run(struct life *l)
{
    if (l->ram.state != LIFE_UPDATING)
        return;
    phone_stop(l->ram.phone);
    l->ram.outcome = RUN_FAILED;
    snprintf(l->why, sizeof l->why, "user name or password not accepted");
    life_tell(l, "stopped: %s", l->why);
    after_run(l);
}

static void remember_trigger(struct life *l, enum trigger trigger)
{
    struct trigger_due due = { .trigger = trigger };
    if (l->ram.due.trigger == trigger)
        due = l->ram.due;
    trigger_ran(&l->ram.memory.triggers, &due, life_wall_s(l));
    l->ram.due = (struct trigger_due){ 0 };
    l->ram.told_due = l->ram.rested = false;
    life_keep(l);
}

static struct phone *phone_for(struct life *l)
{
    const struct found_address *a = &l->ram.address;
    struct phone_options options = {
        .id = l->options.id,
        .server = a->url,
        .user = a->user,
        .password = a->password,
        .pin = l->ram.asked_pin ? SLICE_NONE : l->options.pin,
        .keys = l->options.keys,
        .time_scale = l->options.time_scale,
        .person = life_person(l),
    };
    struct phone_watch watch = l->watch.run;
    if (l->ram.running == TRIGGER_ACTIVATION)
        life_activated(l, &options);
    if (l->watch.starts)
        l->watch.starts(l->watch.context, l->ram.running, &l->ram.id, options.server);
    watch.done = on_done;
    watch.done_context = l;
    return phone_new(l->loop, l->transport, l->flash, &options, &watch);
}

static void start_run(struct life *l, enum trigger trigger)
{
    life_upload_stop(l);
    timer_stop(&l->loop->wheel, &l->due_timer);
    remember_trigger(l, trigger);
    l->ram.state = LIFE_UPDATING;
    l->ram.running = trigger;
    l->ram.phone = phone_for(l);
    const char *why = l->ram.phone ? phone_power_on(l->ram.phone) : "out of memory";
    life_show_updating(l, !l->in_call);
    if (!why)
        return;
    life_tell(l, "no run: %s", why);
    life_later(l, after_run);
}

static void run_now(struct life *l)
{
    enum trigger trigger = l->ram.queued;
    if (l->ram.state != LIFE_IDLE || trigger == TRIGGER_NONE)
        return;
    l->ram.queued = TRIGGER_NONE;
    /* A code brings its own server. */
    if (l->ram.known || trigger == TRIGGER_ACTIVATION) {
        start_run(l, trigger);
        return;
    }
    l->ram.queued = trigger;
    search(l);
}

void life_run(struct life *l, enum trigger trigger)
{
    if (l->ram.state == LIFE_OFF || l->ram.state == LIFE_REBOOTING)
        return;
    if (l->ram.queued != TRIGGER_NONE)
        life_tell(l, "%s: a run waits already", trigger_name(trigger));
    else if (l->ram.state != LIFE_IDLE)
        life_tell(l, "%s: after what goes on now", trigger_name(trigger));
    if (l->ram.queued == TRIGGER_NONE)
        l->ram.queued = trigger;
    if (l->ram.state == LIFE_IDLE)
        life_later(l, run_now);
}

void life_provision_now(struct life *l)
{
    life_run(l, TRIGGER_NOW);
}

/* Check-sync. */

static void sync_reboot(struct life *l)
{
    l->synced = true;
    l->synced_ms = life_now_ms(l);
    life_tell(l, "reboots: check-sync");
    life_later(l, power_cycle);
}

static void on_sync_look(struct timer *timer)
{
    struct life *l = container_of(timer, struct life, sync_timer);
    l->sync_waited_ms += PROCEDURE_CALL_LOOK_MS;
    if (!l->in_call)
        sync_reboot(l);
    else if (l->sync_waited_ms >= PROCEDURE_CALL_GIVE_UP_MS)
        life_tell(l, "check-sync: no reboot, a call was active for two hours");
    else
        life_timer(l, timer, PROCEDURE_CALL_LOOK_MS, on_sync_look);
}

void life_check_sync(struct life *l, bool reboot)
{
    bool soon = l->synced && life_now_ms(l) - l->synced_ms < LIFE_SYNC_INTERVAL_MS;
    if (l->ram.state == LIFE_OFF || l->ram.state == LIFE_REBOOTING || timer_is_running(&l->sync_timer))
        return;
    if (reboot && soon)
        life_tell(l, "check-sync: no second reboot within %d s", LIFE_SYNC_INTERVAL_MS / 1000);
    if (!reboot || soon) {
        life_run(l, TRIGGER_CHECK_SYNC);
    } else if (l->in_call) {
        l->sync_waited_ms = 0;
        life_timer(l, &l->sync_timer, PROCEDURE_CALL_LOOK_MS, on_sync_look);
    } else {
        sync_reboot(l);
    }
}

/* From outside. */

struct life *life_new(struct loop *loop, struct transport *transport, const struct flash *flash,
                      struct screen *screen, const struct life_options *options, const struct life_watch *watch)
{
    struct life *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->loop = loop;
    l->transport = transport;
    l->flash = flash;
    l->screen = screen;
    l->options = *options;
    l->watch = *watch;
    l->started_ms = loop->now_ms;
    l->started_wall_ms = loop->wall_ms;
    return l;
}

void life_free(struct life *l)
{
    if (!l)
        return;
    drop_power(l);
    notice_hide(&l->rebooting);
    free(l);
}

const char *life_power_on(struct life *l)
{
    return boot(l);
}

struct life_facts life_facts(const struct life *l)
{
    const struct life_ram *ram = &l->ram;
    return (struct life_facts){
        .state = ram->state,
        .id = ram->id.model ? ram->id : l->options.id,
        .server = ram->address.url,
        .source = ram->address.source ? ram->address.source : "",
        .in_call = l->in_call,
        .network_unavailable = ram->network_unavailable,
        .power_ons = l->power_ons,
        .runs = l->runs,
        .up_s = (life_now_ms(l) - ram->powered_ms) / 1000,
        .now_s = life_wall_s(l),
        .utc_offset_s = zone_offset_at(&ram->zone, life_wall_s(l)),
        .outcome = ram->outcome,
        .why = slice_str(l->why),
        .ran_s = ram->ran_s,
        .due = ram->due,
        .effective = &ram->effective,
    };
}
