#include "phone/life_inside.h"

#define SECONDS_A_DAY 86400

static struct life *life_of_idle(void *context)
{
    return context;
}

/* The idle screen. */

static struct slice account_value(const struct life *l, unsigned number, const char *last)
{
    char bytes[48];
    struct buf key = BUF_ON(bytes);
    buf_format(&key, "account.%u.%s", number, last);
    return settings_value(&l->ram.effective, buf_slice(&key));
}

/* What a phone shows beside the line key: the label, else the name, else the number. */
static struct slice account_label(const struct life *l, unsigned number)
{
    static const char *const candidates[] = { "label", "display_name", "user_name" };
    struct slice text = SLICE_NONE;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates && text.len == 0; i++)
        text = account_value(l, number, candidates[i]);
    return text;
}

static void describe(void *context, struct idle_facts *facts)
{
    struct life *l = life_of_idle(context);
    int64_t now = life_wall_s(l), local = now + zone_offset_at(&l->ram.zone, now);
    int64_t second = (local % SECONDS_A_DAY + SECONDS_A_DAY) % SECONDS_A_DAY;
    facts->hour = (unsigned)(second / 3600);
    facts->minute = (unsigned)(second / 60 % 60);
    facts->dnd = settings_is_on(&l->ram.effective, SLICE("features.dnd.enable"));
    facts->in_call = l->in_call;
    facts->network_unavailable = l->ram.network_unavailable;
    for (unsigned i = 1; i <= l->ram.id.model->accounts && facts->account_count < IDLE_ACCOUNTS_MAX; i++)
        if (!slice_eq(account_value(l, i, "enable"), SLICE("0")) && account_label(l, i).len)
            facts->accounts[facts->account_count++] = account_label(l, i);
    if (l->ram.state == LIFE_SEARCHING)
        facts->status = SLICE("Looking for the provisioning server...");
    if (l->ram.state == LIFE_UPDATING)
        facts->status = SLICE("Auto provisioning waits for the end of the call");
}

static void on_dialled(void *context, struct slice number)
{
    life_dial(life_of_idle(context), number);
}

static void on_picked(void *context, enum idle_pick pick)
{
    struct life *l = life_of_idle(context);
    bool dnd = settings_is_on(&l->ram.effective, SLICE("features.dnd.enable"));
    switch (pick) {
    case IDLE_PROVISION:
        life_provision_now(l);
        break;
    case IDLE_REBOOT:
        life_reboot(l);
        break;
    case IDLE_DND:
        life_set(l, SLICE("features.dnd.enable"), dnd ? SLICE("0") : SLICE("1"));
        break;
    case IDLE_CALL:
        life_set_call(l, !l->in_call);
        break;
    }
}

void life_screen_open(struct life *l)
{
    idle_init(&l->idle, l);
    l->idle.describe = describe;
    l->idle.dialled = on_dialled;
    l->idle.picked = on_picked;
    notice_init(&l->updating, "updating", "Auto Provision");
    notice_line(&l->updating, 0, SLICE("Updating, please wait..."));
    idle_open(&l->idle, l->screen);
}

void life_screen_close(struct life *l)
{
    form_close(&l->question);
    form_wipe(&l->question);
    form_close(&l->confirm);
    notice_hide(&l->message);
    notice_hide(&l->updating);
    notice_hide(&l->rebooting);
    idle_close(&l->idle);
}

void life_show_updating(struct life *l, bool shown)
{
    if (shown && !l->updating.dialog.screen)
        notice_show(&l->updating, l->screen, 0);
    if (!shown)
        notice_hide(&l->updating);
}

/* Questions of a run. */

static bool in_call(void *context)
{
    struct life *l = context;
    life_show_updating(l, !l->in_call);
    return l->in_call;
}

static void on_pin(struct form *f, bool accepted)
{
    struct life *l = container_of(f, struct life, question);
    phone_enter_pin(l->ram.phone, accepted ? form_text(f, 0) : SLICE_NONE);
    form_wipe(f);
}

static bool asks_pin(void *context, struct slice why)
{
    struct life *l = context;
    bool again = l->ram.asked_pin;
    (void)why;
    l->ram.asked_pin = true;
    /* The one that was given beforehand is tried first. */
    if (!l->options.has_person || (!again && l->options.pin.len))
        return false;
    form_init(&l->question, "pin", "PIN Code", on_pin);
    l->question.question = again ? "There is no file for that PIN code." : "Please enter the PIN code:";
    form_add(&l->question, "PIN", FIELD_TEXT, 32, SLICE_NONE);
    form_open(&l->question, l->screen);
    dialog_expires(&l->question.dialog, LIFE_QUESTION_MS);
    return true;
}

static void on_login(struct form *f, bool accepted)
{
    struct life *l = container_of(f, struct life, question);
    struct slice user = accepted ? form_text(f, 0) : SLICE_NONE;
    phone_enter_credentials(l->ram.phone, user, user.len ? form_text(f, 1) : SLICE_NONE);
    form_wipe(f);
}

