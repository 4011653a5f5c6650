/* One line an event on stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

static enum log_level most_talkative = LOG_LEVEL_INFO;

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_set_level(enum log_level level)
{
    most_talkative = level;
}

int log_level_from_name(const char *name)
{
    for (int i = 0; i < 4; i++)
        if (strcmp(name, level_names[i]) == 0)
            return i;
    return -1;
}

/* Bytes from outside may not forge further lines or drive the terminal. */
static void clean(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[2048];
    struct timespec now;
    struct tm utc;
    size_t used;
    va_list args;

    if (level > most_talkative)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    used = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &utc);
    used += (size_t)snprintf(line + used, sizeof(line) - used, ".%03ldZ %-7s ",
                             now.tv_nsec / 1000000, level_names[level]);
    va_start(args, format);
    int n = vsnprintf(line + used, sizeof(line) - used - 1, format, args);
    va_end(args);
    if (n > 0)
        used += (size_t)n < sizeof(line) - used - 1 ? (size_t)n : sizeof(line) - used - 2;
    clean(line, used);
    line[used++] = '\n';
    /* One write, so that lines of several processes do not mix; nothing to be done if it fails. */
    if (write(STDERR_FILENO, line, used) < 0)
        return;
}
