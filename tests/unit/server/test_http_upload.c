/* Uploads over the HTTP service: PUT and POST, what is refused, what stays on the disk. */
#include "tests/unit/server/http_harness.h"

#include "server/upload.h"
#include "tests/unit/server/access_rules.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#define OWN "00156574b150-local.cfg" /* of the phone that TAIL's User-Agent names */
#define PUT "PUT /" OWN TAIL
#define POST "POST /" OWN TAIL
#define FORM "Content-Type: multipart/form-data; boundary=xYz\r\n"
#define FORM_FIELD "--xYz\r\nContent-Disposition: form-data; name=\"submit\"\r\n\r\nUpload\r\n"
#define FORM_FILE(name, data)                                                                                  \
    "--xYz\r\nContent-Disposition: form-data; name=\"f\"; filename=\"" name "\"\r\n\r\n" data "\r\n"
#define FORM_END "--xYz--\r\n"

static char directory[64];

static int begin(void **state)
{
    if (setup(state))
        return -1;
    struct server *s = *state;
    memcpy(directory, "/tmp/dialtone-http-XXXXXX", 26);
    s->config.upload_enable = s->config.upload_overwrite = true;
    s->config.upload_mode = SLICE("0600");
    s->config.upload_file_max = 4096;
    s->config.upload_total_mib = 1;
    s->config.upload_files = 100;
    s->config.upload_at_once = 3;
    return mkdtemp(directory) ? uploads_open(directory, 7, &s->worker.uploads) : -1;
}

static void path_of(char into[256], const char *name)
{
    struct buf out = buf_on(into, 256);
    buf_format(&out, "%s/%s", directory, name);
    assert_true(buf_terminate(&out));
}

/* Files there, but for `.` and `..`; removes them. */
static size_t sweep(void)
{
    size_t count = 0;
    DIR *d = opendir(directory);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[256 + 64];
        struct buf out = BUF_ON(path);
        buf_format(&out, "%s/%s", directory, e->d_name);
        count += buf_terminate(&out) && unlink(path) == 0;
    }
    closedir(d);
    return count;
}

static int end(void **state)
{
    struct server *s = *state;
    struct uploads *uploads = s->worker.uploads;
    struct login *login = s->worker.login;
    struct access *rules = (struct access *)(uintptr_t)s->worker.access;
    int status = teardown(state);
    uploads_close(uploads);
    login_close(login);
    access_close(rules);
    sweep();
    return rmdir(directory) ? -1 : status;
}

/* What is stored under a name; "absent" when nothing is. */
static struct slice stored(const char *name)
{
    static char bytes[8192];
    char path[256];
    path_of(path, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return SLICE("absent");
    ssize_t n = read(fd, bytes, sizeof bytes);
    close(fd);
    assert_true(n >= 0);
    return slice_of(bytes, (size_t)n);
}

static void r22_a_put_is_stored_and_the_connection_goes_on(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, PUT "Content-Length: 5\r\n\r\nhelloGET /y000000000028.cfg" TAIL CLOSE);
    hear_end(s, c);
    assert_true(slice_starts(heard(c), SLICE("HTTP/1.1 201 Created\r\n")));
    assert_true(has(c, "HTTP/1.1 200 OK\r\n"));
    assert_slice(stored(OWN), "hello");
    assert_int_equal(fake_event_count, 2);
    assert_int_equal(fake_events[0].outcome, OUTCOME_STORED);
    assert_int_equal(fake_events[0].code, 201);
    assert_int_equal(fake_events[0].bytes, 5);
    assert_slice(name_of(&fake_events[0]), "/" OWN);
    assert_slice(slice_of(fake_events[0].agent, fake_events[0].agent_len), "Yealink SIP-T46S 66.84.0.15 00:15:65:74:b1:50");
    assert_int_equal(fake_events[1].code, 200);
    hang_up(c);
}

static void what_is_there_already_is_replaced_with_204(void **state)
{
    struct server *s = *state;
    struct fake_file *f = fake_small(OWN, SLICE("old"));
    f->uploaded = true;
    assert_int_equal(ask(s, PUT "Content-Length: 3\r\nConnection: close\r\n\r\nnew"), 204);
    assert_false(has(asker, "Content-Length"));
    assert_int_equal(only_event()->outcome, OUTCOME_STORED);
    assert_slice(stored(OWN), "new");
}

