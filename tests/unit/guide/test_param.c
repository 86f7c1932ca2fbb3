#include "tests/unit/test.h"

#include "guide/param.h"

static const struct param *need(const char *key)
{
    const struct param *p = param_find(slice_str(key), NULL);
    if (!p)
        fail_msg("%s is unknown", key);
    return p;
}

static void names_are_unique_and_sorted(void **state)
{
    (void)state;
    size_t count;
    const struct param *all = param_all(&count);
    assert_true(count > 250);
    for (size_t i = 1; i < count; i++)
        if (slice_compare(all[i - 1].name, all[i].name) >= 0)
            fail_msg("%.*s stands wrong", SLICE_ARG(all[i].name));
}

/* A key that a row stands for: `X` as 7, a last `*` as a word. */
static void put_example(struct slice name, struct buf *out)
{
    struct slice rest = name, segment;
    while (slice_cut(&rest, '.', &segment)) {
        if (out->len)
            buf_byte(out, '.');
        bool family = rest.len == 0 && slice_eq(segment, SLICE("*"));
        buf_text(out, family ? SLICE("any.thing") : slice_eq(segment, SLICE("X")) ? SLICE("7") : segment);
    }
}

static void every_row_is_found_by_a_key_of_its_own(void **state)
{
    (void)state;
    size_t count;
    const struct param *all = param_all(&count);
    for (size_t i = 0; i < count; i++) {
        char bytes[PARAM_KEY_BYTES_MAX];
        struct buf key = BUF_ON(bytes);
        bool alias = true;
        put_example(all[i].name, &key);
        assert_true(buf_ok(&key));
        assert_ptr_equal(param_find(buf_slice(&key), &alias), &all[i]);
        assert_false(alias);
    }
}

static bool is_number_in(const struct param *p)
{
    uint64_t n;
    return slice_u64(p->default_value, 0, UINT32_MAX, &n) && (p->max == 0 || (n >= p->min && n <= p->max));
}

static void every_row_agrees_with_itself(void **state)
{
    (void)state;
    size_t count;
    const struct param *all = param_all(&count);
    for (size_t i = 0; i < count; i++) {
        const struct param *p = &all[i];
        assert_true(p->min <= p->max);
        assert_int_equal(p->is_static, slice_starts(p->name, SLICE("static.")));
        assert_int_equal(p->url != PARAM_URL_NONE, p->type == PARAM_URL);
        assert_int_equal(p->url == PARAM_URL_DELETE, slice_ends(p->name, SLICE(".delete")));
        assert_true(p->type != PARAM_SWITCH || (p->min == 0 && p->max == 1));
        assert_true(p->first_generation == 0 || (p->first_generation >= 80 && p->first_generation <= 86));
        bool counted = p->type == PARAM_NUMBER || p->type == PARAM_SWITCH || p->type == PARAM_LIST;
        assert_true(!counted || p->default_value.len == 0 || is_number_in(p));
        assert_true(p->default_known || p->type != PARAM_TIME);
    }
}

static void replaced_names_lead_to_a_row_in_use(void **state)
{
    (void)state;
    size_t count, old = 0;
    const struct param *all = param_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].current.len == 0)
            continue;
        const struct param *now = param_find(all[i].current, NULL);
        assert_non_null(now);
        assert_true(slice_eq(now->name, all[i].current));
        assert_int_equal(now->current.len, 0);
        assert_int_equal(now->type, all[i].type);
        assert_true(slice_eq(now->default_value, all[i].default_value));
        assert_int_equal(now->secret, all[i].secret);
        old++;
    }
    assert_int_equal(old, 5);
    assert_slice(need("auto_provision.mode")->current, "static.auto_provision.power_on");
    assert_slice(need("auto_provision.weekly.mask")->current, "static.auto_provision.weekly.dayofweek");
    assert_slice(need("static.auto_provision.aes_key.com")->current, "static.auto_provision.aes_key_16.com");
    assert_slice(need("static.auto_provision.aes_key.mac")->current, "static.auto_provision.aes_key_16.mac");
    assert_slice(need("auto_provision.weekly.enalbe")->current, "static.auto_provision.weekly.enable");
    assert_true(need("static.auto_provision.weekly.enalbe")->misspelt);
    assert_false(need("auto_provision.mode")->misspelt);
    assert_true(need("satic.security.trust_certificates")->misspelt);
    assert_true(need("static.static.security.trust_certificates")->misspelt);
}

