/*
 * RecordIO, the framing of Mesos' event streams: the record's length in decimal digits, one
 * newline, the record. Pieces of any size go in, whole records come out. Pure; used by the
 * scheduler driver and by the prober.
 */
#ifndef DAEMON_MESOS_RECORDIO_H
#define DAEMON_MESOS_RECORDIO_H

#include <stddef.h>
#include <stdint.h>

#define RECORDIO_MAX (64u * 1024 * 1024) /* Mesos has no limit; an offer storm is some MiB */

struct recordio {
    int error;      /* 0, or why the stream cannot be read on */
    int digits;     /* of the length line so far */
    size_t length;  /* of the record; being read while the length line is */
    int in_record;  /* the length line is complete */
    uint8_t *bytes; /* a record that came in several pieces */
    size_t have;
    size_t room;
};

/** recordio_init() - at the beginning of a stream; allocates nothing yet. */
void recordio_init(struct recordio *r);

/** recordio_deinit() - gives the memory back. */
void recordio_deinit(struct recordio *r);

/**
 * recordio_next() - reads on in a piece.
 * @data, @size: the rest of the piece; both are moved past what was read
 * @record, @length: the record, when there is one. Borrowed from the piece or the decoder until the
 *     next call.
 * Returns 1: a record; 0: the piece is used up; -EPROTO: not RecordIO; -EMSGSIZE: a record over
 * RECORDIO_MAX; -ENOMEM. Errors are final: every further call returns the same.
 */
int recordio_next(struct recordio *r, const uint8_t **data, size_t *size, const uint8_t **record,
                  size_t *length);

#endif
