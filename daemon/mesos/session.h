/*
 * One subscription to a Mesos v1 API, as a state machine without I/O. Schedulers and executors
 * subscribe in the same way; what differs is in struct session_rules.
 *
 *     idle -> finding leader -> connecting -> subscribing -> subscribed
 *                   ^                 |            |             |
 *                   +--- backing off <-------------+-------------+      -> ended
 *
 * What happened goes in through session_*(), what is to be done comes out of session_next(). Every
 * subscription has a number, and what happens on its two connections carries it: the remains of an
 * abandoned stream mean nothing. Calls wait here, one is under way at a time; a new subscription
 * starts with an empty queue, because offers of the old one are void and everything else comes
 * again from its owner's state.
 */
#ifndef DAEMON_MESOS_SESSION_H
#define DAEMON_MESOS_SESSION_H

#include <quobyte-mesos/base.h>

#include "log.h"

#define SESSION_LINE_MAX      512
#define SESSION_HOST_MAX      256
#define SESSION_STREAM_ID_MAX 129 /* Mesos promises at most 128 bytes */

enum session_state {
    SESSION_IDLE,
    SESSION_FINDING_LEADER,
    SESSION_CONNECTING,  /* SUBSCRIBE under way, no answer yet */
    SESSION_SUBSCRIBING, /* the stream is open, no SUBSCRIBED event yet */
    SESSION_SUBSCRIBED,
    SESSION_BACKING_OFF,
    SESSION_ENDED, /* for good */
};

/* Why a session is over for good. */
enum session_end {
    SESSION_END_NONE,
    SESSION_END_REMOVED,     /* "Framework has been removed" */
    SESSION_END_FAILED_OVER, /* "Framework failed over": somebody else uses our framework id */
    SESSION_END_NOT_AUTHORIZED,
    SESSION_END_REFUSED, /* the subscription is not acceptable as it is */
    SESSION_END_GAVE_UP, /* executors: the agent stayed away too long, or does not know us */
    SESSION_END_TOO_OLD, /* the peer's version: what its owner said */
};

/* What differs between schedulers and executors. */
struct session_rules {
    const char *peer;        /* for log lines: "Mesos master", "Mesos agent" */
    bool needs_stream_id;    /* the answer to SUBSCRIBE names it, calls repeat it */
    bool flat_backoff;       /* executors: evenly random up to backoff_max, no growth */
    qm_duration backoff_max; /* 0: 15 s */
    qm_duration heartbeat;   /* until the master names it; 0: no watch at all */
    qm_duration give_up;     /* after the first loss; QM_TIME_NEVER: never; 0: at once */
    bool stranger_is_end;    /* "... cannot be found" ends it (executors) */
};

extern const struct session_rules session_scheduler_rules;

enum session_command_type {
    SESSION_DO_FIND_LEADER, /* answer with session_leader() */
    SESSION_DO_SUBSCRIBE,   /* connect to host:port and post SUBSCRIBE */
    SESSION_DO_CLOSE,       /* drop both connections of this number */
    SESSION_DO_CALL,        /* post body on the second connection of this number */
    SESSION_DO_UP,          /* subscribed: tell the owner */
    SESSION_DO_DOWN,        /* no longer subscribed: tell the owner */
    SESSION_DO_END,         /* over for good: tell the owner; line is advice for the operator */
    SESSION_DO_SAY,         /* line for the log */
};

struct session_command {
    enum session_command_type type;
    uint64_t number;
    bool failed;      /* FIND_LEADER: the one named last did not work */
    const char *host; /* SUBSCRIBE */
    uint16_t port;
    const uint8_t *body; /* CALL; with length */
    size_t length;
    const char *stream_id; /* CALL; "" when the peer has none */
    enum session_end end;  /* END */
    enum log_level level;  /* SAY */
    const char *line;      /* SAY, END */
};

/* What an event is to the session; the rest of its content is the owner's business. */
enum session_event_kind {
    SESSION_EVENT_SUBSCRIBED,
    SESSION_EVENT_ERROR,
    SESSION_EVENT_OTHER,
};

struct session;

/** session_new() - idle. @rules are copied, their strings are not. NULL: out of memory. */
struct session *session_new(const struct session_rules *rules, uint64_t seed);
void session_free(struct session *s);

/** session_start() - leaves idle: the leader is looked for. */
void session_start(struct session *s, qm_time now);

/** session_stop() - drops everything without a word to the peer; ended. */
void session_stop(struct session *s, qm_time now);

/** session_leader() - who leads, as asked for or found out by itself. A change of the leader drops
 * the subscription to the old one. */
void session_leader(struct session *s, qm_time now, const char *host, uint16_t port);

/** session_no_leader() - nobody leads, or nobody knows; @why for the log. */
void session_no_leader(struct session *s, qm_time now, const char *why);

/**
 * session_answered() - the head of the answer to SUBSCRIBE, and its body unless status is 200.
 * @stream_id, @location: header values, NULL when absent; @body: text, NULL when none
 */
void session_answered(struct session *s, qm_time now, uint64_t number, int status,
                      const char *stream_id, const char *location, const char *body);

/**
 * session_event() - a whole event came.
 * @text: message of an ERROR, else NULL; @heartbeat: of SUBSCRIBED, 0 when not named
 * Returns true when it belongs to the present subscription: then its content counts.
 */
bool session_event(struct session *s, qm_time now, uint64_t number, enum session_event_kind kind,
                   const char *text, qm_duration heartbeat);

/** session_lost() - a connection broke, could not be made, or its content makes no sense. */
void session_lost(struct session *s, qm_time now, uint64_t number, const char *why);

/** session_call_answered() - the call under way got an answer. @body: text, NULL when none. */
void session_call_answered(struct session *s, qm_time now, uint64_t number, int status,
                           const char *body);

/**
 * session_send() - queues a call; the bytes are copied.
 * @what: constant word for the log, "ACCEPT"
 * Returns 0; -ENOTCONN: not subscribed; -ENOBUFS: the queue is full; -ENOMEM. Not sent then.
 */
int session_send(struct session *s, qm_time now, const char *what, const uint8_t *body,
                 size_t length);

/** session_give_up() - the owner does not want this peer: over for good. @line: advice. */
void session_give_up(struct session *s, qm_time now, enum session_end end, const char *line);

/** session_tick() - time passed; to be called at session_deadline() at the latest. */
void session_tick(struct session *s, qm_time now);
qm_time session_deadline(const struct session *s);

/**
 * session_next() - the next thing to do, false when there is none. Strings and body are borrowed
 * until the next session_*() call.
 */
bool session_next(struct session *s, struct session_command *command);

/* For dashboards. */
struct session_view {
    enum session_state state;
    qm_time since;      /* in this state */
    qm_time last_event; /* QM_TIME_NEVER before the first */
    const char *host;   /* of the present or latest leader, "" when none */
    uint16_t port;
    const char *trouble; /* what went wrong last since it was subscribed, "" when nothing */
    size_t queued;       /* calls */
};
void session_view(const struct session *s, struct session_view *view);

const char *session_state_name(enum session_state state); /* "subscribed" */

/**
 * session_parse_location() - host and port of a redirect: "//host:port/path", with or without a
 * scheme; all else of it is not used. False when it has no host and port.
 */
bool session_parse_location(const char *location, char *host, size_t size, uint16_t *port);

#endif
