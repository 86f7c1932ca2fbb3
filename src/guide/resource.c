#include "guide/resource.h"

#include "guide/param.h"
#include "guide/resource_form.h"
#include "guide/xml.h"

static bool has_softkeys(const struct model *m)
{
    return m->softkey_layout;
}

static bool has_dialing_softkeys(const struct model *m)
{
    return m->softkey_layout && m->softkey_dialing;
}

static bool has_screen_saver(const struct model *m)
{
    return m->screen_saver;
}

#define SOFTKEYS "CallFailed CallIn Connecting Dialing RingBack Talking"
#define BOOKS "*IPPhoneDirectory *IPPhoneBook *IPPhoneMenu *IPPhoneStatus *IPPhoneText"

/* Sizes: the largest that public trees hold, several times over; pictures and sounds what such phones have room for.
 * Roots are facts.md 6.3's; "" where no source names one. */
static const struct resource resources[] = {
    { "auto_dst.url", "daylight saving file", RESOURCE_FORM_XML, "DSTData", "DST", "", 512, false, NULL },
    { "custom_softkey_call_failed.url", "softkey layout", RESOURCE_FORM_XML, SOFTKEYS, "Key", "", 64, false,
      has_softkeys },
    { "custom_softkey_call_in.url", "softkey layout", RESOURCE_FORM_XML, SOFTKEYS, "Key", "", 64, false,
      has_softkeys },
    { "custom_softkey_connecting.url", "softkey layout", RESOURCE_FORM_XML, SOFTKEYS, "Key", "", 64, false,
      has_softkeys },
    { "custom_softkey_dialing.url", "softkey layout", RESOURCE_FORM_XML, SOFTKEYS, "Key", "", 64, false,
      has_dialing_softkeys },
    { "custom_softkey_ring_back.url", "softkey layout", RESOURCE_FORM_XML, SOFTKEYS, "Key", "", 64, false,
      has_softkeys },
    { "custom_softkey_talking.url", "softkey layout", RESOURCE_FORM_XML, SOFTKEYS, "Key", "", 64, false,
      has_softkeys },
    { "dialplan_dialnow.url", "dial-now file", RESOURCE_FORM_XML, "DialNow", "Data", "", 512, false, NULL },
    { "dialplan_replace_rule.url", "replace rule file", RESOURCE_FORM_XML, "DialRule", "Data", "", 512, false,
      NULL },
    { "dsskey.icon.url", "line key icon", RESOURCE_FORM_ANY, "", "", "", 4096, true, NULL },
    { "gui_input_method.url", "input method", RESOURCE_FORM_ANY, "", "", "", 1024, true, NULL },
    { "gui_lang.url", "language pack", RESOURCE_FORM_LANG, "", "", "gui_lang.delete", 2048, true, NULL },
    { "lcd_logo.url", "logo", RESOURCE_FORM_PICTURE, "", "", "lcd_logo.delete", 1024, true, NULL },
    { "local_contact.data.url", "local contact file", RESOURCE_FORM_XML, "root_group root_contact", "contact",
      "local_contact.data.delete", 5120, false, NULL },
    { "local_contact.data_photo_tar.url", "contacts with photos", RESOURCE_FORM_TAR, "", "", "", 20480, false,
      NULL },
    { "local_contact.icon.url", "contact icon", RESOURCE_FORM_ANY, "", "", "", 4096, true, NULL },
    { "local_contact.icon_image.url", "contact icon", RESOURCE_FORM_ANY, "", "", "", 4096, true, NULL },
    { "local_contact.image.url", "contact picture", RESOURCE_FORM_ANY, "", "", "", 4096, true, NULL },
    { "local_contact.photo.url", "contact photo", RESOURCE_FORM_ANY, "", "", "", 4096, true, NULL },
    { "phone_setting.icon.url", "icon", RESOURCE_FORM_ANY, "", "", "phone_setting.icon.delete", 4096, true,
      NULL },
    { "remote_phonebook.data.X.url", "remote phone book", RESOURCE_FORM_XML, BOOKS, "", "", 5120, false, NULL },
    { "ringtone.url", "ring tone", RESOURCE_FORM_SOUND, "", "", "ringtone.delete", 8192, true, NULL },
    { "screen_saver.pic.url", "screen saver picture", RESOURCE_FORM_PICTURE, "", "", "", 8192, true, NULL },
    { "screensaver.upload_url", "screen saver picture", RESOURCE_FORM_PICTURE, "", "", "screensaver.delete",
      8192, true, NULL },
    { "screensaver.xml_browser.url", "screen saver", RESOURCE_FORM_XML, "*ScreenSaver", "", "", 512, false,
      has_screen_saver },
    { "shared_contact_list.url", "shared contacts", RESOURCE_FORM_XML, "", "", "", 5120, false, NULL },
    { "static.auto_provision.rsa_pri_key.url", "private key", RESOURCE_FORM_KEY, "", "",
      "static.auto_provision.rsa_pri_key.delete", 64, false, NULL },
    { "static.configuration.url", "configuration backup", RESOURCE_FORM_ANY, "", "", "", 5120, false, NULL },
    { "static.custom_factory_configuration.url", "custom factory configuration", RESOURCE_FORM_ANY, "", "", "",
      5120, false, NULL },
    { "static.directory_setting.url", "directory settings", RESOURCE_FORM_XML, "root_favorite_set", "item", "",
      64, false, NULL },
    { "static.openvpn.url", "OpenVPN package", RESOURCE_FORM_TAR, "", "", "", 5120, false, NULL },
    { "static.server_certificates.*.url", "server certificate", RESOURCE_FORM_CERTIFICATE, "", "",
      "static.server_certificates.delete", 5120, true, NULL },
    { "static.server_certificates.url", "server certificate", RESOURCE_FORM_CERTIFICATE, "", "",
      "static.server_certificates.delete", 5120, false, NULL },
    { "static.trusted_certificates.url", "trusted certificate", RESOURCE_FORM_CERTIFICATE, "", "",
      "static.trusted_certificates.delete", 5120, true, NULL },
    { "static.web_item_level.url", "levels of web items", RESOURCE_FORM_ANY, "", "", "", 1024, false, NULL },
    { "super_search.url", "super search settings", RESOURCE_FORM_XML, "root_super_search", "item", "", 64,
      false, NULL },
    { "wallpaper_upload.url", "wallpaper", RESOURCE_FORM_PICTURE, "", "", "wallpaper_upload.delete", 8192, true,
      NULL },
    { "wui_lang.url", "language pack of the web pages", RESOURCE_FORM_SCRIPT, "", "", "wui_lang.delete", 2048,
      true, NULL },
    { "wui_lang_note.url", "language pack of the web pages' notes", RESOURCE_FORM_XML, "", "", "", 2048, true,
      NULL },
    { "xmlbrowser_icon_upload.url", "icon", RESOURCE_FORM_ANY, "", "", "", 4096, true, NULL },
};
#define RESOURCES (sizeof resources / sizeof *resources)

