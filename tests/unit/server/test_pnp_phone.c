#include "tests/unit/test.h"

#include "server/pnp_phone.h"

struct room {
    struct config config;
    struct diag findings;
    struct arena *arena;
};

static struct room *room_on(struct arena *a)
{
    struct room *r = ARENA_NEW(a, struct room);
    r->arena = a;
    diag_init(&r->findings, a);
    config_init(&r->config, a);
    return r;
}

static void set(struct room *r, const char *key, const char *value)
{
    assert_true(config_set(&r->config, slice_str(key), slice_str(value), (struct place){ 0 }, &r->findings));
}

static struct pnp_phone phone(struct arena *a, const char *user, const char *event, const char *agent)
{
    struct sip_message m;
    struct slice text;
    const char *reason;
    assert_true(arena_format(a, &text,
                             "SUBSCRIBE sip:%s@224.0.1.75 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5059\r\n"
                             "From: <sip:x@224.0.1.75>\r\nTo: <sip:x@224.0.1.75>\r\nCall-ID: 1\r\n"
                             "CSeq: 1 SUBSCRIBE\r\nEvent: ua-profile%s\r\nUser-Agent: %s\r\n\r\n",
                             user, event, agent));
    assert_true(sip_read(text, a, &m, &reason));
    return pnp_phone_of(&m);
}

static void assert_chosen(struct room *r, struct pnp_phone p, const char *expected)
{
    struct slice url;
    const char *reason = NULL;
    assert_slice(pnp_choose(&r->config, &p, &url, &reason) ? url : slice_str(reason), expected);
}

#define W52P ";profile-type=\"device\";vendor=\"yealink\";model=\"W52P\";version=\"25.81.0.10\""
#define SNOM ";profile-type=\"device\";vendor=\"snom\";model=\"snom320\";version=\"8.7.5.35\""

static void a_phone_says_who_it_is(void **state)
{
    struct pnp_phone p = phone(*state, "MAC00156574b16e", W52P, "Yealink W52P 25.81.0.10");
    char bytes[16];
    struct buf out = BUF_ON(bytes);
    assert_true(p.has_mac && p.ours);
    mac_print_bare(p.mac, &out);
    assert_slice(buf_slice(&out), "00156574b16e");
    assert_slice(p.model, "W52P");
    p = phone(*state, "MAC%3A805EC0112233", ";vendor=\"Yealink\";model=\"T53W\"", "Yealink SIP-T53W 96.87.0.1");
    assert_true(p.has_mac && p.ours);
    p = phone(*state, "nobody", "", "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:6e");
    assert_true(p.has_mac && p.ours);
    assert_slice(p.model, "SIP-T46S");
}

static void a_phone_of_this_vendor_is_known_by_word_or_by_its_addresses(void **state)
{
    assert_true(phone(*state, "MAC001565112233", ";vendor=\"OEM\"", "x").ours);
    assert_true(phone(*state, "MAC001565112233", "", "x").ours);
    assert_true(phone(*state, "MAC000413112233", ";vendor=OEM", "Yealink SIP-T46S 66.84.0.15").ours);
    assert_false(phone(*state, "MAC000413112233", ";vendor=\"OEM\"", "x").ours);
    assert_false(phone(*state, "MAC001565112233", ";vendor=\"snom\"", "x").ours);
    assert_false(phone(*state, "MAC0004132590fe", SNOM, "snom320/8.7.5.35").ours);
}

static void other_brands_get_a_url_only_by_a_rule(void **state)
{
    struct room *r = room_on(*state);
    struct pnp_phone ours = phone(*state, "MAC00156574b16e", W52P, "Yealink W52P 25.81.0.10");
    struct pnp_phone snom = phone(*state, "MAC%3a0004132590fe", SNOM, "snom320/8.7.5.35");
    assert_chosen(r, ours, "pnp.url is blank and no rule is for it");
    set(r, "pnp.url", "https://10.2.1.199/$PN/");
    assert_chosen(r, ours, "https://10.2.1.199/$PN/");
    assert_chosen(r, snom, "another brand, and no rule is for it");
    set(r, "pnp.9.vendor", "fanvil, Snom");
    set(r, "pnp.9.url", "https://10.2.1.199/snom/{mac}.xml");
    assert_chosen(r, snom, "https://10.2.1.199/snom/{mac}.xml");
    assert_chosen(r, ours, "https://10.2.1.199/$PN/");
}

static void the_first_rule_whose_conditions_all_hold_counts(void **state)
{
    struct room *r = room_on(*state);
    struct pnp_phone ours = phone(*state, "MAC00156574b16e", W52P, "Yealink W52P 25.81.0.10");
    set(r, "pnp.url", "https://h/rest/");
    set(r, "pnp.1.vendor", "yealink");
    set(r, "pnp.1.mac", "00:15:65:99");
    set(r, "pnp.1.url", "https://h/one/");
    set(r, "pnp.2.model", "SIP-T46S, w52p");
    set(r, "pnp.2.mac", "80:5e, 0015.6574");
    set(r, "pnp.2.url", "https://h/two/");
    set(r, "pnp.3.vendor", "*");
    set(r, "pnp.3.url", "https://h/three/");
    assert_chosen(r, ours, "https://h/two/");
    assert_chosen(r, phone(*state, "MAC001565990000", W52P, "x"), "https://h/one/");
    assert_chosen(r, phone(*state, "MAC0004132590fe", SNOM, "x"), "https://h/three/");
    set(r, "pnp.2.url", "");
    assert_chosen(r, ours, "its rule has no URL");
}

/* `T46S`, `SIP-T46S`: the phone says the one, the rule perhaps the other. */
static void a_model_has_several_spellings(void **state)
{
    struct room *r = room_on(*state);
    set(r, "pnp.1.model", "SIP-T46S");
    set(r, "pnp.1.url", "https://h/");
    assert_chosen(r, phone(*state, "MAC00156574b16e", ";vendor=\"yealink\";model=\"T46S\"", "x"), "https://h/");
    assert_chosen(r, phone(*state, "MAC00156574b16e", ";vendor=\"yealink\";model=\"T48S\"", "x"),
                  "pnp.url is blank and no rule is for it");
    assert_chosen(r, phone(*state, "MAC00156574b16e", ";vendor=\"yealink\"", "x"),
                  "pnp.url is blank and no rule is for it");
    assert_chosen(r, phone(*state, "x", ";vendor=\"yealink\"", "Yealink SIP-T46S 66.84.0.15"), "https://h/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_arena(a_phone_says_who_it_is),
        test_with_arena(a_phone_of_this_vendor_is_known_by_word_or_by_its_addresses),
        test_with_arena(other_brands_get_a_url_only_by_a_rule),
        test_with_arena(the_first_rule_whose_conditions_all_hold_counts),
        test_with_arena(a_model_has_several_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