static void chunks_and_an_empty_file_and_a_raw_post_are_stored(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, PUT "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3;x\r\nabc\r\n1\r\nd\r\n0\r\nT: x\r\n\r\n"), 201);
    assert_slice(stored(OWN), "abcd");
    assert_int_equal(ask(s, "PUT /00156574b150-contact.xml" TAIL "Content-Length: 0\r\nConnection: close\r\n\r\n"), 201);
    assert_slice(stored("00156574b150-contact.xml"), "");
    assert_int_equal(ask(s, "POST /00156574b150-all.cfg" TAIL "Content-Type: application/x-www-form-urlencoded\r\n"
                            "Content-Length: 4\r\nConnection: close\r\n\r\na=%2"), 201);
    assert_slice(stored("00156574b150-all.cfg"), "a=%2");
    assert_int_equal(sweep(), 3);
}

/* `step` bytes in a chunk; 0: by Content-Length. */
static int post_form(struct server *s, const char *target, struct slice body, size_t step)
{
    char bytes[4096];
    struct buf text = BUF_ON(bytes);
    buf_format(&text, "POST /%s" TAIL FORM "Connection: close\r\n", target);
    if (step == 0)
        buf_format(&text, "Content-Length: %zu\r\n\r\n%.*s", body.len, SLICE_ARG(body));
    else
        buf_str(&text, "Transfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; step && at < body.len; at += step) {
        struct slice part = slice_first(slice_from(body, at), step);
        buf_format(&text, "%zx\r\n%.*s\r\n", part.len, SLICE_ARG(part));
    }
    if (step)
        buf_str(&text, "0\r\n\r\n");
    assert_true(buf_terminate(&text));
    return ask(s, bytes);
}

static void a_form_is_stored_under_the_name_asked_for_or_into_a_directory(void **state)
{
    struct server *s = *state;
    for (size_t step = 0; step < 40; step += 13) {
        assert_int_equal(post_form(s, OWN, SLICE(FORM_FIELD FORM_FILE("x", "hello\r\n--xY") FORM_END), step), 201);
        assert_slice(stored(OWN), "hello\r\n--xY");
        assert_int_equal(only_event()->bytes, 11);
        assert_int_equal(post_form(s, "", SLICE(FORM_FILE("00156574B150-CALLLOG.xml", "two") FORM_END), step), 201);
        assert_slice(stored("00156574b150-calllog.xml"), "two");
        assert_slice(name_of(only_event()), "/00156574B150-CALLLOG.xml");
        assert_int_equal(sweep(), 2);
    }
}

static void r22_forms_that_are_none_leave_nothing(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *target, *body;
        int status;
        const char *reason;
    } cases[] = {
        { OWN, "", 400, "no file in the form" },
        { OWN, "--xYz--", 400, "no file in the form" },
        { OWN, "hello", 400, "no file in the form" },
        { OWN, FORM_FIELD "--xYz--", 400, "no file in the form" },
        { OWN, FORM_FILE("x", "hello"), 400, "the form has no end" },
        { OWN, FORM_FILE("x", "hello") FORM_FILE("y", "hello") FORM_END, 400, "more than one file in the form" },
        { OWN, FORM_FILE("x", "hello") "--xYzz", 400, "bad delimiter in the form" },
        { "", FORM_FILE("../x", "x") FORM_END, 400, "refused name in the form" },
        { "", FORM_FILE("dir/x", "x") FORM_END, 400, "refused name in the form" },
        { "", FORM_FILE("..", "x") FORM_END, 400, "refused name in the form" },
        { "", FORM_FILE("a\\x", "x") FORM_END, 400, "refused name in the form" },
        { "", FORM_FILE("x.cfg", "x") FORM_END, 403, "not a name that phones send" },
        { "", FORM_FILE("0015650000ff-local.cfg", "x") FORM_END, 403, "another phone's file" },
        { "nowhere/", FORM_FILE(OWN, "x") FORM_END, 409, "no such directory" },
        { "nowhere", FORM_FILE(OWN, "x") FORM_END, 403, "not a name that phones send" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = post_form(s, cases[i].target, slice_str(cases[i].body), 0);
        const struct journal_event *e = only_event();
        if (status != cases[i].status || strcmp(e->reason, cases[i].reason))
            fail_msg("%d (%s) instead of %d (%s)", status, e->reason, cases[i].status, cases[i].reason);
        assert_true(has(asker, "Connection: close\r\n"));
        assert_int_equal(e->outcome, OUTCOME_REFUSED);
        assert_int_equal(sweep(), 0);
    }
    assert_int_equal(ask(s, POST "Content-Type: multipart/form-data\r\nContent-Length: 1\r\n\r\nx"), 400);
    assert_int_equal(ask(s, POST "Content-Type: multipart/mixed; boundary=x\r\nContent-Length: 1\r\n\r\nx"), 415);
    assert_int_equal(ask(s, "POST /" TAIL "Content-Length: 1\r\n\r\nx"), 415);
    fake_event_count = 0;
}

