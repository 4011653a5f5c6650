/* quobyte-mesos-prober: command line. Without --scan it is what a Mesos agent started. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include <quobyte-mesos/version.h>

#include "log.h"
#include "prober/environment.h"
#include "prober/executor.h"
#include "prober/print.h"
#include "prober/scan.h"

#define EXIT_BLIND 1 /* --scan: nothing could be looked at */
#define EXIT_USAGE 2

static const char help[] =
    "Usage: quobyte-mesos-prober [--root DIR] [--mounts FILE] [--log_level LEVEL]\n"
    "       quobyte-mesos-prober --scan [--json] [--root DIR] [--mounts FILE]\n"
    "\n"
    "Finds the Quobyte devices of a host and reports them to quobyte-mesosd. A Mesos agent starts\n"
    "it; by hand only --scan makes sense. It never writes to a device.\n"
    "\n"
    "  --root DIR         root directory of the host (QUOBYTE_PROBER_ROOT, else /)\n"
    "  --mounts FILE      the host's mount table (QUOBYTE_PROBER_MOUNTS, else\n"
    "                     /proc/self/mounts, or DIR/proc/1/mounts where --root is not /)\n"
    "  --scan             print the devices and exit; 0 = looked, 1 = could not look\n"
    "  --json             with --scan: one JSON object a device and line\n"
    "  --log_level LEVEL  error, warning, info (default), debug\n"
    "  --version          print the version and exit\n"
    "  --help             print this and exit\n";

struct options {
    const char *root;
    const char *mounts;
    bool scan;
    bool json;
};

/* "--log-level=x" and "--log_level=x" are the same. Underscores become the table's spelling. */
static void normalise(char *argument)
{
    if (strncmp(argument, "--", 2) != 0)
        return;
    for (char *c = argument + 2; *c && *c != '='; c++)
        if (*c == '-')
            *c = '_';
}

static const char *from_environment(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] != '\0' ? value : NULL;
}

static bool set_log_level(const char *name)
{
    int level = log_level_from_name(name);

    if (level < 0) {
        fprintf(stderr, "quobyte-mesos-prober: --log_level is error, warning, info or debug\n");
        return false;
    }
    log_set_level((enum log_level)level);
    return true;
}

/* Returns -1 to go on, else the exit status. */
static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option table[] = {
        {"root", required_argument, NULL, 'r'},
        {"mounts", required_argument, NULL, 'm'},
        {"scan", no_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"log_level", required_argument, NULL, 'l'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    for (int i = 1; i < argc; i++)
        normalise(argv[i]);
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 'r':
            options->root = optarg;
            break;
        case 'm':
            options->mounts = optarg;
            break;
        case 's':
            options->scan = true;
            break;
        case 'j':
            options->json = true;
            break;
        case 'l':
            if (!set_log_level(optarg))
                return EXIT_USAGE;
            break;
        case 'v':
            printf("quobyte-mesos-prober %s\n", QM_VERSION);
            return 0;
        case 'h':
            fputs(help, stdout);
            return 0;
        default: /* getopt has said what is wrong */
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "quobyte-mesos-prober: unexpected argument: %s\n", argv[optind]);
        return EXIT_USAGE;
    }
    return -1;
}

static int scan_and_print(const struct scan_place *place, bool json)
{
    struct scan_question question = {0};
    struct scan *scan = scan_run(place, &question);
    int status = 0;

    if (!scan) {
        fprintf(stderr, "quobyte-mesos-prober: out of memory\n");
        return EXECUTOR_EXIT_FAILED;
    }
    if (scan->blind)
        status = EXIT_BLIND;
    else if (json)
        print_json(stdout, scan);
    else
        print_table(stdout, scan);
    if (scan->warning[0] != '\0')
        fprintf(stderr, "warning: %s\n", scan->warning);
    scan_free(scan);
    return status;
}

static int serve_mesos(const struct scan_place *place)
{
    struct environment environment;
    char error[160];

    if (!environment_read(&environment, getenv, error, sizeof(error))) {
        fprintf(stderr, "quobyte-mesos-prober: %s; by hand use --scan (see --help)\n", error);
        return EXIT_USAGE;
    }
    return executor_run(&environment, place);
}

int main(int argc, char **argv)
{
    struct options options = {
        .root = from_environment("QUOBYTE_PROBER_ROOT"),
        .mounts = from_environment("QUOBYTE_PROBER_MOUNTS"),
    };
    char mounts[PATH_MAX];
    int status = read_options(argc, argv, &options);

    if (status >= 0)
        return status;
    if (!options.root)
        options.root = "/";
    if (!options.mounts) {
        scan_default_mounts(options.root, mounts, sizeof(mounts));
        options.mounts = mounts;
    }

    struct scan_place place = {.root = options.root, .mounts = options.mounts};
    return options.scan ? scan_and_print(&place, options.json) : serve_mesos(&place);
}
