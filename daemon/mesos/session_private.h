/*
 * What the two halves of a session share: session.c (transitions) and session_calls.c (the queue).
 */
#ifndef DAEMON_MESOS_SESSION_PRIVATE_H
#define DAEMON_MESOS_SESSION_PRIVATE_H

#include "session.h"

#define TROUBLES 8 /* different log lines remembered since the last subscription */

struct session_call {
    struct session_call *next;
    const char *what;
    size_t length;
    uint8_t body[];
};

struct session_todo {
    struct session_todo *next;
    struct session_command command;
    char line[SESSION_LINE_MAX];
};

struct session {
    struct session_rules rules;
    uint64_t random;
    enum session_state state;
    qm_time since;
    qm_time deadline; /* of the present state */
    uint64_t number;  /* of the present or latest subscription */
    bool open;        /* its connections are not closed yet */
    bool ever;        /* was subscribed once */
    unsigned attempt; /* since it was subscribed for a while: makes the back-off longer */
    unsigned redirects;
    qm_time first_loss; /* since it was subscribed last */
    qm_time give_up_at;
    char host[SESSION_HOST_MAX];
    uint16_t port;
    char stream_id[SESSION_STREAM_ID_MAX];
    qm_duration heartbeat;
    qm_time last_event;
    char trouble[SESSION_LINE_MAX];
    uint64_t said[TROUBLES];
    size_t n_said;

    struct session_call *calls; /* the first is under way when call_deadline is set */
    struct session_call *last_call;
    size_t n_calls;
    size_t bytes;
    qm_time call_deadline; /* an answer must be there; NEVER: none under way */
    qm_time call_again;    /* the first call is to be sent again; NEVER */
    qm_time call_since;    /* when it was sent first */

    struct session_todo *first, *last, *given;
};

/* session.c */
struct session_command *session_do(struct session *s, enum session_command_type type);
void session_say(struct session *s, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void session_retry(struct session *s, qm_time now, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void session_finish(struct session *s, qm_time now, enum session_end end, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* session_calls.c */
void session_calls_init(struct session *s);
void session_calls_drop(struct session *s);
bool session_calls_fill(const struct session *s, struct session_command *command);
void session_calls_tick(struct session *s, qm_time now);
qm_time session_calls_deadline(const struct session *s);

#endif
