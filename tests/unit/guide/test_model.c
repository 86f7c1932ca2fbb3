#include "tests/unit/test.h"

#include "guide/model.h"

/* The tables of the guide once more, typed from it by hand and in its own order, not from model.def. */

/* "Supported Phones": product, boot file, exclude mode. */
static const struct {
    const char *product;
    unsigned boot, exclude;
} supported[] = {
    { "VP59", 83, 83 },       { "SIP-T58A", 80, 83 },    { "SIP-T33P", 85, 85 },   { "SIP-T33G", 85, 85 },
    { "SIP-T31P", 85, 85 },   { "SIP-T31G", 85, 85 },    { "SIP-T31", 85, 85 },    { "SIP-T30P", 85, 85 },
    { "SIP-T30", 85, 85 },    { "SIP-T57W", 84, 84 },    { "SIP-T54W", 84, 84 },   { "SIP-T53W", 84, 84 },
    { "SIP-T53", 84, 84 },    { "SIP-T48U", 84, 84 },    { "SIP-T46U", 84, 84 },   { "SIP-T43U", 84, 84 },
    { "SIP-T42U", 84, 84 },   { "SIP-T48G", 81, 83 },    { "SIP-T48S", 81, 83 },   { "SIP-T46G", 81, 83 },
    { "SIP-T46S", 81, 83 },   { "SIP-T42G", 81, 83 },    { "SIP-T42S", 81, 83 },   { "SIP-T41P", 81, 83 },
    { "SIP-T41S", 81, 83 },   { "SIP-T40P", 81, 83 },    { "SIP-T40G", 81, 83 },   { "SIP-T29G", 81, 83 },
    { "SIP-T27G", 81, 83 },   { "SIP-T23P", 81, 83 },    { "SIP-T23G", 81, 83 },   { "SIP-T21P E2", 81, 83 },
    { "SIP-T21 E2", 81, 83 }, { "SIP-T19P E2", 81, 83 }, { "SIP-T19 E2", 81, 83 }, { "CP860", 81, 0 },
    { "CP960", 80, 83 },      { "CP920", 81, 0 },        { "W90", 85, 0 },         { "W60P", 81, 0 },
    { "W53P", 83, 0 },        { "CP930W-Base", 83, 0 },  { "W52P", 81, 0 },        { "W56P", 81, 0 },
};

/* "Editing Common CFG File". */
static const struct {
    const char *product;
    unsigned number;
} common_cfg[] = {
    { "CP960", 73 },       { "VP59", 91 },        { "SIP-T58A", 58 },    { "SIP-T57W", 97 },
    { "SIP-T54W", 96 },    { "SIP-T53W", 95 },    { "SIP-T53", 95 },     { "SIP-T48U", 109 },
    { "SIP-T46U", 108 },   { "SIP-T43U", 107 },   { "SIP-T42U", 116 },   { "SIP-T48S", 65 },
    { "SIP-T46S", 66 },    { "SIP-T42S", 67 },    { "SIP-T41S", 68 },    { "SIP-T48G", 35 },
    { "SIP-T46G", 28 },    { "SIP-T42G", 29 },    { "SIP-T41P", 36 },    { "SIP-T40P", 54 },
    { "SIP-T40G", 76 },    { "SIP-T33P", 124 },   { "SIP-T33G", 124 },   { "SIP-T31P", 123 },
    { "SIP-T31G", 123 },   { "SIP-T31", 123 },    { "SIP-T30P", 127 },   { "SIP-T30", 127 },
    { "SIP-T29G", 46 },    { "SIP-T27G", 69 },    { "SIP-T23P", 44 },    { "SIP-T23G", 44 },
    { "SIP-T21P E2", 52 }, { "SIP-T21 E2", 52 },  { "SIP-T19P E2", 53 }, { "SIP-T19 E2", 53 },
    { "CP860", 37 },       { "CP920", 78 },       { "W90", 103 },        { "W53P", 77 },
    { "W60P", 77 },        { "CP930W-Base", 77 }, { "W52P", 25 },        { "W56P", 25 },
};

