/* Decimal numbers in thousandths, independent of the locale. */
#ifndef LIB_DECIMAL_H
#define LIB_DECIMAL_H

#include <quobyte-mesos/base.h>

/**
 * qm_decimal_parse() - digits, optionally a point and more digits; no sign, no exponent.
 * @text: moved behind the number; @max: highest whole part, at most UINT64_MAX / 1000 - 1
 * @milli: thousandths; what is finer is rounded up
 * Returns false when there is no such number; *text is unchanged then.
 */
bool qm_decimal_parse(const char **text, uint64_t max, uint64_t *milli);

/** qm_decimal_format() - "0.5", "2", "1.125". */
void qm_decimal_format(uint64_t milli, char *buffer, size_t size);

#endif
