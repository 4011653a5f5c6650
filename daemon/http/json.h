/* Small pieces of JSON. Functions that return json_t * return NULL when memory runs out. */
#ifndef DAEMON_HTTP_JSON_H
#define DAEMON_HTTP_JSON_H

#include "http/api_private.h"

json_t *json_time(qm_time time);
/** json_reason() - an object with code, numbers and text; null when nothing waits. */
json_t *json_reason(const struct qm_reason *reason);

/** json_reason_with() - likewise, with the curl line that would end the wait, where there is one. */
json_t *json_reason_with(struct api_call *call, const struct qm_reason *reason, const char *step,
                         const char *host);

/** json_append() - takes @value over; false when it is NULL or memory runs out. */
bool json_append(json_t *array, json_t *value);
/** json_whole() - the array, or NULL (freed) when it could not be filled. */
json_t *json_whole(json_t *array, bool whole);

#endif
