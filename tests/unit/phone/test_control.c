#include "tests/unit/phone/life_desk.h"

#include "phone/control.h"

#include <sys/socket.h>
#include <unistd.h>

struct desk {
    struct life_desk *life;
    struct control *control;
    char answer[65536];
};

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    union address at;
    void *life;
    assert_non_null(d);
    life_desk_setup(&life);
    d->life = life;
    serve_text(d->life, "/y000000000000.boot", CFG_HEAD "include:config <all.cfg>\n");
    serve_text(d->life, "/all.cfg", CFG_HEAD "account.1.label = Desk\naccount.1.password = hush\n");
    begin(d->life);
    assert_true(address_parse(SLICE("127.0.0.1"), 0, &at));
    assert_int_equal(control_open(&d->life->loop, &at, d->life->life, &d->life->screen, &d->control), 0);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    void *life = d->life;
    control_close(d->control);
    int status = life_desk_teardown(&life);
    free(d);
    return status;
}
#define test_with_control(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static int dial_in(const struct desk *d)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const union address *at = control_address(d->control);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &at->sa, address_length(at)), 0);
    return fd;
}

static void turn(struct desk *d)
{
    for (int i = 0; i < 3; i++)
        uv_run(&d->life->loop.uv, UV_RUN_NOWAIT);
}

/* Everything that comes until the end of the connection, which must come. */
static const char *hear(struct desk *d, int fd)
{
    size_t len = 0;
    for (int round = 0; round < 100000; round++) {
        turn(d);
        ssize_t got = recv(fd, d->answer + len, sizeof d->answer - 1 - len, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno == ECONNRESET)) {
            close(fd);
            d->answer[len] = '\0';
            return d->answer;
        }
        len += got > 0 ? (size_t)got : 0;
    }
    fail_msg("no end of the connection");
    return "";
}

static const char *say(struct desk *d, const char *text)
{
    int fd = dial_in(d);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    return hear(d, fd);
}

static const char *get(struct desk *d, const char *path)
{
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", path);
    return say(d, text);
}

static const char *post(struct desk *d, const char *path, const char *body)
{
    char text[40000];
    snprintf(text, sizeof text,
             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
             "%zu\r\n\r\n%s",
             path, strlen(body), body);
    return say(d, text);
}

static bool says(const char *answer, const char *text)
{
    if (strstr(answer, text))
        return true;
    print_error("%s\nsays nothing of %s\n", answer, text);
    return false;
}

static void the_state_is_read_as_json(void **state)
{
    struct desk *d = *state;
    const char *answer = get(d, "/api/state");
    assert_true(says(answer, "HTTP/1.1 200 OK\r\n"));
    assert_true(says(answer, "Content-Type: application/json\r\n"));
    assert_true(says(answer, "\"state\":\"idle\""));
    assert_true(says(answer, "\"mac\":\"00:15:65:11:22:33\""));
    assert_true(says(answer, "\"outcome\":\"provisioned\""));
    assert_true(says(answer, "\"next_run\":null"));
}

static void the_screen_is_read_as_data_and_as_text(void **state)
{
    struct desk *d = *state;
    const char *answer = get(d, "/api/screen");
    assert_true(says(answer, "\"name\":\"idle\""));
    assert_true(says(answer, "\"lines\":[\"Desk\"]"));
    assert_true(says(answer, "\"soft_keys\":[\"Call\",\"\",\"DND\",\"Menu\"]"));
    assert_true(says(answer, "\"text\":\"+---"));
}

static void settings_are_shown_without_their_secrets(void **state)
{
    struct desk *d = *state;
    const char *answer = get(d, "/api/settings");
    assert_true(says(answer, "\"account.1.label\":\"Desk\""));
    assert_true(says(answer, "\"account.1.password\":\"********\""));
    assert_null(strstr(answer, "hush"));
}

static void keys_and_texts_reach_the_screen(void **state)
{
    struct desk *d = *state;
    assert_true(says(post(d, "/api/press", "{\"keys\":[\"4\",\"soft3\",\"*\"]}"), "{\"ok\":true}"));
    assert_true(says(post(d, "/api/text", "{\"text\":\"12\"}"), "{\"ok\":true}"));
    assert_string_equal(shown(d->life), "dial");
    assert_non_null(strstr(d->life->line, "Number: *12"));
    assert_true(says(post(d, "/api/press", "{\"keys\":[\"1\",\"nokey\"]}"), "HTTP/1.1 400"));
    shown(d->life);
    assert_non_null(strstr(d->life->line, "Number: *12"));
}