static void the_table_of_provisioning_parameters(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        enum param_type type;
        uint32_t min, max;
        unsigned first;
    } rows[] = {
        { "static.auto_provision.server.url", "", PARAM_URL, 0, 511, 0 },
        { "static.auto_provision.server.username", "", PARAM_TEXT, 0, 99, 0 },
        { "static.auto_provision.server.password", "", PARAM_TEXT, 0, 100, 0 },
        { "static.auto_provision.server.type", "tftp", PARAM_TEXT, 0, 0, 80 },
        { "static.auto_provision.power_on", "1", PARAM_SWITCH, 0, 1, 0 },
        { "static.auto_provision.repeat.enable", "0", PARAM_SWITCH, 0, 1, 0 },
        { "static.auto_provision.repeat.minutes", "1440", PARAM_NUMBER, 1, 43200, 0 },
        { "static.auto_provision.weekly.enable", "0", PARAM_SWITCH, 0, 1, 0 },
        { "static.auto_provision.weekly.dayofweek", "0123456", PARAM_DAYS, 0, 0, 0 },
        { "static.auto_provision.weekly.begin_time", "00:00", PARAM_TIME, 0, 0, 0 },
        { "static.auto_provision.weekly.end_time", "00:00", PARAM_TIME, 0, 0, 0 },
        { "static.auto_provision.weekly_upgrade_interval", "0", PARAM_NUMBER, 0, 12, 80 },
        { "static.auto_provision.inactivity_time_expire", "0", PARAM_NUMBER, 0, 120, 80 },
        { "static.auto_provision.flexible.enable", "0", PARAM_SWITCH, 0, 1, 81 },
        { "static.auto_provision.flexible.interval", "30", PARAM_NUMBER, 1, 1000, 81 },
        { "static.auto_provision.flexible.begin_time", "02:00", PARAM_TIME, 0, 0, 81 },
        { "static.auto_provision.flexible.end_time", "", PARAM_TIME, 0, 0, 81 },
        { "static.auto_provision.pnp_enable", "1", PARAM_SWITCH, 0, 1, 0 },
        { "static.auto_provision.dhcp_option.enable", "1", PARAM_SWITCH, 0, 1, 0 },
        { "static.auto_provision.dhcp_option.list_user_options", "", PARAM_LIST, 128, 254, 0 },
        { "static.auto_provision.dhcp_option.list_user6_options", "", PARAM_LIST, 135, 65535, 83 },
        { "static.auto_provision.dhcp_option.option60_value", "yealink", PARAM_TEXT, 0, 0, 0 },
        { "static.auto_provision.attempt_expired_time", "5", PARAM_NUMBER, 1, 300, 80 },
        { "static.auto_provision.attempt_before_failed", "3", PARAM_NUMBER, 1, 10, 80 },
        { "static.auto_provision.retry_delay_after_file_transfer_failed", "5", PARAM_NUMBER, 1, 300, 80 },
        { "static.network.attempt_expired_time", "10", PARAM_NUMBER, 1, 20, 80 },
        { "static.auto_provision.reboot_force.enable", "0", PARAM_SWITCH, 0, 1, 80 },
        { "static.auto_provision.user_agent_mac.enable", "1", PARAM_SWITCH, 0, 1, 80 },
        { "static.auto_provision.custom.protect", "0", PARAM_SWITCH, 0, 1, 80 },
        { "static.auto_provision.custom.sync", "0", PARAM_SWITCH, 0, 1, 80 },
        { "static.auto_provision.custom.upload_method", "0", PARAM_NUMBER, 0, 1, 81 },
        { "static.auto_provision.update_file_mode", "0", PARAM_SWITCH, 0, 1, 0 },
        { "static.auto_provision.aes_key_in_file", "0", PARAM_SWITCH, 0, 1, 0 },
        { "static.zero_touch.enable", "0", PARAM_SWITCH, 0, 1, 0 },
        { "static.zero_touch.wait_time", "5", PARAM_NUMBER, 0, 100, 0 },
        { "sip.notify_reboot_enable", "1", PARAM_NUMBER, 0, 2, 0 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct param *p = need(rows[i].key);
        assert_slice(p->name, rows[i].key);
        assert_slice(p->default_value, rows[i].value);
        assert_true(p->default_known);
        assert_int_equal(p->type, rows[i].type);
        assert_int_equal(p->min, rows[i].min);
        assert_int_equal(p->max, rows[i].max);
        assert_int_equal(p->first_generation, rows[i].first);
        assert_false(p->reboot);
    }
}

