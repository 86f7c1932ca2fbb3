/* The phone's local time. */
#include "tests/unit/phone/life_desk.h"

static void serve_cfg(struct life_desk *d, const char *cfg)
{
    serve_text(d, "/y000000000000.boot", CFG_HEAD "include:config <all.cfg>\n");
    serve_text(d, "/all.cfg", cfg);
}

static void the_daylight_saving_file_that_it_fetched_tells_it_the_time(void **state)
{
    struct life_desk *d = *state;
    serve_text(d, "/AutoDST.xml",
               "<DSTData><DST szTime=\"+1\" szZone=\"Germany(Berlin)\" iType=\"0\" szStart=\"1/1/0\" szEnd=\"12/31/23\" "
               "szOffset=\"60\"/></DSTData>");
    serve_cfg(d, CFG_HEAD "local_time.time_zone = +1\nauto_dst.url = /AutoDST.xml\n");
    begin(d);
    assert_int_equal(life_facts(d->life).utc_offset_s, 3600);
    serve_cfg(d, CFG_HEAD "local_time.time_zone = +1\nlocal_time.summer_time = 2\nauto_dst.url = /AutoDST.xml\n");
    life_provision_now(d->life);
    pass(d, 1000);
    assert_int_equal(life_facts(d->life).utc_offset_s, 7200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_life(the_daylight_saving_file_that_it_fetched_tells_it_the_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
