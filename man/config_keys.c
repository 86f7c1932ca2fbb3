/* Puts the daemon's configuration keys into a manual page: reads scdoc text on standard input, writes it on
 * standard output with the line @KEYS@ replaced by one entry for each row of config_keys(). Runs on the
 * machine that builds. Exit 1 when there is no such line, or when reading or writing fails. */
#include "server/config.h"

#include <ctype.h>
#include <stdio.h>

#define MARK SLICE("@KEYS@\n")
/* A page is some ten kilobytes. */
#define PAGE_BYTES ((size_t)256 * 1024)

/* What scdoc takes for a mark goes behind a backslash. */
static void put_text(const char *text)
{
    for (; *text; text++) {
        if (strchr("\\*_<>`", *text))
            putchar('\\');
        putchar(*text);
    }
}

static void put_values(const struct config_key *k)
{
    switch (k->type) {
    case CONFIG_TEXT:
        printf("text of %u to %u bytes", k->min, k->max);
        break;
    case CONFIG_CHOICE:
        printf("one of ");
        put_text(k->words);
        break;
    case CONFIG_ADDRESSES:
        printf("addresses, together at most %u bytes", k->max);
        break;
    case CONFIG_PORTS:
        printf("ports of %u to %u, at most %u of them", k->min, k->max, CONFIG_PORTS_MAX);
        break;
    case CONFIG_NUMBER:
        printf("%u to %u", k->min, k->max);
        break;
    case CONFIG_SWITCH:
        printf("0 or 1");
        break;
    case CONFIG_PREFIX:
        printf("a path of at most %u bytes", k->max);
        break;
    case CONFIG_TARGET:
        printf("a path or a URL of at most %u bytes", k->max);
        break;
    case CONFIG_USERS:
        printf("user names, together at most %u bytes", k->max);
        break;
    case CONFIG_NETWORKS:
        printf("networks and addresses, together at most %u bytes", k->max);
        break;
    case CONFIG_URL:
        printf("a URL of at most %u bytes", k->max);
        break;
    case CONFIG_MACS:
        printf("beginnings of MAC addresses, together at most %u bytes", k->max);
        break;
    case CONFIG_SOME:
        printf("some of ");
        put_text(k->words);
        break;
    case CONFIG_HASH:
        printf("one line of *dialtone passwd*");
        break;
    }
}

static void put_key(const struct config_key *k)
{
    printf("*");
    put_text(k->key);
    printf("*\n\t%c", toupper((unsigned char)k->description[0]));
    put_text(k->description + 1);
    printf(".++\nValues: ");
    put_values(k);
    printf(". Default: ");
    const char *value = k->unset ? k->unset : k->default_value ? k->default_value : "none";
    put_text(value[0] ? value : "blank");
    printf(". %s.\n\n", k->live ? "SIGHUP applies it" : "A change takes effect after a restart");
}

static void put_page(struct slice page, size_t mark)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);
    fwrite(page.ptr, 1, mark, stdout);
    for (size_t i = 0; i < count; i++)
        put_key(&keys[i]);
    struct slice rest = slice_from(page, mark + MARK.len);
    fwrite(rest.ptr, 1, rest.len, stdout);
}

int main(void)
{
    static char bytes[PAGE_BYTES];
    struct slice page = slice_of(bytes, fread(bytes, 1, sizeof bytes, stdin));
    size_t mark = slice_find_text(page, MARK);
    if (ferror(stdin) || page.len == sizeof bytes || mark == page.len) {
        fprintf(stderr, "config_keys: no line @KEYS@ in the page, or it cannot be read\n");
        return 1;
    }
    put_page(page, mark);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
