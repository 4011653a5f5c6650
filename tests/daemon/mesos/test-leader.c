/*
 * What is written about masters: addresses, zk:// URLs, nodes in ZooKeeper; lists of masters; what
 * a master's JSON says of tasks.
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "mesos/describe.h"
#include "mesos/leader.h"
#include "mesos/v1/mesos.pb-c.h"
#include "recorded.h"
#include "run.h"

static const struct {
    const char *text, *credentials, *servers, *path;
} urls[] = {
    {"zk://h1:2181,h2:2181/mesos", NULL, "h1:2181,h2:2181", "/mesos"},
    {"zk://h1:2181,h2:2181/mesos/", NULL, "h1:2181,h2:2181", "/mesos"},
    {"zk://h1:2181/a/b/c", NULL, "h1:2181", "/a/b/c"},
    {"zk://h1:2181", NULL, "h1:2181", "/"},
    {"zk://h1:2181/", NULL, "h1:2181", "/"},
    {"zk://user:secret@h1:2181/mesos", "user:secret", "h1:2181", "/mesos"},
    {"zk://user:s@cr@t@h1:2181/mesos", "user:s@cr@t", "h1:2181", "/mesos"},
    {"zk://h1/mesos@x", NULL, "h1", "/mesos@x"},
    {"zk://[::1]:2181/mesos", NULL, "[::1]:2181", "/mesos"},
};

START_TEST(reads_zk_urls)
{
    struct leader_zk_url url;
    ck_assert_int_eq(leader_parse_zk(urls[_i].text, &url), 0);
    if (urls[_i].credentials != NULL)
        ck_assert_str_eq(url.credentials, urls[_i].credentials);
    else
        ck_assert_ptr_null(url.credentials);
    ck_assert_str_eq(url.servers, urls[_i].servers);
    ck_assert_str_eq(url.path, urls[_i].path);
    leader_zk_url_deinit(&url);
}
END_TEST

static const char *const bad_urls[] = {
    "zk:/h1:2181/mesos",
    "zk://",
    "zk:///mesos",
    "zk://h1:2181,/mesos",
    "zk://h1:abc/mesos",
    "zk://user@h1:2181/mesos",
    "zk://h1:2181//mesos",
    "h1:2181/mesos",
    "",
    "zk://a b:1/mesos",
};

START_TEST(refuses_what_is_no_zk_url)
{
    struct leader_zk_url url;
    ck_assert_int_eq(leader_parse_zk(bad_urls[_i], &url), -EINVAL);
}
END_TEST

static const struct {
    const char *text, *host;
    unsigned port;
} addresses[] = {
    {"m1:5050", "m1", 5050},
    {"m1", "m1", 5050},
    {"10.0.0.1:1", "10.0.0.1", 1},
    {"[::1]:99", "::1", 99},
    {"[::1]", "::1", 5050},
    {"", NULL, 0},
    {":5050", NULL, 0},
    {"m1:", NULL, 0},
    {"m1:0", NULL, 0},
    {"m1:65536", NULL, 0},
    {"m1:5050x", NULL, 0},
    {"m1:123456789012", NULL, 0},
    {"::1", NULL, 0},
    {"[::1]5", NULL, 0},
    {"[", NULL, 0},
    {"m 1:5", NULL, 0},
    {"http://m1:5050", NULL, 0},
    {"m1:-5", NULL, 0},
};

START_TEST(reads_addresses)
{
    char host[LEADER_HOST_MAX];
    uint16_t port;
    const char *text = addresses[_i].text;
    bool good = leader_parse_address(text, strlen(text), host, sizeof host, &port);
    ck_assert_int_eq(good, addresses[_i].host != NULL);
    if (good) {
        ck_assert_str_eq(host, addresses[_i].host);
        ck_assert_uint_eq(port, addresses[_i].port);
    }
}
END_TEST

START_TEST(the_smallest_number_leads)
{
    const char *two[] = {"json.info_0000000010", "json.info_0000000009", "log_replicas"};
    ck_assert_int_eq(leader_choose(two, 3), 1);
    const char *mixed[] = {"json.info_0000000002", "info_0000000001", "0000000003"};
    ck_assert_int_eq(leader_choose(mixed, 3), 1);
    const char *bare[] = {"log_replicas", "0000000003"};
    ck_assert_int_eq(leader_choose(bare, 2), 1);
    const char *numbers[] = {"json.info_10", "json.info_9"}; /* as numbers, not as text */
    ck_assert_int_eq(leader_choose(numbers, 2), 1);
    const char *wrapped[] = {"json.info_0000000001", "json.info_-2147483648"};
    ck_assert_int_eq(leader_choose(wrapped, 2), 1);
    const char *none[] = {"log_replicas", "json.info_12x", "json.info_", ""};
    ck_assert_int_eq(leader_choose(none, 4), -1);
    ck_assert_int_eq(leader_choose(NULL, 0), -1);
}
END_TEST

