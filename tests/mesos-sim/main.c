/*
 * mesos-sim: a Mesos master with agents on loopback, for tests and for people without a Mesos at
 * hand.
 */
#include "face.h"

#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define EXIT_USAGE 2

static const char help[] =
    "Usage: mesos-sim [OPTION]...\n"
    "A Mesos master with agents on loopback that answers as Mesos 1.11 does.\n"
    "\n"
    "  --port N           the master's port (5050); agents have the next ones; 0: any free ports\n"
    "  --agents N         number of agents, agent-1 to agent-N (3), without a cluster file\n"
    "  --cluster FILE     agents, devices and images from a YAML file\n"
    "  --dir DIR          directory of the hosts' mount tables, devices and sandboxes; default: a\n"
    "                     temporary one that is removed at the end\n"
    "  --masters N        masters (1), of which one leads; the others have the ports behind the\n"
    "                     agents'\n"
    "  --zk HOST:PORT/PATH  stand for leading master at this path of a ZooKeeper\n"
    "  --credentials FILE  ask schedulers for basic authentication; a line: principal secret\n"
    "  --tls-cert FILE    the master speaks TLS with this certificate (PEM), and\n"
    "  --tls-key FILE     this key\n"
    "  --tls-ca FILE      clients must show a certificate that this one signed\n"
    "  --zk-session SECONDS  time-out of a master's session with ZooKeeper (10)\n"
    "  --speed N          let simulated time pass N times faster (1)\n"
    "  --seed N           of all that Mesos leaves to chance; default: another one each time\n"
    "  --ready-file FILE  write the master's port there as soon as it answers\n"
    "  --verbose          one line an event on stderr\n"
    "  --help             this text\n"
    "\n"
    "Faults are ordered with curl -X POST http://127.0.0.1:5050/sim/...; GET /sim lists them.\n";

struct arguments {
    struct face_options face;
    const char *ready_file;
};

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},
    {"agents", required_argument, NULL, 'a'},
    {"cluster", required_argument, NULL, 'c'},
    {"dir", required_argument, NULL, 'd'},
    {"zk", required_argument, NULL, 'z'},
    {"masters", required_argument, NULL, 'm'},
    {"zk-session", required_argument, NULL, 'Z'},
    {"credentials", required_argument, NULL, 'C'},
    {"tls-cert", required_argument, NULL, 'T'},
    {"tls-key", required_argument, NULL, 'K'},
    {"tls-ca", required_argument, NULL, 'A'},
    {"speed", required_argument, NULL, 's'},
    {"seed", required_argument, NULL, 'e'},
    {"ready-file", required_argument, NULL, 'r'},
    {"ready_file", required_argument, NULL, 'r'},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static uint64_t read_number(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    unsigned long long value;

    errno = 0;
    value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && value >= min && value <= max)
        return value;
    fprintf(stderr, "mesos-sim: --%s takes a number from %llu to %llu, not '%s'\n", name,
            (unsigned long long)min, (unsigned long long)max, text);
    exit(EXIT_USAGE);
}

static double read_speed(const char *text)
{
    char *end;
    double value = strtod(text, &end);

    if (*text && *end == '\0' && value >= 0.01 && value <= 10000)
        return value;
    fprintf(stderr, "mesos-sim: --speed takes a number from 0.01 to 10000, not '%s'\n", text);
    exit(EXIT_USAGE);
}