static void r20_r22_what_is_refused_leaves_nothing_and_closes(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *text;
        int status;
        const char *reason;
    } cases[] = {
        { "PUT /x.cfg" TAIL "Content-Length: 1\r\n\r\nx", 403, "not a name that phones send" },
        { "PUT /y000000000028.cfg" TAIL "Content-Length: 1\r\n\r\nx", 403, "not a name that phones send" },
        { "PUT /0015650000ff-local.cfg" TAIL "Content-Length: 1\r\n\r\nx", 403, "another phone's file" },
        { "PUT /nowhere/" OWN TAIL "Content-Length: 1\r\n\r\nx", 409, "no such directory" },
        { "PUT /../" OWN TAIL "Content-Length: 1\r\n\r\nx", 400, "refused name" },
        { "PUT /a%5c" OWN TAIL "Content-Length: 1\r\n\r\nx", 400, "refused name" },
        { "PUT *" TAIL "Content-Length: 1\r\n\r\nx", 400, "bad target" },
        { PUT CLOSE, 411, "no body length" },
        { PUT "Content-Length: 4097\r\n\r\nx", 413, "too large" },
        { PUT "Content-Length: 2\r\nContent-Range: bytes 0-1/4\r\n\r\nab", 400, "a part of a file is not taken" },
        { PUT "Content-Length: 2\r\nContent-Encoding: gzip\r\n\r\nab", 415, "content coding not served" },
        { PUT "Content-Length: 2\r\nIf-Match: *\r\n\r\nab", 412, "precondition failed" },
        { PUT "Content-Length: 2\r\nExpect: x\r\n\r\n", 417, "expectation not met" },
        { PUT "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", 400, "malformed request" },
        { PUT "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "malformed request" },
        { PUT "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "transfer coding not served" },
        { PUT "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n", 400, "bad chunk size" },
        { PUT "Transfer-Encoding: chunked\r\n\r\n2\r\nabX\r\n0\r\n\r\n", 400, "bad end of a chunk" },
        { PUT "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX y: z\r\n\r\n", 400, "bad trailer name" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = ask(s, cases[i].text);
        const struct journal_event *e = only_event();
        if (status != cases[i].status || strcmp(e->reason, cases[i].reason))
            fail_msg("%d (%s) instead of %d (%s): %s", status, e->reason, cases[i].status, cases[i].reason, cases[i].text);
        assert_true(has(asker, "Connection: close\r\n"));
        assert_int_equal(e->outcome, OUTCOME_REFUSED);
        assert_int_equal(sweep(), 0);
    }
}

static void expect_is_answered_100_only_when_the_body_would_be_taken(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, PUT "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(hear_answer(s, c, 0), 100);
    assert_slice(heard(c), "HTTP/1.1 100 Continue\r\n\r\n");
    forget(c);
    say(c, "he");
    pump(s);
    assert_slice(stored(OWN), "absent");
    say(c, "llo");
    assert_int_equal(hear_answer(s, c, 0), 201);
    assert_slice(stored(OWN), "hello");
    hang_up(c);
    fake_event_count = 0;
    assert_int_equal(ask(s, "PUT /x.cfg" TAIL "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"), 403);
    assert_int_equal(ask(s, PUT "Content-Length: 5000\r\nExpect: 100-Continue\r\n\r\n"), 413);
    assert_false(has(asker, "100 Continue"));
    /* Bytes that came along say that nobody waits. */
    assert_int_equal(ask(s, "PUT /00156574b150-all.cfg" TAIL "Content-Length: 3\r\nExpect: 100-continue\r\n"
                            "Connection: close\r\n\r\nabc"), 201);
    /* HTTP/1.0 knows no Expect. */
    assert_int_equal(ask(s, "PUT /00156574b150-sys.log HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc"), 201);
    assert_false(has(asker, "100 Continue"));
}

static void r12_a_body_that_drips_is_cut_and_the_old_file_stays(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, PUT "Content-Length: 3\r\nConnection: close\r\n\r\nold"), 201);
    only_event();
    struct client *c = dial(s, 0);
    say(c, PUT "Content-Length: 4000\r\n\r\n");
    for (int i = 0; i < 30 && !c->len; i++) {
        if (i < 25)
            say(c, "x");
        advance(s, 1000);
        hear(c);
    }
    assert_int_equal(hear_answer(s, c, 0), 408);
    const struct journal_event *e = only_event();
    assert_int_equal(e->outcome, OUTCOME_STOPPED);
    assert_slice(slice_str(e->reason), "sent too little for too long");
    assert_true(e->bytes > 10 && e->bytes < 40);
    assert_slice(stored(OWN), "old");
    hang_up(c);
    assert_int_equal(sweep(), 1);
}

