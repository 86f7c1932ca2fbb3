/* Names that belong to a phone: who gets them, and that nobody else learns whether they are there. */
#include "tests/unit/server/access_rules.h"
#include "tests/unit/test.h"

static struct access *rules;
static const struct mac own = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
static const struct mac other = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x51 } };

#define OWN "/00156574b150.cfg"
#define OTHER "/00156574b151.cfg"
#define CERTIFICATES                                                                                           \
    "tls.certificate = /x.pem\ntls.key = /x.key\ntls.client_ca = /y.pem\ntls.client_certificates = optional\n"
#define USERS "00156574b150:a 00156574b151:b alice:c"

static int teardown(void **state)
{
    (void)state;
    access_close(rules);
    rules = NULL;
    return 0;
}

static struct access_verdict decide(const char *name, enum protocol protocol, const char *user,
                                    const struct mac *certificate, enum access_act act)
{
    union address a;
    assert_true(address_parse(SLICE("10.0.0.1"), 4711, &a));
    struct access_request r = { .caller = { .protocol = protocol, .peer = &a, .certificate = certificate },
                                .name = slice_str(name),
                                .act = act };
    r.caller.user = user ? users_find(&rules->users, slice_str(user)) : NULL;
    assert_true(!user || r.caller.user);
    return access_decide(rules, &r);
}

static enum access_answer reads(const char *name, enum protocol protocol, const char *user,
                                const struct mac *certificate)
{
    return decide(name, protocol, user, certificate, ACCESS_READ).answer;
}

static void r3_with_certificates_https_gives_a_phones_files_to_that_phone_alone(void **state)
{
    static const char *const bound[] = { OWN, "/00156574B150.boot", "/00156574b150-contact.xml", "a/b/00156574b150.enc",
                                         "/00156574b150_Security.enc", "/00156574b150/sip.cfg", "/00156574b150.cfg.old" };
    static const char *const common[] = { "/y000000000000.boot", "/y000000000044.cfg", "/sip.cfg", "/T23G.rom",
                                          "/00156574b1500.cfg", "/00156574b15.cfg", "/x00156574b150.cfg" };
    (void)state;
    rules = access_of(CERTIFICATES, "");
    for (size_t i = 0; i < sizeof bound / sizeof *bound; i++) {
        assert_int_equal(reads(bound[i], PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
        assert_int_equal(reads(bound[i], PROTOCOL_HTTPS, NULL, &other), ACCESS_HIDDEN);
        assert_int_equal(reads(bound[i], PROTOCOL_HTTPS, NULL, NULL), ACCESS_HIDDEN);
    }
    for (size_t i = 0; i < sizeof common / sizeof *common; i++) {
        assert_int_equal(reads(common[i], PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
        assert_int_equal(reads(common[i], PROTOCOL_HTTPS, NULL, NULL), ACCESS_YES);
    }
    /* Without a rule, what cannot prove anything is as open as before; it is said at start. */
    assert_int_equal(reads(OWN, PROTOCOL_TFTP, NULL, NULL), ACCESS_YES);
    assert_int_equal(reads(OWN, PROTOCOL_HTTP, NULL, NULL), ACCESS_YES);
}

static void r3_a_path_that_names_two_phones_is_nobodys(void **state)
{
    (void)state;
    rules = access_of(CERTIFICATES, "");
    assert_int_equal(reads("/00156574b151/00156574b150.cfg", PROTOCOL_HTTPS, NULL, &own), ACCESS_HIDDEN);
    assert_int_equal(reads("/00156574b150/00156574b150.cfg", PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
}

static void r3_a_rule_binds_every_protocol(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = certificate\n", USERS);
    for (enum protocol p = PROTOCOL_TFTP; p <= PROTOCOL_FTP; p++) {
        assert_int_equal(reads(OWN, p, NULL, NULL), ACCESS_HIDDEN);
        assert_int_equal(reads("/sip.cfg", p, NULL, NULL), ACCESS_YES);
    }
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
    /* A login proves nothing here. */
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, "00156574b150", NULL), ACCESS_HIDDEN);
}

static void r3_a_login_under_the_mac_opens_its_files_and_no_others(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = login\n", USERS);
    assert_int_equal(reads(OWN, PROTOCOL_HTTP, NULL, NULL), ACCESS_LOGIN);
    assert_int_equal(reads(OTHER, PROTOCOL_HTTP, NULL, NULL), ACCESS_LOGIN);
    assert_int_equal(reads("/001565000000.cfg", PROTOCOL_HTTP, NULL, NULL), ACCESS_LOGIN);
    assert_int_equal(reads(OWN, PROTOCOL_HTTP, "00156574b150", NULL), ACCESS_YES);
    assert_int_equal(reads(OWN, PROTOCOL_HTTP, "00-15-65-74-B1-50", NULL), ACCESS_YES);
    assert_int_equal(reads(OTHER, PROTOCOL_HTTP, "00156574b150", NULL), ACCESS_HIDDEN);
    assert_int_equal(reads(OWN, PROTOCOL_HTTP, "alice", NULL), ACCESS_HIDDEN);
    /* No logins there, and no certificate counts. */
    assert_int_equal(reads(OWN, PROTOCOL_TFTP, NULL, NULL), ACCESS_HIDDEN);
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, NULL, &own), ACCESS_LOGIN);
}

static void r3_either_takes_one_of_the_two(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = either\n", USERS);
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, "00156574b150", &other), ACCESS_YES);
    assert_int_equal(reads(OTHER, PROTOCOL_HTTPS, "00156574b150", &other), ACCESS_YES);
    assert_int_equal(reads("/001565000000.cfg", PROTOCOL_HTTPS, "00156574b150", &other), ACCESS_HIDDEN);
    access_close(rules);
    /* Nobody can log in as a phone: then nobody is asked to. */
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = either\n", "alice:c");
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, NULL, NULL), ACCESS_HIDDEN);
}

