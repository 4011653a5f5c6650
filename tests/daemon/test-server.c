/*
 * The HTTP front end over real sockets, with bytes that no polite client sends. The front end runs
 * in a child process over a planner made of paper; it must end cleanly, without a leak, every time.
 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "fake-planner.h"
#include "log.h"

#define PATIENCE_MS 60000
#define VERSION     "/v1/version"

static pid_t child;
static uint16_t port;
static char answer[1 << 20];
static size_t answer_length;
static char prober_file[] = "/tmp/qm-prober-XXXXXX";

/* In the child */

static struct event_base *base;
static struct front *front;

static void on_term(evutil_socket_t fd, short what, void *userdata)
{
    event_base_loopexit(base, NULL);
}

/* The save of the last order came back. */
static void on_saved(evutil_socket_t fd, short what, void *userdata)
{
    fake.saved_revision = fake.command_revision;
    front_saved(front, fake.command_revision);
}

static void serve(int out, bool save_is_slow)
{
    struct front_options options = {
        .bind = "127.0.0.1", .deployment = "default", .prober_path = prober_file};
    struct event *term, *usr1;
    char error[256];
    uint16_t number;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    log_set_level(LOG_LEVEL_ERROR);
    base = event_base_new();
    fake_fill(30);
    fake.target[0] = '\0';
    if (save_is_slow)
        fake.command_revision = 1000;
    if (front_new(&front, base, &options, &fake_callbacks, error, sizeof(error)) != 0)
        _exit(3);
    term = evsignal_new(base, SIGTERM, on_term, NULL);
    usr1 = evsignal_new(base, SIGUSR1, on_saved, NULL);
    event_add(term, NULL);
    event_add(usr1, NULL);
    number = front_port(front);
    if (write(out, &number, sizeof(number)) != sizeof(number))
        _exit(3);
    close(out);
    event_base_dispatch(base);
    front_free(front);
    event_free(term);
    event_free(usr1);
    event_base_free(base);
    fake_deinit();
    libevent_global_shutdown();
    exit(0);
}

static void start(bool save_is_slow)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        serve(ends[1], save_is_slow);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &port, sizeof(port)), sizeof(port));
    close(ends[0]);
}

static void setup(void)
{
    start(false);
}

static void setup_slow(void)
{
    start(true);
}

static void teardown(void)
{
    int status;

    kill(child, SIGTERM);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the front end ended with %d",
                  status);
}

/* The client */

static int dial(void)
{
    struct sockaddr_in name = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    return fd;
}

/* What cannot be sent because the other side has hung up is left out. */
static void send_bytes(int fd, const char *bytes, size_t length)
{
    while (length) {
        ssize_t n = send(fd, bytes, length, MSG_NOSIGNAL);

        if (n <= 0)
            return;
        bytes += n;
        length -= (size_t)n;
    }
}

__attribute__((format(printf, 2, 3))) static void send_text(int fd, const char *format, ...)
{
    char text[32768];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ck_assert_int_lt(n, (int)sizeof(text));
    send_bytes(fd, text, (size_t)n);
}

/* Reads until the server hangs up. */
static void receive(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    ssize_t n;

    answer_length = 0;
    for (;;) {
        ck_assert_msg(poll(&wait, 1, PATIENCE_MS) == 1, "no answer, or the connection stays open");
        n = recv(fd, answer + answer_length, sizeof(answer) - 1 - answer_length, 0);
        if (n <= 0)
            break;
        answer_length += (size_t)n;
    }
    answer[answer_length] = '\0';
    close(fd);
}

static void expect_status(int status)
{
    char line[32];

    snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
    ck_assert_msg(strncmp(answer, line, strlen(line)) == 0, "wanted %d, got: %.300s", status,
                  answer);
}

static const char *body(void)
{
    const char *end = strstr(answer, "\r\n\r\n");

    ck_assert_ptr_nonnull(end);
    return end + 4;
}

static void get(const char *path)
{
    int fd = dial();

    send_text(fd, "GET %s HTTP/1.1\r\nHost: q\r\n\r\n", path);
    receive(fd);
}

