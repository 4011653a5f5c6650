/*
 * The command line, the configuration file and the daemon's own keys: everything
 * that is known before anything is opened.
 */
#ifndef DAEMON_OPTIONS_H
#define DAEMON_OPTIONS_H

#include <stdbool.h>

#include <quobyte-mesos/config.h>

/* Exit codes of quobyte-mesosd; docs/operating.md lists them for operators. */
enum exit_code {
    EXIT_CODE_OK = 0,
    EXIT_CODE_INTERNAL = 1,       /* out of memory, or a defect */
    EXIT_CODE_USAGE = 2,          /* command line or configuration */
    EXIT_CODE_STATE = 3,          /* the stored state cannot be opened or read */
    EXIT_CODE_HTTP = 4,           /* the HTTP port cannot be opened */
    EXIT_CODE_REMOVED = 5,        /* the master: "Framework has been removed" */
    EXIT_CODE_FAILED_OVER = 6,    /* another scheduler took our framework id over */
    EXIT_CODE_NOT_AUTHORIZED = 7, /* the master refuses our registration */
    EXIT_CODE_NAMESAKE = 8,       /* no stored state, but a live framework of our name */
    EXIT_CODE_TOO_OLD = 9,        /* a Mesos master before 1.4 */
};

enum option_action {
    OPTIONS_RUN,
    OPTIONS_CHECK,  /* --check-config: say whether the configuration is good, then end */
    OPTIONS_RESET,  /* --reset: erase the stored state, then end */
    OPTIONS_DONE,   /* --help or --version was answered */
    OPTIONS_FAILED, /* one line was printed to stderr */
};

/* The daemon's keys beside the library's (mesos.*, zookeeper.*, http.*, ...). */
extern const struct qm_config_key daemon_keys[];
extern const unsigned n_daemon_keys;

/**
 * options_parse() - builds the configuration: defaults, then --config's file, then the flags.
 * Flags are written with _ or -, as --flag=value or --flag value; a switch may stand alone, or be
 * negated as --noflag. Prints help, version and errors itself.
 * @config: set unless the result is OPTIONS_DONE or OPTIONS_FAILED; to be freed by the caller
 */
enum option_action options_parse(int argc, char **argv, struct qm_config **config);

#endif
