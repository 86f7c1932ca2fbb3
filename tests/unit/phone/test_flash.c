#include "tests/unit/test.h"

#include "phone/flash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct room {
    struct arena arena;
    struct flash flash;
    char path[64];
};
static struct room room;

static int setup(void **state)
{
    struct mac mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    (void)state;
    snprintf(room.path, sizeof room.path, "/tmp/dialtone-flash-XXXXXX");
    arena_init(&room.arena, (size_t)1 << 20);
    return mkdtemp(room.path) && flash_open(&room.flash, room.path, true, mac) == 0 ? 0 : -1;
}

static int setup_chip(void **state)
{
    struct mac mac = { { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    (void)state;
    snprintf(room.path, sizeof room.path, "/tmp/dialtone-no-flash");
    arena_init(&room.arena, (size_t)1 << 20);
    return flash_open_chip(&room.flash, mac);
}

static int teardown(void **state)
{
    char command[96];
    (void)state;
    flash_close(&room.flash);
    arena_free(&room.arena);
    snprintf(command, sizeof command, "rm -rf %s", room.path);
    return system(command);
}

static void assert_kept(const char *key, const char *name, const char *bytes)
{
    struct slice got;
    assert_int_equal(flash_kept(&room.flash, slice_str(key), slice_str(name), &room.arena, &got), 0);
    assert_slice(got, bytes);
}

static int kept(const char *key, const char *name)
{
    struct slice got;
    return flash_kept(&room.flash, slice_str(key), slice_str(name), &room.arena, &got);
}

static int keep(const char *key, const char *name, const char *bytes)
{
    return flash_keep(&room.flash, slice_str(key), slice_str(name), slice_str(bytes));
}

static void a_resource_survives_and_the_next_one_takes_its_place(void **state)
{
    (void)state;
    assert_int_equal(kept("auto_dst.url", ""), -ENOENT);
    assert_int_equal(keep("auto_dst.url", "", "one"), 0);
    assert_int_equal(keep("auto_dst.url", "", "two"), 0);
    assert_kept("auto_dst.url", "", "two");
}

static void several_of_a_key_lie_side_by_side_and_go_one_by_one_or_all(void **state)
{
    (void)state;
    assert_int_equal(keep("ringtone.url", "Ring1.wav", "1"), 0);
    assert_int_equal(keep("ringtone.url", "Ring2.wav", "2"), 0);
    assert_int_equal(keep("ringtone.urls", "Ring3.wav", "3"), 0);
    assert_int_equal(flash_drop(&room.flash, SLICE("ringtone.url"), SLICE("Ring1.wav"), &room.arena), 0);
    assert_int_equal(kept("ringtone.url", "Ring1.wav"), -ENOENT);
    assert_kept("ringtone.url", "Ring2.wav", "2");
    assert_int_equal(flash_drop(&room.flash, SLICE("ringtone.url"), SLICE(""), &room.arena), 0);
    assert_int_equal(kept("ringtone.url", "Ring2.wav"), -ENOENT);
    assert_kept("ringtone.urls", "Ring3.wav", "3");
    assert_int_equal(flash_drop(&room.flash, SLICE("lcd_logo.url"), SLICE(""), &room.arena), 0);
}

static void R1_a_name_from_a_server_does_not_lead_out(void **state)
{
    (void)state;
    assert_int_equal(keep("ringtone.url", "../../x", "1"), 0);
    assert_kept("ringtone.url", "../../x", "1");
    assert_int_not_equal(access("/tmp/x", F_OK), 0);
    assert_int_equal(flash_drop(&room.flash, SLICE("ringtone.url"), SLICE("../../x"), &room.arena), 0);
    assert_int_equal(kept("ringtone.url", "../../x"), -ENOENT);
}

static void a_name_too_long_for_a_file_is_told(void **state)
{
    char name[300];
    (void)state;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    assert_int_equal(keep("ringtone.url", name, "1"), -ENAMETOOLONG);
}

static void lay_file(const char *name, time_t age_s)
{
    char path[256];
    struct timespec times[2] = { { .tv_sec = time(NULL) - age_s }, { .tv_sec = time(NULL) - age_s } };
    snprintf(path, sizeof path, "%s/%s", room.path, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static bool is_there(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", room.path, name);
    return access(path, F_OK) == 0;
}

static void R27_what_a_killed_process_has_left_goes_when_it_is_an_hour_old(void **state)
{
    struct mac mac = room.flash.mac;
    (void)state;
    assert_int_equal(keep("auto_dst.url", "", "one"), 0);
    lay_file(".dialtone-4711-0.tmp", 7200);
    lay_file(".dialtone-4711-1.tmp", 60);
    lay_file("00156574b150.files/.dialtone-4711-2.tmp", 7200);
    lay_file("somebody's.tmp", 7200);
    flash_close(&room.flash);
    assert_int_equal(flash_open(&room.flash, room.path, true, mac), 0);
    assert_false(is_there(".dialtone-4711-0.tmp"));
    assert_true(is_there(".dialtone-4711-1.tmp"));
    assert_false(is_there("00156574b150.files/.dialtone-4711-2.tmp"));
    assert_true(is_there("somebody's.tmp"));
    assert_kept("auto_dst.url", "", "one");
}

static bool count(void *context, struct slice name, struct slice bytes)
{
    assert_true(name.len == 9 && bytes.len == 1);
    ++*(size_t *)context;
    return true;
}

static void every_file_of_a_key_is_visited(void **state)
{
    size_t seen = 0;
    (void)state;
    assert_int_equal(keep("ringtone.url", "Ring1.wav", "1"), 0);
    assert_int_equal(keep("ringtone.url", "Ring2.wav", "2"), 0);
    assert_int_equal(keep("lcd_logo.url", "a.dob", "x"), 0);
    assert_int_equal(flash_each(&room.flash, SLICE("ringtone.url"), &room.arena, count, &seen), 0);
    assert_int_equal(seen, 2);
}

#define on_disk(f) { #f " (on disk)", f, setup, teardown, NULL }
#define in_a_chip(f) { #f " (in a chip)", f, setup_chip, teardown, NULL }

int main(void)
{
    const struct CMUnitTest tests[] = {
        on_disk(a_resource_survives_and_the_next_one_takes_its_place),
        in_a_chip(a_resource_survives_and_the_next_one_takes_its_place),
        on_disk(several_of_a_key_lie_side_by_side_and_go_one_by_one_or_all),
        in_a_chip(several_of_a_key_lie_side_by_side_and_go_one_by_one_or_all),
        on_disk(R1_a_name_from_a_server_does_not_lead_out),
        in_a_chip(R1_a_name_from_a_server_does_not_lead_out),
        on_disk(a_name_too_long_for_a_file_is_told),
        in_a_chip(a_name_too_long_for_a_file_is_told),
        on_disk(every_file_of_a_key_is_visited),
        in_a_chip(every_file_of_a_key_is_visited),
        on_disk(R27_what_a_killed_process_has_left_goes_when_it_is_an_hour_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
