/* Filling struct qm_error, and returning its code in one go. */
#ifndef LIB_FAIL_H
#define LIB_FAIL_H

#include <quobyte-mesos/error.h>

/** qm_fail() - fills @error (NULL is fine) and returns @code. Over-long texts are cut. */
__attribute__((format(printf, 4, 5))) int qm_fail(struct qm_error *error, int code, const char *key,
                                                  const char *format, ...);

#endif
