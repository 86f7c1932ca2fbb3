/* dialtone models: the table of phones. */
#include "cli/verb.h"
#include "guide/model.h"

#include <jansson.h>
#include <stdio.h>

static void print_generation(unsigned generation)
{
    if (generation)
        printf("%8u", generation);
    else
        printf("%8s", "-");
}

static bool print_table(const struct model *models, size_t count)
{
    printf("%-14s %-9s %-18s %8s %8s %8s %8s  %s\n", "product", "$MODEL", "common CFG file", "boot", "exclude",
           "[MODEL]", "accounts", "exceptions");
    for (size_t i = 0; i < count; i++) {
        const struct model *m = &models[i];
        printf("%-14.*s %-9.*s y%012u.cfg ", SLICE_ARG(m->product), SLICE_ARG(m->name.len ? m->name : SLICE("-")),
               m->common_cfg);
        print_generation(m->boot_generation);
        printf(" ");
        print_generation(m->exclude_generation);
        printf(" ");
        print_generation(m->prefix_generation);
        printf(" %8u %s%s%s%s%s\n", m->accounts, m->zero_touch ? "" : " no-zero-touch",
               m->softkey_layout ? "" : " no-softkey-layout",
               m->softkey_layout && !m->softkey_dialing ? " no-Dialing.xml" : "",
               m->screen_saver ? "" : " no-screen-saver", m->beyond_guide ? " beyond-the-guide" : "");
    }
    return fflush(stdout) == 0;
}

static json_t *text(struct slice s)
{
    return json_stringn(s.ptr ? s.ptr : "", s.len);
}

static json_t *number_or_null(unsigned number)
{
    return number ? json_integer(number) : json_null();
}

static json_t *to_json(const struct model *m)
{
    return json_pack("{so so si so so so si sb sb sb sb sb}", "product", text(m->product), "model",
                     m->name.len ? text(m->name) : json_null(), "common_cfg", (int)m->common_cfg, "boot_files_from",
                     number_or_null(m->boot_generation), "exclude_mode_from", number_or_null(m->exclude_generation),
                     "prefixes_from", number_or_null(m->prefix_generation), "accounts", (int)m->accounts, "zero_touch",
                     m->zero_touch, "softkey_layout", m->softkey_layout, "softkey_dialing", m->softkey_dialing,
                     "screen_saver", m->screen_saver, "beyond_guide", m->beyond_guide);
}

static bool print_json(const struct model *models, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, to_json(&models[i]));
    bool done = list && json_dumpf(list, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF && fflush(stdout) == 0;
    json_decref(list);
    return done;
}

int verb_models(const struct verb *verb, int argc, char **argv)
{
    size_t count;
    const struct model *models = model_all(&count);
    bool json = argc == 2 && slice_eq(slice_str(argv[1]), SLICE("--json"));
    if (argc > 1 && !json)
        return verb_misused(verb, "only --json is understood");
    bool done = json ? print_json(models, count) : print_table(models, count);
    return done ? EXIT_DONE : EXIT_FAILED;
}