static void expect_target(const char *target)
{
    get(VERSION);
    expect_status(200);
    ck_assert_str_eq(body(), target);
}

static void post(const char *head, const char *bytes, size_t length)
{
    int fd = dial();

    send_text(fd, "POST " VERSION " HTTP/1.1\r\nHost: q\r\n%sContent-Length: %zu\r\n\r\n", head,
              length);
    send_bytes(fd, bytes, length);
    receive(fd);
}

START_TEST(gets_and_posts)
{
    expect_target("");
    ck_assert_ptr_nonnull(strstr(answer, "Content-Length: 0\r\n"));
    ck_assert_ptr_nonnull(strstr(answer, "Connection: close\r\n"));
    post("", "1.1.5", 5);
    expect_status(200);
    ck_assert_str_eq(body(), "1.1.5");
    expect_target("1.1.5");
    post("", "", 0);
    expect_status(200);
    ck_assert_str_eq(body(), "");
    expect_target("");
    get("/nowhere");
    expect_status(404);
}
END_TEST

START_TEST(head_has_no_body)
{
    static const char *const paths[] = {VERSION, "/v1/health", "/", "/v1/plan", "/prober"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        char length[64];
        size_t n;
        int fd;

        get(paths[i]);
        n = answer_length - (size_t)(body() - answer);
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", n);
        fd = dial();
        send_text(fd, "HEAD %s HTTP/1.1\r\nHost: q\r\n\r\n", paths[i]);
        receive(fd);
        expect_status(200);
        ck_assert_str_eq(body(), "");
        ck_assert_msg(strstr(answer, length) != NULL, "%s: no %s in %s", paths[i], length, answer);
    }
}
END_TEST

START_TEST(long_bodies_are_refused)
{
    static const size_t lengths[] = {4097, 65536, 1000000, 6000000, 10000000};
    static const char *const heads[] = {"", "Content-Type: application/x-www-form-urlencoded\r\n",
                                        "Content-Type: multipart/form-data; boundary=x\r\n"};
    char *bytes = malloc(10000000);

    for (size_t i = 0; i < 10000000; i++)
        bytes[i] = "a=b&"[i % 4];
    post("", "7.7", 3);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t h = 0; h < sizeof(heads) / sizeof(heads[0]); h++) {
            post(heads[h], bytes, lengths[i]);
            expect_status(413);
            expect_target("7.7");
        }
    }
    post("", bytes, 4096);
    expect_status(400);
    free(bytes);
}
END_TEST

START_TEST(endless_bodies_are_cut_off)
{
    char *bytes = calloc(1, 1 << 20);
    int fd = dial();

    send_text(fd, "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 999999999999\r\n\r\n");
    for (int i = 0; i < 100; i++)
        send_bytes(fd, bytes, 1 << 20);
    receive(fd); /* the server hangs up long before the end */
    free(bytes);
    expect_target("");
}
END_TEST

START_TEST(odd_lengths_stop_nothing)
{
    static const char *const heads[] = {
        "",
        "Content-Length:\r\n",
        "Content-Length: \r\n",
        "Content-Length: -1\r\n",
        "Content-Length: +0\r\n",
        "Content-Length: abc\r\n",
        "Content-Length: 0x0\r\n",
        "Content-Length: 0, 0\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 0\r\n",
        "Content-Length : 0\r\n",
    };

    post("", "7.7", 3);
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        int fd = dial();

        send_text(fd, "POST " VERSION " HTTP/1.1\r\nHost: q\r\n%s\r\n", heads[i]);
        shutdown(fd, SHUT_WR);
        receive(fd);
        ck_assert_msg(strstr(answer, " 200 ") == NULL, "'%s' was taken", heads[i]);
        expect_target("7.7");
    }
}
END_TEST