static void r22_a_sender_that_goes_away_leaves_the_old_file_and_no_rest(void **state)
{
    struct server *s = *state;
    assert_int_equal(ask(s, PUT "Content-Length: 3\r\nConnection: close\r\n\r\nold"), 201);
    only_event();
    struct client *c = dial(s, 0);
    say(c, PUT "Content-Length: 4000\r\n\r\nhalf of it");
    pump(s);
    hang_up(c);
    for (int i = 0; i < ROUNDS_MAX && !fake_event_count; i++)
        pump(s);
    assert_int_equal(only_event()->outcome, OUTCOME_STOPPED);
    assert_slice(stored(OWN), "old");
    assert_int_equal(sweep(), 1);
}

static void r22_what_grows_past_the_ceiling_is_413_in_the_middle(void **state)
{
    struct server *s = *state;
    char bytes[8192];
    struct buf text = BUF_ON(bytes);
    buf_str(&text, PUT "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 5; i++) {
        buf_str(&text, "400\r\n");
        for (int n = 0; n < 1024; n++)
            buf_byte(&text, 'x');
        buf_str(&text, "\r\n");
    }
    assert_true(buf_terminate(&text));
    assert_int_equal(ask(s, bytes), 413);
    assert_true(has(asker, "Connection: close\r\n"));
    assert_slice(slice_str(only_event()->reason), "too large");
    assert_int_equal(sweep(), 0);
}

static void r11_too_many_at_once_and_a_full_quota_are_503_and_507(void **state)
{
    struct server *s = *state;
    struct client *held[3];
    for (size_t i = 0; i < 3; i++) {
        held[i] = dial(s, 0);
        say(held[i], PUT "Content-Length: 4\r\n\r\nx");
        pump(s);
    }
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\n\r\nx"), 503);
    assert_true(has(asker, "Retry-After: "));
    for (size_t i = 0; i < 3; i++)
        hang_up(held[i]);
    pump(s);
    s->config.upload_files = 0;
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\n\r\nx"), 507);
    s->config.upload_files = 100;
    s->config.upload_rate = 1;
    for (int i = 0; i < 100; i++)
        if (ask(s, PUT "Content-Length: 1\r\nConnection: close\r\n\r\nx") != 201)
            break;
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\n\r\nx"), 429);
    fake_event_count = 0;
}

static void say_much(struct client *c, size_t bytes)
{
    char text[1024 + 1];
    memset(text, 'x', 1024);
    text[1024] = 0;
    for (size_t n = 0; n < bytes; n += 1024)
        say(c, text);
}

static void r11_the_slowest_of_too_many_uploads_makes_room(void **state)
{
    struct server *s = *state;
    struct client *held[3];
    s->config.upload_file_max = 65536;
    for (size_t i = 0; i < 3; i++) {
        held[i] = dial(s, 0);
        say(held[i], PUT "Content-Length: 65000\r\n\r\n");
        pump(s);
        advance(s, 1000);
    }
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\nConnection: close\r\n\r\nx"), 503);
    only_event();
    for (size_t i = 0; i < 3; i++)
        say_much(held[i], 24 * 1024);
    pump(s);
    for (int i = 0; i < 18; i++)
        advance(s, 1000);
    assert_int_equal(fake_event_count, 0);
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\nConnection: close\r\n\r\nx"), 201);
    assert_int_equal(fake_event_count, 2);
    assert_slice(slice_str(fake_events[0].reason), "made room for others");
    assert_int_equal(fake_events[0].outcome, OUTCOME_STOPPED);
    assert_slice(stored(OWN), "x");
    hear_end(s, held[0]);
    for (size_t i = 0; i < 3; i++)
        hang_up(held[i]);
    pump(s);
    fake_event_count = 0;
}

