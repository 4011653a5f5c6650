/* The API as a pure function: every route, every bad input, byte by byte. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fake-planner.h"
#include "http/api.h"

static struct front_options options;
static struct http_response response;

static void setup(void)
{
    fake_reset();
    options = (struct front_options){.deployment = "default", .prober_path = "/usr/bin/prober"};
    response = (struct http_response){0};
}

static void teardown(void)
{
    http_response_deinit(&response);
    fake_deinit();
}

static void ask(struct http_request request)
{
    struct api_context context = {.options = &options, .callbacks = &fake_callbacks};

    request.query = request.query ? request.query : "";
    request.body = request.body ? request.body : "";
    http_response_deinit(&response);
    api_handle(&context, &request, &response);
}

static void get(const char *path)
{
    ask((struct http_request){.method = "GET", .path = path});
}

static void post_bytes(const char *body, size_t length)
{
    ask((struct http_request){.method = "POST",
                              .path = "/v1/version",
                              .has_length = true,
                              .body = body,
                              .body_length = length});
}

static void post(const char *body)
{
    post_bytes(body, strlen(body));
}

/* One line for people, and nothing was ordered. */
static void expect_refused(int status)
{
    const char *body = response.body ? response.body : "";

    ck_assert_msg(response.status == status, "%d: %s", response.status, body);
    ck_assert_uint_eq(fake.n_commands, 0);
    ck_assert_uint_eq(response.wait_revision, 0);
    ck_assert_uint_gt(response.length, 1);
    ck_assert_uint_eq(strlen(body), response.length);
    ck_assert_ptr_eq(strchr(body, '\n'), body + response.length - 1);
    ck_assert_str_eq(response.content_type, "text/plain; charset=utf-8");
}

static void expect_text(int status, const char *text)
{
    ck_assert_int_eq(response.status, status);
    ck_assert_uint_eq(response.length, strlen(text));
    ck_assert_str_eq(response.body ? response.body : "", text);
}

START_TEST(version_is_exactly_the_target)
{
    get("/v1/version");
    expect_text(200, "");
    strcpy(fake.target, "1.1.5");
    get("/v1/version");
    expect_text(200, "1.1.5");
    ck_assert_str_eq(response.content_type, "text/plain; charset=utf-8");
}
END_TEST

START_TEST(versions_are_taken)
{
    char longest[129] = "";
    const char *const versions[] = {"1.1.5", "_", "a", "9", "A.b_c-d", "1..", longest};

    memset(longest, 'v', 128);
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        fake.command_revision = 40 + i;
        post(versions[i]);
        expect_text(200, versions[i]);
        ck_assert_uint_eq(response.wait_revision, 40 + i);
        ck_assert_int_eq(fake.command, QM_COMMAND_SET_TARGET);
        ck_assert_str_eq(fake.version, versions[i]);
    }
}
END_TEST

START_TEST(line_ends_are_trimmed)
{
    post("1.1.5\n");
    expect_text(200, "1.1.5");
    post("1.1.6\r\n");
    expect_text(200, "1.1.6");
    post("1.1.7\r\n\n\r");
    expect_text(200, "1.1.7");
}
END_TEST

START_TEST(nothing_shuts_down)
{
    post("");
    expect_text(200, "");
    ck_assert_uint_eq(fake.n_commands, 1);
    ck_assert_int_eq(fake.command, QM_COMMAND_SHUT_DOWN);
    ck_assert_uint_eq(response.wait_revision, 1);
}
END_TEST

START_TEST(bad_versions_are_refused)
{
    char long_one[API_BODY_MAX + 1] = "";
    const char *const versions[] = {"1.1.5; rm -rf /",
                                    " ",
                                    "   \t ",
                                    "\n",
                                    "\r\n\r\n",
                                    " \n",
                                    " 1.1.5",
                                    "1.1.5 ",
                                    ".1",
                                    "-1",
                                    "1/2",
                                    "1:2",
                                    "1.1.5\n1.1.6",
                                    "$(id)",
                                    "\x7f",
                                    "1.1.5\xc3\xa9",
                                    "\xff",
                                    "a=b",
                                    "1,2",
                                    "\t",
                                    "latest!",
                                    "\x01",
                                    long_one};
    const struct {
        const char *bytes;
        size_t length;
    } nuls[] = {{"\0", 1},
                {"1.1.5\0", 6},
                {"1.\0"
                 "5",
                 4},
                {"\0\n", 2},
                {"\0 1", 3}};

    memset(long_one, '1', 129);
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        post(versions[i]);
        expect_refused(400);
    }
    for (size_t i = 0; i < sizeof(nuls) / sizeof(nuls[0]); i++) {
        post_bytes(nuls[i].bytes, nuls[i].length);
        expect_refused(400);
    }
    memset(long_one, '1', API_BODY_MAX);
    post_bytes(long_one, API_BODY_MAX);
    expect_refused(400);
}
END_TEST

