/*
 * RecordIO: recorded streams in pieces of every size, and everything that is not RecordIO.
 */
#include <errno.h>
#include <string.h>

#include "run.h"
#include "recorded.h"

/* Feeds one piece, appends what comes out as "<length>:<sum>," to text. Returns the last result. */
static int feed(struct recordio *r, const uint8_t *data, size_t size, char *text, size_t room)
{
    const uint8_t *record;
    size_t length;
    int rc;
    while ((rc = recordio_next(r, &data, &size, &record, &length)) == 1) {
        unsigned sum = 0;
        for (size_t i = 0; i < length; i++)
            sum = sum * 31 + record[i];
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%zu:%u,", length, sum);
    }
    if (rc == 0)
        ck_assert_uint_eq(size, 0);
    return rc;
}

static const char *const streams[] = {"subscribe.recordio", "offers.recordio", "updates.recordio"};

START_TEST(any_cut_gives_the_same_records)
{
    char whole[2048] = "", pieces[2048];
    size_t length;
    struct recordio r;
    uint8_t *bytes = recorded_read(streams[_i], &length);

    recordio_init(&r);
    ck_assert_int_eq(feed(&r, bytes, length, whole, sizeof whole), 0);
    recordio_deinit(&r);
    ck_assert_ptr_nonnull(strchr(whole, ','));

    pieces[0] = '\0';
    recordio_init(&r);
    for (size_t i = 0; i < length; i++)
        ck_assert_int_eq(feed(&r, bytes + i, 1, pieces, sizeof pieces), 0);
    recordio_deinit(&r);
    ck_assert_str_eq(pieces, whole);

    for (size_t cut = 0; cut <= length; cut++) {
        pieces[0] = '\0';
        recordio_init(&r);
        ck_assert_int_eq(feed(&r, bytes, cut, pieces, sizeof pieces), 0);
        ck_assert_int_eq(feed(&r, bytes + cut, length - cut, pieces, sizeof pieces), 0);
        recordio_deinit(&r);
        ck_assert_str_eq(pieces, whole);
    }
    free(bytes);
}
END_TEST

START_TEST(recorded_records_have_their_lengths)
{
    char text[256] = "";
    size_t length;
    struct recordio r;
    uint8_t *bytes = recorded_read("subscribe.recordio", &length);
    recordio_init(&r);
    feed(&r, bytes, length, text, sizeof text);
    recordio_deinit(&r);
    free(bytes);
    /* a SUBSCRIBED and HEARTBEATs of two bytes, 08 08 */
    ck_assert_int_eq(atoi(text), 188);
    ck_assert_str_eq(strchr(text, ',') + 1, "2:256,2:256,2:256,");
}
END_TEST

static const struct {
    const char *text;
    int error;
} bad[] = {
    {"\n", -EPROTO},
    {"x\n", -EPROTO},
    {"-1\n", -EPROTO},
    {"+1\n", -EPROTO},
    {" 1\n", -EPROTO},
    {"1\r\n", -EPROTO},
    {"3\nabcd\n", -EPROTO}, /* nothing follows a record */
    {"67108865\n", -EMSGSIZE},
    {"99999999999999999999999\n", -EMSGSIZE},
    {"0000000000000000000000001\nx", -EPROTO},
};

START_TEST(nonsense_is_final)
{
    char text[256] = "";
    struct recordio r;
    recordio_init(&r);
    ck_assert_int_eq(
        feed(&r, (const uint8_t *)bad[_i].text, strlen(bad[_i].text), text, sizeof text),
        bad[_i].error);
    ck_assert_int_eq(feed(&r, (const uint8_t *)"1\nx", 3, text, sizeof text), bad[_i].error);
    recordio_deinit(&r);
}
END_TEST

START_TEST(an_empty_record_is_a_record)
{
    char text[64] = "";
    struct recordio r;
    recordio_init(&r);
    ck_assert_int_eq(feed(&r, (const uint8_t *)"0\n1\nA0\n", 7, text, sizeof text), 0);
    ck_assert_str_eq(text, "0:0,1:65,0:0,");
    recordio_deinit(&r);
}
END_TEST

/* What is announced costs nothing; what arrives does. */
START_TEST(memory_follows_what_arrives)
{
    char text[64] = "";
    struct recordio r;
    recordio_init(&r);
    ck_assert_int_eq(feed(&r, (const uint8_t *)"67108864\nabc", 12, text, sizeof text), 0);
    ck_assert_uint_le(r.room, 65536);
    recordio_deinit(&r);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("recordio");
    tcase_add_loop_test(tcase, any_cut_gives_the_same_records, 0,
                        sizeof streams / sizeof streams[0]);
    tcase_add_test(tcase, recorded_records_have_their_lengths);
    tcase_add_loop_test(tcase, nonsense_is_final, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(tcase, an_empty_record_is_a_record);
    tcase_add_test(tcase, memory_follows_what_arrives);
    return run_case("recordio", tcase);
}