static char host[LEADER_HOST_MAX];
static uint16_t port;

static bool read_text(const char *name, const char *data)
{
    return leader_read_node(name, data, strlen(data), false, host, sizeof host, &port);
}

START_TEST(reads_recorded_and_other_json_nodes)
{
    size_t length;
    uint8_t *bytes = recorded_read("json.info_0000000001", &length);
    ck_assert(
        leader_read_node("json.info_0000000001", (char *)bytes, length, false, host, sizeof host, &port));
    free(bytes);
    ck_assert_str_eq(host, "127.0.0.1");
    ck_assert_uint_eq(port, 5150);

    const char *name = "json.info_0000000007";
    ck_assert(read_text(name, "{\"address\":{\"hostname\":\"m1\",\"ip\":\"10.0.0.1\",\"port\":1},"
                              "\"hostname\":\"x\",\"ip\":5,\"port\":2,\"new\":[1]}"));
    ck_assert_str_eq(host, "10.0.0.1");
    ck_assert_uint_eq(port, 1);
    ck_assert(read_text(name, "{\"hostname\":\"m1\",\"ip\":16777226,\"port\":5050}"));
    ck_assert_str_eq(host, "10.0.0.1");
    ck_assert(read_text(name, "{\"hostname\":\"m1\",\"port\":5050}"));
    ck_assert_str_eq(host, "m1");
    ck_assert(!read_text(name, "{\"hostname\":\"m1\"}"));
    ck_assert(!read_text(name, "{\"hostname\":\"m1\",\"port\":70000}"));
    ck_assert(!read_text(name, "{\"port\":5050}"));
    ck_assert(!read_text(name, "{\"hostname\":7,\"port\":5050}"));
    ck_assert(!read_text(name, "[]"));
    ck_assert(!read_text(name, "{"));
    ck_assert(!read_text(name, ""));
    ck_assert(!read_text("other_0000000007", "{\"hostname\":\"m1\",\"port\":5050}"));
}
END_TEST

START_TEST(reads_older_nodes)
{
    Mesos__V1__MasterInfo info = MESOS__V1__MASTER_INFO__INIT;
    uint8_t bytes[64];
    char id[] = "m";
    info.id = id;
    info.ip = 16777226;
    info.port = 5051;
    size_t length = mesos__v1__master_info__pack(&info, bytes);
    ck_assert(leader_read_node("info_0000000001", (char *)bytes, length, false, host, sizeof host, &port));
    ck_assert_str_eq(host, "10.0.0.1");
    ck_assert_uint_eq(port, 5051);
    ck_assert(!leader_read_node("info_0000000001", "xx", 2, false, host, sizeof host, &port));
    ck_assert(read_text("0000000001", "master@10.0.0.2:5052"));
    ck_assert_str_eq(host, "10.0.0.2");
    ck_assert_uint_eq(port, 5052);
    ck_assert(!read_text("0000000001", "nothing"));
}
END_TEST

/* ---- lists ---- */

static char seen[256];

static void on_found(void *userdata, const char *name, uint16_t number)
{
    snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s:%u ", name, number);
}

static void on_none(void *userdata, const char *why)
{
    strcat(seen, "none ");
}

START_TEST(a_list_goes_on_only_after_a_failure)
{
    static const struct leader_callbacks callbacks = {on_found, on_none};
    struct leader *leader;
    char error[256];
    seen[0] = '\0';
    ck_assert_int_eq(
        leader_new(&leader, NULL, "a:1, b , [::1]:3", false, &callbacks, NULL, error, sizeof error), 0);
    for (int i = 0; i < 5; i++)
        leader_find(leader, i != 0 && i != 2);
    ck_assert_str_eq(seen, "a:1 b:5050 b:5050 ::1:3 a:1 ");
    leader_free(leader);
}
END_TEST

/* ---- descriptions ---- */

