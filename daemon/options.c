/* Command line and configuration file into one checked configuration. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quobyte-mesos/version.h>

#include "mesos/leader.h"
#include "options.h"
#include "state/zk_text.h"

#define CONFIG_FILE_MAX (1024 * 1024)

/* What one word on the command line is about. */
struct flag {
    char name[96];      /* normalised: _ between words */
    const char *value;  /* NULL when none was written */
};

struct request {
    const char *config_file;
    bool check;
    bool reset;
};

static enum option_action fail(const char *text)
{
    fprintf(stderr, "quobyte-mesosd: %s\n", text);
    return OPTIONS_FAILED;
}

static enum option_action fail_about(const char *what, const struct qm_error *error)
{
    char line[600], text[500];

    qm_error_format(error, text, sizeof(text));
    snprintf(line, sizeof(line), "%s%s%s", what, what[0] ? ": " : "", text);
    return fail(line);
}

static bool is_switch_word(const char *word)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on", "off"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* "--docker-image=x" -> name docker_image, value x. False when it is no flag at all. */
static bool split_flag(const char *word, struct flag *flag)
{
    const char *equals;
    size_t length;

    if (strncmp(word, "--", 2) != 0 || !word[2])
        return false;
    word += 2;
    equals = strchr(word, '=');
    length = equals ? (size_t)(equals - word) : strlen(word);
    if (length >= sizeof(flag->name))
        return false;
    memcpy(flag->name, word, length);
    flag->name[length] = 0;
    for (char *c = flag->name; *c; c++)
        if (*c == '-')
            *c = '_';
    flag->value = equals ? equals + 1 : NULL;
    return true;
}

/* The entry of a flag or dotted key; false when there is none. */
static bool find_entry(const struct qm_config *config, const char *name,
                       struct qm_config_entry *entry)
{
    for (size_t i = 0; qm_config_entry(config, i, entry); i++)
        if ((entry->flag && strcmp(entry->flag, name) == 0) || strcmp(entry->key, name) == 0)
            return true;
    return false;
}

static void print_entry(const struct qm_config_entry *entry)
{
    char left[120], initial[160] = "";
    const struct qm_config_key *about = entry->about;

    snprintf(left, sizeof(left), "--%s", entry->flag);
    if (entry->initial[0])
        snprintf(initial, sizeof(initial), " [%s%s%s]", entry->initial,
                 about->unit && about->unit[0] ? " " : "", about->unit ? about->unit : "");
    printf("  %-38s %s%s\n", left, about->help, initial);
}

static void print_help(const struct qm_config *config)
{
    struct qm_config_entry entry;

    printf("usage: quobyte-mesosd --master=HOST:PORT|zk://... --docker_image=IMAGE [--FLAG=VALUE ...]\n"
           "\n"
           "Runs the Quobyte storage system on an Apache Mesos cluster. Deploy a version with\n"
           "  curl -X POST --data \"1.1.5\" http://HOST:PORT/v1/version\n"
           "\n"
           "  %-38s %s\n  %-38s %s\n  %-38s %s\n  %-38s %s\n  %-38s %s\n\n",
           "--config=FILE", "YAML file; flags win over it. Keys: docs/configuration.md",
           "--check-config", "say whether flags and file are good, then end",
           "--reset", "erase the stored state, then end (running tasks are not touched)",
           "--version", "print the version", "--help", "print this");
    for (size_t i = 0; qm_config_entry(config, i, &entry); i++)
        if (entry.flag)
            print_entry(&entry);
}

static enum option_action load_file(struct qm_config *config, const char *path)
{
    struct qm_error error = {0};
    char line[600];
    size_t length;
    char *text;
    FILE *file = fopen(path, "re");

    if (!file) {
        snprintf(line, sizeof(line), "cannot read %.300s: %s", path, strerror(errno));
        return fail(line);
    }
    text = malloc(CONFIG_FILE_MAX + 1);
    length = text ? fread(text, 1, CONFIG_FILE_MAX + 1, file) : 0;
    bool bad = !text || ferror(file);
    fclose(file);
    if (bad || length > CONFIG_FILE_MAX) {
        free(text);
        snprintf(line, sizeof(line), "cannot read %.300s: %s", path,
                 bad ? strerror(errno) : "larger than 1 MiB");
        return fail(line);
    }
    int rc = qm_config_load_yaml(config, text, length, &error);
    free(text);
    return rc ? fail_about(path, &error) : OPTIONS_RUN;
}

/* --config, --check-config, --reset; help and version. OPTIONS_RUN: not one of these. */
static enum option_action take_command(struct request *request, const struct qm_config *config,
                                       const struct flag *flag)
{
    if (strcmp(flag->name, "help") == 0) {
        print_help(config);
        return OPTIONS_DONE;
    }
    if (strcmp(flag->name, "version") == 0) {
        printf("quobyte-mesosd %s\n", qm_version());
        return OPTIONS_DONE;
    }
    if (strcmp(flag->name, "check_config") == 0) {
        request->check = true;
        return OPTIONS_CHECK;
    }
    if (strcmp(flag->name, "reset") == 0) {
        request->reset = !flag->value || strcmp(flag->value, "false") != 0;
        return OPTIONS_CHECK;
    }
    return OPTIONS_RUN;
}

