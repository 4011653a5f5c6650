/* quobyte-mesosd: options, then run, then an exit code. */
#include <stdio.h>
#include <signal.h>

#include "daemon.h"
#include "options.h"

int main(int argc, char **argv)
{
    struct qm_config *config = NULL;
    int code = EXIT_CODE_OK;

    /* A peer that closes its end is an event, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    switch (options_parse(argc, argv, &config)) {
    case OPTIONS_RUN:
        code = daemon_run(config);
        break;
    case OPTIONS_RESET:
        code = daemon_reset(config);
        break;
    case OPTIONS_CHECK:
    case OPTIONS_DONE:
        break;
    case OPTIONS_FAILED:
        code = EXIT_CODE_USAGE;
        break;
    }
    qm_config_free(config);
    return code;
}
