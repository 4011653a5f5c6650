/* Writing HTML: markup in the format, everything inserted is escaped. */
#ifndef DAEMON_HTTP_HTML_H
#define DAEMON_HTTP_HTML_H

#include <stdio.h>

#include <quobyte-mesos/base.h>

/**
 * html_put() - markup with %s (escaped; control characters and broken UTF-8 become "?"), %zu, %llu.
 * No other conversions.
 */
void html_put(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** html_words() - "IN_PROGRESS" as "in progress", into buffer; returns it. */
const char *html_words(const char *name, char *buffer, size_t size);

/** html_duration() - "3 min 20 s", rounded to two units; into buffer; returns it. */
const char *html_duration(qm_duration duration, char *buffer, size_t size);

/** html_ago() - the same for a moment before now: "3 min 20 s", "never". */
const char *html_ago(qm_time now, qm_time then, char *buffer, size_t size);

#endif
