/*
 * The daemon's only printer: one line an event on stderr, with time and level.
 * Never pass secrets; strings from outside are cleaned of control characters.
 */
#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/** log_set_level() - lines of a higher number are not printed. */
void log_set_level(enum log_level level);

/** log_level_from_name() - "error", "warning", "info", "debug"; -1 for anything else. */
int log_level_from_name(const char *name);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