/* The accounts paragraph of "Editing MAC-Oriented CFG File", with T31* at 2 and T33* at 4 (see model.def). */
static const struct {
    unsigned accounts;
    const char *products;
} accounts[] = {
    { 16, "VP59,SIP-T58A,SIP-T57W,SIP-T54W,SIP-T48U,SIP-T48G,SIP-T48S,SIP-T46U,SIP-T46G,SIP-T46S,SIP-T29G" },
    { 12, "SIP-T53W,SIP-T53,SIP-T43U,SIP-T42G,SIP-T42S" },
    { 250, "W90" },
    { 8, "W53P,W60P" },
    { 1, "CP930W-Base" },
    { 6, "SIP-T42U,SIP-T41P,SIP-T41S,SIP-T27G" },
    { 5, "W52P,W56P" },
    { 4, "SIP-T33P,SIP-T33G" },
    { 3, "SIP-T40P,SIP-T40G,SIP-T23P,SIP-T23G" },
    { 2, "SIP-T31P,SIP-T31G,SIP-T31,SIP-T21P E2,SIP-T21 E2" },
    { 1, "CP960,CP920,CP860,SIP-T19P E2,SIP-T19 E2,SIP-T30P,SIP-T30" },
};

/* The valid $MODEL names, as the guide lists them three times. */
static const char valid_names[] =
    "VP59, T58, CP960, T57W, T54W, T53W, T53, T48U, T48S, T48G, T46U, T46S, T46G, T43U, "
    "T42U, T42S, T42G, T41P, T41S, T40P, T40G, T33P, T33G, T31P, T31G, T31, T30P, T30, "
    "T29G, T27G, T23P, T23G, T21P_E2, T19P_E2, CP920";

enum { GUIDE_PRODUCTS = 44 };

static const struct model *need(const char *product)
{
    const struct model *m = model_find(slice_str(product));
    if (!m)
        fail_msg("%s is unknown", product);
    assert_slice(m->product, product);
    return m;
}

static bool is_in(const char *list, struct slice product)
{
    struct slice rest = slice_str(list), item;
    while (slice_cut(&rest, ',', &item))
        if (slice_eq(slice_trim(item), product))
            return true;
    return false;
}

static void every_supported_phone_has_its_minima(void **state)
{
    (void)state;
    assert_int_equal(sizeof supported / sizeof *supported, GUIDE_PRODUCTS);
    for (size_t i = 0; i < GUIDE_PRODUCTS; i++) {
        const struct model *m = need(supported[i].product);
        assert_int_equal(m->boot_generation, supported[i].boot);
        assert_int_equal(m->exclude_generation, supported[i].exclude);
        assert_false(m->beyond_guide);
    }
}

static void every_product_has_its_common_cfg(void **state)
{
    (void)state;
    assert_int_equal(sizeof common_cfg / sizeof *common_cfg, GUIDE_PRODUCTS);
    for (size_t i = 0; i < GUIDE_PRODUCTS; i++)
        assert_int_equal(need(common_cfg[i].product)->common_cfg, common_cfg[i].number);
}

static void every_product_has_its_accounts(void **state)
{
    (void)state;
    size_t count = 0;
    for (size_t i = 0; i < sizeof accounts / sizeof *accounts; i++) {
        struct slice rest = slice_str(accounts[i].products), product;
        for (; slice_cut(&rest, ',', &product); count++) {
            const struct model *m = model_find(product);
            assert_non_null(m);
            assert_true(slice_eq(m->product, product));
            assert_int_equal(m->accounts, accounts[i].accounts);
        }
    }
    assert_int_equal(count, GUIDE_PRODUCTS);
}

static void the_data_file_holds_no_other_product_of_the_guide(void **state)
{
    (void)state;
    size_t count, of_the_guide = 0;
    const struct model *all = model_all(&count);
    for (size_t i = 0; i < count; i++) {
        of_the_guide += !all[i].beyond_guide;
        for (size_t k = 0; k < i; k++)
            assert_false(slice_eq_nocase(all[i].product, all[k].product));
    }
    assert_int_equal(of_the_guide, GUIDE_PRODUCTS);
}

static void every_valid_name_finds_a_phone_that_answers_to_it(void **state)
{
    (void)state;
    struct slice rest = slice_str(valid_names), name;
    while (slice_cut(&rest, ',', &name)) {
        const struct model *m = model_find(slice_trim(name));
        assert_non_null(m);
        assert_true(model_answers_to(m, slice_trim(name)));
        assert_int_not_equal(m->prefix_generation, 0);
    }
}

