#include "guide/activation.h"

/* T49G and VP phones have sixteen. */
#define ACCOUNTS_MAX 16
#define KEY_BYTES 64

bool activation_key(unsigned number, struct slice last, struct buf *out)
{
    buf_format(out, "static.autoprovision.%u.", number);
    buf_text(out, last);
    return buf_terminate(out);
}

static struct slice value_of(const struct settings *s, unsigned number, struct slice last)
{
    char bytes[KEY_BYTES];
    struct buf key = BUF_ON(bytes);
    return activation_key(number, last, &key) ? settings_value(s, buf_slice(&key)) : SLICE_NONE;
}

static bool is_dialled(struct slice code)
{
    for (size_t i = 0; i < code.len; i++)
        if (!byte_is_digit(code.ptr[i]) && code.ptr[i] != '#' && code.ptr[i] != '*')
            return false;
    return code.len > 0 && code.len <= ACTIVATION_CODE_MAX;
}

bool activation_find(const struct settings *s, struct slice dialled, struct activation *ret_activation)
{
    unsigned number = 1;
    if (!is_dialled(dialled))
        return false;
    while (number <= ACTIVATIONS_MAX && !slice_eq(value_of(s, number, SLICE("code")), dialled))
        number++;
    if (number > ACTIVATIONS_MAX || value_of(s, number, SLICE("url")).len == 0)
        return false;
    *ret_activation = (struct activation){
        .number = number,
        .name = value_of(s, number, SLICE("name")),
        .code = value_of(s, number, SLICE("code")),
        .url = value_of(s, number, SLICE("url")),
        .user = value_of(s, number, SLICE("user")),
        .password = value_of(s, number, SLICE("password")),
        .com_aes = value_of(s, number, SLICE("com_aes")),
        .mac_aes = value_of(s, number, SLICE("mac_aes")),
    };
    return true;
}

static struct slice account_value(const struct settings *s, unsigned number, const char *last)
{
    char bytes[KEY_BYTES];
    struct buf key = BUF_ON(bytes);
    buf_format(&key, "account.%u.%s", number, last);
    return settings_value(s, buf_slice(&key));
}

bool activation_is_open(const struct settings *s)
{
    for (unsigned i = 1; i <= ACCOUNTS_MAX; i++)
        if (slice_eq(account_value(s, i, "enable"), SLICE("1")) && account_value(s, i, "user_name").len)
            return false;
    return true;
}