START_TEST(missing_length_is_refused)
{
    ask((struct http_request){.method = "POST", .path = "/v1/version"});
    expect_refused(400);
    ask((struct http_request){
        .method = "POST", .path = "/v1/version", .body = "1.1.5", .body_length = 5});
    expect_refused(400);
}
END_TEST

START_TEST(long_bodies_are_refused)
{
    ask((struct http_request){
        .method = "POST", .path = "/v1/version", .has_length = true, .body_too_long = true});
    expect_refused(413);
}
END_TEST

START_TEST(methods_are_refused)
{
    static const struct {
        const char *method, *path, *allow;
    } cases[] = {
        {"", "/v1/version", "GET, HEAD, POST"},
        {"", "/v1/health", "GET, HEAD"},
        {"POST", "/v1/health", "GET, HEAD"},
        {"POST", "/", "GET, HEAD"},
        {"", "/", "GET, HEAD"},
        {"POST", "/prober", "GET, HEAD"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ask((struct http_request){.method = cases[i].method,
                                  .path = cases[i].path,
                                  .has_length = true,
                                  .body = "1.1.5",
                                  .body_length = 5});
        expect_refused(405);
        ck_assert_str_eq(response.allow, cases[i].allow);
    }
}
END_TEST

START_TEST(paths_are_exact)
{
    static const char *const paths[] = {"/nowhere",      "/v1/versionXYZ",
                                        "/v1/version/",  "/v1",
                                        "/v1/",          "//",
                                        "/V1/version",   "",
                                        "/v1//version",  "/v1/plan/x",
                                        "v1/version",    "/v1/version%20",
                                        "/../v1/version"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        get(paths[i]);
        expect_refused(404);
        ask((struct http_request){.method = "POST",
                                  .path = paths[i],
                                  .has_length = true,
                                  .body = "1.1.5",
                                  .body_length = 5});
        expect_refused(404);
    }
}
END_TEST

START_TEST(foreign_pages_give_no_orders)
{
    static const struct {
        const char *host, *origin, *site;
        bool taken;
    } cases[] = {
        {"q:8888", NULL, NULL, true},
        {"q:8888", "http://q:8888", NULL, true},
        {"Q:8888", "http://q:8888", "same-origin", true},
        {"q:8888", "https://q:8888", NULL, true},
        {"q:8888", NULL, "none", true},
        {"q:8888", "http://evil.example", NULL, false},
        {"q:8888", "http://q", NULL, false},
        {"q:8888", "http://q:88888", NULL, false},
        {"q:8888", "http://evil@q:8888", NULL, false},
        {"q:8888", "null", NULL, false},
        {"q:8888", "", NULL, false},
        {NULL, "http://q:8888", NULL, false},
        {"q:8888", NULL, "cross-site", false},
        {"q:8888", NULL, "same-site", false},
        {"q:8888", "http://q:8888", "cross-site", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (int body = 0; body < 2; body++) {
            fake.n_commands = 0;
            ask((struct http_request){.method = "POST",
                                      .path = "/v1/version",
                                      .has_length = true,
                                      .host = cases[i].host,
                                      .origin = cases[i].origin,
                                      .fetch_site = cases[i].site,
                                      .body = body ? "1.1.5" : "",
                                      .body_length = body ? 5 : 0});
            if (cases[i].taken)
                ck_assert_msg(fake.n_commands == 1, "case %zu: %s", i, response.body);
            else
                expect_refused(403);
        }
    }
    /* Reading is not steering. */
    ask((struct http_request){.method = "GET", .path = "/v1/version", .origin = "http://x"});
    ck_assert_int_eq(response.status, 200);
}
END_TEST

START_TEST(refusals_of_the_planner_are_told)
{
    fake.command_result = QM_E_CONFLICT;
    post("1.1.5");
    ck_assert_int_eq(response.status, 409);
    fake.command_result = QM_E_INVALID;
    post("1.1.5");
    ck_assert_int_eq(response.status, 400);
    fake.command_result = -ENOMEM;
    post("1.1.5");
    ck_assert_int_eq(response.status, 500);
    ck_assert_uint_eq(response.wait_revision, 0);
}
END_TEST

START_TEST(late_answers_say_so)
{
    post("1.1.5");
    api_late(&response);
    expect_text(503, "stored state unknown; GET tells\n");
}
END_TEST

static void health(const char *query)
{
    ask((struct http_request){.method = "GET", .path = "/v1/health", .query = query});
}

START_TEST(health_has_the_old_words)
{
    health("");
    expect_text(200, "OK. Running services: 0\n"); /* probers don't count */
    fake_fill(10);
    health("");
    ck_assert_int_eq(response.status, 200);
    ck_assert_int_eq(strncmp(response.body, "OK. Running services: ", 22), 0);
    health("verbose");
    ck_assert_int_eq(response.status, 200);
    ck_assert_ptr_nonnull(strstr(response.body, "\nTarget: 1.1.6\n"));
    ck_assert_ptr_nonnull(strstr(response.body, "metadata: wanted 8"));
    health("a=b&verbose=1");
    ck_assert_ptr_nonnull(strstr(response.body, "Target: "));
    health("verbosely&nonverbose");
    ck_assert_ptr_null(strstr(response.body, "Target: "));
}
END_TEST

START_TEST(strict_health_fails_when_it_should)
{
    health("strict");
    expect_text(200, "OK. Running services: 0\n");
    fake.status.connected = false;
    health("strict");
    expect_text(503, "NOT OK. Running services: 0\nnot connected to a Mesos master\n");
    health("");
    ck_assert_int_eq(response.status, 200); /* the process works */
    fake.status.connected = true;
    fake.status.store_error = "disk full";
    health("strict&verbose");
    ck_assert_int_eq(response.status, 503);
    ck_assert_ptr_nonnull(strstr(response.body, "disk full"));
    fake.status.store_error = "";
    fake.services[0].wanted = 3;
    fake.services[0].healthy = fake.services[0].running = 2;
    health("strict");
    expect_text(503, "NOT OK. Running services: 2\nregistry: 2 of 3 healthy, 0 outdated\n");
    fake.services[0].healthy = 3; /* not yet for min_ready: nothing is wrong with that */
    fake.services[0].outdated = 1;
    health("strict");
    ck_assert_int_eq(response.status, 503);
    fake.services[0].outdated = 0;
    fake.plan.kind = QM_PLAN_UPGRADE;
    fake.plan.status = QM_STATUS_IN_PROGRESS;
    health("strict");
    ck_assert_int_eq(response.status, 503);
    fake.plan.status = QM_STATUS_COMPLETE;
    health("strict");
    ck_assert_int_eq(response.status, 200);
    fake.plan.paused = true;
    health("strict");
    ck_assert_int_eq(response.status, 503);
}
END_TEST

static json_t *get_json(const char *path)
{
    json_error_t problem;
    json_t *value;

    get(path);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.content_type, "application/json");
    value = json_loadb(response.body, response.length, 0, &problem);
    ck_assert_msg(value != NULL, "%s: %s", path, problem.text);
    return value;
}

static const char *const json_routes[] = {"plan",   "hosts", "services", "tasks",
                                          "offers", "state", "config"};

START_TEST(json_is_json_at_any_size)
{
    for (size_t hosts = 0; hosts < 200; hosts = hosts * 3 + 1) {
        fake_fill(hosts);
        for (size_t i = 0; i < sizeof(json_routes) / sizeof(json_routes[0]); i++) {
            char path[32];

            snprintf(path, sizeof(path), "/v1/%s", json_routes[i]);
            json_decref(get_json(path));
        }
    }
}
END_TEST

START_TEST(json_routes_have_json_errors)
{
    for (size_t i = 0; i < sizeof(json_routes) / sizeof(json_routes[0]); i++) {
        char path[32];
        json_t *value;

        snprintf(path, sizeof(path), "/v1/%s", json_routes[i]);
        ask((struct http_request){.method = "POST", .path = path, .has_length = true});
        ck_assert_int_eq(response.status, 405);
        ck_assert_str_eq(response.allow, "GET, HEAD");
        ck_assert_str_eq(response.content_type, "application/json");
        ck_assert_ptr_null(strchr(response.body, '\n'));
        value = json_loads(response.body, 0, NULL);
        ck_assert_str_eq(json_string_value(json_object_get(value, "error")), "method_not_allowed");
        ck_assert_ptr_nonnull(json_string_value(json_object_get(value, "message")));
        json_decref(value);
    }
}
END_TEST

START_TEST(plan_keeps_its_contract)
{
    static const char *const keys[] = {"kind",   "from",   "target", "status",
                                       "paused", "reason", "phases", "number"};
    const char *name, *phase_name, *service, *status, *id, *host, *version, *code, *text, *subject;
    json_int_t since, have, want;
    json_t *plan, *phase, *step;

    fake_fill(10);
    plan = get_json("/v1/plan");
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        ck_assert_msg(json_object_get(plan, keys[i]) != NULL, "no %s", keys[i]);
    ck_assert_str_eq(json_string_value(json_object_get(plan, "kind")), "upgrade");
    ck_assert_str_eq(json_string_value(json_object_get(plan, "from")), "1.1.5");
    ck_assert_str_eq(json_string_value(json_object_get(plan, "target")), "1.1.6");
    ck_assert_str_eq(json_string_value(json_object_get(plan, "status")), "IN_PROGRESS");
    ck_assert(json_is_false(json_object_get(plan, "paused")));
    ck_assert(json_is_null(json_object_get(plan, "reason")));
    phase = json_array_get(json_object_get(plan, "phases"), 3);
    ck_assert_int_eq(json_unpack(phase, "{s:s, s:s, s:s}", "name", &phase_name, "service", &service,
                                 "status", &status),
                     0);
    ck_assert_str_eq(phase_name, "metadata");
    ck_assert_str_eq(status, "IN_PROGRESS");
    step = json_array_get(json_object_get(phase, "steps"), 7);
    ck_assert_int_eq(json_unpack(step,
                                 "{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:I, s:s, s:I, s:I, s:s}]}",
                                 "id", &id, "service", &service, "host", &host, "version", &version,
                                 "status", &status, "reasons", "code", &code, "since_ms", &since,
                                 "subject", &subject, "have", &have, "want", &want, "text", &text),
                     0);
    name = "node-007.example.com";
    ck_assert_str_eq(id, "metadata.node-007.example.com");
    ck_assert_str_eq(host, name);
    ck_assert_str_eq(version, "1.1.6");
    ck_assert_str_eq(status, "STARTED");
    ck_assert_str_eq(code, "min_ready");
    ck_assert_int_eq(have, 61000);
    ck_assert_int_eq(want, 180000);
    ck_assert_uint_gt(strlen(text), 0);
    json_decref(plan);
}
END_TEST

START_TEST(a_paused_plan_tells_its_reason)
{
    json_t *plan;

    fake.plan.paused = true;
    fake.plan.reason = (struct qm_reason){.code = QM_WHY_PAUSED, .since = 5};
    plan = get_json("/v1/plan");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(plan, "reason"), "code")),
                     "paused");
    ck_assert(json_is_true(json_object_get(plan, "paused")));
    json_decref(plan);
}
END_TEST

