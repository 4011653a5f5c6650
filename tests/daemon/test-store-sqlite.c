/* The SQLite store: what is answered as saved is there after a reopening, whatever came before. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "state/store.h"

static char directory[128], file[160];
static struct event_base *base;
static struct store *store;
static struct store_error error;

static uint64_t saved[64], failed[64];
static size_t n_saved, n_failed;
static char failure[256];

static void on_saved(void *userdata, uint64_t revision)
{
    ck_assert_uint_lt(n_saved, 64);
    saved[n_saved++] = revision;
}

static void on_failed(void *userdata, uint64_t revision, const char *text)
{
    ck_assert_uint_lt(n_failed, 64);
    failed[n_failed++] = revision;
    snprintf(failure, sizeof(failure), "%s", text);
}

static const struct store_callbacks callbacks = {.saved = on_saved, .failed = on_failed};

static int try_open(const char *deployment)
{
    return store_open_sqlite(&store, base, directory, deployment, &callbacks, &error);
}

static void open_store(void)
{
    int r = try_open("default");

    ck_assert_msg(r == 0, "open: %s", error.text);
}

static void setup(void)
{
    char template[] = "/tmp/qm-store-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(template));
    snprintf(directory, sizeof(directory), "%s/state", template);
    snprintf(file, sizeof(file), "%s/default.sqlite", directory);
    base = event_base_new();
    store = NULL;
    n_saved = n_failed = 0;
    open_store();
}

static void teardown(void)
{
    char command[300];

    store = store_close(store);
    event_base_free(base);
    snprintf(command, sizeof(command), "rm -rf '%.*s'", (int)(strlen(directory) - 6), directory);
    ck_assert_int_eq(system(command), 0);
}

static void save(uint64_t revision, const char *key, const char *data)
{
    struct qm_record record = {
        .key = key, .data = (const uint8_t *)data, .length = data ? strlen(data) : 0};

    store_save(store, &(struct qm_save){revision, &record, 1});
}

static void deliver(void)
{
    event_base_loop(base, EVLOOP_NONBLOCK);
}

static void reopen(void)
{
    store = store_close(store);
    open_store();
}

static void expect_records(size_t n, ...)
{
    struct store_records records;
    va_list args;
    int r = store_load(store, 1000, &records, &error);

    ck_assert_msg(r == 0, "load: %s", error.text);
    ck_assert_uint_eq(records.n_records, n);
    va_start(args, n);
    for (size_t i = 0; i < n; i++) {
        const char *key = va_arg(args, const char *), *data = va_arg(args, const char *);

        ck_assert_str_eq(records.records[i].key, key);
        ck_assert_uint_eq(records.records[i].length, strlen(data));
        ck_assert_mem_eq(records.records[i].data, data, strlen(data));
    }
    va_end(args);
    store_records_deinit(&records);
}

START_TEST(directory_is_private)
{
    struct stat st;

    ck_assert_int_eq(stat(directory, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    ck_assert_int_eq(stat(file, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(empty_at_first)
{
    expect_records(0);
}
END_TEST

START_TEST(saves_survive)
{
    save(1, "framework", "a");
    ck_assert_uint_eq(n_saved, 0); /* never from inside */
    save(2, "host/n-2", "bb");
    save(3, "host/n-1", "");
    save(4, "framework", "ccc");
    deliver();
    ck_assert_uint_eq(n_saved, 4);
    for (uint64_t i = 0; i < 4; i++)
        ck_assert_uint_eq(saved[i], i + 1);
    reopen();
    expect_records(3, "framework", "ccc", "host/n-1", "", "host/n-2", "bb");
    save(5, "host/n-2", NULL);
    save(6, "host/n-3", NULL); /* of something that is not there */
    deliver();
    ck_assert_uint_eq(n_saved, 6);
    reopen();
    expect_records(2, "framework", "ccc", "host/n-1", "");
}
END_TEST

START_TEST(bytes_are_kept)
{
    uint8_t data[256];
    struct qm_record record = {.key = "host/\xc3\xa4 b%\x01", .data = data, .length = sizeof(data)};
    struct store_records records;

    for (int i = 0; i < 256; i++)
        data[i] = (uint8_t)i;
    store_save(store, &(struct qm_save){1, &record, 1});
    reopen();
    ck_assert_int_eq(store_load(store, 0, &records, &error), 0);
    ck_assert_uint_eq(records.n_records, 1);
    ck_assert_str_eq(records.records[0].key, record.key);
    ck_assert_uint_eq(records.records[0].length, sizeof(data));
    ck_assert_mem_eq(records.records[0].data, data, sizeof(data));
    store_records_deinit(&records);
}
END_TEST

/* A process that is killed right after an answer: what it was told is there. */
START_TEST(answered_saves_survive_a_kill)
{
    int status;
    pid_t child;

    store = store_close(store);
    child = fork();
    if (child == 0) {
        base = event_base_new();
        if (try_open("default") != 0)
            _exit(1);
        for (uint64_t i = 1; i <= 20; i++) {
            save(i, i % 2 ? "framework" : "host/a", i == 19 ? "last" : "x");
            deliver();
        }
        if (n_saved == 20)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status), "the child ended by itself: %d", status);
    open_store();
    expect_records(2, "framework", "last", "host/a", "x");
}
END_TEST

START_TEST(second_daemon_is_refused)
{
    struct store *first = store;
    char pid[32];

    ck_assert_int_eq(try_open("default"), -EBUSY);
    snprintf(pid, sizeof(pid), "(pid %ld)", (long)getpid());
    ck_assert_msg(strstr(error.text, pid) != NULL, "%s", error.text);
    ck_assert_ptr_eq(store, first);
    ck_assert_int_eq(try_open("other"), 0); /* another deployment lives beside it */
    store_close(store);
    store = first;
}
END_TEST