START_TEST(chunks_are_refused)
{
    static const char *const bodies[] = {"5\r\n1.1.5\r\n0\r\n\r\n", "0\r\n\r\n",
                                         "ffffffffffffffff\r\nx", "zz\r\n"};

    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        int fd = dial();

        send_text(fd,
                  "POST " VERSION " HTTP/1.1\r\nHost: q\r\nTransfer-Encoding: chunked\r\n\r\n%s",
                  bodies[i]);
        shutdown(fd, SHUT_WR);
        receive(fd);
        if (i < 2)
            expect_status(400);
        expect_target("");
    }
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
    static const char in_path[] = "POST /v1/version\0XYZ HTTP/1.1\r\nHost: q\r\n"
                                  "Content-Length: 3\r\n\r\n7.7";
    static const char in_header[] = "POST " VERSION " HTTP/1.1\r\nHost: q\r\n"
                                    "Content-Length: 0\0 5\r\n\r\n";
    int fd;

    post("", "\0", 1);
    expect_status(400);
    post("", "1.1\0.5", 6);
    expect_status(400);
    fd = dial();
    send_bytes(fd, in_path, sizeof(in_path) - 1);
    shutdown(fd, SHUT_WR);
    receive(fd);
    expect_target("");
    post("", "7.7", 3);
    fd = dial();
    send_bytes(fd, in_header, sizeof(in_header) - 1);
    shutdown(fd, SHUT_WR);
    receive(fd);
    expect_target("7.7");
}
END_TEST

START_TEST(methods_are_refused)
{
    static const char *const methods[] = {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "MKCOL"};

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        int fd = dial();

        send_text(fd, "%s " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 3\r\n\r\n7.7",
                  methods[i]);
        receive(fd);
        expect_status(405);
        ck_assert_ptr_nonnull(strstr(answer, "Allow: GET, HEAD, POST\r\n"));
        expect_target("");
    }
}
END_TEST

START_TEST(foreign_pages_are_refused)
{
    post("Origin: http://evil.example\r\n", "7.7", 3);
    expect_status(403);
    post("Sec-Fetch-Site: cross-site\r\n", "", 0);
    expect_status(403);
    post("Origin: http://q\r\n", "7.7", 3);
    expect_status(200);
}
END_TEST

/* A body is never taken for a query, a query never for a body. */
START_TEST(bodies_are_no_queries)
{
    int fd = dial();

    send_text(fd, "GET /v1/health HTTP/1.1\r\nHost: q\r\nContent-Length: 12\r\nContent-Type: "
                  "application/x-www-form-urlencoded\r\n\r\nverbose=true");
    receive(fd);
    expect_status(200);
    ck_assert_ptr_null(strstr(body(), "Target"));
    get("/v1/health?verbose");
    ck_assert_ptr_nonnull(strstr(body(), "Target"));
    get("/v1/health?verbose#x");
    expect_status(200);
}
END_TEST

START_TEST(header_floods_are_refused)
{
    char value[7000];
    int fd = dial();

    memset(value, 'y', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    send_text(fd, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 100; i++)
        send_text(fd, "X-%d: y\r\n", i);
    send_text(fd, "\r\n");
    receive(fd);
    expect_status(431);
    fd = dial();
    send_text(fd, "GET / HTTP/1.1\r\nA: %s\r\nB: %s\r\nC: %s\r\n\r\n", value, value, value);
    receive(fd);
    expect_status(431);
    /* Beyond any measure: the server hangs up, in bounded memory. */
    fd = dial();
    send_text(fd, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 1000; i++)
        send_text(fd, "X-%d: %s\r\n", i, value);
    receive(fd);
    expect_target("");
}
END_TEST

START_TEST(nonsense_is_answered_or_dropped)
{
    static const char *const requests[] = {"\r\n\r\n",
                                           "HELLO\r\n\r\n",
                                           "GET\r\n\r\n",
                                           "GET /\r\n\r\n",
                                           "GET / HTTP/9.9\r\n\r\n",
                                           "\x16\x03\x01\x02\x01\x01\xff",
                                           "GET  /  HTTP/1.1\r\n\r\n",
                                           "GET ?verbose HTTP/1.1\r\n\r\n",
                                           "GET http://q/v1/version HTTP/1.1\r\n\r\n",
                                           "GET http://q HTTP/1.1\r\n\r\n",
                                           "GET http://q?x HTTP/1.1\r\n\r\n",
                                           "GET http://:x@y:99999999/ HTTP/1.1\r\n\r\n",
                                           "GET /?%zz HTTP/1.1\r\nHost: q\r\n\r\n",
                                           "GET /?&&==&%00=%01 HTTP/1.1\r\nHost: q\r\n\r\n",
                                           "GET / HTTP/1.1\r\n: x\r\n\r\n",
                                           "GET / HTTP/1.1\r\nx\r\n\r\n",
                                           "GET / HTTP/1.1\nHost: q\n\n",
                                           "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
                                           "CONNECT q:1 HTTP/1.1\r\n\r\n",
                                           "OPTIONS * HTTP/1.1\r\nHost: q\r\n\r\n",
                                           "GET /%00 HTTP/1.1\r\n\r\n",
                                           "GET \\ HTTP/1.1\r\n\r\n",
                                           "get / http/1.1\r\n\r\n",
                                           "GET /#x HTTP/1.1\r\nHost: q\r\n\r\n",
                                           "POST " VERSION " HTTP/1.0\r\n\r\n"};

    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        int fd = dial();

        send_text(fd, "%s", requests[i]);
        shutdown(fd, SHUT_WR);
        receive(fd);
        expect_target("");
    }
}
END_TEST