static void show_wrong_login(struct life *l)
{
    notice_init(&l->message, "wrong-login", "Auto Provision");
    notice_line(&l->message, 0, SLICE("Wrong user name or password!"));
    notice_show(&l->message, l->screen, LIFE_WRONG_LOGIN_MS);
}

/* Guide, "Auto Provisioning via Activation Code": after wrong ones back to the idle screen, the code has to be
 * dialled again. A run that something else triggered asks again. */
static bool asks_credentials(void *context, bool had_some)
{
    struct life *l = context;
    if (!l->options.has_person)
        return false;
    if (had_some && l->ram.running == TRIGGER_ACTIVATION) {
        life_later(l, life_stop_run);
        show_wrong_login(l);
        return true;
    }
    form_init(&l->question, "login", "Auto Provision", on_login);
    form_add(&l->question, "User Name", FIELD_TEXT, 99, SLICE_NONE);
    form_add(&l->question, "Password", FIELD_PASSWORD, 99, SLICE_NONE);
    form_open(&l->question, l->screen);
    dialog_expires(&l->question.dialog, LIFE_QUESTION_MS);
    if (had_some)
        show_wrong_login(l);
    return true;
}

struct phone_user life_person(struct life *l)
{
    return (struct phone_user){ in_call, asks_pin, asks_credentials, l };
}

static bool keep_value(struct life *l, struct slice key, struct slice value)
{
    struct life_ram *ram = &l->ram;
    return arena_copy(&ram->arena, key, &key) && arena_copy(&ram->arena, value, &value) &&
           settings_put(&ram->memory.central, key, value, (struct origin){ SETTINGS_FLASH, 0 });
}

/* "The entered user name and password will be saved to the IP phone for next auto provisioning." */
void life_login_done(struct life *l)
{
    char user_bytes[64], password_bytes[64];
    struct buf user_key = BUF_ON(user_bytes), password_key = BUF_ON(password_bytes);
    struct slice user, password;
    if (!l->ram.phone || l->ram.outcome == RUN_FAILED)
        return;
    phone_entered_credentials(l->ram.phone, &user, &password);
    if (user.len == 0)
        return;
    if (l->ram.running == TRIGGER_ACTIVATION) {
        activation_key(l->ram.code, SLICE("user"), &user_key);
        activation_key(l->ram.code, SLICE("password"), &password_key);
    } else {
        buf_str(&user_key, "static.auto_provision.server.username");
        buf_str(&password_key, "static.auto_provision.server.password");
    }
    if (keep_value(l, buf_slice(&user_key), user) && keep_value(l, buf_slice(&password_key), password))
        life_keep(l);
}

/* Activation codes and calls. */

static bool find_code(const struct life *l, unsigned number, struct activation *ret_activation)
{
    char bytes[64];
    struct buf key = BUF_ON(bytes);
    activation_key(number, SLICE("code"), &key);
    return number && activation_find(&l->ram.effective, settings_value(&l->ram.effective, buf_slice(&key)),
                                     ret_activation);
}

void life_activated(const struct life *l, struct phone_options *options)
{
    struct activation a;
    if (!find_code(l, l->ram.code, &a))
        return;
    options->server = a.url;
    options->user = a.user;
    options->password = a.password;
    /* Keys that go with the code (facts.md 1.2). */
    if (a.com_aes.len)
        options->keys.common = a.com_aes;
    if (a.mac_aes.len)
        options->keys.mac = a.mac_aes;
}

static void on_confirmed(struct form *f, bool accepted)
{
    struct life *l = container_of(f, struct life, confirm);
    if (accepted)
        life_run(l, TRIGGER_ACTIVATION);
}

static void ask_activation(struct life *l, unsigned number)
{
    l->ram.code = number;
    form_init(&l->confirm, "activation", "Auto Provision", on_confirmed);
    l->confirm.question = "Start auto provisioning with this code?";
    form_open(&l->confirm, l->screen);
}

static void touched(struct life *l)
{
    l->ram.touched_ms = life_now_ms(l);
    if (l->ram.state == LIFE_IDLE && l->ram.queued == TRIGGER_NONE)
        life_plan(l);
}

void life_dial(struct life *l, struct slice number)
{
    struct activation a;
    if (l->ram.state == LIFE_OFF || l->ram.state == LIFE_REBOOTING || number.len == 0)
        return;
    touched(l);
    if (!activation_find(&l->ram.effective, number, &a))
        life_set_call(l, true);
    else if (!activation_is_open(&l->ram.effective))
        life_tell(l, "activation code: an account is registered");
    else if (l->ram.state == LIFE_IDLE && !l->in_call)
        ask_activation(l, a.number);
}

void life_set_call(struct life *l, bool active)
{
    if (l->ram.state == LIFE_OFF || l->ram.state == LIFE_REBOOTING || l->in_call == active)
        return;
    l->in_call = active;
    life_tell(l, active ? "a call begins" : "the call ends");
    touched(l);
    screen_touch(l->screen);
}

void life_key(struct life *l, enum key key)
{
    screen_key(l->screen, key);
    touched(l);
}

void life_text(struct life *l, struct slice text)
{
    screen_text(l->screen, text);
    touched(l);
}