static void a_call_a_setting_and_a_run_are_started(void **state)
{
    struct desk *d = *state;
    post(d, "/api/call", "{\"active\":true}");
    assert_true(life_facts(d->life->life).in_call);
    post(d, "/api/call", "{\"active\":false}");
    assert_false(life_facts(d->life->life).in_call);
    post(d, "/api/dial", "{\"number\":\"4711\"}");
    assert_true(life_facts(d->life->life).in_call);
    post(d, "/api/call", "{\"active\":false}");
    post(d, "/api/setting", "{\"key\":\"account.1.label\",\"value\":\"Paul\"}");
    assert_slice(holds(d->life, "account.1.label"), "Paul");
    post(d, "/api/setting", "{\"key\":\"account.1.label\",\"value\":null}");
    assert_slice(holds(d->life, "account.1.label"), "Desk");
    assert_true(says(post(d, "/api/setting", "{\"key\":\"a\",\"value\":\"b\\nc\"}"), "HTTP/1.1 400"));
    post(d, "/api/provision", "{}");
    pass(d->life, 1000);
    assert_int_equal(d->life->starts[TRIGGER_NOW], 1);
    post(d, "/api/reboot", "{}");
    pass(d->life, 1000);
    assert_true(says(get(d, "/api/state"), "\"state\":\"rebooting\""));
    assert_true(says(get(d, "/api/settings"), "HTTP/1.1 409"));
    assert_true(says(post(d, "/api/setting", "{\"key\":\"a\",\"value\":\"b\"}"), "HTTP/1.1 409"));
    pass(d->life, 5000);
    assert_int_equal(life_facts(d->life->life).power_ons, 2);
}