START_TEST(text_that_is_not_utf8_is_shown_anyway)
{
    char name[] = "host\xff\xfe", *before;
    json_t *hosts;

    fake_fill(1);
    before = fake.cluster.hosts[0].name;
    fake.cluster.hosts[0].name = name;
    hosts = get_json("/v1/hosts");
    ck_assert_str_eq(json_string_value(json_object_get(
                         json_array_get(json_object_get(hosts, "hosts"), 0), "name")),
                     "host??");
    json_decref(hosts);
    get("/");
    ck_assert_ptr_nonnull(strstr(response.body, "host??"));
    fake.cluster.hosts[0].name = before;
}
END_TEST

static const struct qm_config_key own_keys[] = {
    {.key = "zookeeper.servers", .flag = "zk", .type = QM_CONFIG_TEXT, .initial = ""},
    {.key = "test.secret",
     .flag = "test_secret",
     .type = QM_CONFIG_TEXT,
     .initial = "",
     .secret = true},
};

START_TEST(config_shows_no_secrets)
{
    fake.config = qm_config_free(fake.config);
    ck_assert_int_eq(qm_config_new(&fake.config, own_keys, 2, NULL), 0);
    ck_assert_int_eq(qm_config_set(fake.config, "zk", "zk://kim:s3cr@t@a:1,b:2", NULL), 0);
    ck_assert_int_eq(qm_config_set(fake.config, "test_secret", "hush", NULL), 0);
    json_decref(get_json("/v1/config"));
    ck_assert_ptr_null(strstr(response.body, "s3cr"));
    ck_assert_ptr_null(strstr(response.body, "kim"));
    ck_assert_ptr_null(strstr(response.body, "hush"));
    ck_assert_ptr_nonnull(strstr(response.body, "@a:1,b:2"));
    ck_assert_ptr_nonnull(strstr(response.body, "\"***\""));
}
END_TEST

