#include "base/log.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* Longer than any URL or path that a line may quote, escaped. */
#define LINE_BYTES 4096

static atomic_int threshold = LOG_INFO;
static atomic_int target = 2;

void log_setup(enum log_level level, int fd)
{
    atomic_store(&threshold, (int)level);
    atomic_store(&target, fd);
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    if ((int)level > atomic_load(&threshold))
        return;
    char text[LINE_BYTES / 2], line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);

    struct buf out = buf_on(line, sizeof line - 1);
    buf_format(&out, "dialtone: %s: ", names[level]);
    buf_escaped(&out, slice_str(text));
    line[out.len++] = '\n';
    ssize_t ignored = write(atomic_load(&target), line, out.len);
    (void)ignored;
}
