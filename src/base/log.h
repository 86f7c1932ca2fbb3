/* Lines for the operator, on standard error (or another descriptor): one event, one line, one write().
 *
 * Text that came from outside must be passed through buf_escaped() or the %-arguments of log_line, which
 * escapes the finished line as a whole (security.md R29). Safe from any thread. A full disk or a closed pipe
 * loses the line, never the program. */
#ifndef DIALTONE_BASE_LOG_H
#define DIALTONE_BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/* Lines above `level` are dropped. The default is LOG_INFO on descriptor 2. */
void log_setup(enum log_level level, int fd);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