static void numbers_stand_for_x(void **state)
{
    (void)state;
    assert_slice(need("account.1.enable")->name, "account.X.enable");
    assert_slice(need("account.16.sip_server.2.transport_type")->name, "account.X.sip_server.X.transport_type");
    assert_slice(need("static.autoprovision.50.code")->name, "static.autoprovision.X.code");
    assert_slice(need("autoprovision.1.url")->name, "static.autoprovision.X.url");
    assert_null(param_find(SLICE("account.one.enable"), NULL));
    assert_null(param_find(SLICE("account.1a.enable"), NULL));
    assert_null(param_find(SLICE("account.enable"), NULL));
}

static void a_family_answers_for_names_without_a_line(void **state)
{
    (void)state;
    assert_slice(need("static.network.lldp.enable")->name, "static.network.lldp.*");
    assert_slice(need("static.network.lldp.packet.interval")->name, "static.network.lldp.*");
    assert_slice(need("static.network.pc_port.enable")->name, "static.network.pc_port.enable");
    assert_slice(need("static.network.pc_port.other")->name, "static.network.pc_port.*");
    assert_slice(need("account.3.codec.G722_1c_48kpbs.enable")->name, "account.X.codec.*");
    assert_slice(need("linekey.4.value")->name, "linekey.X.value");
    assert_slice(need("linekey.4.type")->name, "linekey.X.*");
    assert_null(param_find(SLICE("static.network.lldp"), NULL));
    assert_null(param_find(SLICE("static.network.nothing"), NULL));
}

static void a_literal_star_within_a_name_is_a_star(void **state)
{
    (void)state;
    assert_slice(need("static.server_certificates.*.url")->name, "static.server_certificates.*.url");
    assert_null(param_find(SLICE("static.server_certificates.3.url"), NULL));
}

static void keys_without_static_find_the_static_row(void **state)
{
    (void)state;
    bool alias = false;
    const struct param *p = param_find(SLICE("auto_provision.server.url"), &alias);
    assert_slice(p->name, "static.auto_provision.server.url");
    assert_true(alias);
    assert_true(param_find(SLICE("network.lldp.enable"), &alias) && alias);
    assert_true(param_find(SLICE("security.user_password"), &alias) && alias);
    assert_slice(need("firmware.url")->name, "static.firmware.url");
    assert_slice(need("directory_setting.url")->name, "static.directory_setting.url");
    assert_true(param_find(SLICE("lang.gui"), &alias) && !alias);
    assert_true(param_find(SLICE("static.lang.gui"), &alias) && !alias);
    assert_null(param_find(SLICE("static.features.dnd_mode"), &alias));
    /* Not by way of the family of misspellings, static.static.security. */
    assert_null(param_find(SLICE("static.security.nothing"), &alias));
}