/* Value of a flag that stands without "=": the next word, "true" for a switch, NULL = missing. */
static const char *next_value(const struct qm_config_entry *entry, int argc, char **argv, int *i)
{
    bool has_next = *i + 1 < argc;

    if (entry->about->type == QM_CONFIG_BOOL) {
        if (has_next && is_switch_word(argv[*i + 1]))
            return argv[++*i];
        return "true";
    }
    /* A value may begin with one dash (-1), never with two. */
    if (has_next && strncmp(argv[*i + 1], "--", 2) != 0)
        return argv[++*i];
    return NULL;
}

static enum option_action set_flag(struct qm_config *config, struct flag *flag, int argc,
                                   char **argv, int *i)
{
    struct qm_config_entry entry;
    struct qm_error error = {0};
    char line[300], what[110];
    const char *name = flag->name;

    if (!find_entry(config, name, &entry)) {
        bool negated = strncmp(name, "no", 2) == 0 && !flag->value &&
                       find_entry(config, name + 2, &entry) &&
                       entry.about->type == QM_CONFIG_BOOL;
        if (!negated) {
            snprintf(line, sizeof(line), "unknown flag --%s (--help lists all)", name);
            return fail(line);
        }
        name += 2;
        flag->value = "false";
    }
    if (!flag->value)
        flag->value = next_value(&entry, argc, argv, i);
    if (!flag->value) {
        snprintf(line, sizeof(line), "--%s needs a value", name);
        return fail(line);
    }
    if (qm_config_set(config, entry.key, flag->value, &error) == 0)
        return OPTIONS_RUN;
    snprintf(what, sizeof(what), "--%s", name);
    error.key[0] = 0;
    return fail_about(what, &error);
}

/* One pass over the words: the first finds --config and commands, the second sets keys. */
static enum option_action walk(struct qm_config *config, int argc, char **argv,
                               struct request *request, bool setting)
{
    for (int i = 1; i < argc; i++) {
        struct flag flag;
        char line[300];

        if (!split_flag(argv[i], &flag)) {
            snprintf(line, sizeof(line), "unexpected argument '%.100s' (--help lists all flags)",
                     argv[i]);
            return fail(line);
        }
        if (strcmp(flag.name, "config") == 0) {
            if (!flag.value)
                flag.value = i + 1 < argc ? argv[++i] : NULL;
            if (!flag.value)
                return fail("--config needs a value");
            request->config_file = flag.value;
            continue;
        }
        enum option_action command = take_command(request, config, &flag);
        if (command == OPTIONS_DONE)
            return command;
        if (command == OPTIONS_CHECK)
            continue;
        struct qm_config_entry entry;
        if (setting) {
            enum option_action set = set_flag(config, &flag, argc, argv, &i);
            if (set != OPTIONS_RUN)
                return set;
        } else if (!flag.value && find_entry(config, flag.name, &entry)) {
            next_value(&entry, argc, argv, &i);
        }
    }
    return OPTIONS_RUN;
}

static enum option_action check_zookeeper(const struct qm_config *config)
{
    const char *servers = qm_config_text(config, "zookeeper.servers");
    struct zk_address address = {0};
    struct store_error error = {""};
    char line[600];
    int rc;

    if (!servers[0])
        return OPTIONS_RUN;
    rc = zk_address_parse(&address, servers, &error);
    if (rc) {
        snprintf(line, sizeof(line), "--zk: %s", error.text);
        return fail(line);
    }
    zk_address_deinit(&address);
    if (zk_path_check(qm_config_text(config, "zookeeper.path"), &error) == 0)
        return OPTIONS_RUN;
    snprintf(line, sizeof(line), "--zk_path: %s", error.text);
    return fail(line);
}

/* Everything that can be known to be wrong before anything is opened. */
static enum option_action check(const struct qm_config *config)
{
    const char *masters = qm_config_text(config, "mesos.master");
    struct qm_error error = {0};
    char line[400];

    if (qm_config_check(config, &error))
        return fail_about("", &error);
    if (!masters[0])
        return fail("--master is required: HOST:PORT, a list of them, or zk://HOST:PORT,.../PATH");
    if (leader_check(masters, line, sizeof(line)))
        return fail(line);
    return check_zookeeper(config);
}

static enum option_action build(struct qm_config *config, int argc, char **argv)
{
    struct request request = {0};
    enum option_action action = walk(config, argc, argv, &request, false);

    if (action == OPTIONS_RUN && request.config_file)
        action = load_file(config, request.config_file);
    if (action == OPTIONS_RUN)
        action = walk(config, argc, argv, &request, true);
    if (action == OPTIONS_RUN && request.reset)
        return check_zookeeper(config) == OPTIONS_RUN ? OPTIONS_RESET : OPTIONS_FAILED;
    if (action == OPTIONS_RUN)
        action = check(config);
    if (action == OPTIONS_RUN && request.check) {
        printf("configuration is good\n");
        return OPTIONS_CHECK;
    }
    return action;
}

enum option_action options_parse(int argc, char **argv, struct qm_config **config)
{
    enum option_action action;

    if (qm_config_new(config, daemon_keys, n_daemon_keys, NULL))
        return fail("out of memory");
    action = build(*config, argc, argv);
    if (action == OPTIONS_DONE || action == OPTIONS_FAILED)
        *config = qm_config_free(*config);
    return action;
}
