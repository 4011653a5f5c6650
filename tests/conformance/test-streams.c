/*
 * The recorded event streams of Mesos through our RecordIO and our session: whole, byte by byte,
 * and cut at every byte. The chunks around the records are taken off here, strictly.
 */
#include <check.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/recordio.h"
#include "mesos/session.h"
#include "mesos/v1/scheduler.pb-c.h"

#define T0          1700000000000u
#define MAX_RECORDS 512

/* ck_assert_msg() says each time where it is, which takes longer than all the rest. */
#define must(condition, ...)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg(__VA_ARGS__);                                                             \
    } while (0)

static glob_t json_streams, protobuf_streams;

struct bytes {
    uint8_t *data;
    size_t size;
};

/* The records of a stream, as they came out. */
struct records {
    size_t n;
    size_t ends[MAX_RECORDS]; /* where each one is complete in the stream */
    size_t length[MAX_RECORDS];
};

static struct bytes read_file(const char *path)
{
    struct bytes out = {NULL, 0};
    FILE *in = fopen(path, "rb");
    long size;

    must(in && fseek(in, 0, SEEK_END) == 0 && (size = ftell(in)) >= 0, "%s", path);
    rewind(in);
    out.size = (size_t)size;
    out.data = malloc(out.size + 1);
    must(out.data && fread(out.data, 1, out.size, in) == out.size, "%s", path);
    out.data[out.size] = '\0';
    fclose(in);
    return out;
}

/* Takes off the chunks, in place. A recording may end without the zero chunk (a killed master). */
static void dechunk(struct bytes *bytes, const char *path)
{
    const uint8_t *at = bytes->data, *end = bytes->data + bytes->size;
    size_t size = 0;

    while (at < end) {
        char *rest;
        unsigned long chunk = strtoul((const char *)at, &rest, 16);

        must((const uint8_t *)rest > at && rest[0] == '\r' && rest[1] == '\n', "%s", path);
        at = (const uint8_t *)rest + 2;
        if (chunk == 0)
            break;
        must(chunk + 2 <= (size_t)(end - at), "%s: a chunk beyond its end", path);
        memmove(bytes->data + size, at, chunk);
        size += chunk;
        at += chunk + 2;
    }
    bytes->size = size;
}

/* The body of a recorded answer; its head is cut off. */
static struct bytes read_stream(const char *path)
{
    struct bytes bytes = read_file(path);
    char *body = strstr((char *)bytes.data, "\r\n\r\n");

    must(body, "%s has no head", path);
    body += 4;
    bytes.size -= (size_t)(body - (char *)bytes.data);
    memmove(bytes.data, body, bytes.size + 1);
    dechunk(&bytes, path);
    return bytes;
}

/* Feeds the bytes from `at` to `end`; each record must be what stands in the stream before its end.
 */
static void feed(struct recordio *r, const struct bytes *stream, size_t at, size_t end,
                 struct records *records, const char *path)
{
    const uint8_t *data = stream->data + at, *record;
    size_t size = end - at, length;
    int rc;

    while ((rc = recordio_next(r, &data, &size, &record, &length)) == 1) {
        must(records->n < MAX_RECORDS, "%s: too many records", path);
        must(length <= (size_t)(data - stream->data) && memcmp(data - length, record, length) == 0,
             "%s: record %zu is not what came", path, records->n);
        records->ends[records->n] = (size_t)(data - stream->data);
        records->length[records->n++] = length;
    }
    must(rc == 0 && size == 0, "%s: %d at byte %zu", path, rc, end - size);
}

static void same(const struct records *a, const struct records *b, size_t cut, const char *path)
{
    must(a->n == b->n, "%s, cut at %zu: %zu records, not %zu", path, cut, b->n, a->n);
    for (size_t i = 0; i < a->n; i++)
        must(a->length[i] == b->length[i] && a->ends[i] == b->ends[i],
             "%s, cut at %zu: record %zu differs", path, cut, i);
}

static void in_every_way(const struct bytes *stream, struct records *whole, const char *path)
{
    struct records pieces = {0};
    struct recordio r;

    recordio_init(&r);
    feed(&r, stream, 0, stream->size, whole, path);
    recordio_deinit(&r);
    must(whole->n > 0, "%s holds no record", path);
    must(whole->ends[whole->n - 1] == stream->size, "%s ends within a record", path);

    recordio_init(&r);
    for (size_t i = 0; i < stream->size; i++)
        feed(&r, stream, i, i + 1, &pieces, path);
    recordio_deinit(&r);
    same(whole, &pieces, 0, path);

    for (size_t cut = 0; cut <= stream->size; cut++) {
        pieces.n = 0;
        recordio_init(&r);
        feed(&r, stream, 0, cut, &pieces, path);
        feed(&r, stream, cut, stream->size, &pieces, path);
        recordio_deinit(&r);
        same(whole, &pieces, cut, path);
    }
}

START_TEST(records_come_out_whole_however_they_come_in)
{
    const char *path = json_streams.gl_pathv[_i];
    struct bytes stream = read_stream(path);
    struct records whole = {0};

    in_every_way(&stream, &whole, path);
    free(stream.data);
}
END_TEST

/* ---- the session ---- */

/* What the session does with the first `n` records: subscribed, ended, or still waiting. */
struct fate {
    bool up, ended;
    enum session_end end;
};

