/*
 * The ZooKeeper store against a real server, which is killed and started again while saves are
 * under way. One server for all cases, each with a path of its own.
 */
#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "log.h"
#include "state/store.h"
#include "state/zk_text.h"
#include "zk-server.h"
#include "zk_loop.h"

#define PATIENCE_MS 60000

static struct event_base *base;
static struct store *store;
static struct store_error error;
static char path[64];

static uint64_t last_saved, last_failed;
static size_t n_saved, n_failed;
static char failure[512];

static void on_saved(void *userdata, uint64_t revision)
{
    ck_assert_uint_gt(revision, last_saved);
    last_saved = revision;
    n_saved++;
}

static void on_failed(void *userdata, uint64_t revision, const char *text)
{
    last_failed = revision;
    n_failed++;
    snprintf(failure, sizeof(failure), "%s", text);
}

static const struct store_callbacks callbacks = {.saved = on_saved, .failed = on_failed};

static void open_with(const char *servers)
{
    int r = store_open_zookeeper(&store, base, servers, path, "default", &callbacks, &error);

    ck_assert_msg(r == 0, "open: %s", error.text);
}

static void start_server(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    zk_server_start();
}

static void setup(void)
{
    static int n;

    /* Checks that fork count in the child: the process id keeps paths apart. */
    snprintf(path, sizeof(path), "/test-%ld-%d/quobyte", (long)getpid(), n++);
    base = event_base_new();
    store = NULL;
    last_saved = last_failed = 0;
    n_saved = n_failed = 0;
    open_with(zk_server_address());
}

static void teardown(void)
{
    store = store_close(store);
    event_base_free(base);
}

static void save(uint64_t revision, const char *key, const char *data)
{
    struct qm_record record = {
        .key = key, .data = (const uint8_t *)data, .length = data ? strlen(data) : 0};

    store_save(store, &(struct qm_save){revision, &record, 1});
}

static void on_tick(evutil_socket_t fd, short what, void *userdata)
{
}

/* Runs the loop until a save of this revision was answered, either way. */
static void wait_for(uint64_t revision)
{
    struct timeval tick = {.tv_usec = 20000};
    struct event *timer = event_new(base, -1, EV_PERSIST, on_tick, NULL);
    time_t end = time(NULL) + PATIENCE_MS / 1000;

    event_add(timer, &tick);
    while (last_saved < revision && last_failed < revision) {
        ck_assert_msg(time(NULL) < end, "no answer to save %lu", (unsigned long)revision);
        event_base_loop(base, EVLOOP_ONCE);
    }
    event_free(timer);
}

/* As the planner does: the same content under a higher revision until it is saved. */
static uint64_t save_until_saved(uint64_t revision, const char *key, const char *data)
{
    struct timespec nap = {.tv_nsec = 100000000};

    for (;; revision++) {
        save(revision, key, data);
        wait_for(revision);
        if (last_saved >= revision)
            return revision;
        nanosleep(&nap, NULL);
        event_base_loop(base, EVLOOP_NONBLOCK);
    }
}

static void load_nothing(void)
{
    struct store_records records;

    ck_assert_msg(store_load(store, PATIENCE_MS, &records, &error) == 0, "load: %s", error.text);
    ck_assert_uint_eq(records.n_records, 0);
    store_records_deinit(&records);
}

