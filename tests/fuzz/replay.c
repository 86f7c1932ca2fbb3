/* Runs a fuzz target without libFuzzer, as a test: every file of a corpus and a fixed number of seeded
 * mutations of it, the same ones in every run. Prints TAP, one line a file.
 *
 * Usage: replay_<target> CORPUS [MUTATIONS]
 *
 * Each file has a child process, so that one that dies is one failed line and the input it died of is kept
 * as found-<target>-<file> in the working directory. */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_BYTES_MAX ((size_t)64 << 10)
#define MUTATIONS 2000
/* Far above what the slowest target needs under valgrind; a target that loops ends here. */
#define SECONDS_A_FILE 120

/* The input being run, where the parent can see it after the child's death. */
struct current {
    size_t len;
    uint64_t mutation; /* 0: the file as it is */
    uint8_t bytes[INPUT_BYTES_MAX];
};

/* xorshift64: the same inputs on every machine. */
static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static size_t below(uint64_t *seed, size_t limit)
{
    return limit ? (size_t)(next_random(seed) % limit) : 0;
}

static uint8_t telling_byte(uint64_t *seed)
{
    static const uint8_t telling[] = { 0,   '\n', '\r', '\t', ' ', '"', '#', '%',  '.',  '/',  ':', '=',
                                       '?', '@',  '[',  ']',  '0', '9', 'a', 0x7f, 0x80, 0xef, 0xff };
    size_t pick = below(seed, 2 * sizeof telling);
    return pick < sizeof telling ? telling[pick] : (uint8_t)next_random(seed);
}

static void insert_copy(struct current *c, uint64_t *seed)
{
    size_t from = below(seed, c->len), to = below(seed, c->len + 1);
    size_t len = 1 + below(seed, c->len - from);
    if (len > c->len - from || len > INPUT_BYTES_MAX - c->len)
        return;
    uint8_t *copy = malloc(len);
    if (!copy)
        return;
    memcpy(copy, c->bytes + from, len);
    memmove(c->bytes + to + len, c->bytes + to, c->len - to);
    memcpy(c->bytes + to, copy, len);
    c->len += len;
    free(copy);
}

static void remove_some(struct current *c, uint64_t *seed)
{
    size_t from = below(seed, c->len);
    size_t len = below(seed, c->len - from + 1);
    memmove(c->bytes + from, c->bytes + from + len, c->len - from - len);
    c->len -= len;
}

static void insert_byte(struct current *c, uint64_t *seed)
{
    size_t at = below(seed, c->len + 1);
    if (c->len == INPUT_BYTES_MAX)
        return;
    memmove(c->bytes + at + 1, c->bytes + at, c->len - at);
    c->bytes[at] = telling_byte(seed);
    c->len++;
}

static void mutate(struct current *c, uint64_t *seed)
{
    for (size_t steps = 1 + below(seed, 4); steps > 0; steps--) {
        size_t kind = below(seed, 5);
        if (c->len == 0 || kind == 0)
            insert_byte(c, seed);
        else if (kind == 1)
            c->bytes[below(seed, c->len)] = telling_byte(seed);
        else if (kind == 2)
            c->bytes[below(seed, c->len)] ^= (uint8_t)(1u << below(seed, 8));
        else if (kind == 3)
            remove_some(c, seed);
        else
            insert_copy(c, seed);
    }
}

/* In memory of exactly its size, so that a sanitizer sees one byte too many being read. */
static void run_current(const struct current *c)
{
    uint8_t *input = malloc(c->len ? c->len : 1);
    if (!input)
        abort();
    memcpy(input, c->bytes, c->len);
    LLVMFuzzerTestOneInput(input, c->len);
    free(input);
}

static void run_file(struct current *c, uint64_t mutations)
{
    uint64_t seed = 0x5eed5eed5eed5eedULL;
    size_t len = c->len;
    uint8_t *original = malloc(len ? len : 1);
    if (!original)
        abort();
    memcpy(original, c->bytes, len);
    run_current(c);
    for (c->mutation = 1; c->mutation <= mutations; c->mutation++) {
        memcpy(c->bytes, original, len);
        c->len = len;
        mutate(c, &seed);
        run_current(c);
    }
    free(original);
}

/* The wait status of a child that ran the file and its mutations. */
static int run_in_child(struct current *c, uint64_t mutations)
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS_A_FILE);
        run_file(c, mutations);
        exit(EXIT_SUCCESS);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static bool load(const char *path, struct current *c)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    c->mutation = 0;
    c->len = fread(c->bytes, 1, sizeof c->bytes, file);
    bool whole = !ferror(file) && fgetc(file) == EOF;
    fclose(file);
    return whole;
}

static void keep_input(const struct current *c, const char *target, const char *name, int status)
{
    char path[512];
    snprintf(path, sizeof path, "found-%s-%s", target, name);
    FILE *file = fopen(path, "wb");
    bool kept = file && fwrite(c->bytes, 1, c->len, file) == c->len;
    if (file)
        kept = fclose(file) == 0 && kept;
    printf("# wait status 0x%x at mutation %llu, %zu bytes %s %s\n", (unsigned)status,
           (unsigned long long)c->mutation, c->len, kept ? "kept in" : "could not be kept in", path);
}

static int is_seed(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    uint64_t mutations = MUTATIONS;
    bool understood = argc == 2 || (argc == 3 && slice_u64(slice_str(argv[2]), 0, 1u << 30, &mutations));
    int count = understood ? scandir(argv[1], &entries, is_seed, alphasort) : -1;
    struct current *c = mmap(NULL, sizeof *c, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (count <= 0 || c == MAP_FAILED) {
        printf("Bail out! usage: replay CORPUS [MUTATIONS], and the corpus must hold a file\n");
        return EXIT_FAILURE;
    }
    int failed = 0;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], entries[i]->d_name);
        int status = load(path, c) ? run_in_child(c, mutations) : -1;
        printf("%sok %d - %s and %llu mutations of it\n", status ? "not " : "", i + 1, entries[i]->d_name,
               (unsigned long long)mutations);
        if (status)
            keep_input(c, strrchr(argv[1], '/') ? strrchr(argv[1], '/') + 1 : argv[1], entries[i]->d_name,
                       status);
        failed += status != 0;
        free(entries[i]);
    }
    free(entries);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