const struct resource *resource_find(struct slice key)
{
    const struct param *param = param_find(key, NULL);
    for (size_t i = 0; param && i < RESOURCES; i++)
        if (slice_eq(param->name, slice_str(resources[i].key)))
            return &resources[i];
    return NULL;
}

const struct resource *resource_deleted_by(struct slice key)
{
    const struct param *param = param_find(key, NULL);
    for (size_t i = 0; param && i < RESOURCES; i++)
        if (*resources[i].deleted_by && slice_eq(param->name, slice_str(resources[i].deleted_by)))
            return &resources[i];
    return NULL;
}

bool resource_delete_name(struct slice url, struct slice *ret_name)
{
    struct slice rest = slice_trim(url);
    if (!slice_starts_nocase(rest, SLICE("http://localhost/")))
        return false;
    rest = slice_from(rest, sizeof "http://localhost/" - 1);
    if (rest.len == 0)
        return false;
    *ret_name = slice_eq_nocase(rest, SLICE("all")) ? SLICE("") : rest;
    return true;
}

bool resource_fits(const struct resource *r, const struct model *model)
{
    return !r->fits || (model && r->fits(model));
}

/* --- XML --- */

struct look {
    const struct resource *resource;
    struct arena *arena;
    size_t entries;
};

static bool is_root(const char *roots, struct slice name)
{
    struct slice rest = slice_str(roots), root;
    if (rest.len == 0)
        return true;
    while (slice_cut(&rest, ' ', &root))
        if (slice_starts(root, SLICE("*")) ? slice_ends(name, slice_from(root, 1)) : slice_eq(name, root))
            return true;
    return false;
}

