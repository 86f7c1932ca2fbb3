#include "guide/procedure_inside.h"
#include "guide/upgrade.h"

static struct place place_of(const struct procedure *p)
{
    return (struct place){ p->report.last_resource->url, 0, 0 };
}

static void refuse(struct procedure *p, const char *why)
{
    p->report.last_resource->outcome = FILE_REFUSED;
    p->report.last_resource->why = slice_str(why);
    diag_add(&p->report.findings, SEVERITY_ERROR, place_of(p), "not installed: %s", why);
}

/* What the phone had, with the notes of the upgrade: the files of this run are for the next firmware to read.
 */
static bool keep_before(struct procedure *p)
{
    const struct memory *before = p->before;
    struct memory *after = &p->after;
    memory_free(after);
    memory_init(after, p->arena);
    after->files = before->files;
    after->model = before->model;
    after->firmware = before->firmware;
    after->triggers = before->triggers;
    return settings_copy(&after->central, &before->central, NULL) &&
           settings_copy(&after->personal, &before->personal, NULL) &&
           settings_copy(&after->notes, &before->notes, NULL);
}

static bool install(struct procedure *p, struct firmware version)
{
    char from_bytes[32], to_bytes[32];
    struct buf from = BUF_ON(from_bytes), to = BUF_ON(to_bytes);
    struct report *r = &p->report;
    firmware_print(p->id.firmware, &from);
    firmware_print(version, &to);
    /* Old mechanism: the phone goes down here and now (facts.md 5.6); otherwise once everything is applied. */
    r->upgrade_only = p->resource_one_cfg;
    if (r->upgrade_only && !keep_before(p))
        return false;
    return upgrade_note(&p->after, p->id.firmware, version, p->arena) &&
           arena_copy(p->arena, buf_slice(&to), &r->upgrade) &&
           arena_format(p->arena, &r->last_resource->why, "firmware %.*s in place of %.*s",
                        SLICE_ARG(r->upgrade), SLICE_ARG(buf_slice(&from)));
}

void run_got_firmware(struct procedure *p)
{
    struct firmware version;
    switch (upgrade_decide(p->before, p->id.firmware, p->report.last_resource->url, &version)) {
    case UPGRADE_SAME:
        break;
    case UPGRADE_UNKNOWN:
        diag_add(&p->report.findings, SEVERITY_NOTE, place_of(p),
                 "no firmware version in its name: not installed");
        break;
    case UPGRADE_OTHER_HARDWARE:
        refuse(p, "firmware for other hardware");
        break;
    case UPGRADE_CIRCLE:
        refuse(p, "a circle: the phone was upgraded from this version a moment ago, and is told to go back");
        break;
    case UPGRADE_INSTALL:
        if (!install(p, version))
            run_fail_memory(p);
        break;
    }
    if (p->state == STATE_DONE)
        return;
    if (p->report.upgrade_only)
        p->state = STATE_APPLY;
    else
        run_ask_resources(p);
}

void run_finish_upgrade(struct procedure *p)
{
    struct slice why = p->report.last_resource->why;
    run_finish_as_before(p, RUN_UPGRADED, why);
    p->report.reboot = true;
    p->report.change.reboot_why = SLICE("static.firmware.url");
}
