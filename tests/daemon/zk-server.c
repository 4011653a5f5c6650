/* A real ZooKeeper server for a test program; see zk-server.h. */
#include "zk-server.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 120

static pid_t pid;
static int port;
static char directory[64], address[32];

bool zk_server_available(void)
{
    return access("/usr/share/java/zookeeper.jar", R_OK) == 0 &&
           system("command -v java >/dev/null") == 0;
}

static int free_port(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &length), 0);
    close(fd);
    return ntohs(name.sin_port);
}

/* ZooKeeper's own question whether it is well. */
static bool serves(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 5};
    char answer[8] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool well;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    well = connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 &&
           send(fd, "ruok", 4, MSG_NOSIGNAL) == 4 && recv(fd, answer, 4, MSG_WAITALL) == 4 &&
           strcmp(answer, "imok") == 0;
    close(fd);
    return well;
}

static void become_server(void)
{
    const char *script = getenv("ZOOKEEPER_SERVER");
    char text[16], log[80];
    int fd;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(text, sizeof(text), "%d", port);
    snprintf(log, sizeof(log), "%s/log", directory);
    fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, 1);
    dup2(fd, 2);
    execl("/bin/sh", "sh", script ? script : "zookeeper-server.sh", directory, text, (char *)NULL);
    _exit(127);
}

void zk_server_start(void)
{
    time_t end = time(NULL) + PATIENCE_S;
    struct timespec nap = {.tv_nsec = 50000000};

    if (!port) {
        strcpy(directory, "/tmp/qm-zookeeper-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        port = free_port();
        snprintf(address, sizeof(address), "127.0.0.1:%d", port);
    }
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        become_server();
    while (!serves()) {
        ck_assert_msg(waitpid(pid, NULL, WNOHANG) == 0, "ZooKeeper ended at its start: see %s/log",
                      directory);
        ck_assert_msg(time(NULL) < end, "ZooKeeper does not serve: see %s/log", directory);
        nanosleep(&nap, NULL);
    }
}

void zk_server_kill(void)
{
    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    pid = 0;
}

void zk_server_remove(void)
{
    char command[100];

    zk_server_kill();
    if (!port)
        return;
    snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    ck_assert_int_eq(system(command), 0);
    port = 0;
}

const char *zk_server_address(void)
{
    return address;
}