static void expect_records(size_t n, ...)
{
    struct store_records records;
    va_list args;
    int r;

    store = store_close(store);
    open_with(zk_server_address());
    r = store_load(store, PATIENCE_MS, &records, &error);
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

START_TEST(saves_and_loads)
{
    load_nothing();
    save(1, "framework", "a");
    save(2, "host/n-2", "bb");
    save(3, "host/..", "");
    save(4, "framework", "ccc");
    store_save(store, &(struct qm_save){.revision = 5});
    wait_for(5);
    ck_assert_uint_eq(n_saved, 5);
    expect_records(3, "framework", "ccc", "host/..", "", "host/n-2", "bb");
    save(6, "host/n-2", NULL);
    save(7, "host/never", NULL);
    wait_for(7);
    ck_assert_uint_eq(n_failed, 0);
    expect_records(2, "framework", "ccc", "host/..", "");
}
END_TEST

START_TEST(many_records_in_one_save)
{
    enum { N = 3000, SIZE = 700 };
    struct qm_record *records = calloc(N, sizeof(*records));
    struct store_records loaded;
    char data[SIZE];

    memset(data, 'x', sizeof(data));
    load_nothing();
    for (int i = 0; i < N; i++) {
        char *key = NULL;

        ck_assert_int_gt(asprintf(&key, "host/node-%05d", i), 0);
        records[i] = (struct qm_record){key, (const uint8_t *)data, sizeof(data)};
    }
    store_save(store, &(struct qm_save){1, records, N});
    wait_for(1);
    ck_assert_msg(last_saved == 1, "failed: %s", failure);
    store = store_close(store);
    open_with(zk_server_address());
    ck_assert_int_eq(store_load(store, PATIENCE_MS, &loaded, &error), 0);
    ck_assert_uint_eq(loaded.n_records, N);
    ck_assert_str_eq(loaded.records[N - 1].key, records[N - 1].key);
    store_records_deinit(&loaded);
    for (int i = 0; i < N; i++)
        free((char *)records[i].key);
    free(records);
}
END_TEST

START_TEST(too_large_a_record_fails_alone)
{
    size_t size = 1100000;
    char *data = malloc(size + 1);

    memset(data, 'x', size);
    data[size] = '\0';
    load_nothing();
    save(1, "host/big", data);
    wait_for(1);
    ck_assert_uint_eq(last_failed, 1);
    ck_assert_msg(strstr(failure, "host/big") != NULL, "%s", failure);
    data[999000] = '\0';
    save(2, "host/big", data);
    wait_for(2);
    ck_assert_msg(last_saved == 2, "%s", failure);
    free(data);
}
END_TEST

START_TEST(erases_and_is_done_then)
{
    load_nothing();
    for (uint64_t i = 1; i <= 300; i++) {
        char key[32];

        snprintf(key, sizeof(key), "host/%03d", (int)i);
        save(i, key, "x");
    }
    wait_for(300);
    ck_assert_msg(n_failed == 0, "%s", failure);
    store = store_close(store);
    open_with(zk_server_address());
    ck_assert_msg(store_erase(store, PATIENCE_MS, &error) == 0, "%s", error.text);
    expect_records(0);
}
END_TEST

START_TEST(erasing_nothing_is_fine)
{
    ck_assert_msg(store_erase(store, PATIENCE_MS, &error) == 0, "%s", error.text);
    expect_records(0);
}
END_TEST

START_TEST(server_restarts_during_saves)
{
    uint64_t revision = 1;
    char data[32];

    load_nothing();
    save(1, "framework", "before");
    wait_for(1);
    ck_assert_uint_eq(last_saved, 1);
    save(2, "framework", "during"); /* outcome unknown */
    save(3, "host/a", "during");
    zk_server_kill();
    wait_for(3);
    save(4, "host/a", "down");
    wait_for(4);
    ck_assert_uint_eq(last_failed, 4);
    ck_assert_msg(strstr(failure, zk_server_address()) != NULL, "%s", failure);
    zk_server_start();
    revision = save_until_saved(5, "framework", "after");
    for (int i = 0; i < 20; i++) {
        snprintf(data, sizeof(data), "round %d", i);
        revision = save_until_saved(revision + 1, "host/a", data);
    }
    expect_records(2, "framework", "after", "host/a", "round 19");
}
END_TEST

START_TEST(load_waits_for_a_server_that_comes_back)
{
    load_nothing();
    save(1, "framework", "a");
    wait_for(1);
    zk_server_kill();
    store = store_close(store);
    open_with(zk_server_address());
    event_base_loop(base, EVLOOP_NONBLOCK);
    zk_server_start();
    expect_records(1, "framework", "a");
}
END_TEST

START_TEST(nobody_there_is_told)
{
    struct store_records records;

    store = store_close(store);
    open_with("127.0.0.1:1");
    ck_assert_int_eq(store_load(store, 1000, &records, &error), -ETIMEDOUT);
    ck_assert_msg(strstr(error.text, "127.0.0.1:1") != NULL, "%s", error.text);
    ck_assert_int_eq(store_erase(store, 500, &error), -ETIMEDOUT);
}
END_TEST

START_TEST(credentials_keep_others_out)
{
    char servers[128];
    struct store_records records;

    store = store_close(store);
    snprintf(servers, sizeof(servers), "zk://kim:s3cret@%s", zk_server_address());
    open_with(servers);
    ck_assert_ptr_null(strstr(store_name(store), "s3cret"));
    load_nothing();
    save(1, "framework", "mine");
    wait_for(1);
    ck_assert_msg(last_saved == 1, "%s", failure);
    store = store_close(store);
    open_with(zk_server_address());
    ck_assert_int_eq(store_load(store, PATIENCE_MS, &records, &error), -EACCES);
    ck_assert_msg(strstr(error.text, "credentials") != NULL, "%s", error.text);
    store = store_close(store);
    open_with(servers);
    ck_assert_int_eq(store_load(store, PATIENCE_MS, &records, &error), 0);
    ck_assert_uint_eq(records.n_records, 1);
    store_records_deinit(&records);
}
END_TEST

static void on_put(int rc, const char *value, const void *userdata)
{
    *(int *)(uintptr_t)userdata = rc == ZOK ? 1 : -1;
}

static void on_other(void *userdata, zhandle_t *handle, bool again)
{
    char node[128];

    snprintf(node, sizeof(node), "%s/deployments/default/records/a b", path);
    zoo_acreate(handle, node, "x", 1, &ZOO_OPEN_ACL_UNSAFE, 0, on_put, userdata);
}

START_TEST(foreign_nodes_are_refused)
{
    struct zk_loop_options options = {.servers = zk_server_address(), .purpose = "test"};
    struct zk_loop_callbacks other = {.connected = on_other};
    struct store_records records;
    struct zk_loop *loop;
    int put = 0;

    load_nothing();
    save(1, "framework", "a");
    wait_for(1);
    loop = zk_loop_new(base, &options, &other, &put);
    while (!put)
        event_base_loop(base, EVLOOP_ONCE);
    ck_assert_int_eq(put, 1);
    zk_loop_free(loop);
    store = store_close(store);
    open_with(zk_server_address());
    ck_assert_int_eq(store_load(store, PATIENCE_MS, &records, &error), -EINVAL);
    ck_assert_msg(strstr(error.text, "a b") != NULL, "%s", error.text);
}
END_TEST

START_TEST(bad_addresses_are_told)
{
    static const char *const bad[] = {"",           ",",
                                      "host",       "host:",
                                      "host:0",     "host:65536",
                                      "host:12x",   ":2181",
                                      "a:1,",       "a:1,,b:2",
                                      "zk://",      "zk://a:1/path",
                                      "kim:pw@a:1", "zk://kim@a:1",
                                      "zk://@a:1",  "a b:1",
                                      "a:1;b:2",    "[::1:2181",
                                      "http://a:1"};
    static const char *const good[] = {
        "a:1", "a:1,b:65535", "zk://a:1", "zk://u:p@a:1,b:2", "[::1]:2181", "zk://u:p@ss@a:1"};
    struct zk_address address;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(zk_address_parse(&address, bad[i], &error) == -EINVAL, "'%s' taken", bad[i]);
        ck_assert_msg(error.text[0] && !strchr(error.text, '\n'), "'%s'", bad[i]);
        ck_assert_msg(!strstr(error.text, "pw"), "'%s' shows the password", error.text);
    }
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        ck_assert_msg(zk_address_parse(&address, good[i], &error) == 0, "'%s': %s", good[i],
                      error.text);
        zk_address_deinit(&address);
    }
}
END_TEST