static bool on_element(void *context, struct slice name, const struct xml_attribute *attributes, size_t count,
                       unsigned depth, uint32_t line, struct slice *why)
{
    struct look *l = context;
    (void)attributes;
    (void)count;
    (void)line;
    if (depth == 0 && !is_root(l->resource->roots, name)) {
        arena_format(l->arena, why, "<%.*s>: this is no %s", SLICE_ARG(name), l->resource->words);
        return false;
    }
    l->entries += slice_eq(name, slice_str(l->resource->entries));
    return true;
}

struct resource_check resource_check(const struct resource *r, struct slice name, struct slice bytes,
                                     struct slice file, struct diag *findings, struct arena *arena)
{
    struct resource_check c = { .good = false };
    if (bytes.len > (size_t)r->kib_max * 1024) {
        arena_format(arena, &c.why, "larger than %u KiB", r->kib_max);
    } else if (r->form != RESOURCE_FORM_XML || bytes.len == 0) {
        const char *fault = resource_form_fault(r->form, name, bytes, arena, &c.entries);
        c.good = !fault;
        c.why = slice_str(fault);
    } else {
        struct look look = { .resource = r, .arena = arena };
        struct xml_watch watch = { on_element, &look };
        c.good = xml_walk(bytes, file, &watch, findings, arena, &c.why);
        c.entries = look.entries;
    }
    return c;
}

/* --- AutoDST.xml --- */

struct dst_look {
    struct slice name;
    int32_t offset_s;
    bool has_offset, found, exact;
    struct zone zone;
};

static struct slice attribute(const struct xml_attribute *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (slice_eq(list[i].name, slice_str(name)))
            return list[i].value;
    return SLICE_NONE;
}

static bool read_dst(const struct xml_attribute *list, size_t count, struct zone *ret_zone)
{
    bool by_week = slice_eq(attribute(list, count, "iType"), SLICE("1"));
    uint64_t minutes = 60;
    struct zone z = { 0 };
    slice_u64(attribute(list, count, "szOffset"), 0, 300, &minutes);
    z.saving_s = (int32_t)minutes * 60;
    if (!zone_rule_parse(attribute(list, count, "szStart"), by_week, &z.begin) ||
        !zone_rule_parse(attribute(list, count, "szEnd"), by_week, &z.end) ||
        !zone_offset_parse(attribute(list, count, "szTime"), &z.offset_s))
        return false;
    *ret_zone = z;
    return true;
}

static bool on_dst(void *context, struct slice name, const struct xml_attribute *attributes, size_t count,
                   unsigned depth, uint32_t line, struct slice *why)
{
    struct dst_look *l = context;
    int32_t offset_s;
    (void)depth;
    (void)line;
    (void)why;
    if (!slice_eq(name, SLICE("DST")) || l->exact)
        return true;
    bool exact = l->name.len && slice_eq_nocase(attribute(attributes, count, "szZone"), l->name);
    bool close = !l->found && l->has_offset && zone_offset_parse(attribute(attributes, count, "szTime"), &offset_s) &&
                 offset_s == l->offset_s;
    if ((exact || close) && read_dst(attributes, count, &l->zone)) {
        l->found = true;
        l->exact = exact;
    }
    return true;
}

bool resource_auto_dst(struct slice bytes, struct slice zone_name, struct slice offset, struct arena *arena,
                       struct zone *ret_zone)
{
    struct dst_look look = { .name = zone_name };
    struct xml_watch watch = { on_dst, &look };
    struct slice why;
    look.has_offset = zone_offset_parse(offset, &look.offset_s);
    if (!xml_walk(bytes, SLICE("AutoDST.xml"), &watch, NULL, arena, &why) || !look.found)
        return false;
    *ret_zone = look.zone;
    return true;
}
