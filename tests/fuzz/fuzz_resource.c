/* Resource files (guide/resource.h): whatever comes is taken or refused with a word. The first byte says by which
 * parameter it was asked for. */
#include "fuzz.h"

#include "guide/resource.h"

static const char *const keys[] = { "auto_dst.url", "local_contact.data.url", "remote_phonebook.data.1.url",
                                    "gui_lang.url", "wui_lang.url", "ringtone.url", "lcd_logo.url",
                                    "local_contact.data_photo_tar.url", "static.trusted_certificates.url",
                                    "static.auto_provision.rsa_pri_key.url", "wui_lang_note.url" };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct diag findings;
    struct zone zone;
    if (size == 0)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    arena_init(&arena, (size_t)16 << 20);
    diag_init(&findings, &arena);
    const struct resource *r = resource_find(slice_str(keys[data[0] % (sizeof keys / sizeof *keys)]));
    struct resource_check c = resource_check(r, SLICE("a.dob"), bytes, SLICE("f"), &findings, &arena);
    MUST(c.good || c.why.len);
    if (resource_auto_dst(bytes, SLICE("Berlin"), SLICE("+1"), &arena, &zone))
        MUST(zone_offset_at(&zone, 1750000000) - zone.offset_s <= 300 * 60);
    arena_free(&arena);
    return 0;
}