static void the_guides_phones_have_valid_names_only(void **state)
{
    (void)state;
    size_t count;
    const struct model *all = model_all(&count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].beyond_guide || all[i].name.len == 0)
            continue;
        assert_true(is_in(valid_names, all[i].name));
    }
}

static void the_exceptions_are_the_guides(void **state)
{
    (void)state;
    static const char no_zero_touch[] = "W52P,W53P,W56P,W60P,CP930W-Base,W90";
    static const char no_softkeys[] = "CP960,W52P,W53P,W56P,W60P,CP930W-Base,W90";
    static const char no_dialing[] = "VP59,SIP-T58A,SIP-T57W,SIP-T48U,SIP-T48G,SIP-T48S";
    static const char no_saver[] = "VP59,SIP-T58A,CP960,W52P,W53P,W56P,W60P,CP930W-Base,W90";
    static const char nameless[] = "CP860,W52P,W53P,W56P,W60P,CP930W-Base,W90";
    static const char no_prefix[] = "W52P,W53P,W56P,W60P,CP930W-Base,W90";
    size_t count;
    const struct model *all = model_all(&count);
    for (size_t i = 0; i < count; i++) {
        const struct model *m = &all[i];
        if (m->beyond_guide)
            continue;
        bool softkeys = !is_in(no_softkeys, m->product);
        assert_int_equal(m->zero_touch, !is_in(no_zero_touch, m->product));
        assert_int_equal(m->softkey_layout, softkeys);
        assert_int_equal(m->softkey_dialing, softkeys && !is_in(no_dialing, m->product));
        assert_int_equal(m->screen_saver, !is_in(no_saver, m->product));
        assert_int_equal(m->name.len == 0, is_in(nameless, m->product));
        assert_int_equal(m->prefix_generation == 0, is_in(no_prefix, m->product));
        assert_true(m->prefix_generation == 0 || m->prefix_generation >= 83);
        assert_true(m->prefix_generation == 0 || m->prefix_generation >= m->boot_generation);
    }
}

static void phones_beyond_the_guide_have_the_numbers_of_the_facts(void **state)
{
    (void)state;
    static const struct {
        const char *product;
        unsigned number;
    } newer[] = {
        { "AX83H", 180 },    { "AX86R", 182 },    { "CP925", 148 },    { "CP965", 143 },    { "SIP-T20P", 7 },
        { "SIP-T22P", 5 },   { "SIP-T26P", 4 },   { "SIP-T27P", 45 },  { "SIP-T28P", 0 },   { "SIP-T32G", 32 },
        { "SIP-T38G", 38 },  { "SIP-T31W", 172 }, { "SIP-T34W", 171 }, { "SIP-T44W", 174 }, { "SIP-T49G", 51 },
        { "SIP-T52S", 74 },  { "SIP-T54S", 70 },  { "SIP-T56A", 56 },  { "SIP-T58W", 150 }, { "SIP-T73U", 186 },
        { "SIP-T73W", 183 }, { "SIP-T74U", 187 }, { "SIP-T74W", 184 }, { "SIP-T77U", 188 }, { "SIP-T85W", 196 },
        { "SIP-T87W", 197 }, { "SIP-T88V", 192 }, { "SIP-T88W", 192 }, { "VP530", 23 },     { "W70B", 146 },
        { "W80", 175 },
    };
    size_t count;
    model_all(&count);
    assert_int_equal(count, GUIDE_PRODUCTS + sizeof newer / sizeof *newer);
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++) {
        const struct model *m = need(newer[i].product);
        assert_int_equal(m->common_cfg, newer[i].number);
        assert_true(m->beyond_guide);
    }
}

static void names_are_found_however_they_are_spelt(void **state)
{
    (void)state;
    static const struct {
        const char *spelling, *product;
    } found[] = {
        { "T46S", "SIP-T46S" },           { "sip-t46s", "SIP-T46S" },   { "T58", "SIP-T58A" },
        { "T58A", "SIP-T58A" },           { "T21P_E2", "SIP-T21P E2" }, { "SIP-T21P_E2", "SIP-T21P E2" },
        { "t21p e2", "SIP-T21P E2" },     { "T21 E2", "SIP-T21 E2" },   { "SIP-T21_E2", "SIP-T21 E2" },
        { "T19P_E2", "SIP-T19P E2" },     { "SIP-CP920", "CP920" },     { "W60B", "W60P" },
        { "SIP VP-T49G", "SIP-T49G" },    { "VP530P", "VP530" },        { "cp930w", "CP930W-Base" },
        { "CP930W-Base", "CP930W-Base" }, { "SIP-VP59", "VP59" },       { "W80B", "W80" },
    };
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        const struct model *m = model_find(slice_str(found[i].spelling));
        assert_non_null(m);
        assert_slice(m->product, found[i].product);
    }
}

