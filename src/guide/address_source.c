#include "guide/address_source.h"

const char *address_source_name(enum address_source source)
{
    static const char *const names[ADDRESS_SOURCES] = {
        [ADDRESS_ZERO_TOUCH] = "zero touch",
        [ADDRESS_PNP] = "PnP",
        [ADDRESS_DHCP] = "DHCP",
        [ADDRESS_FLASH] = "flash",
    };
    return names[source];
}

static const char *off_unless(const struct settings *s, const char *key, const char *why)
{
    return settings_is_on(s, slice_str(key)) ? NULL : why;
}

const char *address_source_off(enum address_source source, const struct settings *s, const struct model *model)
{
    switch (source) {
    case ADDRESS_ZERO_TOUCH:
        if (!model->zero_touch)
            return "not for this model";
        return off_unless(s, "static.zero_touch.enable", "static.zero_touch.enable is 0");
    case ADDRESS_PNP:
        return off_unless(s, "static.auto_provision.pnp_enable", "static.auto_provision.pnp_enable is 0");
    case ADDRESS_DHCP:
        return off_unless(s, "static.auto_provision.dhcp_option.enable",
                          "static.auto_provision.dhcp_option.enable is 0");
    case ADDRESS_FLASH:
        break;
    }
    return NULL;
}

void address_families(const struct settings *s, bool *ret_v4, bool *ret_v6)
{
    uint64_t mode = settings_number(s, SLICE("static.network.ip_address_mode"));
    *ret_v4 = mode != 1;
    *ret_v6 = mode != 0;
}

bool address_may_override(enum address_source source, struct slice found, struct slice flash)
{
    bool proves = slice_starts_nocase(found, SLICE("https://"));
    return source != ADDRESS_PNP || proves || !slice_starts_nocase(flash, SLICE("https://"));
}