static void keys_that_spell_a_pattern_are_unknown(void **state)
{
    (void)state;
    static const char *const bad[] = { "account.X.enable", "static.network.lldp.*", "network.lldp.*", "*",
                                       "X" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(param_find(slice_str(bad[i]), NULL));
}

static void keys_are_case_sensitive(void **state)
{
    (void)state;
    assert_null(param_find(SLICE("Features.dnd_mode"), NULL));
    assert_null(param_find(SLICE("static.auto_provision.Server.url"), NULL));
}

static void hostile_keys_are_unknown_and_touch_nothing(void **state)
{
    (void)state;
    static const struct slice bad[] = { SLICE_NONE,
                                        SLICE(""),
                                        SLICE("."),
                                        SLICE(".."),
                                        SLICE("static."),
                                        SLICE("static..auto_provision.server.url"),
                                        SLICE(".static.auto_provision.server.url"),
                                        SLICE("static.network.lldp."),
                                        SLICE("features.dnd_mode\0"),
                                        SLICE("features.dnd_mode ") };
    bool alias = true;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(param_find(bad[i], &alias));
    size_t len = (size_t)1 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? '.' : '1';
    assert_null(param_find(slice_of(text, len), &alias));
    memcpy(text, "static.network.lldp.", 20);
    text[PARAM_KEY_BYTES_MAX - 1] = '1';
    assert_non_null(param_find(slice_of(text, PARAM_KEY_BYTES_MAX), NULL));
    assert_null(param_find(slice_of(text, PARAM_KEY_BYTES_MAX + 1), &alias));
    memcpy(text, "network.lldp.", 13);
    assert_null(param_find(slice_of(text, len), &alias));
    assert_false(param_is_secret(slice_of(text, len)));
    assert_true(alias);
    free(text);
}

static void reboots_are_those_of_the_facts(void **state)
{
    (void)state;
    static const char *const yes[] = { "static.network.ip_address_mode",
                                       "static.network.internet_port.type",
                                       "static.network.pc_port.enable",
                                       "static.network.vlan.dhcp_option",
                                       "static.network.lldp.enable",
                                       "static.network.mtu_value",
                                       "static.syslog.server",
                                       "static.security.trust_certificates",
                                       "static.security.ca_cert",
                                       "static.security.cn_validation",
                                       "static.security.dev_cert",
                                       "static.web_item_level.url",
                                       "static.firmware.url",
                                       "static.openvpn.url",
                                       "static.autoprovision.1.code",
                                       "static.managementserver.enable" };
    static const char *const no[] = { "static.auto_provision.server.url",
                                      "features.dnd_mode",
                                      "account.1.enable",
                                      "static.auto_provision.repeat.minutes",
                                      "static.custom_mac_cfg.url",
                                      "static.security.user_password",
                                      "ringtone.url" };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(need(yes[i])->reboot);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(need(no[i])->reboot);
}

static void urls_ask_for_what_they_are_for(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        enum param_url url;
    } urls[] = {
        { "static.auto_provision.server.url", PARAM_URL_SERVER },
        { "static.auto_provision.custom.sync.path", PARAM_URL_SERVER },
        { "static.autoprovision.1.url", PARAM_URL_SERVER },
        { "static.auto_provision.local_contact.backup.path", PARAM_URL_SERVER },
        { "static.custom_mac_cfg.url", PARAM_URL_CFG },
        { "static.firmware.url", PARAM_URL_FIRMWARE },
        { "over_the_air.url", PARAM_URL_HANDSET },
        { "over_the_air.url.w59r", PARAM_URL_HANDSET },
        { "ringtone.url", PARAM_URL_RESOURCE },
        { "ringtone.delete", PARAM_URL_DELETE },
        { "local_contact.data.url", PARAM_URL_RESOURCE },
        { "custom_softkey_dialing.url", PARAM_URL_RESOURCE },
        { "remote_phonebook.data.5.url", PARAM_URL_RESOURCE },
        { "static.trusted_certificates.delete", PARAM_URL_DELETE },
        { "static.auto_provision.server.type", PARAM_URL_NONE },
    };
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++)
        assert_int_equal(need(urls[i].key)->url, urls[i].url);
}

