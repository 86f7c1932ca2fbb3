/* Provisioning runs (guide/procedure.h) from a script that the input spells, a section for each line with `@`:
 *
 *     @phone T46S 66.84.0.15      who asks
 *     @server http://h/$PN        the server URL
 *     @flash                      followed by what the flash holds
 *     @call 3                     so many looks find a call
 *     @pin A31                    what the user enters; up to four
 *     @memory 5000                the arena's ceiling
 *     @got a.cfg                  followed by the content; also @absent, @failed, @refused, @outside, @second (fails once)
 *
 * It ends within a bound, the report is complete, a run that does not apply leaves what was, and what it puts into
 * flash reads back the same. Then a second run over that flash. */
#include "fuzz.h"

#include "tests/guide_script.h"

static struct arena arena;
static struct memory before;

static void take_phone(struct script *s, struct slice text)
{
    struct slice name;
    struct firmware firmware;
    if (!slice_cut(&text, ' ', &name) || !firmware_parse(slice_trim(text), &firmware) || !model_find(name))
        return;
    s->id.model = model_find(name);
    s->id.firmware = firmware;
}

static void take_file(struct script *s, enum fetch_outcome outcome, struct slice name, struct slice content, unsigned fails)
{
    if (s->file_count < SCRIPT_FILES_MAX)
        s->files[s->file_count++] = (struct script_file){ name, outcome, content, fails };
}

static void take_number(struct script *s, struct slice word, struct slice text)
{
    uint64_t number;
    if (!slice_u64(slice_trim(text), 0, 1 << 20, &number))
        return;
    if (slice_eq(word, SLICE("call")))
        s->call_looks = (unsigned)number;
    else
        arena.limit = number;
}

static void take_section(struct script *s, struct slice section)
{
    struct slice head = SLICE_NONE, word = SLICE_NONE;
    slice_cut(&section, '\n', &head);
    slice_cut(&head, ' ', &word);
    if (slice_eq(word, SLICE("phone")))
        take_phone(s, head);
    else if (slice_eq(word, SLICE("server")))
        s->server = slice_trim(head);
    else if (slice_eq(word, SLICE("flash")))
        s->flash = section;
    else if (slice_eq(word, SLICE("pin")) && s->pin_count < SCRIPT_PINS_MAX)
        s->pins[s->pin_count++] = head;
    else if (slice_eq(word, SLICE("got")))
        take_file(s, FETCH_GOT, head, section, 0);
    else if (slice_eq(word, SLICE("second")))
        take_file(s, FETCH_GOT, head, section, 1);
    else if (slice_eq(word, SLICE("absent")))
        take_file(s, FETCH_ABSENT, head, section, 0);
    else if (slice_eq(word, SLICE("failed")))
        take_file(s, FETCH_FAILED, head, section, 0);
    else if (slice_eq(word, SLICE("refused")))
        take_file(s, FETCH_REFUSED, head, section, 0);
    else if (slice_eq(word, SLICE("outside")))
        take_file(s, FETCH_OUTSIDE, head, section, 0);
    else if (slice_eq(word, SLICE("call")) || slice_eq(word, SLICE("memory")))
        take_number(s, word, head);
}

static void read_script(struct script *s, struct slice text)
{
    while (text.len) {
        size_t end = slice_find_text(text, SLICE("\n@"));
        take_section(s, slice_from(slice_first(text, end), text.ptr[0] == '@'));
        text = slice_from(text, end + 1);
    }
}

static bool same_settings(const struct settings *a, const struct settings *b)
{
    const struct setting *const *left, *const *right;
    struct arena own;
    arena_init(&own, SIZE_MAX);
    MUST(settings_sorted(a, &own, &left) && settings_sorted(b, &own, &right));
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++)
        same = slice_eq(left[i]->id, right[i]->id) && slice_eq(left[i]->value, right[i]->value);
    arena_free(&own);
    return same;
}

static void check_unapplied(const struct report *r)
{
    struct arena own;
    struct settings was;
    arena_init(&own, SIZE_MAX);
    settings_init(&was, &own);
    MUST(settings_overlay(&was, &before.central, &before.personal));
    MUST(same_settings(&was, &r->effective));
    MUST(r->change.count == 0 && r->applied == 0 && !r->reboot && r->why.len);
    settings_free(&was);
    arena_free(&own);
}

