#include "guide/model.h"

#define TEXT(literal)                                                                                          \
    {                                                                                                          \
        (literal), sizeof(literal) - 1                                                                         \
    }
#define ROW(product, name, agent, aliases, cfg, boot, excl, prefix, acc, zt, sk, dl, sv, beyond)               \
    { TEXT(product), TEXT(name), TEXT(agent), TEXT(aliases), cfg, boot, excl, prefix, acc, zt, sk, dl, sv,     \
      beyond },
#define MODEL(...) ROW(__VA_ARGS__, false)
#define EXTRA(...) ROW(__VA_ARGS__, true)

static const struct model models[] = {
#include "guide/model.def"
};

enum { MODEL_COUNT = sizeof models / sizeof *models };

const struct model *model_all(size_t *ret_count)
{
    *ret_count = MODEL_COUNT;
    return models;
}

static struct slice without_sip(struct slice name)
{
    return slice_starts_nocase(name, SLICE("SIP-")) ? slice_from(name, 4) : name;
}

static char folded(char c)
{
    return c == '_' ? ' ' : byte_lower(c);
}

/* An empty column matches nothing. */
static bool same_name(struct slice column, struct slice name)
{
    column = without_sip(column);
    if (column.len == 0 || column.len != name.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (folded(column.ptr[i]) != folded(name.ptr[i]))
            return false;
    return true;
}

static bool is_product(const struct model *m, struct slice name)
{
    return same_name(m->product, name);
}

static bool is_agent(const struct model *m, struct slice name)
{
    return same_name(m->agent, name);
}

static bool is_name(const struct model *m, struct slice name)
{
    return same_name(m->name, name);
}

static bool is_alias(const struct model *m, struct slice name)
{
    struct slice rest = m->aliases, alias;
    while (slice_cut(&rest, ' ', &alias))
        if (same_name(alias, name))
            return true;
    return false;
}

const struct model *model_find(struct slice name)
{
    static bool (*const columns[])(const struct model *, struct slice) = { is_product, is_agent, is_name,
                                                                           is_alias };
    name = without_sip(name);
    for (size_t column = 0; column < sizeof columns / sizeof *columns; column++)
        for (size_t i = 0; i < MODEL_COUNT; i++)
            if (columns[column](&models[i], name))
                return &models[i];
    return NULL;
}

const struct model *model_by_common_cfg(uint64_t number, const struct model *after)
{
    for (size_t i = after ? (size_t)(after - models) + 1 : 0; i < MODEL_COUNT; i++)
        if (models[i].common_cfg == number)
            return &models[i];
    return NULL;
}

bool model_answers_to(const struct model *model, struct slice name)
{
    return model->name.len && slice_eq(model->name, name);
}

struct slice model_short_name(const struct model *model)
{
    return model->name.len ? model->name : without_sip(model->product);
}

bool firmware_parse(struct slice text, struct firmware *ret_firmware)
{
    struct firmware firmware;
    struct slice field;
    size_t count = 0;
    if (text.len == 0 || text.ptr[text.len - 1] == '.')
        return false;
    for (; slice_cut(&text, '.', &field); count++) {
        uint64_t number;
        if (!slice_u64(field, 0, UINT16_MAX, &number))
            return false;
        if (count < 4)
            firmware.field[count] = (uint16_t)number;
    }
    if (count < 4)
        return false;
    *ret_firmware = firmware;
    return true;
}

void firmware_print(struct firmware firmware, struct buf *out)
{
    const uint16_t *f = firmware.field;
    buf_format(out, "%u.%u.%u.%u", f[0], f[1], f[2], f[3]);
}

static bool has_reached(const struct identity *id, unsigned generation)
{
    return generation && firmware_generation(id->firmware) >= generation;
}

bool identity_reads_boot_files(const struct identity *id)
{
    return id->model && has_reached(id, id->model->boot_generation);
}

bool identity_has_exclude_mode(const struct identity *id)
{
    return id->model && has_reached(id, id->model->exclude_generation);
}

bool identity_reads_prefixes(const struct identity *id)
{
    return id->model && has_reached(id, id->model->prefix_generation);
}

void identity_print_user_agent(const struct identity *id, bool with_mac, struct buf *out)
{
    buf_str(out, "Yealink ");
    if (id->model) {
        buf_text(out, id->model->agent.len ? id->model->agent : id->model->product);
        buf_byte(out, ' ');
    }
    firmware_print(id->firmware, out);
    if (with_mac) {
        buf_byte(out, ' ');
        mac_print_colons(id->mac, out);
    }
}

/* Takes `Yealink ` or `Yealink-` off the front. */
static bool take_vendor(struct slice *text)
{
    static const struct slice vendor = TEXT("yealink");
    struct slice rest = slice_from(*text, vendor.len);
    if (!slice_starts_nocase(*text, vendor))
        return false;
    if (rest.len && rest.ptr[0] != ' ' && rest.ptr[0] != '-')
        return false;
    *text = slice_trim(slice_from(rest, 1));
    return true;
}

/* The firmware and the MAC, each where it first stands; what comes before either is the product, which may
 * itself hold a blank (`SIP VP-T49G`). */
static struct slice read_words(struct slice text, struct user_agent *agent)
{
    struct slice rest = text, product = text, word;
    while (slice_cut(&rest, ' ', &word)) {
        bool is_firmware = !agent->has_firmware && firmware_parse(word, &agent->firmware);
        bool is_mac = !agent->has_mac && mac_parse(word, &agent->mac);
        if ((is_firmware || is_mac) && !agent->has_firmware && !agent->has_mac)
            product = slice_first(text, (size_t)(word.ptr - text.ptr));
        agent->has_firmware = agent->has_firmware || is_firmware;
        agent->has_mac = agent->has_mac || is_mac;
    }
    return slice_trim(product);
}

struct user_agent user_agent_parse(struct slice text)
{
    struct user_agent agent = { 0 };
    text = slice_trim(slice_first(text, USER_AGENT_BYTES_MAX));
    bool has_vendor = take_vendor(&text);
    agent.model = model_find(read_words(text, &agent));
    agent.is_phone = has_vendor || (agent.model && agent.has_firmware);
    return agent;
}
