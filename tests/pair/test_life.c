/* A phone that lives against the server's tree, on a manual clock: a wire that fails and delays by seed, a user
 * and an administrator who do things at any moment, power cuts; and a whole year. */
#include "tests/unit/phone/life_desk.h"

#include "server/tree.h"

#include <dirent.h>
#include <unistd.h>

#define STEPS 150
#define SEEDS 12
#define DAY_S 86400
#define MINUTES(n) ((uint64_t)(n)*60 * 1000)

/* --- the server: its tree, asked as its protocols ask it --- */

static struct side {
    char path[64];
    struct rootdir root;
    struct tree *tree;
    uint64_t random;
    unsigned loss;   /* of a hundred answers */
    char sent[4096]; /* the last MAC-local CFG file that was uploaded */
    unsigned upload_count;
} side;

/* splitmix64 (public domain). */
static uint64_t draw(uint64_t below)
{
    uint64_t z = side.random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static void answer_from_tree(struct timer *timer)
{
    struct life_desk *d = container_of(timer, struct life_desk, answer);
    struct fetched fetched = { .outcome = FETCH_ABSENT, .why = SLICE("HTTP 404") };
    struct tree_file file;
    char bytes[4096];
    transport_done *done = d->done;
    d->done = NULL;
    if (draw(100) < side.loss) {
        fetched = (struct fetched){ .outcome = FETCH_FAILED, .why = SLICE("no answer within 5 s") };
    } else if (d->verb != TRANSPORT_GET) {
        memcpy(side.sent, d->body, d->body_len + 1);
        side.upload_count++;
        fetched = (struct fetched){ .outcome = FETCH_GOT };
    } else if (tree_ask(side.tree, &(struct tree_question){ slice_str(d->path) }, &file) == TREE_FILE) {
        ssize_t len = tree_file_read(&file, 0, bytes, sizeof bytes);
        assert_true(len >= 0);
        fetched = (struct fetched){ .outcome = FETCH_GOT, .bytes = slice_of(bytes, (size_t)len) };
        tree_file_release(&file);
    }
    done(d->context, &fetched);
}

static bool start(struct transport *t, const struct transport_request *r, transport_done *done, void *context)
{
    struct life_desk *d = life_desk_of(t);
    if (!life_desk_start(t, r, done, context))
        return false;
    loop_timer(&d->loop, &d->answer, side.loss ? draw(3000) : 0, answer_from_tree);
    return true;
}

static void write_tree(const char *name, const char *text)
{
    assert_int_equal(rootdir_replace(&side.root, slice_str(name), slice_str(text)), 0);
}

static int open_side(void **state)
{
    int status = life_desk_setup(state);
    struct life_desk *d = *state;
    side = (struct side){ .path = "/tmp/dialtone-pair-life-XXXXXX" };
    assert_non_null(mkdtemp(side.path));
    assert_int_equal(rootdir_open_root(side.path, false, &side.root), 0);
    assert_int_equal(tree_open(&side.root, side.path, NULL, &side.tree), 0);
    d->transport.start = start;
    return status;
}

static int close_side(void **state)
{
    char path[sizeof side.path + 256];
    DIR *dir = opendir(side.path);
    struct dirent *e;
    tree_close(side.tree);
    rootdir_close(&side.root);
    while (dir && (e = readdir(dir))) {
        snprintf(path, sizeof path, "%s/%s", side.path, e->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(side.path);
    return life_desk_teardown(state);
}
#define test_with_sides(f) cmocka_unit_test_setup_teardown(f, open_side, close_side)

/* --- any life --- */

struct events {
    unsigned version, personal;
    bool calling;
};

static void publish(struct events *e)
{
    char cfg[512];
    e->version++;
    snprintf(cfg, sizeof cfg,
             CFG_HEAD "account.1.label = version %u\nstatic.auto_provision.custom.protect = 1\n"
                      "static.auto_provision.custom.sync = 1\nstatic.network.vlan.internet_port_vid = %u\n",
             e->version, e->version / 4);
    write_tree("y000000000000.boot", CFG_HEAD "overwrite_mode = 0\ninclude:config <all.cfg>\n");
    write_tree("all.cfg", cfg);
}

static void set_personal(struct life_desk *d, struct events *e)
{
    char value[16];
    snprintf(value, sizeof value, "%u", e->personal + 1);
    if (life_set(d->life, SLICE("features.user"), slice_str(value)) == 0)
        e->personal++;
}

static void something_happens(struct life_desk *d, struct events *e)
{
    switch (draw(9)) {
    case 0:
        publish(e);
        break;
    case 1:
        life_provision_now(d->life);
        break;
    case 2:
    case 3:
        set_personal(d, e);
        break;
    case 4:
        life_check_sync(d->life, draw(2));
        break;
    case 5:
        e->calling = !e->calling;
        life_set_call(d->life, e->calling);
        break;
    case 6:
        if (draw(2))
            life_reboot(d->life);
        break;
    case 7:
        pull_the_plug(d);
        begin(d);
        e->calling = false;
        break;
    case 8:
        life_key(d->life, (enum key)draw(KEY_COUNT));
        break;
    }
    pass(d, draw(4) ? draw(3000) : draw(MINUTES(3)));
}

/* What holds is of one version, whatever happened in the middle of what. */
static void is_whole(struct life_desk *d)
{
    unsigned version = 0;
    char label[32], vid[16];
    if (life_facts(d->life).state != LIFE_IDLE || holds(d, "account.1.label").len == 0)
        return;
    struct slice text = holds(d, "account.1.label");
    uint64_t number;
    assert_true(slice_u64(slice_from(text, 8), 1, 100000, &number));
    version = (unsigned)number;
    snprintf(label, sizeof label, "version %u", version);
    snprintf(vid, sizeof vid, "%u", version / 4);
    assert_slice(text, label);
    assert_slice(holds(d, "static.network.vlan.internet_port_vid"), vid);
}

static void live_any_life(struct life_desk *d, uint64_t seed)
{
    char wanted[64];
    struct events e = { 0 };
    side.random = seed;
    side.loss = 15;
    publish(&e);
    begin(d);
    for (int i = 0; i < STEPS; i++) {
        something_happens(d, &e);
        is_whole(d);
    }
    side.loss = 0;
    life_set_call(d->life, false);
    pass(d, MINUTES(150)); /* a check-sync may wait two hours for the end of a call */
    set_personal(d, &e);
    pass(d, MINUTES(1));
    life_provision_now(d->life);
    pass(d, MINUTES(1));
    assert_int_equal(life_facts(d->life).state, LIFE_IDLE);
    snprintf(wanted, sizeof wanted, "version %u", e.version);
    assert_slice(holds(d, "account.1.label"), wanted);
    snprintf(wanted, sizeof wanted, "%u", e.personal);
    assert_slice(holds(d, "features.user"), wanted);
    snprintf(wanted, sizeof wanted, "features.user = %u\n", e.personal);
    assert_non_null(strstr(side.sent, wanted));
}

static void whatever_happens_the_phone_ends_where_the_server_wants_it_with_its_personal_settings(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        void *desk;
        assert_int_equal(open_side(&desk), 0);
        print_message("# seed %u\n", (unsigned)seed);
        live_any_life(desk, seed);
        close_side(&desk);
    }
}

/* --- a year --- */

struct moments {
    int64_t at_s[TRIGGERS][64];
    unsigned count[TRIGGERS];
    struct life_desk *desk;
} moments;

static void on_starts(void *context, enum trigger trigger, const struct identity *id, struct slice server)
{
    int64_t now_s = life_facts(moments.desk->life).now_s;
    (void)context;
    (void)id;
    (void)server;
    assert_true(moments.count[trigger] < 64);
    moments.at_s[trigger][moments.count[trigger]++] = now_s;
}

static void begin_year(struct life_desk *d)
{
    struct life_watch watch = { .starts = on_starts };
    moments.desk = d;
    d->life = life_new(&d->loop, &d->transport, &d->flash, &d->screen, &d->options, &watch);
    assert_non_null(d->life);
    assert_null(life_power_on(d->life));
    pass(d, 1000);
}

static void is_in_window(int64_t at_s, int64_t begin_h, int64_t end_h)
{
    assert_in_range(at_s % DAY_S, begin_h * 3600, end_h * 3600 + 60);
}

/* 1970-01-01 was a Thursday. */
static unsigned weekday(int64_t at_s)
{
    return (unsigned)((at_s / DAY_S + 4) % 7);
}

static void a_year_of_weekly_and_flexible_runs_keeps_its_days_through_power_cuts(void **state)
{
    struct life_desk *d = *state;
    write_tree("y000000000000.boot", CFG_HEAD "include:config <all.cfg>\n");
    write_tree("all.cfg", CFG_HEAD "static.auto_provision.weekly.enable = 1\n"
                                   "static.auto_provision.weekly.dayofweek = 1\n"
                                   "static.auto_provision.weekly.begin_time = 02:00\n"
                                   "static.auto_provision.weekly.end_time = 03:00\n"
                                   "static.auto_provision.weekly_upgrade_interval = 4\n"
                                   "static.auto_provision.flexible.enable = 1\n"
                                   "static.auto_provision.flexible.interval = 30\n"
                                   "static.auto_provision.flexible.begin_time = 04:00\n"
                                   "static.auto_provision.flexible.end_time = 06:00\n"
                                   "static.auto_provision.power_on = 1\nlocal_time.time_zone = 0\n");
    begin_year(d);
    for (int day = 0; day < 365; day++) {
        pass(d, (uint64_t)DAY_S * 1000);
        /* At seven in the morning, so that no window is slept through. */
        if (day % 23 == 22) {
            pull_the_plug(d);
            begin_year(d);
        }
    }
    const unsigned weekly = moments.count[TRIGGER_WEEKLY], flexible = moments.count[TRIGGER_FLEXIBLE];
    assert_in_range(weekly, 13, 14);
    assert_in_range(flexible, 12, 13);
    for (unsigned i = 0; i < weekly; i++) {
        int64_t at_s = moments.at_s[TRIGGER_WEEKLY][i];
        assert_int_equal(weekday(at_s), 1);
        is_in_window(at_s, 2, 3);
        if (i)
            assert_int_equal(at_s / DAY_S - moments.at_s[TRIGGER_WEEKLY][i - 1] / DAY_S, 28);
    }
    for (unsigned i = 0; i < flexible; i++) {
        int64_t at_s = moments.at_s[TRIGGER_FLEXIBLE][i];
        is_in_window(at_s, 4, 6);
        if (i)
            assert_int_equal(at_s / DAY_S - moments.at_s[TRIGGER_FLEXIBLE][i - 1] / DAY_S, 30);
    }
    assert_int_equal(moments.count[TRIGGER_POWER_ON], 1 + 365 / 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_the_phone_ends_where_the_server_wants_it_with_its_personal_settings),
        test_with_sides(a_year_of_weekly_and_flexible_runs_keeps_its_days_through_power_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
