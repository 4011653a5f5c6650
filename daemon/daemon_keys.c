/*
 * The daemon's own configuration keys: where the master, the state and the HTTP
 * front end are. Names and defaults are those of the old framework where it had them.
 */
#include "options.h"

const struct qm_config_key daemon_keys[] = {
    {.key = "mesos.master", .flag = "master", .type = QM_CONFIG_TEXT, .initial = "",
     .help = "Mesos master: HOST:PORT, a comma list of them (https://HOST:PORT with TLS), or "
             "zk://HOST:PORT,.../PATH (required)"},
    {.key = "mesos.tls.enabled", .flag = "mesos_tls", .type = QM_CONFIG_BOOL, .initial = "false",
     .help = "speak TLS with the master, and verify its name; https:// in --master says the same"},
    {.key = "mesos.tls.ca_file", .flag = "mesos_tls_ca_file", .type = QM_CONFIG_TEXT, .initial = "",
     .help = "whose certificates are trusted, PEM (default: the authorities of this host)"},
    {.key = "mesos.tls.cert_file", .flag = "mesos_tls_cert_file", .type = QM_CONFIG_TEXT,
     .initial = "", .help = "our certificate for masters that ask for one, with its chain, PEM"},
    {.key = "mesos.tls.key_file", .flag = "mesos_tls_key_file", .type = QM_CONFIG_TEXT,
     .initial = "", .help = "its key, PEM (default: it is in mesos.tls.cert_file)"},
    {.key = "zookeeper.servers", .flag = "zk", .type = QM_CONFIG_TEXT, .initial = "",
     .help = "keep the state in ZooKeeper: HOST:PORT[,HOST:PORT...] (default: a file in state.dir)"},
    {.key = "zookeeper.path", .flag = "zk_path", .type = QM_CONFIG_TEXT, .initial = "/quobyte",
     .help = "node in ZooKeeper under which the state lies"},
    {.key = "state.dir", .flag = "state_dir", .type = QM_CONFIG_TEXT,
     .initial = "/var/lib/quobyte-mesos", .help = "directory of the state file when there is no --zk"},
    {.key = "http.port", .flag = "port", .type = QM_CONFIG_INTEGER, .initial = "7888", .min = 0,
     .max = 65535, .help = "port of dashboard and API; 0 takes a free one and logs it"},
    {.key = "http.bind", .flag = "bind", .type = QM_CONFIG_TEXT, .initial = "0.0.0.0",
     .help = "address that dashboard and API listen on"},
    {.key = "http.url", .flag = "framework_url", .type = QM_CONFIG_TEXT, .initial = "",
     .help = "address of the dashboard that Mesos shows (default: http://HOSTNAME:PORT)"},
    {.key = "framework.name", .flag = "framework_name", .type = QM_CONFIG_TEXT,
     .initial = "quobyte", .help = "name under which Mesos and Mesos-DNS know the framework"},
    {.key = "framework.id", .flag = "framework_id", .type = QM_CONFIG_TEXT, .initial = "",
     .help = "adopt the framework of this id when there is no stored state"},
    {.key = "framework.new", .flag = "new", .type = QM_CONFIG_BOOL, .initial = "false",
     .help = "without stored state: begin another framework beside a live one of the same name"},
    {.key = "framework.on_removed", .flag = "on_removed", .type = QM_CONFIG_CHOICE,
     .initial = "stop", .choices = "stop|start_anew",
     .help = "answer to \"Framework has been removed\": stop, or register anew when the stored state "
             "names no service"},
    {.key = "framework.user", .flag = "framework_user", .type = QM_CONFIG_TEXT, .initial = "root",
     .help = "user that tasks run as"},
    {.key = "framework.role", .flag = "framework_role", .type = QM_CONFIG_TEXT, .initial = "*",
     .help = "role whose resources are used beside the unreserved ones"},
    {.key = "framework.failover_timeout_s", .flag = "failover_timeout_s", .type = QM_CONFIG_SECONDS,
     .initial = "604800", .min = 60, .max = 31536000, .unit = "s",
     .help = "how long Mesos keeps all tasks running while no daemon is there"},
    {.key = "framework.principal", .flag = "framework_principal", .type = QM_CONFIG_TEXT,
     .initial = "", .help = "principal for authentication; its secret comes from "
                            "framework.principal_secret_file or QUOBYTE_MESOS_SECRET"},
    {.key = "framework.principal_secret_file", .flag = "framework_principal_secret_file",
     .type = QM_CONFIG_TEXT, .initial = "", .help = "file that holds the principal's secret"},
    {.key = "log.level", .flag = "log_level", .type = QM_CONFIG_CHOICE, .initial = "info",
     .choices = "error|warning|info|debug", .help = "how much is logged to stderr"},
    {.key = "log.verbosity", .flag = "v", .type = QM_CONFIG_INTEGER, .initial = "0", .min = 0,
     .max = 9, .help = "as the old framework's: 1 and more is log.level debug"},
    {.key = "log.to_stderr", .flag = "logtostderr", .type = QM_CONFIG_BOOL, .initial = "true",
     .help = "accepted for the old framework's sake: logs always go to stderr"},
};

const unsigned n_daemon_keys = sizeof(daemon_keys) / sizeof(daemon_keys[0]);