static void read_arguments(int argc, char **argv, struct arguments *arguments)
{
    struct face_options *face = &arguments->face;
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'p':
            face->port = (uint16_t)read_number("port", optarg, 0, UINT16_MAX);
            break;
        case 'a':
            face->agents = read_number("agents", optarg, 1, CLUSTER_FILE_AGENTS_MAX);
            break;
        case 'c':
            face->cluster_path = optarg;
            break;
        case 'd':
            face->dir = optarg;
            break;
        case 'z':
            face->zk = optarg;
            break;
        case 'm':
            face->masters = read_number("masters", optarg, 1, MASTERS_MAX);
            break;
        case 'Z':
            face->zk_session_ms = 1000 * (int)read_number("zk-session", optarg, 1, 3600);
            break;
        case 'C':
            face->credentials = optarg;
            break;
        case 'T':
            face->tls_cert = optarg;
            break;
        case 'K':
            face->tls_key = optarg;
            break;
        case 'A':
            face->tls_ca = optarg;
            break;
        case 's':
            face->speed = read_speed(optarg);
            break;
        case 'e':
            face->seed = read_number("seed", optarg, 0, UINT64_MAX);
            break;
        case 'r':
            arguments->ready_file = optarg;
            break;
        case 'v':
            face->verbose = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(EXIT_SUCCESS);
        default:
            exit(EXIT_USAGE); /* getopt has said why */
        }
    }
    if (optind < argc) {
        fprintf(stderr, "mesos-sim: unexpected argument '%s'\n", argv[optind]);
        exit(EXIT_USAGE);
    }
    if (!face->tls_cert != !face->tls_key || (face->tls_ca && !face->tls_cert)) {
        fputs("mesos-sim: --tls-cert and --tls-key need each other, and --tls-ca needs both\n",
              stderr);
        exit(EXIT_USAGE);
    }
}

/* Under another name first: who waits for the file must never see half of it. */
static int write_ready_file(const struct face *face, const char *path)
{
    char *temporary;
    FILE *out;
    int r = 0;

    if (asprintf(&temporary, "%s.new", path) < 0)
        return -ENOMEM;
    out = fopen(temporary, "we");
    if (out)
        fprintf(out, "%u\n", sim_http_server_port(face->targets[0].server));
    if (!out || fclose(out) != 0 || rename(temporary, path) < 0)
        r = -errno;
    free(temporary);
    return r;
}

static void tell_where(const struct face *face)
{
    for (size_t i = 0; i < face->masters.n; i++)
        printf("master %s://127.0.0.1:%u\n", face->tls ? "https" : "http",
               sim_http_server_port(face->targets[face->masters.v[i].target].server));
    for (size_t i = 0; i < face->cluster.cluster.n_agents; i++)
        printf("agent %s http://127.0.0.1:%u %s/%s\n", face->cluster.agents[i].hostname,
               face->cluster.agents[i].port, face->tree.dir, face->cluster.agents[i].hostname);
    printf("directory %s\nseed %" PRIu64 "\n", face->tree.dir, face->options.seed);
    fflush(stdout);
}

static void on_end(evutil_socket_t signal, short events, void *userdata)
{
    event_base_loopbreak(userdata);
}

/* The signals are caught before anybody is told that we are here. */
static int run(struct face *face, const char *ready_file)
{
    struct event *terminated = evsignal_new(face->base, SIGTERM, on_end, face->base);
    struct event *interrupted = evsignal_new(face->base, SIGINT, on_end, face->base);
    int r = -ENOMEM;

    if (terminated && interrupted && event_add(terminated, NULL) == 0 &&
        event_add(interrupted, NULL) == 0)
        r = 0;
    tell_where(face);
    if (r == 0 && ready_file)
        r = write_ready_file(face, ready_file);
    if (r < 0)
        fprintf(stderr, "mesos-sim: %s: %s\n", ready_file ? ready_file : "signals", strerror(-r));
    else
        r = event_base_dispatch(face->base) < 0 ? -EIO : 0;
    if (terminated)
        event_free(terminated);
    if (interrupted)
        event_free(interrupted);
    return r;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {
        .face = {.port = 5050, .agents = 3, .masters = 1, .zk_session_ms = 10000, .speed = 1},
    };
    struct face face;
    char *error = NULL;
    int r;

    signal(SIGPIPE, SIG_IGN);
    /* A master's id, and so all ids, are new at each start of a real one, too. */
    if (getrandom(&arguments.face.seed, sizeof(arguments.face.seed), 0) < 0)
        arguments.face.seed = (uint64_t)time(NULL);
    read_arguments(argc, argv, &arguments);
    r = face_init(&face, &arguments.face, &error);
    if (r < 0) {
        fprintf(stderr, "mesos-sim: %s\n", error ? error : strerror(-r));
        free(error);
        face_deinit(&face);
        return r == -EINVAL ? EXIT_USAGE : EXIT_FAILURE;
    }
    r = run(&face, arguments.ready_file);
    face_deinit(&face);
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