/* A failed save fails all that were handed over before its report, and none after it. */
START_TEST(failures_are_reported_in_order)
{
    struct qm_record bad = {.key = NULL, .data = (const uint8_t *)"x", .length = 1};

    save(1, "framework", "good");
    store_save(store, &(struct qm_save){2, &bad, 1}); /* NOT NULL constraint */
    save(3, "host/a", "late");
    deliver();
    ck_assert_uint_eq(n_saved, 1);
    ck_assert_uint_eq(n_failed, 2);
    ck_assert_uint_eq(failed[0], 2);
    ck_assert_uint_eq(failed[1], 3);
    ck_assert_msg(strstr(failure, file) != NULL, "%s", failure);
    save(4, "host/a", "again");
    deliver();
    ck_assert_uint_eq(n_saved, 2);
    ck_assert_uint_eq(saved[1], 4);
    expect_records(2, "framework", "good", "host/a", "again");
}
END_TEST

/* One bad record takes the whole save with it. */
START_TEST(saves_are_atomic)
{
    struct qm_record records[] = {{"host/a", (const uint8_t *)"1", 1},
                                  {NULL, (const uint8_t *)"2", 1}};

    store_save(store, &(struct qm_save){1, records, 2});
    deliver();
    ck_assert_uint_eq(n_failed, 1);
    expect_records(0);
}
END_TEST

START_TEST(reset_erases)
{
    save(1, "framework", "a");
    save(2, "host/a", "b");
    ck_assert_int_eq(store_erase(store, 1000, &error), 0);
    reopen();
    expect_records(0);
}
END_TEST

static void overwrite(off_t offset, const void *bytes, size_t length)
{
    int fd = open(file, O_WRONLY);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, bytes, length, offset), (ssize_t)length);
    close(fd);
}

START_TEST(damaged_header_is_refused)
{
    store = store_close(store);
    overwrite(0, "not a database at all", 21);
    ck_assert_int_eq(try_open("default"), -EINVAL);
    ck_assert_msg(strstr(error.text, "damaged") && strstr(error.text, file), "%s", error.text);
}
END_TEST

START_TEST(damaged_content_is_refused)
{
    char junk[4096], data[20000];
    struct store_records records;
    struct stat st;
    int r;

    memset(junk, 0x5a, sizeof(junk));
    memset(data, 'x', sizeof(data) - 1);
    data[sizeof(data) - 1] = '\0';
    save(1, "host/a", data);
    save(2, "host/b", "y");
    store = store_close(store);
    ck_assert_int_eq(stat(file, &st), 0);
    for (off_t page = 4096; page < st.st_size; page += 4096)
        overwrite(page, junk, sizeof(junk));
    r = try_open("default");
    if (r == 0) {
        r = store_load(store, 1000, &records, &error);
        ck_assert_uint_eq(records.n_records, 0);
    }
    ck_assert_int_eq(r, -EINVAL);
    ck_assert_msg(strstr(error.text, "damaged") != NULL, "%s", error.text);
}
END_TEST

START_TEST(newer_format_is_refused)
{
    const uint8_t version[4] = {0, 0, 0, 99};

    store = store_close(store);
    overwrite(60, version, 4); /* user_version in SQLite's file header */
    ck_assert_int_eq(try_open("default"), -EINVAL);
    ck_assert_msg(strstr(error.text, "format 99") != NULL, "%s", error.text);
}
END_TEST

START_TEST(foreign_file_is_refused)
{
    const uint8_t id[4] = {1, 2, 3, 4};

    store = store_close(store);
    overwrite(68, id, 4); /* application_id */
    ck_assert_int_eq(try_open("default"), -EINVAL);
    ck_assert_msg(strstr(error.text, "not a state file") != NULL, "%s", error.text);
}
END_TEST

START_TEST(bad_names_are_refused)
{
    struct store *first = store;
    const char *const names[] = {"", ".", "..", "a/b", "../x", ".hidden", "a b"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        ck_assert_msg(try_open(names[i]) == -EINVAL, "'%s' was taken", names[i]);
    store = first;
}
END_TEST

START_TEST(unwritable_directory_is_told)
{
    struct store *other = NULL;
    char path[300];

    snprintf(path, sizeof(path), "%s/below", file); /* below a file: nobody can make that */
    ck_assert_int_lt(store_open_sqlite(&other, base, path, "default", &callbacks, &error), 0);
    ck_assert_msg(strstr(error.text, file) != NULL, "%s", error.text);
    ck_assert_ptr_null(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store-sqlite");
    TCase *tcase = tcase_create("sqlite");
    SRunner *runner;
    int failures;

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, directory_is_private);
    tcase_add_test(tcase, empty_at_first);
    tcase_add_test(tcase, saves_survive);
    tcase_add_test(tcase, bytes_are_kept);
    tcase_add_test(tcase, answered_saves_survive_a_kill);
    tcase_add_test(tcase, second_daemon_is_refused);
    tcase_add_test(tcase, failures_are_reported_in_order);
    tcase_add_test(tcase, saves_are_atomic);
    tcase_add_test(tcase, reset_erases);
    tcase_add_test(tcase, damaged_header_is_refused);
    tcase_add_test(tcase, damaged_content_is_refused);
    tcase_add_test(tcase, newer_format_is_refused);
    tcase_add_test(tcase, foreign_file_is_refused);
    tcase_add_test(tcase, bad_names_are_refused);
    tcase_add_test(tcase, unwritable_directory_is_told);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