static bool drain(struct session *s, struct fate *fate)
{
    struct session_command c;

    while (session_next(s, &c)) {
        fate->up |= c.type == SESSION_DO_UP;
        fate->ended |= c.type == SESSION_DO_END;
        if (c.type == SESSION_DO_END)
            fate->end = c.end;
    }
    return fate->ended;
}

static void give_record(struct session *s, const uint8_t *record, size_t length, const char *path)
{
    Mesos__V1__Scheduler__Event *event = mesos__v1__scheduler__event__unpack(NULL, length, record);
    enum session_event_kind kind = SESSION_EVENT_OTHER;
    const char *text = NULL;
    qm_duration heartbeat = 0;

    must(event && event->has_type, "%s: an event that cannot be read", path);
    if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED) {
        must(event->subscribed && event->subscribed->framework_id, "%s", path);
        kind = SESSION_EVENT_SUBSCRIBED;
        heartbeat = (qm_duration)(event->subscribed->heartbeat_interval_seconds * 1000);
        must(heartbeat == 15000, "%s: heartbeat %d ms", path, (int)heartbeat);
    } else if (event->type == MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR) {
        kind = SESSION_EVENT_ERROR;
        text = event->error->message;
    }
    session_event(s, T0, 1, kind, text, heartbeat);
    mesos__v1__scheduler__event__free_unpacked(event, NULL);
}

/* Runs a session over a stream that breaks after `cut` bytes, fed in pieces of `step`. */
static struct fate live(const struct bytes *stream, size_t cut, size_t step, const char *path)
{
    struct session *s = session_new(&session_scheduler_rules, 7);
    struct fate fate = {0};
    struct recordio r;

    must(s, "out of memory");
    session_start(s, T0);
    session_leader(s, T0, "m1", 5050);
    session_answered(s, T0, 1, 200, "a-stream-id", NULL, NULL);
    recordio_init(&r);
    for (size_t at = 0; at < cut; at += step) {
        const uint8_t *data = stream->data + at, *record;
        size_t size = cut - at < step ? cut - at : step, length;

        while (recordio_next(&r, &data, &size, &record, &length) == 1)
            give_record(s, record, length, path);
    }
    recordio_deinit(&r);
    if (!drain(s, &fate)) {
        struct session_view view;

        session_lost(s, T0 + 1, 1, "connection closed");
        drain(s, &fate);
        session_view(s, &view);
        if (!fate.ended) {
            must(view.state == SESSION_BACKING_OFF, "%s, cut at %zu: %s", path, cut,
                 session_state_name(view.state));
            session_tick(s, session_deadline(s));
            session_view(s, &view);
            must(view.state == SESSION_FINDING_LEADER, "%s, cut at %zu: %s", path, cut,
                 session_state_name(view.state));
        }
    }
    session_free(s);
    return fate;
}

/* How the session must end, by the last text of the stream. */
static enum session_end recorded_end(const struct bytes *stream)
{
    if (memmem(stream->data, stream->size, "Framework failed over", 21))
        return SESSION_END_FAILED_OVER;
    if (memmem(stream->data, stream->size, "Framework has been removed", 26))
        return SESSION_END_REMOVED;
    return SESSION_END_NONE;
}

START_TEST(a_session_lives_through_the_stream_and_its_loss_at_any_byte)
{
    const char *path = protobuf_streams.gl_pathv[_i];
    struct bytes stream = read_file(path);
    struct records whole = {0};
    struct fate fate;
    bool subscribes;

    dechunk(&stream, path);
    in_every_way(&stream, &whole, path);
    fate = live(&stream, stream.size, stream.size, path);
    subscribes = memcmp(stream.data + whole.ends[0] - whole.length[0], "\x08\x01", 2) == 0;
    must(fate.up == subscribes, "%s: subscribed: %d", path, fate.up);
    must(fate.end == recorded_end(&stream) && fate.ended == (fate.end != 0), "%s: ended %d", path,
         (int)fate.end);
    ck_assert_int_eq(live(&stream, stream.size, 1, path).up, subscribes);
    for (size_t cut = 0; cut <= stream.size; cut++)
        must(live(&stream, cut, stream.size, path).up == (subscribes && cut >= whole.ends[0]),
             "%s, cut at %zu", path, cut);
    free(stream.data);
}
END_TEST

static int find(const char *directory, const char *pattern, glob_t *found)
{
    char path[4096];

    if (snprintf(path, sizeof path, "%s/%s", directory, pattern) >= (int)sizeof path)
        return -ENAMETOOLONG;
    return glob(path, 0, NULL, found) == 0 ? 0 : -ENOENT;
}

int main(void)
{
    const char *captures = getenv("QM_TEST_CAPTURES");
    Suite *suite = suite_create("recorded streams");
    TCase *tcase = tcase_create("recorded streams");
    SRunner *runner;
    int failed;

    if (!captures || find(captures, "*/*-stream.http", &json_streams) < 0 ||
        find(captures, "*/*-stream.chunked.bin", &protobuf_streams) < 0) {
        fprintf(stderr, "QM_TEST_CAPTURES names no folder of captures\n");
        return EXIT_FAILURE;
    }
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, records_come_out_whole_however_they_come_in, 0,
                        (int)json_streams.gl_pathc);
    tcase_add_loop_test(tcase, a_session_lives_through_the_stream_and_its_loss_at_any_byte, 0,
                        (int)protobuf_streams.gl_pathc);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    globfree(&json_streams);
    globfree(&protobuf_streams);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