static void who_is_named_for_a_directory_gets_its_files_unless_a_rule_binds_them(void **state)
{
    (void)state;
    rules = access_of(CERTIFICATES "access.1.prefix = /T23G\naccess.1.users = alice\n"
                                   "access.2.prefix = /bound\naccess.2.users = alice\naccess.2.bind = either\n"
                                   "access.3.prefix = /all\naccess.3.users = *\n",
                      USERS);
    assert_int_equal(reads("/T23G" OWN, PROTOCOL_HTTPS, "alice", NULL), ACCESS_YES);
    assert_int_equal(reads("/T23G" OWN, PROTOCOL_HTTPS, NULL, NULL), ACCESS_LOGIN);
    assert_int_equal(reads("/bound" OWN, PROTOCOL_HTTPS, "alice", NULL), ACCESS_HIDDEN);
    /* A phone's login is for that phone, whatever the rule lets in. */
    assert_int_equal(reads("/all" OWN, PROTOCOL_HTTPS, "00156574b151", NULL), ACCESS_HIDDEN);
    assert_int_equal(reads("/all" OWN, PROTOCOL_HTTPS, "00156574b150", NULL), ACCESS_YES);
    assert_int_equal(reads("/all" OWN, PROTOCOL_HTTPS, "alice", NULL), ACCESS_YES);
}