static void only_user_passwords_have_several_values(void **state)
{
    (void)state;
    size_t count, multi = 0;
    const struct param *all = param_all(&count);
    for (size_t i = 0; i < count; i++)
        multi += all[i].multi_valued;
    assert_int_equal(multi, 1);
    assert_true(need("static.security.user_password")->multi_valued);
}

static void secrets_are_masked_whether_known_or_not(void **state)
{
    (void)state;
    static const char *const yes[] = { "static.auto_provision.server.password",
                                       "auto_provision.server.password",
                                       "static.auto_provision.aes_key_16.com",
                                       "static.auto_provision.aes_key.mac",
                                       "static.autoprovision.3.password",
                                       "static.autoprovision.3.code",
                                       "static.autoprovision.3.mac_aes",
                                       "static.security.user_password",
                                       "account.1.password",
                                       "static.network.802_1x.md5_password",
                                       "static.network.snmp.community",
                                       "phone_setting.phone_lock.unlock_pin",
                                       "ldap.password",
                                       "some.thing.Password2" };
    static const char *const no[] = { "static.auto_provision.server.username",
                                      "static.auto_provision.aes_key_in_file",
                                      "static.auto_provision.server.url",
                                      "account.1.user_name",
                                      "features.dnd_mode",
                                      "unknown.pinning",
                                      "static.network.lldp.enable" };
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        assert_true(param_is_secret(slice_str(yes[i])));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        assert_false(param_is_secret(slice_str(no[i])));
}

static void the_guides_own_examples_are_known(void **state)
{
    (void)state;
    static const char *const keys[] = { "features.dnd_mode",
                                        "features.dnd.enable",
                                        "ringtone.url",
                                        "phone_setting.phone_lock_enable",
                                        "phone_setting.phone_lock_key_type",
                                        "static.lang.wui",
                                        "static.lang.gui",
                                        "static.network.dhcp_host_name",
                                        "static.network.pc_port.enable",
                                        "static.network.internet_port.speed_duplex",
                                        "account.1.enable",
                                        "account.1.label",
                                        "account.1.display_name",
                                        "account.1.auth_name",
                                        "account.1.user_name",
                                        "account.1.password",
                                        "account.1.outbound_proxy_enable",
                                        "account.1.outbound_host",
                                        "account.1.outbound_port",
                                        "account.1.dial_tone",
                                        "account.1.sip_server.1.transport_type",
                                        "account.1.sip_server.2.transport_type",
                                        "account.1.naptr_build",
                                        "account.1.failback.redundancy_type",
                                        "account.1.failback.timeout",
                                        "account.1.sip_server.1.address",
                                        "static.autoprovision.1.code",
                                        "static.autoprovision.1.url",
                                        "static.autoprovision.2.name",
                                        "static.autoprovision.2.user",
                                        "static.custom_mac_cfg.url",
                                        "static.auto_provision.url_wildcard.pn" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        need(keys[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_unique_and_sorted),
        cmocka_unit_test(every_row_is_found_by_a_key_of_its_own),
        cmocka_unit_test(every_row_agrees_with_itself),
        cmocka_unit_test(replaced_names_lead_to_a_row_in_use),
        cmocka_unit_test(the_table_of_provisioning_parameters),
        cmocka_unit_test(numbers_stand_for_x),
        cmocka_unit_test(a_family_answers_for_names_without_a_line),
        cmocka_unit_test(a_literal_star_within_a_name_is_a_star),
        cmocka_unit_test(keys_without_static_find_the_static_row),
        cmocka_unit_test(keys_that_spell_a_pattern_are_unknown),
        cmocka_unit_test(keys_are_case_sensitive),
        cmocka_unit_test(hostile_keys_are_unknown_and_touch_nothing),
        cmocka_unit_test(reboots_are_those_of_the_facts),
        cmocka_unit_test(urls_ask_for_what_they_are_for),
        cmocka_unit_test(only_user_passwords_have_several_values),
        cmocka_unit_test(secrets_are_masked_whether_known_or_not),
        cmocka_unit_test(the_guides_own_examples_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