static void hostile_names_find_nothing(void **state)
{
    (void)state;
    static const struct slice bad[] = {
        SLICE_NONE,     SLICE(""),      SLICE("SIP-"), SLICE("SIP-SIP-T46S"), SLICE("T46S\0"),
        SLICE("T4\0S"), SLICE(" T46S"), SLICE("T46"),  SLICE("T46SX"),        SLICE("W80B W80DM")
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_null(model_find(bad[i]));
    size_t len = (size_t)1 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'T', len);
    assert_null(model_find(slice_of(text, len)));
    free(text);
}

static void both_t21_models_answer_to_one_name_and_nobody_to_none(void **state)
{
    (void)state;
    assert_true(model_answers_to(need("SIP-T21P E2"), SLICE("T21P_E2")));
    assert_true(model_answers_to(need("SIP-T21 E2"), SLICE("T21P_E2")));
    assert_true(model_answers_to(need("SIP-T19 E2"), SLICE("T19P_E2")));
    assert_true(model_answers_to(need("SIP-T58A"), SLICE("T58")));
    assert_false(model_answers_to(need("SIP-T58A"), SLICE("T58A")));
    assert_false(model_answers_to(need("SIP-T46S"), SLICE("T46")));
    assert_false(model_answers_to(need("SIP-T46S"), SLICE("t46s")));
    assert_false(model_answers_to(need("CP860"), SLICE("")));
    assert_false(model_answers_to(need("CP860"), SLICE("CP860")));
}

static void the_short_name_is_what_pn_says_at_the_factory(void **state)
{
    (void)state;
    assert_slice(model_short_name(need("SIP-T42G")), "T42G");
    assert_slice(model_short_name(need("SIP-T46G")), "T46G");
    assert_slice(model_short_name(need("SIP-T20P")), "T20P");
    assert_slice(model_short_name(need("W60P")), "W60P");
}

static void phones_that_share_a_common_cfg_come_one_after_the_other(void **state)
{
    (void)state;
    const struct model *m = model_by_common_cfg(77, NULL);
    assert_slice(m->product, "W60P");
    m = model_by_common_cfg(77, m);
    assert_slice(m->product, "W53P");
    m = model_by_common_cfg(77, m);
    assert_slice(m->product, "CP930W-Base");
    assert_null(model_by_common_cfg(77, m));
    assert_null(model_by_common_cfg(1, NULL));
    assert_null(model_by_common_cfg(UINT64_MAX, NULL));
    assert_null(model_by_common_cfg((UINT64_C(1) << 32) + 77, NULL));
}

static void firmware_is_four_fields_or_more(void **state)
{
    (void)state;
    struct firmware f;
    char bytes[32];
    assert_true(firmware_parse(SLICE("66.84.0.15"), &f));
    assert_int_equal(firmware_generation(f), 84);
    struct buf out = BUF_ON(bytes);
    firmware_print(f, &out);
    assert_slice(buf_slice(&out), "66.84.0.15");
    assert_true(firmware_parse(SLICE("28.1.0.128.0.0.0"), &f));
    assert_int_equal(f.field[3], 128);
    static const struct slice bad[] = { SLICE_NONE,           SLICE("66.84.0"),     SLICE("66.84.0."),
                                        SLICE("66.84.0.15."), SLICE(".66.84.0.15"), SLICE("66..84.0.15"),
                                        SLICE("66.84.0.x"),   SLICE("66.84.0.-1"),  SLICE("65536.84.0.15"),
                                        SLICE("6.84.0.15\0"), SLICE("66.84.0.15 "), SLICE("1.2.3.4.65536") };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(firmware_parse(bad[i], &f));
    assert_int_equal(f.field[3], 128);
}

static struct identity phone(const char *product, const char *firmware)
{
    struct identity id = { .mac = { { 0x00, 0x15, 0x65, 0x4a, 0xa9, 0x37 } }, .model = need(product) };
    assert_true(firmware_parse(slice_str(firmware), &id.firmware));
    return id;
}