static void R23_a_name_that_somebody_could_rebind_is_not_answered(void **state)
{
    struct desk *d = *state;
    static const char *const hosts[] = {
        "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.evil", "", "127.0.0.1@evil"
    };
    char text[512];
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        snprintf(text, sizeof text, "GET /api/state HTTP/1.1\r\nHost: %s\r\n\r\n", hosts[i]);
        assert_true(says(say(d, text), "HTTP/1.1 40"));
    }
    assert_true(says(say(d, "GET /api/state HTTP/1.0\r\n\r\n"), "HTTP/1.1 403"));
    assert_true(says(say(d, "GET /api/state HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), "HTTP/1.1 200"));
    assert_true(says(say(d, "GET /api/state HTTP/1.1\r\nHost: LOCALHOST:8080\r\n\r\n"), "HTTP/1.1 200"));
}

static void R23_another_sites_page_cannot_press_keys(void **state)
{
    struct desk *d = *state;
    static const char body[] = "Content-Length: 18\r\n\r\n{\"keys\":[\"1\",\"2\"]}";
    char text[512];
    snprintf(text, sizeof text, "POST /api/press HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n%s",
             body);
    assert_true(says(say(d, text), "HTTP/1.1 415"));
    snprintf(text, sizeof text, "POST /api/press HTTP/1.1\r\nHost: 127.0.0.1\r\n%s", body);
    assert_true(says(say(d, text), "HTTP/1.1 415"));
    snprintf(text, sizeof text,
             "POST /api/press HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n"
             "Content-Type: application/json\r\n%s",
             body);
    assert_true(says(say(d, text), "HTTP/1.1 403"));
    snprintf(text, sizeof text,
             "POST /api/press HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: null\r\n"
             "Content-Type: application/json\r\n%s",
             body);
    assert_true(says(say(d, text), "HTTP/1.1 403"));
    assert_string_equal(shown(d->life), "idle");
    snprintf(text, sizeof text,
             "POST /api/press HTTP/1.1\r\nHost: 127.0.0.1:99\r\nOrigin: http://127.0.0.1:99\r\n"
             "Content-Type: application/json; charset=utf-8\r\n%s",
             body);
    assert_true(says(say(d, text), "HTTP/1.1 200"));
    assert_string_equal(shown(d->life), "dial");
}

static void R23_nothing_is_changed_by_get(void **state)
{
    struct desk *d = *state;
    static const char *const paths[] = { "/api/press", "/api/text",      "/api/dial",  "/api/setting",
                                         "/api/call",  "/api/provision", "/api/reboot" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_true(says(get(d, paths[i]), "HTTP/1.1 405"));
    assert_true(says(post(d, "/api/state", "{}"), "HTTP/1.1 405"));
    pass(d->life, 5000);
    assert_int_equal(d->life->runs, 1);
}

static void what_is_no_request_is_refused(void **state)
{
    struct desk *d = *state;
    char longer[CONTROL_BODY_MAX + 2], text[512];
    memset(longer, ' ', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_true(says(get(d, "/"), "HTTP/1.1 404"));
    assert_true(says(get(d, "/api/state/../x"), "HTTP/1.1 404"));
    assert_true(says(post(d, "/api/press", "[]"), "HTTP/1.1 400"));
    assert_true(says(post(d, "/api/press", "{\"keys\":"), "HTTP/1.1 400"));
    assert_true(says(post(d, "/api/press", "{\"keys\":[],\"keys\":[]}"), "HTTP/1.1 400"));
    assert_true(says(post(d, "/api/press", ""), "HTTP/1.1 400"));
    assert_true(says(post(d, "/api/press", longer), "HTTP/1.1 413"));
    assert_true(says(say(d, "nonsense\r\n\r\n"), "HTTP/1.1 400"));
    assert_true(says(say(d, "DELETE /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 405"));
    snprintf(text, sizeof text,
             "POST /api/press HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_true(says(say(d, text), "HTTP/1.1 413"));
}

static void a_request_in_pieces_is_understood_and_half_a_one_is_dropped_after_ten_seconds(void **state)
{
    struct desk *d = *state;
    static const char whole[] = "GET /api/state HTTP/1.1\r\nHost: localhost\r\n\r\n";
    int fd = dial_in(d);
    for (size_t i = 0; i + 1 < sizeof whole; i++) {
        assert_int_equal(send(fd, whole + i, 1, MSG_NOSIGNAL), 1);
        turn(d);
    }
    assert_true(says(hear(d, fd), "HTTP/1.1 200"));
    fd = dial_in(d);
    assert_int_equal(send(fd, whole, 20, MSG_NOSIGNAL), 20);
    for (int i = 0; i < 1000; i++)
        turn(d);
    pass(d->life, CONTROL_TIMEOUT_MS + 100);
    assert_string_equal(hear(d, fd), "");
}

static void more_connections_than_there_is_room_for_push_out_the_oldest(void **state)
{
    struct desk *d = *state;
    int fds[2 * CONTROL_CONNECTIONS_MAX];
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        fds[i] = dial_in(d);
        assert_int_equal(send(fds[i], "G", 1, MSG_NOSIGNAL), 1);
        turn(d);
    }
    assert_true(says(get(d, "/api/state"), "HTTP/1.1 200"));
    assert_string_equal(hear(d, fds[0]), "");
    for (size_t i = 1; i < sizeof fds / sizeof *fds; i++)
        close(fds[i]);
    turn(d);
}

static void it_closes_with_connections_open(void **state)
{
    struct desk *d = *state;
    int fd = dial_in(d);
    assert_int_equal(send(fd, "GET", 3, MSG_NOSIGNAL), 3);
    turn(d);
    control_close(d->control);
    d->control = NULL;
    assert_string_equal(hear(d, fd), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        test_with_control(the_state_is_read_as_json),
        test_with_control(the_screen_is_read_as_data_and_as_text),
        test_with_control(settings_are_shown_without_their_secrets),
        test_with_control(keys_and_texts_reach_the_screen),
        test_with_control(a_call_a_setting_and_a_run_are_started),
        test_with_control(R23_a_name_that_somebody_could_rebind_is_not_answered),
        test_with_control(R23_another_sites_page_cannot_press_keys),
        test_with_control(R23_nothing_is_changed_by_get),
        test_with_control(what_is_no_request_is_refused),
        test_with_control(a_request_in_pieces_is_understood_and_half_a_one_is_dropped_after_ten_seconds),
        test_with_control(more_connections_than_there_is_room_for_push_out_the_oldest),
        test_with_control(it_closes_with_connections_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