static void check_report(const struct report *r)
{
    bool no_memory = slice_eq(r->why, SLICE("out of memory"));
    MUST(r->outcome != RUN_GOING && r->server.ptr);
    MUST(r->outcome == RUN_FAILED || (mechanism_name(r->mechanism) && r->files && !no_memory));
    for (const struct report_file *f = r->files; f; f = f->next) {
        MUST(f->outcome != FILE_ASKED || no_memory);
        MUST(f->url.len && (f->next || f == r->last_file));
        MUST(f->outcome != FILE_USED || f->md5.len == 32 || no_memory);
        MUST((f->outcome != FILE_FAILED && f->outcome != FILE_REFUSED) || f->why.len);
    }
    for (const struct report_resource *f = r->resources; f; f = f->next)
        MUST(f->outcome != FILE_ASKED || no_memory);
    for (size_t i = 1; i < r->change.count; i++)
        MUST(slice_compare(r->change.keys[i - 1], r->change.keys[i]) < 0);
    MUST(r->findings.lost == 0 || no_memory);
    if (r->outcome != RUN_PROVISIONED)
        check_unapplied(r);
}

static void check_kept(const struct memory *kept, const struct script *s)
{
    static char bytes[SCRIPT_FLASH_BYTES];
    struct buf out = BUF_ON(bytes);
    struct arena own;
    struct memory again;
    arena_init(&own, SIZE_MAX);
    memory_init(&again, &own);
    MUST(!memory_parse(&again, s->flash, s->id.mac, &own));
    MUST(memory_print(&again, s->id.mac, &own, &out));
    MUST(slice_eq(buf_slice(&out), s->flash));
    MUST(memory_same_files(kept, &again));
    MUST(same_settings(&kept->central, &again.central) && same_settings(&kept->personal, &again.personal));
    memory_free(&again);
    arena_free(&own);
}

static bool step(struct script *s, struct procedure *p)
{
    static char bytes[1 << 16];
    struct buf out = BUF_ON(bytes);
    struct wish w = procedure_wish(p);
    bool goes_on = script_step(s, p, &out);
    MUST(w.kind != WISH_FETCH || (w.url.len && w.timeout_ms));
    MUST(w.kind != WISH_WAIT || w.wait_ms);
    if (w.kind == WISH_APPLY && procedure_report(p)->outcome != RUN_FAILED)
        check_kept(w.memory, s);
    return goes_on;
}

/* The run's own arena has the ceiling; flash is read before it counts. */
static void run(struct script *s, size_t size)
{
    size_t limit = arena.limit;
    arena.limit = SIZE_MAX;
    memory_init(&before, &arena);
    struct slice flash;
    MUST(arena_copy(&arena, s->flash, &flash));
    if (flash.len && memory_parse(&before, flash, s->id.mac, &arena)) {
        memory_free(&before);
        memory_init(&before, &arena);
    }
    struct procedure_start start = { .id = s->id, .server = s->server, .memory = &before, .keys = s->keys };
    arena.limit = limit == SIZE_MAX ? limit : arena.used + limit;
    struct procedure *p = procedure_new(&start, &arena);
    s->wishes = 0;
    /* Calls, then for every file and resource ten tries with their pauses. */
    s->wish_limit = 600 + 20 * (10 + size);
    while (p && step(s, p))
        ;
    MUST(s->wishes <= s->wish_limit);
    if (p) {
        MUST(procedure_wish(p).kind == WISH_DONE);
        check_report(procedure_report(p));
    }
    procedure_free(p);
    memory_free(&before);
    arena_free(&arena);
    arena.limit = limit;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct script s;
    memset(&s, 0, sizeof s);
    s.id.model = model_find(SLICE("T46S"));
    s.id.firmware = (struct firmware){ { 66, 84, 0, 15 } };
    s.id.mac = (struct mac){ { 0x00, 0x15, 0x65, 0x74, 0xb1, 0x50 } };
    s.server = SLICE("http://h/");
    arena_init(&arena, SIZE_MAX);
    read_script(&s, slice_of(data, size));
    run(&s, size);
    s.pins_used = 0;
    run(&s, size);
    return 0;
}