static void the_generation_decides_what_a_phone_understands(void **state)
{
    (void)state;
    struct identity id = phone("SIP-T46S", "66.80.0.1");
    assert_false(identity_reads_boot_files(&id));
    id = phone("SIP-T46S", "66.82.0.1");
    assert_true(identity_reads_boot_files(&id));
    assert_false(identity_has_exclude_mode(&id) || identity_reads_prefixes(&id));
    id = phone("SIP-T46S", "66.83.0.1");
    assert_true(identity_has_exclude_mode(&id) && identity_reads_prefixes(&id));
    id = phone("W60P", "77.85.0.1");
    assert_true(identity_reads_boot_files(&id));
    assert_false(identity_has_exclude_mode(&id) || identity_reads_prefixes(&id));
    id = phone("CP920", "78.84.0.1");
    assert_true(identity_reads_prefixes(&id));
    assert_false(identity_has_exclude_mode(&id));
    id = phone("SIP-T28P", "2.73.0.50");
    assert_false(identity_reads_boot_files(&id));
    id.model = NULL;
    assert_false(identity_reads_boot_files(&id) || identity_has_exclude_mode(&id) ||
                 identity_reads_prefixes(&id));
}

static void a_user_agent_reads_as_the_guides_phones_write_it(void **state)
{
    (void)state;
    struct identity id = phone("SIP-T46G", "28.72.0.1");
    char bytes[128];
    struct buf out = BUF_ON(bytes);
    identity_print_user_agent(&id, true, &out);
    assert_slice(buf_slice(&out), "Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37");
    out = BUF_ON(bytes);
    identity_print_user_agent(&id, false, &out);
    assert_slice(buf_slice(&out), "Yealink SIP-T46G 28.72.0.1");
}

static void what_every_model_says_of_itself_is_understood(void **state)
{
    (void)state;
    size_t count;
    const struct model *all = model_all(&count);
    for (size_t i = 0; i < count; i++) {
        struct identity id = phone("SIP-T46G", "28.72.0.1");
        id.model = &all[i];
        char bytes[128];
        struct buf out = BUF_ON(bytes);
        identity_print_user_agent(&id, true, &out);
        struct user_agent agent = user_agent_parse(buf_slice(&out));
        assert_true(agent.is_phone && agent.has_firmware && agent.has_mac);
        assert_ptr_equal(agent.model, &all[i]);
        assert_true(mac_eq(agent.mac, id.mac));
        assert_int_equal(firmware_generation(agent.firmware), 72);
    }
}

static void every_odd_user_agent_of_the_facts_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *product, *firmware, *mac;
    } agents[] = {
        { "Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37", "SIP-T46G", "28.72.0.1", "0015654aa937" },
        { "yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37", "SIP-T46G", "28.72.0.1", "0015654aa937" },
        { "Yealink SIP-T38G  38.70.0.125 00:15:65:31:4b:c0", "SIP-T38G", "38.70.0.125", "001565314bc0" },
        { "Yealink W60B 77.81.0.35 80:5e:c0:09:ab:dc", "W60P", "77.81.0.35", "805ec009abdc" },
        { "Yealink CP960 73.80.0.35 00:15:65:b7:62:73", "CP960", "73.80.0.35", "001565b76273" },
        { "Yealink SIP-CP920 78.81.0.15 00:15:65:d8:e8:04", "CP920", "78.81.0.15", "001565d8e804" },
        { "Yealink SIP VP-T49G 51.80.0.75 00:15:65:8a:37:86", "SIP-T49G", "51.80.0.75", "0015658a3786" },
        { "W52P 25.30.0.2 00:15:65:40:ae:35", "W52P", "25.30.0.2", "00156540ae35" },
        { "VP530P 23.70.0.40 00:15:65:31:4b:c1", "VP530", "23.70.0.40", "001565314bc1" },
        { "Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0", "SIP-T46G", "28.71.0.81", NULL },
        { "Yealink SIP-T56A  58.80.0.25 001565f429a4", "SIP-T56A", "58.80.0.25", "001565f429a4" },
        { "Yealink SIP-T46G 28.72.0.1", "SIP-T46G", "28.72.0.1", NULL },
        { "Yealink SIP-T46G", "SIP-T46G", NULL, NULL },
        { "Yealink SIP-T46G 00:15:65:4a:a9:37", "SIP-T46G", NULL, "0015654aa937" },
        { "Yealink SIP-T21P_E2 52.81.0.1 00:15:65:4a:a9:37", "SIP-T21P E2", "52.81.0.1", "0015654aa937" },
        { "  Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37  ", "SIP-T46G", "28.72.0.1", "0015654aa937" },
        { "Yealink SIP-T99Z 99.90.0.1 00:15:65:4a:a9:37", NULL, "99.90.0.1", "0015654aa937" },
        { "Yealink", NULL, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++) {
        struct user_agent a = user_agent_parse(slice_str(agents[i].text));
        struct mac mac;
        char bytes[32];
        struct buf out = BUF_ON(bytes);
        assert_true(a.is_phone);
        assert_slice(a.model ? a.model->product : SLICE_NONE, agents[i].product);
        assert_int_equal(a.has_firmware, agents[i].firmware != NULL);
        assert_int_equal(a.has_mac, agents[i].mac != NULL);
        if (a.has_firmware)
            firmware_print(a.firmware, &out);
        assert_slice(buf_slice(&out), agents[i].firmware);
        assert_true(!a.has_mac || (mac_parse(slice_str(agents[i].mac), &mac) && mac_eq(mac, a.mac)));
    }
}