static json_t *recorded_json(const char *name)
{
    size_t length;
    uint8_t *bytes = recorded_read(name, &length);
    const char *body = strstr((char *)bytes, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    json_t *json = json_loads(body, 0, NULL);
    ck_assert_ptr_nonnull(json);
    free(bytes);
    return json;
}

START_TEST(reads_recorded_tasks_and_agents)
{
    struct arena arena;
    const char *framework = "fe91e337-553e-4a76-bba8-36c6f4c7d1fc-0000";
    json_t *tasks = recorded_json("tasks.http"), *agents = recorded_json("slaves.http");
    arena_init(&arena);
    json_t *task = describe_find_task(tasks, framework, "ended");
    ck_assert_ptr_nonnull(task);
    struct qm_task_found found = describe_read_task(&arena, task);
    ck_assert(found.exists);
    ck_assert_int_eq(found.state, QM_TASK_FINISHED);
    ck_assert_str_eq(found.agent_id, "fe91e337-553e-4a76-bba8-36c6f4c7d1fc-S0");
    ck_assert_str_eq(found.service, "ended"); /* no label: the task's name */
    ck_assert_str_eq(found.version, "");
    ck_assert_str_eq(found.hostname, "");
    ck_assert_str_eq(describe_find_host(agents, found.agent_id), "127.0.0.1");
    ck_assert_str_eq(describe_find_host(agents, "other"), "");
    ck_assert_ptr_null(describe_find_task(tasks, "other", "ended"));
    ck_assert_ptr_null(describe_find_task(tasks, framework, "other"));
    json_decref(tasks);
    json_decref(agents);
    arena_deinit(&arena);
}
END_TEST

static const struct {
    const char *image, *version;
} images[] = {
    {"quobyte/quobyte-server:1.1.5", "1.1.5"},
    {"quobyte/quobyte-server", ""},
    {"reg:5000/quobyte-server", ""},
    {"reg:5000/quobyte-server:2", "2"},
    {"quobyte-server:1.2@sha256:abcdef", "1.2"},
    {"", ""},
};

START_TEST(an_old_tasks_version_is_its_images_tag)
{
    struct arena arena;
    arena_init(&arena);
    json_t *task = json_pack("{s:s,s:s,s:{s:{s:s}}}", "id", "quobyte-api-h", "name", "quobyte-api",
                             "container", "docker", "image", images[_i].image);
    struct qm_task_found found = describe_read_task(&arena, task);
    ck_assert_str_eq(found.version, images[_i].version);
    ck_assert_str_eq(found.service, "quobyte-api");
    ck_assert_int_eq(found.state, QM_TASK_UNKNOWN);
    json_decref(task);
    arena_deinit(&arena);
}
END_TEST

START_TEST(labels_win_and_state_has_lists_of_its_own)
{
    struct arena arena;
    arena_init(&arena);
    json_t *state = json_loads(
        "{\"frameworks\":[{\"tasks\":[],\"unreachable_tasks\":[{\"id\":\"T\",\"framework_id\":"
        "\"F\",\"name\":\"x\",\"state\":\"TASK_UNREACHABLE\",\"slave_id\":\"A\",\"labels\":["
        "{\"key\":\"quobyte.service\",\"value\":\"api\"},{\"key\":\"quobyte.version\",\"value\":"
        "\"1\"},{\"key\":\"quobyte.host\",\"value\":\"h\"},{\"key\":\"quobyte.deployment\"}]}]}],"
        "\"slaves\":[{\"id\":\"A\",\"hostname\":\"h1\"}]}",
        0, NULL);
    ck_assert_ptr_nonnull(state);
    json_t *task = describe_find_task(state, "F", "T");
    ck_assert_ptr_nonnull(task);
    struct qm_task_found found = describe_read_task(&arena, task);
    ck_assert_str_eq(found.service, "api");
    ck_assert_str_eq(found.version, "1");
    ck_assert_str_eq(found.hostname, "h");
    ck_assert_str_eq(found.deployment, "");
    ck_assert_int_eq(found.state, QM_TASK_UNREACHABLE);
    ck_assert_str_eq(describe_find_host(state, "A"), "h1");
    json_decref(state);
    arena_deinit(&arena);
}
END_TEST

#define LOOP(test, table) tcase_add_loop_test(t, test, 0, sizeof table / sizeof table[0])

int main(void)
{
    TCase *t = tcase_create("leader");
    LOOP(reads_zk_urls, urls);
    LOOP(refuses_what_is_no_zk_url, bad_urls);
    LOOP(reads_addresses, addresses);
    tcase_add_test(t, the_smallest_number_leads);
    tcase_add_test(t, reads_recorded_and_other_json_nodes);
    tcase_add_test(t, reads_older_nodes);
    tcase_add_test(t, a_list_goes_on_only_after_a_failure);
    tcase_add_test(t, reads_recorded_tasks_and_agents);
    LOOP(an_old_tasks_version_is_its_images_tag, images);
    tcase_add_test(t, labels_win_and_state_has_lists_of_its_own);
    return run_case("leader", t);
}