static void a_certificate_stands_for_the_user_of_that_name(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /all\naccess.1.users = *\n"
                      "access.2.prefix = /one\naccess.2.users = 00:15:65:74:B1:50\n",
                      "alice:c");
    assert_int_equal(reads("/all/sip.cfg", PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
    assert_int_equal(reads("/all/sip.cfg", PROTOCOL_HTTPS, NULL, NULL), ACCESS_LOGIN);
    assert_int_equal(reads("/all/sip.cfg", PROTOCOL_HTTPS, "alice", NULL), ACCESS_YES);
    assert_int_equal(reads("/one/sip.cfg", PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
    assert_int_equal(reads("/one/sip.cfg", PROTOCOL_HTTPS, NULL, &other), ACCESS_LOGIN);
}

static void r22_writing_anothers_name_is_refused_and_not_hidden(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = certificate\n"
                      "access.1.write = uploads\n",
                      "");
    assert_int_equal(decide("/00156574b150-local.cfg", PROTOCOL_HTTPS, NULL, &own, ACCESS_WRITE).answer, ACCESS_YES);
    assert_int_equal(decide("/00156574b150-local.cfg", PROTOCOL_HTTPS, NULL, &other, ACCESS_WRITE).answer, ACCESS_NO);
    assert_int_equal(decide("/00156574b150-local.cfg", PROTOCOL_TFTP, NULL, NULL, ACCESS_WRITE).answer, ACCESS_NO);
}

static void r3_another_case_of_a_longer_prefix_binds_too(void **state)
{
    (void)state;
    rules = access_of("access.1.prefix = /Desk\naccess.1.anonymous = 1\naccess.1.bind = certificate\n", "");
    assert_int_equal(reads("/desk" OWN, PROTOCOL_HTTPS, NULL, NULL), ACCESS_HIDDEN);
    assert_int_equal(reads("/desk" OWN, PROTOCOL_HTTPS, NULL, &own), ACCESS_YES);
    assert_int_equal(reads(OWN, PROTOCOL_HTTPS, NULL, NULL), ACCESS_YES);
}

static void says(size_t index, const char *words)
{
    char bytes[256];
    struct buf out = BUF_ON(bytes);
    unsigned served = 1u << PROTOCOL_TFTP | 1u << PROTOCOL_HTTP | 1u << PROTOCOL_HTTPS;
    if (access_open_to(rules, served, index, &out) != (words != NULL))
        fail_msg("%zu: %.*s", index, SLICE_ARG(buf_slice(&out)));
    if (words)
        assert_slice(buf_slice(&out), words);
}

static void r3_what_is_open_is_said_as_it_is(void **state)
{
    (void)state;
    rules = access_of("", "");
    says(0, "anyone on these networks who knows a MAC address gets its files by tftp, http, https");
    says(1, NULL);
    access_close(rules);
    rules = access_of(CERTIFICATES, "");
    says(0, "anyone on these networks who knows a MAC address gets its files by tftp, http");
    access_close(rules);
    rules = access_of(CERTIFICATES "access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = either\n"
                                   "access.2.prefix = /lan\naccess.2.anonymous = 1\naccess.2.bind = none\n"
                                   "access.2.networks = 10.0.0.0/8\naccess.2.protocols = tftp\n"
                                   "access.3.prefix = /desk/a\naccess.3.anonymous = 1\n",
                      "");
    says(0, "anyone on the networks of the rule for /lan who knows a MAC address gets its files by tftp");
    says(1, "under /desk/a: anyone on these networks who knows a MAC address gets its files by tftp, http");
    says(2, NULL);
    access_close(rules);
    rules = access_of("access.1.prefix = /\naccess.1.anonymous = 1\naccess.1.bind = certificate\n", "");
    says(0, NULL);
}

#define bind_test(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bind_test(r3_with_certificates_https_gives_a_phones_files_to_that_phone_alone),
        bind_test(r3_a_path_that_names_two_phones_is_nobodys),
        bind_test(r3_a_rule_binds_every_protocol),
        bind_test(r3_a_login_under_the_mac_opens_its_files_and_no_others),
        bind_test(r3_either_takes_one_of_the_two),
        bind_test(who_is_named_for_a_directory_gets_its_files_unless_a_rule_binds_them),
        bind_test(a_certificate_stands_for_the_user_of_that_name),
        bind_test(r22_writing_anothers_name_is_refused_and_not_hidden),
        bind_test(r3_another_case_of_a_longer_prefix_binds_too),
        bind_test(r3_what_is_open_is_said_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
