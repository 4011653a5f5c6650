/*
 * Containers that are real processes: from fetching over running to the end of the whole group.
 */
#include "process.h"
#include "fetch.h"
#include "hosttree.h"
#include "watcher.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct container {
    struct container *next;
    struct processes *processes;
    char *id;
    char *sandbox;
    char *file;
    char *user;
    char **argv;
    char **environment;
    struct fetch *fetch;
    struct event *later; /* what is told to the hooks from the loop */
    char why[1024];
    int status;
    pid_t pid; /* 0: not running */
};

struct processes {
    struct event_base *base;
    struct event *on_child;
    struct process_hooks hooks;
    void *userdata;
    struct container *containers;
    int watcher;
};

/* ---- containers ---- */

static struct container *find(struct processes *processes, const char *id)
{
    struct container *container = processes->containers;

    while (container && strcmp(container->id, id))
        container = container->next;
    return container;
}

static void free_texts(char **texts)
{
    for (char **text = texts; text && *text; text++)
        free(*text);
    free(texts);
}

static void kill_group(struct container *container)
{
    int status;

    if (container->pid == 0)
        return;
    kill(-container->pid, SIGKILL);
    while (waitpid(container->pid, &status, 0) < 0 && errno == EINTR)
        ;
    watcher_remove(container->processes->watcher, container->pid);
    container->pid = 0;
}

static void container_free(struct container *container)
{
    struct container **at = &container->processes->containers;

    while (*at && *at != container)
        at = &(*at)->next;
    if (*at)
        *at = container->next;
    kill_group(container);
    fetch_free(container->fetch);
    if (container->later)
        event_free(container->later);
    free_texts(container->argv);
    free_texts(container->environment);
    free(container->id);
    free(container->sandbox);
    free(container->file);
    free(container->user);
    free(container);
}

/* Tells the hooks, then forgets the container. */
static void on_later(evutil_socket_t fd, short events, void *userdata)
{
    struct container *container = userdata;
    struct processes *processes = container->processes;
    char id[256];
    char why[sizeof(container->why)];
    int status = container->status;

    snprintf(id, sizeof(id), "%s", container->id);
    snprintf(why, sizeof(why), "%s", container->why);
    container_free(container);
    if (why[0])
        processes->hooks.failed(processes->userdata, id, why);
    else
        processes->hooks.exited(processes->userdata, id, status);
}

static void end_later(struct container *container)
{
    event_active(container->later, EV_TIMEOUT, 0);
}

/* ---- what is copied of the order ---- */

static char **copy_argv(const struct sim_process *process)
{
    char **argv = calloc(process->n_argv + 4, sizeof(*argv));

    if (!argv)
        return NULL;
    if (process->shell) {
        argv[0] = strdup("sh");
        argv[1] = strdup("-c");
        argv[2] = strdup(process->value ? process->value : "");
        return argv;
    }
    for (size_t i = 0; i < process->n_argv; i++)
        argv[i] = strdup(process->argv[i]);
    if (process->n_argv == 0)
        argv[0] = strdup(process->value ? process->value : "");
    return argv;
}

/* A later variable takes the place of an earlier one of its name. */
static void put_variable(char **environment, size_t *n, char *variable)
{
    size_t name = variable ? strcspn(variable, "=") + 1 : 0;

    for (size_t i = 0; variable && i < *n; i++) {
        if (!strncmp(environment[i], variable, name)) {
            free(environment[i]);
            environment[i] = variable;
            return;
        }
    }
    if (variable)
        environment[(*n)++] = variable;
}

static char **copy_environment(const struct sim_process *process)
{
    char **environment = calloc(process->n_environment + 3, sizeof(*environment));
    char *variable;
    size_t n = 0;

    if (!environment)
        return NULL;
    put_variable(environment, &n, strdup(DEFAULT_PATH));
    if (asprintf(&variable, "PWD=%s", process->sandbox) >= 0)
        put_variable(environment, &n, variable);
    for (size_t i = 0; i < process->n_environment; i++)
        if (asprintf(&variable, "%s=%s", process->environment[i].name,
                     process->environment[i].value) >= 0)
            put_variable(environment, &n, variable);
    return environment;
}

/* ---- starting ---- */

/* In the child, between fork and exec. */
static void become(const struct container *container, const struct passwd *user, pid_t simulator)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open("stdout", O_WRONLY | O_CREAT | O_APPEND, 0644);
    int err = open("stderr", O_WRONLY | O_CREAT | O_APPEND, 0644);
    sigset_t none;

    if (in < 0 || out < 0 || err < 0)
        _exit(1);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close_range(3, ~0U, 0);
    for (int i = 1; i < 32; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (user && (fchown(STDOUT_FILENO, user->pw_uid, user->pw_gid) < 0 ||
                 fchown(STDERR_FILENO, user->pw_uid, user->pw_gid) < 0 ||
                 initgroups(user->pw_name, user->pw_gid) < 0 || setgid(user->pw_gid) < 0 ||
                 setuid(user->pw_uid) < 0))
        _exit(1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != simulator) /* it went before the line above */
        _exit(1);
    execvpe(container->file, container->argv, container->environment);
    dprintf(STDERR_FILENO, "Failed to execute '%s': %s\n", container->file, strerror(errno));
    _exit(1);
}

/* NULL with `why` set: no such user. Only root can be somebody else; without root tasks run as we
 * do. */
