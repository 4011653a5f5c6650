/*
 * The driver over real sockets, against mesos-sim: subscribes, takes an offer, launches, is told
 * states, acknowledges, describes, kills; survives a cut connection, a restarted master and one
 * that comes late. Without a planner: the test decides.
 */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "mesos/driver.h"
#include "run.h"

#define PATIENCE_S 60

/* ---- mesos-sim as a process ---- */

static pid_t sim_pid;
static char directory[64];

static unsigned start_sim(const char *port)
{
    char ready[128], hosts[128], text[16] = "";
    unsigned number = 0;
    snprintf(ready, sizeof ready, "%s/ready", directory);
    snprintf(hosts, sizeof hosts, "%s/hosts", directory);
    unlink(ready);
    sim_pid = fork();
    if (sim_pid == 0) {
        const char *program = getenv("QM_MESOS_SIM");
        if (freopen("/dev/null", "w", stdout) == NULL) /* ours carries the test's results */
            _exit(127);
        execl(program, program, "--port", port, "--agents", "1", "--dir", hosts, "--ready-file",
              ready, "--speed", "5", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < PATIENCE_S * 100 && number == 0; i++) {
        FILE *file = fopen(ready, "r");
        if (file != NULL && fgets(text, sizeof text, file) != NULL)
            number = (unsigned)strtoul(text, NULL, 10);
        if (file != NULL)
            fclose(file);
        if (number == 0)
            usleep(10000);
    }
    ck_assert_msg(number != 0, "mesos-sim did not start");
    return number;
}

static void stop_sim(void)
{
    if (sim_pid > 0) {
        kill(sim_pid, SIGTERM);
        waitpid(sim_pid, NULL, 0);
    }
    sim_pid = 0;
}

/* Two ports in a row that nobody listens on, below the range that systems give out: the master's
 * and its agent's. */
static unsigned free_ports(void)
{
    for (unsigned port = 12000 + (unsigned)getpid() % 16000; port < 32000; port += 2) {
        int taken = 0;
        for (unsigned i = 0; i < 2; i++) {
            struct sockaddr_in address = {.sin_family = AF_INET,
                                          .sin_port = htons((uint16_t)(port + i)),
                                          .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            taken |= bind(fd, (struct sockaddr *)&address, sizeof address);
            close(fd);
        }
        if (taken == 0)
            return port;
    }
    ck_abort_msg("no free ports");
}

/* ---- the driver and what it said ---- */

static struct event_base *base;
static struct driver *driver;
static char framework_id[128], offer_id[128], agent_id[128], hostname[128];
static struct qm_resource_use uses[4];
static struct qm_range port_range;
static size_t n_uses;
static int subscriptions, disconnections, ended_with;
static enum qm_task_state last_state;
static char last_task[128], last_message[256];
static struct qm_acknowledge last_ack;
static bool has_ack;
static struct qm_task_found found;
static char found_texts[6][128];

static void copy(char *to, const char *from)
{
    snprintf(to, 128, "%s", from);
}

/* Half a cpu, 64 MiB, and port 21000 of the offer. */
static void take_offer(const struct qm_offer *offer)
{
    n_uses = 0;
    copy(offer_id, offer->id);
    copy(agent_id, offer->agent_id);
    copy(hostname, offer->hostname);
    for (size_t i = 0; i < offer->n_resources && n_uses < 4; i++) {
        struct qm_resource_use use = {.resource = i, .kind = offer->resources[i].kind};
        if (use.kind == QM_RESOURCE_CPUS)
            use.amount = 500;
        else if (use.kind == QM_RESOURCE_MEM)
            use.amount = 64;
        else if (use.kind == QM_RESOURCE_PORTS) {
            port_range = (struct qm_range){21000, 21000};
            use.ranges = &port_range;
            use.n_ranges = 1;
        } else {
            continue;
        }
        uses[n_uses++] = use;
    }
}

static void on_status(const struct qm_task_status *status)
{
    last_state = status->state;
    copy(last_task, status->task_id);
    snprintf(last_message, sizeof last_message, "%s", status->message);
    has_ack = status->has_uuid;
    if (!status->has_uuid)
        return;
    static char task[128], agent[128];
    copy(task, status->task_id);
    copy(agent, status->agent_id);
    last_ack = (struct qm_acknowledge){.task_id = task, .agent_id = agent};
    memcpy(last_ack.uuid, status->uuid, sizeof last_ack.uuid);
    driver_perform(driver,
                   &(struct qm_action){.type = QM_ACTION_ACKNOWLEDGE, .acknowledge = last_ack});
}

static void on_found(const struct qm_task_found *f)
{
    const char *const texts[] = {f->task_id,    f->agent_id, f->hostname,
                                 f->deployment, f->service,  f->version};
    for (size_t i = 0; i < 6; i++)
        copy(found_texts[i], texts[i]);
    found = *f;
}

static void on_fact(void *userdata, const struct qm_fact *fact)
{
    switch (fact->type) {
    case QM_FACT_SUBSCRIBED:
        copy(framework_id, fact->subscribed.framework_id);
        subscriptions++;
        break;
    case QM_FACT_DISCONNECTED:
        disconnections++;
        offer_id[0] = '\0';
        break;
    case QM_FACT_OFFER:
        take_offer(&fact->offer);
        break;
    case QM_FACT_OFFER_RESCINDED:
        offer_id[0] = '\0';
        break;
    case QM_FACT_TASK_STATUS:
        on_status(&fact->status);
        break;
    case QM_FACT_TASK_FOUND:
        on_found(&fact->found);
        break;
    default:
        break;
    }
}

static void on_ended(void *userdata, int exit_code, const char *line)
{
    ended_with = exit_code;
}

static void start_driver(const char *masters, const char *saved_id)
{
    char error[256] = "";
    const struct driver_options options = {
        .masters = masters,
        .name = "test",
        .role = "*",
        .public_role = "public",
        .hostname = "here",
        .failover_timeout = QM_SECONDS(604800),
        .framework_id = saved_id,
        .seed = 1,
    };
    const struct driver_callbacks callbacks = {on_fact, on_ended, NULL};
    ck_assert_int_eq(driver_new(&driver, base, &options, &callbacks, error, sizeof error), 0);
    ck_assert_str_eq(error, "");
}

/* Runs the loop until the condition holds. */
#define until(condition)                                                                           \
    do {                                                                                           \
        for (int i_ = 0; i_ < PATIENCE_S * 100 && !(condition); i_++)                              \
            turn();                                                                                \
        ck_assert_msg(condition, "not in time: %s (state %d of %s: %s)", #condition,               \
                      (int)last_state, last_task, last_message);                                   \
    } while (0)

static void turn(void)
{
    struct timeval wait = {0, 10000};
    event_base_loopexit(base, &wait);
    event_base_dispatch(base);
}

static void setup(void)
{
    strcpy(directory, "/tmp/qm-test-driver-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    base = event_base_new();
    framework_id[0] = offer_id[0] = last_task[0] = '\0';
    subscriptions = disconnections = 0;
    last_state = QM_TASK_STAGING;
    ended_with = -1;
    found = (struct qm_task_found){0};
}

static void teardown(void)
{
    char command[128];
    driver = driver_free(driver);
    event_base_free(base);
    stop_sim();
    snprintf(command, sizeof command, "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
}

/* ---- what it launches ---- */

static const struct qm_variable environment[] = {{"QUOBYTE_SERVICE", "api"}, {"ODD", "a 'b' $c"}};
static const struct qm_port_spec rpc = {"rpc", "QUOBYTE_RPC_PORT", QM_PORT_RPC, 21000};
static const struct qm_task_port ports[] = {{&rpc, 21000}};
static const struct qm_task_template service = {
    .service = "api",
    .version = "1.1.5",
    .containerizer = QM_CONTAINERIZER_DOCKER,
    .image = "quobyte/server:1.1.5",
    .command = "",
    .uri = "",
    .user = "",
    .environment = environment,
    .n_environment = 2,
    .kill_grace = QM_SECONDS(1),
    .deployment = "default",
};
static const struct qm_task_template shell = {
    .service = "api",
    .version = "1.1.5",
    .containerizer = QM_CONTAINERIZER_NONE,
    .image = "",
    .command = "test \"$ODD\" = \"a 'b' \\$c\" && test \"$QUOBYTE_RPC_PORT\" = 21000 && "
               "test \"$QUOBYTE_SERVICE\" = api",
    .uri = "",
    .user = "",
    .environment = environment,
    .n_environment = 2,
    .kill_grace = QM_SECONDS(1),
    .deployment = "default",
};

static void launch(const struct qm_task_template *what, const char *task_id)
{
    const char *offers[] = {offer_id};
    struct qm_task_launch task = {
        .template_ = what,
        .task_id = task_id,
        .executor_id = "",
        .hostname = hostname,
        .ports = ports,
        .n_ports = 1,
        .uses = uses,
        .n_uses = n_uses,
    };
    struct qm_action action = {.type = QM_ACTION_LAUNCH};
    action.launch.agent_id = agent_id;
    action.launch.offer_ids = offers;
    action.launch.n_offer_ids = 1;
    action.launch.tasks = &task;
    action.launch.n_tasks = 1;
    driver_perform(driver, &action);
}

static void kill_task(const char *task_id)
{
    struct qm_action action = {.type = QM_ACTION_KILL};
    action.kill = (struct qm_kill){task_id, agent_id, QM_SECONDS(1)};
    driver_perform(driver, &action);
}

static void describe(const char *task_id)
{
    struct qm_action action = {.type = QM_ACTION_DESCRIBE_TASK};
    action.describe = (struct qm_task_key){task_id, agent_id};
    driver_perform(driver, &action);
}

static const char *masters_at(unsigned port)
{
    static char text[64];
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    return text;
}

static const char *post(unsigned port, const char *path)
{
    static char command[256];
    snprintf(command, sizeof command,
             "python3 -c \"import urllib.request as u; "
             "u.urlopen(u.Request('http://127.0.0.1:%u/sim/%s', data=b'', method='POST'))\"",
             port, path);
    return command;
}

START_TEST(a_task_from_launch_to_end)
{
    start_driver(masters_at(start_sim("0")), "");
    until(subscriptions == 1 && offer_id[0] != '\0');
    ck_assert_str_eq(hostname, "agent-1");
    launch(&service, "api.agent-1.1-1");
    until(last_state == QM_TASK_RUNNING && strcmp(last_task, "api.agent-1.1-1") == 0);

    describe("api.agent-1.1-1");
    until(found.exists);
    ck_assert_str_eq(found_texts[0], "api.agent-1.1-1");
    ck_assert_str_eq(found_texts[1], agent_id);
    ck_assert_str_eq(found_texts[2], "agent-1");
    ck_assert_str_eq(found_texts[3], "default");
    ck_assert_str_eq(found_texts[4], "api");
    ck_assert_str_eq(found_texts[5], "1.1.5");
    ck_assert_int_eq(found.state, QM_TASK_RUNNING);
    found_texts[0][0] = '\0';
    describe("nobody's task");
    until(found_texts[0][0] != '\0');
    ck_assert(!found.exists);

    kill_task("api.agent-1.1-1");
    until(last_state == QM_TASK_KILLED);

    struct driver_status status;
    driver_status(driver, &status);
    ck_assert(status.connected);
    ck_assert_str_eq(status.detail, "subscribed");
    ck_assert_int_eq(strncmp(status.master, "127.0.0.1:", 10), 0);
}
END_TEST

/* Nothing between the template and the process changes a value. */
START_TEST(a_command_gets_its_environment)
{
    start_driver(masters_at(start_sim("0")), "");
    until(offer_id[0] != '\0');
    launch(&shell, "api.agent-1.1-2");
    until(last_state == QM_TASK_FINISHED || last_state == QM_TASK_FAILED);
    ck_assert_msg(last_state == QM_TASK_FINISHED, "%s", last_message);
}
END_TEST

START_TEST(a_cut_connection_is_mended_and_the_task_lives)
{
    unsigned port = start_sim("0");
    start_driver(masters_at(port), "");
    until(offer_id[0] != '\0');
    launch(&service, "api.agent-1.1-3");
    until(last_state == QM_TASK_RUNNING);
    char first_id[128];
    copy(first_id, framework_id);
    ck_assert_int_eq(system(post(port, "connection/drop")), 0);
    until(disconnections == 1 && subscriptions == 2);
    ck_assert_str_eq(framework_id, first_id);

    last_task[0] = '\0';
    struct qm_task_key key = {"api.agent-1.1-3", agent_id};
    struct qm_action action = {.type = QM_ACTION_RECONCILE};
    action.reconcile.tasks = &key;
    action.reconcile.n_tasks = 1;
    driver_perform(driver, &action);
    until(strcmp(last_task, "api.agent-1.1-3") == 0);
    ck_assert_int_eq(last_state, QM_TASK_RUNNING);
}
END_TEST

START_TEST(a_restarted_master_takes_us_back)
{
    unsigned port = start_sim("0");
    start_driver(masters_at(port), "");
    until(subscriptions == 1);
    char first_id[128];
    copy(first_id, framework_id);
    ck_assert_int_eq(system(post(port, "master/restart")), 0);
    until(subscriptions == 2);
    ck_assert_str_eq(framework_id, first_id);
    ck_assert_int_eq(ended_with, -1);
}
END_TEST

START_TEST(a_second_scheduler_of_our_id_ends_us)
{
    unsigned port = start_sim("0");
    start_driver(masters_at(port), "");
    until(subscriptions == 1);
    struct driver *first = driver;
    start_driver(masters_at(port), framework_id);
    until(ended_with != -1);
    ck_assert_int_eq(ended_with, 6);
    driver_free(first);
}
END_TEST

/* Nobody listens at first; then there is a list whose second member answers. */
START_TEST(an_unreachable_master_is_waited_for)
{
    char masters[128];
    unsigned port = free_ports();
    snprintf(masters, sizeof masters, "127.0.0.1:1,127.0.0.1:%u", port);
    start_driver(masters, "");
    struct driver_status status;
    for (int i = 0; i < 20; i++)
        turn();
    driver_status(driver, &status);
    ck_assert(!status.connected);
    ck_assert_msg(strstr(status.detail, "cannot connect") != NULL, "%s", status.detail);
    char text[16];
    snprintf(text, sizeof text, "%u", port);
    start_sim(text);
    until(subscriptions == 1);
}
END_TEST

/* A launch on an offer that is gone is not sent, and nothing is left waiting for it. */
START_TEST(void_offers_are_not_used)
{
    start_driver(masters_at(start_sim("0")), "");
    until(offer_id[0] != '\0');
    char real[128];
    copy(real, offer_id);
    copy(offer_id, "never-offered");
    launch(&service, "api.agent-1.1-4");
    copy(offer_id, real);
    launch(&service, "api.agent-1.1-5");
    until(last_state == QM_TASK_RUNNING);
    ck_assert_str_eq(last_task, "api.agent-1.1-5");
}
END_TEST

static const char *const bad_masters[] = {
    "",      "host:port",         "a:1,,b:2",    "a:0",           "a:65536",
    "zk://", "zk://host:x/mesos", "zk:///mesos", "https://m:1,n:2", "zk://nopassword@h:1/mesos",
};

START_TEST(bad_masters_are_refused_with_one_line)
{
    char error[256] = "";
    struct driver_options options = {.masters = bad_masters[_i], .name = "test"};
    const struct driver_callbacks callbacks = {on_fact, on_ended, NULL};
    ck_assert_int_eq(driver_new(&driver, base, &options, &callbacks, error, sizeof error), -EINVAL);
    ck_assert_msg(strncmp(error, "--master", 8) == 0, "%s", error);
    ck_assert_ptr_null(strchr(error, '\n'));
    driver = NULL;
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("driver");
    signal(SIGPIPE, SIG_IGN);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 0); /* meson's watches over it */
    tcase_add_test(t, a_task_from_launch_to_end);
    tcase_add_test(t, a_command_gets_its_environment);
    tcase_add_test(t, a_cut_connection_is_mended_and_the_task_lives);
    tcase_add_test(t, a_restarted_master_takes_us_back);
    tcase_add_test(t, a_second_scheduler_of_our_id_ends_us);
    tcase_add_test(t, an_unreachable_master_is_waited_for);
    tcase_add_test(t, void_offers_are_not_used);
    tcase_add_loop_test(t, bad_masters_are_refused_with_one_line, 0,
                        sizeof bad_masters / sizeof bad_masters[0]);
    return run_case("driver", t);
}