START_TEST(bad_paths_are_told)
{
    static const char *const bad[] = {"", "quobyte", "/a//b", "/a/../b", "/./a", "//", "/a\n"};
    static const char *const good[] = {"/", "/quobyte", "/quobyte/", "/a/b.c/d"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        ck_assert_msg(zk_path_check(bad[i], &error) == -EINVAL, "'%s' was taken", bad[i]);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        ck_assert_msg(zk_path_check(good[i], &error) == 0, "'%s': %s", good[i], error.text);
}
END_TEST

START_TEST(names_come_back)
{
    static const char *const texts[] = {"framework", "host/a",   "host/..", ".", "..",     "%",
                                        "a%2Fb",     "\xc3\xa4", " ",       "",  "A-z_0.9"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        char *name = zk_name_escape(texts[i]), *text = zk_name_unescape(name);

        ck_assert_msg(!strchr(name, '/') && name[0] != '.', "'%s'", name);
        ck_assert_str_eq(text, texts[i]);
        free(name);
        free(text);
    }
    ck_assert_ptr_null(zk_name_unescape("a b"));
    ck_assert_ptr_null(zk_name_unescape("%2f"));
    ck_assert_ptr_null(zk_name_unescape("%4"));
    ck_assert_ptr_null(zk_name_unescape("%41"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store-zookeeper");
    TCase *text = tcase_create("text"), *server = tcase_create("server");
    SRunner *runner;
    int failures;

    tcase_add_test(text, bad_addresses_are_told);
    tcase_add_test(text, bad_paths_are_told);
    tcase_add_test(text, names_come_back);
    suite_add_tcase(suite, text);
    if (zk_server_available()) {
        tcase_set_timeout(server, 150);
        tcase_add_unchecked_fixture(server, start_server, zk_server_remove);
        tcase_add_checked_fixture(server, setup, teardown);
        tcase_add_test(server, saves_and_loads);
        tcase_add_test(server, many_records_in_one_save);
        tcase_add_test(server, too_large_a_record_fails_alone);
        tcase_add_test(server, erases_and_is_done_then);
        tcase_add_test(server, erasing_nothing_is_fine);
        tcase_add_test(server, nobody_there_is_told);
        tcase_add_test(server, credentials_keep_others_out);
        tcase_add_test(server, foreign_nodes_are_refused);
        tcase_add_test(server, load_waits_for_a_server_that_comes_back);
        tcase_add_test(server, server_restarts_during_saves);
        suite_add_tcase(suite, server);
    }
    runner = srunner_create(suite);
    /* One process: the server is started and stopped from inside the cases. */
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