static const struct passwd *find_user(struct container *container)
{
    const struct passwd *user;

    if (!container->user || !*container->user)
        return NULL;
    user = getpwnam(container->user);
    if (!user)
        snprintf(container->why, sizeof(container->why),
                 "Failed to chown '%s/stdout' to user '%s' : No such user '%s'", container->sandbox,
                 container->user, container->user);
    return user && geteuid() == 0 && user->pw_uid != 0 ? user : NULL;
}

static void launch(struct container *container)
{
    struct processes *processes = container->processes;
    const struct passwd *user = find_user(container);
    pid_t simulator = getpid();

    if (!container->why[0] && user && chown(container->sandbox, user->pw_uid, user->pw_gid) < 0)
        snprintf(container->why, sizeof(container->why), "Failed to chown '%s': %s",
                 container->sandbox, strerror(errno));
    if (container->why[0]) {
        end_later(container);
        return;
    }
    container->pid = fork();
    if (container->pid == 0) {
        setpgid(0, 0);
        if (chdir(container->sandbox) < 0)
            _exit(1);
        become(container, user, simulator);
    }
    if (container->pid < 0) {
        container->pid = 0;
        snprintf(container->why, sizeof(container->why), "Failed to fork: %s", strerror(errno));
        end_later(container);
        return;
    }
    setpgid(container->pid, container->pid); /* whoever comes first */
    watcher_add(processes->watcher, container->pid);
    processes->hooks.started(processes->userdata, container->id, (uint32_t)container->pid);
}

static void on_fetched(void *userdata, const char *error)
{
    struct container *container = userdata;
    char path[PATH_MAX];
    FILE *log;

    if (error) {
        snprintf(path, sizeof(path), "%s/stderr", container->sandbox);
        log = fopen(path, "ae");
        if (log) {
            fprintf(log, "%s\n", error);
            fclose(log);
        }
        snprintf(container->why, sizeof(container->why),
                 "Failed to fetch all URIs for container '%s': exited with status 1",
                 container->id);
        end_later(container);
        return;
    }
    container->fetch = fetch_free(container->fetch);
    launch(container);
}

static bool fill(struct container *container, const struct sim_process *process)
{
    struct processes *processes = container->processes;

    container->sandbox = strdup(process->sandbox);
    container->file = strdup(process->shell ? "/bin/sh" : process->value ? process->value : "");
    container->user = process->user ? strdup(process->user) : NULL;
    container->argv = copy_argv(process);
    container->environment = copy_environment(process);
    container->later = event_new(processes->base, -1, 0, on_later, container);
    container->fetch =
        fetch_new(processes->base, process->command, process->sandbox, on_fetched, container);
    return container->sandbox && container->file && container->argv && container->environment &&
           container->later && container->fetch;
}

void processes_start(struct processes *processes, const char *id, const struct sim_process *process)
{
    struct container *container = calloc(1, sizeof(*container));
    int r;

    if (!container || !(container->id = strdup(id))) {
        free(container);
        return;
    }
    container->processes = processes;
    container->next = processes->containers;
    processes->containers = container;
    if (!fill(container, process)) {
        if (container->later) {
            strcpy(container->why, "out of memory");
            end_later(container);
        }
        return;
    }
    r = hosttree_make_directory(process->sandbox);
    if (r < 0) {
        container->fetch = fetch_free(container->fetch);
        snprintf(container->why, sizeof(container->why), "Failed to create directory '%s': %s",
                 container->sandbox, strerror(-r));
        end_later(container);
    }
}

/* ---- ending ---- */

void processes_signal(struct processes *processes, const char *id, int signal)
{
    struct container *container = find(processes, id);

    if (!container)
        return;
    if (container->pid > 0) {
        kill(-container->pid, signal);
    } else if (container->fetch) {
        container->fetch = fetch_free(container->fetch);
        container->why[0] = '\0';
        container->status = signal; /* a wait status of just a signal */
        end_later(container);
    }
}

void processes_forget(struct processes *processes, const char *id)
{
    struct container *container = find(processes, id);

    if (container)
        container_free(container);
}

/* Mesos destroys the whole container when its first process has ended; so does this. */
static void on_child(evutil_socket_t signal, short events, void *userdata)
{
    struct processes *processes = userdata;
    struct container *container;

    for (container = processes->containers; container; container = container->next) {
        if (container->pid == 0 ||
            waitpid(container->pid, &container->status, WNOHANG) != container->pid)
            continue;
        kill(-container->pid, SIGKILL);
        watcher_remove(processes->watcher, container->pid);
        container->pid = 0;
        end_later(container);
    }
}

int processes_new(struct processes **ret, struct event_base *base,
                  const struct process_hooks *hooks, void *userdata)
{
    struct processes *processes = calloc(1, sizeof(*processes));
    int r;

    if (!processes)
        return -ENOMEM;
    processes->base = base;
    processes->hooks = *hooks;
    processes->userdata = userdata;
    processes->watcher = watcher_start();
    if (processes->watcher < 0) {
        r = processes->watcher;
        free(processes);
        return r;
    }
    processes->on_child = evsignal_new(base, SIGCHLD, on_child, processes);
    if (!processes->on_child || event_add(processes->on_child, NULL) < 0) {
        processes_free(processes);
        return -ENOMEM;
    }
    *ret = processes;
    return 0;
}

struct processes *processes_free(struct processes *processes)
{
    if (!processes)
        return NULL;
    while (processes->containers)
        container_free(processes->containers);
    if (processes->on_child)
        event_free(processes->on_child);
    close(processes->watcher);
    free(processes);
    return NULL;
}
