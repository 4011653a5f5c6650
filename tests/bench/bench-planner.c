/*
 * The planner on a fixed workload: N hosts with three devices each, from their first offer to a
 * settled deployment. One thread, no network; inputs are built outside the timed sections, saves
 * are confirmed at once. Prints one JSON object a line; see docs/benchmarks.md.
 *
 * The services of the first hosts open the deployment's phases ("opening"); from then on every
 * offer launches all three of its host.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <quobyte-mesos.h>

#define BATCH     1000
#define OPENERS   3
#define ROUNDS    20
#define ACTIONS   16
#define NAME_SIZE 64
#define TEXT_SIZE 128

struct host {
    char name[NAME_SIZE];
    char agent[NAME_SIZE];
    char tasks[4][128]; /* launched and not told RUNNING yet */
    unsigned n_tasks;
};

struct bench {
    struct qm_planner *planner;
    struct host *hosts;
    size_t n;
    qm_time now;
    double timed; /* seconds of the section under way */
    uint64_t next_offer;
    uint64_t actions[ACTIONS];
    uint64_t launched, declined_offers;
    uint64_t allocations;
    struct qm_fact *facts; /* a batch of inputs */
    struct qm_resource (*resources)[6];
    struct qm_device (*devices)[3];
    char (*texts)[6][TEXT_SIZE];
    const char *wrong; /* a count that did not come out right */
};

static double cpu_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void *count_alloc(void *userdata, size_t size)
{
    ((struct bench *)userdata)->allocations++;
    return malloc(size);
}

static void *count_realloc(void *userdata, void *block, size_t size)
{
    ((struct bench *)userdata)->allocations++;
    return realloc(block, size);
}

