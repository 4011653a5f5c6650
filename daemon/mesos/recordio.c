/*
 * RecordIO decoding. A record that lies whole in one piece is not copied.
 */
#include "recordio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 4096
#define DIGITS_MAX 20 /* of a 64-bit number */
#define KEEP_ROOM  (1024 * 1024)

void recordio_init(struct recordio *r)
{
    *r = (struct recordio){0};
}

void recordio_deinit(struct recordio *r)
{
    free(r->bytes);
    recordio_init(r);
}

static int fail(struct recordio *r, int error)
{
    free(r->bytes);
    r->bytes = NULL;
    return r->error = error;
}

/* Reads the length line; returns 1 when it is complete, 0 when not, or an error. */
static int read_length(struct recordio *r, const uint8_t **data, size_t *size)
{
    while (*size > 0) {
        uint8_t c = **data;
        ++*data;
        --*size;
        if (c == '\n')
            return r->digits > 0 ? 1 : fail(r, -EPROTO);
        if (c < '0' || c > '9' || ++r->digits > DIGITS_MAX)
            return fail(r, -EPROTO);
        r->length = r->length * 10 + (size_t)(c - '0');
        if (r->length > RECORDIO_MAX)
            return fail(r, -EMSGSIZE);
    }
    return 0;
}

/* Memory grows with what arrives, not with what is announced. */
static int make_room(struct recordio *r, size_t more)
{
    size_t wanted = r->have + more, room = r->room > 0 ? r->room : FIRST_ROOM;
    if (wanted <= r->room)
        return 0;
    while (room < wanted)
        room *= 2;
    uint8_t *bytes = realloc(r->bytes, room);
    if (bytes == NULL)
        return fail(r, -ENOMEM);
    r->bytes = bytes;
    r->room = room;
    return 0;
}

static int finish(struct recordio *r, const uint8_t *record, const uint8_t **result, size_t *length)
{
    *result = record;
    *length = r->length;
    r->length = r->have = 0;
    r->digits = r->in_record = 0;
    return 1;
}

int recordio_next(struct recordio *r, const uint8_t **data, size_t *size, const uint8_t **record,
                  size_t *length)
{
    if (r->error != 0)
        return r->error;
    if (!r->in_record) {
        if (r->room > KEEP_ROOM) { /* one giant record does not cost memory for ever */
            free(r->bytes);
            r->bytes = NULL;
            r->room = 0;
        }
        int rc = read_length(r, data, size);
        if (rc <= 0)
            return rc;
        r->in_record = 1;
    }
    size_t missing = r->length - r->have;
    if (r->have == 0 && *size >= missing) {
        const uint8_t *whole = *data;
        *data += missing;
        *size -= missing;
        return finish(r, whole, record, length);
    }
    size_t take = *size < missing ? *size : missing;
    if (make_room(r, take) != 0)
        return r->error;
    if (take > 0)
        memcpy(r->bytes + r->have, *data, take);
    r->have += take;
    *data += take;
    *size -= take;
    return take == missing ? finish(r, r->bytes, record, length) : 0;
}