START_TEST(prober_is_a_file)
{
    get("/prober");
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.file, "/usr/bin/prober");
    ck_assert_str_eq(response.content_type, "application/octet-stream");
    options.prober_path = "";
    get("/prober");
    expect_refused(404);
}
END_TEST

START_TEST(page_escapes_everything)
{
    fake_fill(10);
    get("/");
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(response.content_type, "text/html; charset=utf-8");
    ck_assert_ptr_nonnull(strstr(response.body, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    ck_assert_ptr_null(strstr(response.body, "<script>alert"));
    ck_assert_ptr_null(strstr(response.body, "<memory>"));
    ck_assert_ptr_nonnull(strstr(response.policy, "default-src 'none'"));
    ck_assert_ptr_null(strstr(response.policy, "unsafe"));
    /* Nothing is fetched from elsewhere, and nothing is inline that the policy would forbid. */
    ck_assert_ptr_null(strstr(response.body, "src="));
    ck_assert_ptr_null(strstr(response.body, "style=\""));
    ck_assert_ptr_null(strstr(response.body, "onclick"));
}
END_TEST

START_TEST(page_shows_what_matters)
{
    get("/");
    ck_assert_ptr_nonnull(strstr(response.body, "curl -X POST"));
    fake_fill(120);
    get("/");
    ck_assert_ptr_nonnull(strstr(response.body, "id=\"target-version\">1.1.6<"));
    ck_assert_ptr_nonnull(strstr(response.body, "node-119.example.com"));
    ck_assert_ptr_nonnull(strstr(response.body, "8192 MiB"));
    ck_assert_ptr_nonnull(strstr(response.body, "connected to 10.0.0.1:5050"));
    ck_assert_ptr_nonnull(strstr(response.body, "http-equiv=\"refresh\""));
    /* Thousands of hosts: those with trouble, and how many others. */
    fake_fill(3000);
    get("/");
    ck_assert_uint_lt(response.length, 1000000);
    ck_assert_ptr_nonnull(strstr(response.body, "others run without trouble"));
    ck_assert_ptr_nonnull(strstr(response.body, "and more: see the hosts below"));
    fake.status.connected = false;
    fake.status.connection = "no leading master";
    get("/");
    ck_assert_ptr_nonnull(strstr(response.body, "no leading master"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *tcase = tcase_create("api");
    SRunner *runner;
    int failures;

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, version_is_exactly_the_target);
    tcase_add_test(tcase, versions_are_taken);
    tcase_add_test(tcase, line_ends_are_trimmed);
    tcase_add_test(tcase, nothing_shuts_down);
    tcase_add_test(tcase, bad_versions_are_refused);
    tcase_add_test(tcase, missing_length_is_refused);
    tcase_add_test(tcase, long_bodies_are_refused);
    tcase_add_test(tcase, methods_are_refused);
    tcase_add_test(tcase, paths_are_exact);
    tcase_add_test(tcase, foreign_pages_give_no_orders);
    tcase_add_test(tcase, refusals_of_the_planner_are_told);
    tcase_add_test(tcase, late_answers_say_so);
    tcase_add_test(tcase, health_has_the_old_words);
    tcase_add_test(tcase, strict_health_fails_when_it_should);
    tcase_add_test(tcase, json_is_json_at_any_size);
    tcase_add_test(tcase, json_routes_have_json_errors);
    tcase_add_test(tcase, plan_keeps_its_contract);
    tcase_add_test(tcase, a_paused_plan_tells_its_reason);
    tcase_add_test(tcase, text_that_is_not_utf8_is_shown_anyway);
    tcase_add_test(tcase, config_shows_no_secrets);
    tcase_add_test(tcase, prober_is_a_file);
    tcase_add_test(tcase, page_escapes_everything);
    tcase_add_test(tcase, page_shows_what_matters);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures ? 1 : 0;
}
