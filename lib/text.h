/* Small questions about text that came from outside. Independent of the locale. */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <quobyte-mesos/base.h>

/** qm_is_alnum() - ASCII letter or digit. */
bool qm_is_alnum(char c);
/** qm_is_utf8() - well-formed UTF-8 without surrogates and over-long forms. */
bool qm_is_utf8(const char *text, size_t length);
/** qm_trim() - takes blanks, tabs and CR off both ends. */
void qm_trim(const char **text, size_t *length);
/** qm_glob_matches() - * stands for any text, ? for one character; the whole name counts, case does
 * not. */
bool qm_glob_matches(const char *glob, const char *name);
/** qm_is_dns_name() - labels of letters, digits, - and _ with dots between, at most 253 bytes. */
bool qm_is_dns_name(const char *text);
/** qm_is_word() - not empty, at most @max bytes, only letters, digits and those in @others. */
bool qm_is_word(const char *text, size_t max, const char *others);

#endif