static void other_programs_are_no_phones(void **state)
{
    (void)state;
    static const struct slice others[] = {
        SLICE_NONE,
        SLICE(""),
        SLICE("curl/7.88.1"),
        SLICE("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0"),
        SLICE("YealinkConfigTool 1.0"),
        SLICE("Fanvil X4 2.4.0.5 0c:38:3e:00:00:01"),
        SLICE("T46G"),
        SLICE("1.2.3.4 00:15:65:4a:a9:37"),
        SLICE("\0\0\0\0"),
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(user_agent_parse(others[i]).is_phone);
}

static void a_hostile_user_agent_is_cut_and_told_apart(void **state)
{
    (void)state;
    struct user_agent a = user_agent_parse(SLICE("Yealink SIP-T46G\0 28.72.0.1 00:15:65:4a:a9:37"));
    assert_true(a.is_phone && a.has_firmware && a.has_mac);
    assert_null(a.model);
    a = user_agent_parse(SLICE("Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37 1.1.1.1 001565000000"));
    assert_int_equal(firmware_generation(a.firmware), 72);
    assert_int_equal(a.mac.bytes[5], 0x37);
    size_t len = (size_t)1 << 20;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, ' ', len);
    memcpy(text, "Yealink SIP-T46G", 16);
    memcpy(text + len - 12, "001565000000", 12);
    a = user_agent_parse(slice_of(text, len));
    assert_true(a.is_phone && !a.has_mac);
    assert_slice(a.model->product, "SIP-T46G");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_supported_phone_has_its_minima),
        cmocka_unit_test(every_product_has_its_common_cfg),
        cmocka_unit_test(every_product_has_its_accounts),
        cmocka_unit_test(the_data_file_holds_no_other_product_of_the_guide),
        cmocka_unit_test(every_valid_name_finds_a_phone_that_answers_to_it),
        cmocka_unit_test(the_guides_phones_have_valid_names_only),
        cmocka_unit_test(the_exceptions_are_the_guides),
        cmocka_unit_test(phones_beyond_the_guide_have_the_numbers_of_the_facts),
        cmocka_unit_test(names_are_found_however_they_are_spelt),
        cmocka_unit_test(hostile_names_find_nothing),
        cmocka_unit_test(both_t21_models_answer_to_one_name_and_nobody_to_none),
        cmocka_unit_test(the_short_name_is_what_pn_says_at_the_factory),
        cmocka_unit_test(phones_that_share_a_common_cfg_come_one_after_the_other),
        cmocka_unit_test(firmware_is_four_fields_or_more),
        cmocka_unit_test(the_generation_decides_what_a_phone_understands),
        cmocka_unit_test(a_user_agent_reads_as_the_guides_phones_write_it),
        cmocka_unit_test(what_every_model_says_of_itself_is_understood),
        cmocka_unit_test(every_odd_user_agent_of_the_facts_is_read),
        cmocka_unit_test(other_programs_are_no_phones),
        cmocka_unit_test(a_hostile_user_agent_is_cut_and_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