static void rules_and_logins_hold_for_uploads(void **state)
{
    struct server *s = *state;
    s->worker.access = access_of("access.1.prefix = /\naccess.1.anonymous = 1\n"
                                 "access.2.prefix = /" OWN "\naccess.2.users = alice\naccess.2.write = uploads\n",
                                 "alice:secret-one");
    assert_non_null(s->worker.access);
    assert_int_equal(login_open(&s->worker.login), 0);
    assert_int_equal(ask(s, "PUT /00156574b150-all.cfg" TAIL "Content-Length: 1\r\n\r\nx"), 403);
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\n\r\nx"), 401);
    assert_true(has(asker, "WWW-Authenticate: Digest"));
    assert_int_equal(ask(s, PUT "Content-Length: 1\r\nConnection: close\r\n"
                                "Authorization: Basic YWxpY2U6c2VjcmV0LW9uZQ==\r\n\r\nx"), 201);
    assert_int_equal(ask(s, "PUT /00156574b150-all.cfg" TAIL "Content-Length: 1\r\n\r\nx"), 403);
    assert_int_equal(ask(s, "PATCH /x" TAIL CLOSE), 405);
    assert_true(has(asker, "Allow: GET, HEAD, OPTIONS\r\n"));
    assert_int_equal(ask(s, "OPTIONS /" OWN TAIL CLOSE), 204);
    assert_true(has(asker, "Allow: GET, HEAD, OPTIONS, PUT, POST\r\n"));
    /* The directory may be written to, its file may not. */
    fake_event_count = 0;
    assert_int_equal(sweep(), 1);
}

static void note_drained(void *context)
{
    ((struct server *)context)->drained = true;
}

static void sigterm_lets_an_upload_finish(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0);
    say(c, PUT "Content-Length: 5\r\n\r\nhe");
    pump(s);
    http_service_drain(s->service, note_drained, s);
    pump(s);
    assert_false(s->drained);
    say(c, "llo");
    assert_int_equal(hear_answer(s, c, 0), 201);
    assert_true(has(c, "Connection: close\r\n"));
    hear_end(s, c);
    hang_up(c);
    pump(s);
    assert_true(s->drained);
    assert_slice(stored(OWN), "hello");
    fake_event_count = 0;
}

static void a_stop_in_the_middle_leaves_nothing(void **state)
{
    struct server *s = *state;
    struct client *c = dial(s, 0), *d = dial(s, 0);
    say(c, PUT "Content-Length: 5\r\n\r\nhe");
    say(d, "PUT /00156574b150-all.cfg" TAIL "Content-Length: 5\r\n\r\nhello");
    pump(s);
    http_service_close(s->service);
    s->service = NULL;
    hang_up(c);
    hang_up(d);
    assert_int_equal(fake_event_count, 2);
    assert_int_equal(fake_events[0].outcome, OUTCOME_BROKEN);
    assert_slice(stored(OWN), "absent");
}

int main(void)
{
#define upload_test(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        upload_test(r22_a_put_is_stored_and_the_connection_goes_on),
        upload_test(what_is_there_already_is_replaced_with_204),
        upload_test(chunks_and_an_empty_file_and_a_raw_post_are_stored),
        upload_test(a_form_is_stored_under_the_name_asked_for_or_into_a_directory),
        upload_test(r22_forms_that_are_none_leave_nothing),
        upload_test(expect_is_answered_100_only_when_the_body_would_be_taken),
        upload_test(r12_a_body_that_drips_is_cut_and_the_old_file_stays),
        upload_test(r22_a_sender_that_goes_away_leaves_the_old_file_and_no_rest),
        upload_test(r22_what_grows_past_the_ceiling_is_413_in_the_middle),
        upload_test(r11_too_many_at_once_and_a_full_quota_are_503_and_507),
        upload_test(r11_the_slowest_of_too_many_uploads_makes_room),
        upload_test(rules_and_logins_hold_for_uploads),
        upload_test(sigterm_lets_an_upload_finish),
        upload_test(a_stop_in_the_middle_leaves_nothing),
        upload_test(r20_r22_what_is_refused_leaves_nothing_and_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