static void count_free(void *userdata, void *block)
{
    (void)userdata;
    free(block);
}

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    malloc_trim(0);
    if (!f || fscanf(f, "%ld %ld", &pages, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void step(struct bench *b, struct qm_fact *fact)
{
    int result;

    fact->time = b->now;
    result = qm_planner_step(b->planner, fact);
    if (result != 0) {
        fprintf(stderr, "fact %d: %s\n", (int)fact->type, qm_strerror(result));
        exit(1);
    }
}

static struct host *host_named(struct bench *b, const char *name)
{
    return &b->hosts[strtoul(name + strlen("host"), NULL, 10)];
}

static void note_launch(struct bench *b, const struct qm_launch *launch)
{
    for (size_t i = 0; i < launch->n_tasks; i++) {
        struct host *host = host_named(b, launch->tasks[i].hostname);

        if (host->n_tasks == 4) {
            b->wrong = "more than four tasks launched at once on a host";
            continue;
        }
        snprintf(host->tasks[host->n_tasks++], sizeof(host->tasks[0]), "%s",
                 launch->tasks[i].task_id);
        b->launched++;
    }
}

/* The decision and all actions. Saves are confirmed until there is nothing more to save. */
static void drain(struct bench *b)
{
    uint64_t revision;

    do {
        const struct qm_action *action;

        revision = 0;
        while ((action = qm_planner_next_action(b->planner))) {
            b->actions[action->type]++;
            if (action->type == QM_ACTION_SAVE)
                revision = action->save.revision;
            else if (action->type == QM_ACTION_LAUNCH)
                note_launch(b, &action->launch);
            else if (action->type == QM_ACTION_DECLINE)
                b->declined_offers += action->decline.n_offer_ids;
        }
        if (revision)
            step(b, &(struct qm_fact){.type = QM_FACT_STATE_SAVED, .revision = revision});
    } while (revision);
}

/* Takes a batch of facts: all, then one drain, or a drain after each. */
static void take(struct bench *b, size_t n, bool alone)
{
    double start = cpu_now();

    for (size_t i = 0; i < n; i++) {
        step(b, &b->facts[i]);
        if (alone)
            drain(b);
    }
    if (!alone)
        drain(b);
    b->timed += cpu_now() - start;
}

/* cpus, mem, disk, ports and two MOUNT disks, as a storage host offers them. */
static void build_offer(struct bench *b, size_t at, size_t i, bool rest)
{
    static const struct qm_range full[] = {{80, 80}, {8888, 8889}, {21000, 21100}};
    static const struct qm_range left[] = {{80, 80}, {8888, 8889}, {21006, 21100}};
    struct qm_resource *r = b->resources[at];

    r[0] = (struct qm_resource){.kind = QM_RESOURCE_CPUS, .amount = rest ? 9000 : 16000};
    r[1] = (struct qm_resource){.kind = QM_RESOURCE_MEM, .amount = rest ? 51164 : 65536};
    r[2] = (struct qm_resource){.kind = QM_RESOURCE_DISK, .amount = rest ? 199904 : 200000};
    r[3] = (struct qm_resource){
        .kind = QM_RESOURCE_PORTS, .ranges = rest ? left : full, .n_ranges = 3};
    r[4] = r[5] = (struct qm_resource){
        .kind = QM_RESOURCE_DISK, .amount = 1000000, .flags = QM_RESOURCE_HAS_SOURCE};
    snprintf(b->texts[at][0], TEXT_SIZE, "1da4dd87-9b18-4182-80c7-ee65c63987e0-O%llu",
             (unsigned long long)b->next_offer++);
    b->facts[at] = (struct qm_fact){.type = QM_FACT_OFFER,
                                    .offer = {.id = b->texts[at][0],
                                              .agent_id = b->hosts[i].agent,
                                              .hostname = b->hosts[i].name,
                                              .role = "quobyte",
                                              .region = "",
                                              .zone = "",
                                              .resources = r,
                                              .n_resources = 6,
                                              .unavailable_from = QM_TIME_NEVER}};
}

static void build_report(struct bench *b, size_t at, size_t i)
{
    static const char *const mounts[] = {"/mnt/registry", "/mnt/metadata", "/mnt/data"};
    struct qm_device *devices = b->devices[at];

    for (unsigned k = 0; k < 3; k++) {
        snprintf(b->texts[at][k * 2], TEXT_SIZE, "serial-%zu-%u", i, k);
        snprintf(b->texts[at][k * 2 + 1], TEXT_SIZE, "%zu", i * 3 + k + 1);
        devices[k] = (struct qm_device){.type = (enum qm_device_type)(QM_DEVICE_REGISTRY + k),
                                        .mount = mounts[k],
                                        .filesystem = "xfs",
                                        .serial = b->texts[at][k * 2],
                                        .model = "model",
                                        .id = b->texts[at][k * 2 + 1],
                                        .warning = "",
                                        .size_mib = 1000000,
                                        .free_mib = 900000};
    }
    b->facts[at] = (struct qm_fact){.type = QM_FACT_PROBE_REPORT,
                                    .probe = {.agent_id = b->hosts[i].agent,
                                              .executor_id = "",
                                              .boot_id = "boot",
                                              .devices = devices,
                                              .n_devices = 3,
                                              .warning = ""}};
}

/* RUNNING, healthy, with a uuid. */
static void build_status(struct bench *b, size_t at, const struct host *host, unsigned k)
{
    snprintf(b->texts[at][0], TEXT_SIZE, "%s", host->tasks[k]);
    b->facts[at] = (struct qm_fact){.type = QM_FACT_TASK_STATUS,
                                    .status = {.task_id = b->texts[at][0],
                                               .agent_id = host->agent,
                                               .executor_id = "",
                                               .state = QM_TASK_RUNNING,
                                               .source = QM_SOURCE_EXECUTOR,
                                               .reason = -1,
                                               .message = "",
                                               .has_healthy = true,
                                               .healthy = true,
                                               .has_uuid = true}};
}

/* All that was launched and not told RUNNING; each status is its own event. */
static void settle(struct bench *b, size_t n_hosts)
{
    size_t n = 0;

    for (size_t i = 0; i < n_hosts; i++) {
        struct host *host = &b->hosts[i];
        unsigned n_tasks = host->n_tasks;

        host->n_tasks = 0;
        for (unsigned k = 0; k < n_tasks; k++) {
            build_status(b, n++, host, k);
            if (n == BATCH) {
                take(b, n, true);
                n = 0;
            }
        }
    }
    take(b, n, true);
}

static void offers(struct bench *b, size_t n_hosts, bool rest, bool alone)
{
    for (size_t i = 0, n = 0; i < n_hosts; i++) {
        build_offer(b, n++, i, rest);
        if (n == BATCH || i + 1 == n_hosts) {
            take(b, n, alone);
            n = 0;
        }
    }
}

static void reports(struct bench *b)
{
    for (size_t i = 0, n = 0; i < b->n; i++) {
        build_report(b, n++, i);
        if (n == BATCH || i + 1 == b->n) {
            take(b, n, true);
            n = 0;
        }
    }
}

static double take_time(struct bench *b)
{
    double timed = b->timed;

    b->timed = 0;
    return timed;
}

static void tell_us(const struct bench *b, const char *step_name, double seconds, double per)
{
    printf("{\"bench\":\"planner\",\"n\":%zu,\"step\":\"%s\",\"us\":%.3f,\"total_s\":%.6f}\n", b->n,
           step_name, seconds * 1e6 / per, seconds);
    fflush(stdout);
}

/* The first hosts are offered until the phases' barriers are passed. */
static void open_phases(struct bench *b)
{
    for (unsigned round = 0; round < 4; round++) {
        offers(b, b->n < OPENERS ? b->n : OPENERS, false, false);
        settle(b, b->n < OPENERS ? b->n : OPENERS);
        b->now += 6000; /* a declined offer comes back */
    }
}

static void expect(struct bench *b, uint64_t have, uint64_t want, const char *what)
{
    if (have == want)
        return;
    fprintf(stderr, "%s: %llu, not %llu\n", what, (unsigned long long)have,
            (unsigned long long)want);
    b->wrong = what;
}

static void discover(struct bench *b)
{
    offers(b, b->n, false, false);
    tell_us(b, "1 first offer, prober launched", take_time(b), (double)b->n);
    expect(b, b->launched, b->n, "probers launched");
    settle(b, b->n);
    tell_us(b, "1 prober RUNNING", take_time(b), (double)b->n);
    reports(b);
    tell_us(b, "2 probe report", take_time(b), (double)b->n);
}

static void deploy(struct bench *b)
{
    uint64_t before = b->launched;

    b->facts[0] = (struct qm_fact){.type = QM_FACT_COMMAND,
                                   .command = {.type = QM_COMMAND_SET_TARGET, .version = "1.1.5"}};
    take(b, 1, true);
    tell_us(b, "3 target", take_time(b), 1);
    open_phases(b);
    tell_us(b, "4 opening: first hosts, phases open", take_time(b), 1);
    offers(b, b->n, false, false);
    tell_us(b, "4 offer that launches three", take_time(b), (double)b->n);
    expect(b, b->launched - before, b->n * 3 + 2, "services launched");
    before = b->launched;
    settle(b, b->n);
    tell_us(b, "5 status update", take_time(b), (double)b->n * 3);
    offers(b, b->n, true, false);
    settle(b, b->n);
    tell_us(b, "6 rest offers", take_time(b), (double)b->n);
    expect(b, b->launched - before, 0, "services launched twice");
}

static void be_idle(struct bench *b)
{
    uint64_t allocations, declined = b->declined_offers;

    offers(b, b->n, true, false); /* the arrays have grown to their size */
    take_time(b);
    allocations = b->allocations;
    for (unsigned round = 0; round < ROUNDS; round++)
        offers(b, b->n, true, false);
    tell_us(b, "7 declined offer, 1000 an event", take_time(b), (double)b->n * ROUNDS);
    expect(b, b->declined_offers - declined, b->n * (ROUNDS + 1), "offers declined");
    expect(b, b->allocations - allocations, 0, "allocations for declined offers");
    offers(b, b->n, true, true);
    tell_us(b, "7 declined offer, one an event", take_time(b), (double)b->n);
    reports(b);
    tell_us(b, "probe report without news", take_time(b), (double)b->n);
}

static void show(struct bench *b)
{
    struct qm_cluster_view *view = NULL;
    struct qm_plan_view *plan = NULL;
    double start = cpu_now();

    if (qm_cluster_view_new(b->planner, &view) != 0 || qm_plan_view_new(b->planner, &plan) != 0)
        exit(1);
    tell_us(b, "8 state for a page", cpu_now() - start, 1);
    expect(b, view->n_hosts, b->n, "hosts shown");
    expect(b, plan->n_complete, b->n * 3 + 2, "steps complete");
    qm_cluster_view_free(view);
    qm_plan_view_free(plan);
}

static void begin(struct bench *b, const struct qm_allocator *allocator)
{
    struct qm_config *config = NULL;
    struct qm_error error;

    if (qm_config_new(&config, NULL, 0, NULL) != 0 ||
        qm_config_set(config, "images.server", "quobyte/quobyte-server", &error) != 0 ||
        qm_planner_new(&b->planner, config, NULL, 0, allocator, b->now, &error) != 0) {
        fprintf(stderr, "no planner\n");
        exit(1);
    }
    qm_config_free(config);
    drain(b);
    step(b, &(struct qm_fact){.type = QM_FACT_SUBSCRIBED,
                              .subscribed = {.framework_id = "framework", .master_id = "master"}});
    drain(b);
}

/* All of the harness' own memory is touched before memory is measured. */
static void *make(size_t n, size_t size)
{
    void *block = malloc(n * size);

    if (!block)
        exit(1);
    memset(block, 1, n * size);
    return block;
}

static void make_hosts(struct bench *b)
{
    b->hosts = make(b->n, sizeof(*b->hosts));
    b->facts = make(BATCH, sizeof(*b->facts));
    b->resources = make(BATCH, sizeof(*b->resources));
    b->devices = make(BATCH, sizeof(*b->devices));
    b->texts = make(BATCH, sizeof(*b->texts));
    for (size_t i = 0; i < b->n; i++) {
        snprintf(b->hosts[i].name, NAME_SIZE, "host%06zu.storage.example", i);
        snprintf(b->hosts[i].agent, NAME_SIZE, "1da4dd87-9b18-4182-80c7-ee65c63987e0-S%zu", i);
        b->hosts[i].n_tasks = 0;
    }
}

static void count_actions(const struct bench *b)
{
    static const char *const names[] = {"save",      "launch",   "kill",   "decline", "acknowledge",
                                        "reconcile", "suppress", "revive", "probe",   "describe"};

    printf("{\"bench\":\"planner\",\"n\":%zu,\"step\":\"actions\"", b->n);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        printf(",\"%s\":%llu", names[i], (unsigned long long)b->actions[i]);
    printf("}\n");
}

static bool run(size_t n)
{
    struct bench b = {.n = n, .now = 1767225600000};
    struct qm_allocator allocator = {count_alloc, count_realloc, count_free, &b};
    long before, after;

    make_hosts(&b);
    begin(&b, &allocator);
    before = resident_kib();
    discover(&b);
    deploy(&b);
    after = resident_kib();
    if (n >= 10000)
        printf("{\"bench\":\"planner\",\"n\":%zu,\"step\":\"memory\",\"bytes_a_host\":%ld}\n", n,
               (after - before) * 1024 / (long)n);
    be_idle(&b);
    show(&b);
    count_actions(&b);
    qm_planner_free(b.planner);
    free(b.hosts);
    free(b.facts);
    free(b.resources);
    free(b.devices);
    free(b.texts);
    if (b.wrong)
        fprintf(stderr, "n = %zu: wrong: %s\n", n, b.wrong);
    return !b.wrong;
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {100, 1000, 10000};
    bool right = true;

    if (argc > 1)
        return run(strtoul(argv[1], NULL, 10)) ? 0 : 1;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        right &= run(sizes[i]);
    return right ? 0 : 1;
}
