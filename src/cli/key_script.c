#include "cli/key_script.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A year, in seconds. */
#define WAIT_S_MAX (366 * 24 * 3600)

static void go_on(struct key_script *s);

static void on_wait(struct timer *timer)
{
    go_on(container_of(timer, struct key_script, wait));
}

static void wait_ms(struct key_script *s, uint64_t ms)
{
    loop_timer(s->loop, &s->wait, ms / s->time_scale, on_wait);
}

static struct slice next_word(struct slice *rest)
{
    struct slice word = SLICE_NONE;
    *rest = slice_trim(*rest);
    slice_cut(rest, ' ', &word);
    *rest = slice_trim(*rest);
    return word;
}

/* `2` or `2.5`. */
static bool do_wait(struct key_script *s, struct slice rest)
{
    struct slice whole;
    uint64_t seconds, tenths = 0;
    slice_cut(&rest, '.', &whole);
    if (!slice_u64(whole, 0, WAIT_S_MAX, &seconds) || (rest.len && !slice_u64(rest, 0, 9, &tenths)))
        return false;
    wait_ms(s, seconds * 1000 + tenths * 100);
    return true;
}

static bool do_until(struct key_script *s, struct slice rest)
{
    struct buf name = BUF_ON(s->until);
    buf_text(&name, rest);
    return rest.len && buf_terminate(&name);
}

static bool do_press(struct key_script *s, struct slice rest)
{
    enum key key;
    while (rest.len) {
        if (!key_parse(next_word(&rest), &key))
            return false;
        life_key(s->life, key);
    }
    return true;
}

static bool do_text(struct key_script *s, struct slice rest)
{
    life_text(s->life, rest);
    return true;
}

static bool do_dial(struct key_script *s, struct slice rest)
{
    life_dial(s->life, rest);
    return rest.len > 0;
}

static bool do_call(struct key_script *s, struct slice rest)
{
    bool on = slice_eq(rest, SLICE("on"));
    if (!on && !slice_eq(rest, SLICE("off")))
        return false;
    life_set_call(s->life, on);
    return true;
}

static bool do_set(struct key_script *s, struct slice rest)
{
    struct slice key;
    slice_cut(&rest, '=', &key);
    return life_set(s->life, slice_trim(key), slice_trim(rest)) == 0;
}

static bool do_provision(struct key_script *s, struct slice rest)
{
    life_provision_now(s->life);
    return rest.len == 0;
}

static bool do_reboot(struct key_script *s, struct slice rest)
{
    life_reboot(s->life);
    return rest.len == 0;
}

static bool do_check_sync(struct key_script *s, struct slice rest)
{
    life_check_sync(s->life, slice_eq(rest, SLICE("reboot")));
    return true;
}

static bool do_show(struct key_script *s, struct slice rest)
{
    s->show(s->context);
    return rest.len == 0;
}

static bool do_end(struct key_script *s, struct slice rest)
{
    s->ended = true;
    s->end(s->context);
    return rest.len == 0;
}

static void run_line(struct key_script *s, struct slice line)
{
    static const struct {
        struct slice word;
        bool (*run)(struct key_script *s, struct slice rest);
    } commands[] = {
        { { "wait", 4 }, do_wait },
        { { "until", 5 }, do_until },
        { { "press", 5 }, do_press },
        { { "text", 4 }, do_text },
        { { "dial", 4 }, do_dial },
        { { "call", 4 }, do_call },
        { { "set", 3 }, do_set },
        { { "reboot", 6 }, do_reboot },
        { { "check-sync", 10 }, do_check_sync },
        { { "provision", 9 }, do_provision },
        { { "show", 4 }, do_show },
        { { "end", 3 }, do_end },
    };
    struct slice rest = line, word = next_word(&rest);
    bool done = false;
    if (word.len == 0 || word.ptr[0] == '#')
        return;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_eq(word, commands[i].word))
            done = commands[i].run(s, rest);
    if (!done)
        s->wrong(s->context, s->line, line);
}

static bool is_waiting(struct key_script *s)
{
    struct screen_view view;
    if (timer_is_running(&s->wait))
        return true;
    if (!s->until[0])
        return false;
    screen_view(s->screen, &view);
    if (strcmp(view.name, s->until) != 0)
        return true;
    s->until[0] = '\0';
    return false;
}

/* Runs the lines that are there until one waits. */
static void go_on(struct key_script *s)
{
    while (!s->ended && !is_waiting(s)) {
        char copy[KEY_SCRIPT_LINE_MAX];
        struct slice have = slice_of(s->text, s->len);
        size_t end = slice_find(have, '\n');
        if (end == have.len || end >= sizeof copy)
            return;
        memcpy(copy, s->text, end);
        s->len -= end + 1;
        memmove(s->text, s->text + end + 1, s->len);
        s->line++;
        run_line(s, slice_of(copy, end));
        /* What a command starts happens in the next round: `until` behind it must not see the old screen. */
        if (!s->ended && !timer_is_running(&s->wait))
            loop_timer(s->loop, &s->wait, 0, on_wait);
    }
}

static void stop_reading(struct key_script *s)
{
    if (s->polled)
        uv_poll_stop(&s->poll);
    /* The last line may lack its end. */
    if (s->len && s->text[s->len - 1] != '\n' && s->len < sizeof s->text)
        s->text[s->len++] = '\n';
}

/* False: nothing more will come. */
static bool fill(struct key_script *s)
{
    if (s->len == sizeof s->text)
        return true;
    ssize_t got = read(s->fd, s->text + s->len, sizeof s->text - s->len);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    s->len += (size_t)got;
    if (slice_find(slice_of(s->text, s->len), '\n') >= KEY_SCRIPT_LINE_MAX && s->len >= KEY_SCRIPT_LINE_MAX)
        return false;
    return got > 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct key_script *s = poll->data;
    (void)events;
    loop_woke(s->loop);
    if (status < 0 || !fill(s))
        stop_reading(s);
    go_on(s);
}

int key_script_open(struct key_script *s, const char *path)
{
    s->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (s->fd < 0)
        return -errno;
    s->polled = uv_poll_init(&s->loop->uv, &s->poll, s->fd) == 0;
    s->poll.data = s;
    if (s->polled) {
        uv_poll_start(&s->poll, UV_READABLE, on_readable);
        return 0;
    }
    while (s->len < sizeof s->text && fill(s))
        continue;
    if (s->len == sizeof s->text)
        return -EFBIG;
    stop_reading(s);
    loop_timer(s->loop, &s->wait, 0, on_wait);
    return 0;
}

void key_script_look(struct key_script *s)
{
    if (s->until[0] && !timer_is_running(&s->wait))
        loop_timer(s->loop, &s->wait, 0, on_wait);
}

void key_script_close(struct key_script *s)
{
    timer_stop(&s->loop->wheel, &s->wait);
    if (s->polled)
        uv_close((uv_handle_t *)&s->poll, NULL);
    if (s->fd > STDERR_FILENO)
        close(s->fd);
    s->fd = -1;
}