START_TEST(a_long_request_line_is_refused)
{
    char path[9000];
    int fd = dial();

    memset(path, 'a', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    send_text(fd, "GET /%s HTTP/1.1\r\nHost: q\r\n\r\n", path);
    receive(fd);
    ck_assert_ptr_null(strstr(answer, " 200 "));
    expect_target("");
}
END_TEST

/* Only the first request of a connection is served; the answer says that it closes. */
START_TEST(pipelined_requests)
{
    int fd = dial();

    send_text(fd, "GET " VERSION " HTTP/1.1\r\nHost: q\r\n\r\n"
                  "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 3\r\n\r\n7.7");
    receive(fd);
    expect_status(200);
    ck_assert_ptr_null(strstr(answer + 10, "HTTP/1.1"));
    expect_target("");
}
END_TEST

START_TEST(slow_and_half_closed_clients)
{
    const char *request = "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 5\r\n\r\n1.1.5";
    struct timespec nap = {.tv_nsec = 2000000};
    int idle[100], fd = dial();

    for (int i = 0; i < 100; i++)
        idle[i] = dial();
    for (const char *p = request; *p; p++) {
        send_bytes(fd, p, 1);
        nanosleep(&nap, NULL);
    }
    shutdown(fd, SHUT_WR);
    receive(fd);
    expect_status(200);
    expect_target("1.1.5");
    for (int i = 0; i < 100; i++)
        close(idle[i]);
}
END_TEST

/* Too many connections are turned away and the server lives on. */
START_TEST(many_connections)
{
    enum { N = 700 };
    int fds[N], n = 0;
    bool served = false;
    time_t end = time(NULL) + PATIENCE_MS / 1000;

    for (; n < N; n++)
        fds[n] = dial();
    while (n)
        close(fds[--n]);
    while (!served && time(NULL) < end) {
        get(VERSION);
        served = strncmp(answer, "HTTP/1.1 200", 12) == 0;
    }
    ck_assert_msg(served, "no service after many connections");
}
END_TEST

START_TEST(the_prober_is_served)
{
    int fd = open(prober_file, O_WRONLY | O_TRUNC);
    char *bytes = malloc(300000);

    for (size_t i = 0; i < 300000; i++)
        bytes[i] = (char)(i * 7 % 251);
    ck_assert_int_eq(write(fd, bytes, 300000), 300000);
    close(fd);
    get("/prober");
    expect_status(200);
    ck_assert_ptr_nonnull(strstr(answer, "application/octet-stream"));
    ck_assert_uint_eq(answer_length - (size_t)(body() - answer), 300000);
    ck_assert_mem_eq(body(), bytes, 300000);
    free(bytes);
}
END_TEST

/* Answers wait for the save. */
START_TEST(orders_wait_for_their_save)
{
    struct pollfd wait = {.events = POLLIN};
    int fd = dial(), gone = dial();

    send_text(fd, "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 5\r\n\r\n1.1.5");
    send_text(gone, "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 5\r\n\r\n1.1.5");
    expect_target("1.1.5"); /* taken; the front end goes on */
    wait.fd = fd;
    ck_assert_int_eq(poll(&wait, 1, 300), 0);
    close(gone);
    ck_assert_int_eq(kill(child, SIGUSR1), 0);
    receive(fd);
    expect_status(200);
    ck_assert_str_eq(body(), "1.1.5");
    post("", "1.1.6", 5); /* saved already: at once */
    expect_status(200);
}
END_TEST

START_TEST(orders_without_a_save_say_so)
{
    time_t before = time(NULL);

    post("", "1.1.5", 5);
    expect_status(503);
    ck_assert_str_eq(body(), "stored state unknown; GET tells\n");
    ck_assert_int_ge(time(NULL) - before, 9);
    ck_assert_int_le(time(NULL) - before, 30);
}
END_TEST

/* Ending while answers wait and clients are half way through. */
START_TEST(ends_in_the_middle)
{
    int waiting = dial(), half = dial();

    send_text(waiting, "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Length: 5\r\n\r\n1.1.5");
    send_text(half, "POST " VERSION " HTTP/1.1\r\nHost: q\r\nContent-Le");
    expect_target("1.1.5");
    teardown();
    receive(waiting);
    receive(half);
    start(false);
}
END_TEST

START_TEST(bad_addresses_are_told)
{
    static const char *const bad[] = {"nowhere.example", "1.2.3", "256.0.0.1", "203.0.113.7"};
    struct event_base *own = event_base_new();
    struct front *other = NULL;
    char error[256];

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct front_options options = {.bind = bad[i]};

        if (strcmp(bad[i], "1.2.3") == 0)
            options.bind = "1.2.3.4.5";
        ck_assert_int_lt(front_new(&other, own, &options, &fake_callbacks, error, sizeof(error)),
                         0);
        ck_assert_msg(strstr(error, "cannot listen on") && !strchr(error, '\n'), "%s", error);
    }
    /* A port that is taken. */
    ck_assert_int_eq(front_new(&other, own,
                               &(struct front_options){.bind = "127.0.0.1", .port = port},
                               &fake_callbacks, error, sizeof(error)),
                     -EADDRINUSE);
    ck_assert_msg(strstr(error, "in use") != NULL, "%s", error);
    event_base_free(own);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server");
    TCase *tcase = tcase_create("server"), *slow = tcase_create("slow saves");
    SRunner *runner;
    int failures, fd = mkstemp(prober_file);

    if (fd < 0 || write(fd, "prober", 6) != 6)
        return 1;
    close(fd);
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, gets_and_posts);
    tcase_add_test(tcase, head_has_no_body);
    tcase_add_test(tcase, long_bodies_are_refused);
    tcase_add_test(tcase, endless_bodies_are_cut_off);
    tcase_add_test(tcase, odd_lengths_stop_nothing);
    tcase_add_test(tcase, chunks_are_refused);
    tcase_add_test(tcase, nul_bytes_are_refused);
    tcase_add_test(tcase, methods_are_refused);
    tcase_add_test(tcase, foreign_pages_are_refused);
    tcase_add_test(tcase, bodies_are_no_queries);
    tcase_add_test(tcase, header_floods_are_refused);
    tcase_add_test(tcase, nonsense_is_answered_or_dropped);
    tcase_add_test(tcase, a_long_request_line_is_refused);
    tcase_add_test(tcase, pipelined_requests);
    tcase_add_test(tcase, slow_and_half_closed_clients);
    tcase_add_test(tcase, many_connections);
    tcase_add_test(tcase, the_prober_is_served);
    tcase_add_test(tcase, bad_addresses_are_told);
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(slow, 120);
    tcase_add_checked_fixture(slow, setup_slow, teardown);
    tcase_add_test(slow, orders_wait_for_their_save);
    tcase_add_test(slow, orders_without_a_save_say_so);
    tcase_add_test(slow, ends_in_the_middle);
    suite_add_tcase(suite, slow);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    unlink(prober_file);
    return failures ? 1 : 0;
}
