/*
 * One subscription to a Mesos v1 API: the transitions. How calls are queued and answered is in
 * session_calls.c.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_private.h"

#define BACKOFF_FIRST      500
#define BACKOFF_MAX        QM_SECONDS(15)
#define HEAD_TIMEOUT       QM_SECONDS(15) /* connecting, and the head of the answer */
#define SUBSCRIBED_TIMEOUT QM_SECONDS(30) /* from there to the first event */
#define STEADY             QM_SECONDS(10) /* so long subscribed: the next back-off starts small */
#define HEARTBEAT_MISSES   5
#define REDIRECTS_MAX      5

const struct session_rules session_scheduler_rules = {
    .peer = "Mesos master",
    .needs_stream_id = true,
    .backoff_max = BACKOFF_MAX,
    .heartbeat = QM_SECONDS(15),
    .give_up = QM_TIME_NEVER,
};

struct session *session_new(const struct session_rules *rules, uint64_t seed)
{
    struct session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->rules = *rules;
    s->random = seed;
    if (s->rules.backoff_max == 0)
        s->rules.backoff_max = BACKOFF_MAX;
    s->deadline = s->last_event = s->first_loss = s->give_up_at = QM_TIME_NEVER;
    session_calls_init(s);
    return s;
}

void session_free(struct session *s)
{
    if (s == NULL)
        return;
    session_calls_drop(s);
    while (s->first != NULL) {
        struct session_todo *todo = s->first;
        s->first = todo->next;
        free(todo);
    }
    free(s->given);
    free(s);
}

/* splitmix64: public domain by Sebastiano Vigna; any seed is good. */
static uint64_t next_random(struct session *s)
{
    uint64_t z = (s->random += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct session_command *session_do(struct session *s, enum session_command_type type)
{
    struct session_todo *todo = calloc(1, sizeof *todo);
    if (todo == NULL) {
        log_error("out of memory");
        abort();
    }
    todo->command = (struct session_command){.type = type, .number = s->number};
    if (s->last != NULL)
        s->last->next = todo;
    else
        s->first = todo;
    s->last = todo;
    return &todo->command;
}

void session_say(struct session *s, enum log_level level, const char *format, ...)
{
    struct session_command *command = session_do(s, SESSION_DO_SAY);
    va_list args;
    command->level = level;
    va_start(args, format);
    vsnprintf(s->last->line, sizeof s->last->line, format, args);
    va_end(args);
    command->line = s->last->line;
}

bool session_next(struct session *s, struct session_command *command)
{
    free(s->given);
    s->given = s->first;
    if (s->first == NULL)
        return false;
    s->first = s->first->next;
    if (s->first == NULL)
        s->last = NULL;
    *command = s->given->command;
    if (command->type == SESSION_DO_CALL && !session_calls_fill(s, command))
        return session_next(s, command); /* its subscription is gone already */
    return true;
}

static uint64_t hash_line(const char *line)
{
    uint64_t hash = 14695981039346656037u;
    for (; *line != '\0'; line++)
        hash = (hash ^ (unsigned char)*line) * 1099511628211u;
    return hash;
}

/* Says a line unless it was said since the last subscription: one line a change, not one a try. */
static void say_trouble(struct session *s, enum log_level level, const char *line)
{
    uint64_t hash = hash_line(line);
    snprintf(s->trouble, sizeof s->trouble, "%s", line);
    for (size_t i = 0; i < s->n_said && i < TROUBLES; i++)
        if (s->said[i] == hash)
            return;
    s->said[s->n_said++ % TROUBLES] = hash;
    session_say(s, level, "%s", line);
}

static void enter(struct session *s, qm_time now, enum session_state state, qm_time deadline)
{
    s->state = state;
    s->since = now;
    s->deadline = deadline;
}

static void find_leader(struct session *s, qm_time now, bool failed)
{
    enter(s, now, SESSION_FINDING_LEADER, QM_TIME_NEVER);
    session_do(s, SESSION_DO_FIND_LEADER)->failed = failed;
}

/* Leaves the present subscription, if there is one, without a word. */
static void drop(struct session *s, qm_time now)
{
    if (s->state == SESSION_SUBSCRIBED)
        session_do(s, SESSION_DO_DOWN);
    if (s->open)
        session_do(s, SESSION_DO_CLOSE);
    s->open = false;
    if (s->state == SESSION_SUBSCRIBED && now - s->since >= STEADY)
        s->attempt = 0;
    session_calls_drop(s);
}

void session_finish(struct session *s, qm_time now, enum session_end end, const char *format, ...)
{
    drop(s, now);
    enter(s, now, SESSION_ENDED, QM_TIME_NEVER);
    struct session_command *command = session_do(s, SESSION_DO_END);
    va_list args;
    va_start(args, format);
    vsnprintf(s->last->line, sizeof s->last->line, format, args);
    va_end(args);
    command->end = end;
    command->line = s->last->line;
    snprintf(s->trouble, sizeof s->trouble, "%s", command->line);
}

static qm_duration backoff(struct session *s)
{
    qm_duration longest = s->rules.backoff_max;
    if (s->rules.flat_backoff)
        return next_random(s) % (longest + 1);
    qm_duration delay = BACKOFF_FIRST;
    for (unsigned i = 0; i < s->attempt && delay < longest; i++)
        delay *= 2;
    if (delay > longest)
        delay = longest;
    s->attempt++;
    return delay / 2 + next_random(s) % (delay / 2 + 1);
}

/* The present try or subscription came to nothing: wait, then look for the leader again. */
void session_retry(struct session *s, qm_time now, enum log_level level, const char *format, ...)
{
    char line[SESSION_LINE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);

    say_trouble(s, level, line);
    bool had = s->ever;
    if (had && s->first_loss == QM_TIME_NEVER) {
        s->first_loss = now;
        if (s->rules.give_up != QM_TIME_NEVER)
            s->give_up_at = now + s->rules.give_up;
    }
    if (now >= s->give_up_at) {
        session_finish(s, now, SESSION_END_GAVE_UP, "%s: giving up", line);
        return;
    }
    drop(s, now);
    enter(s, now, SESSION_BACKING_OFF, now + backoff(s));
}

static void subscribe(struct session *s, qm_time now)
{
    s->number++;
    s->open = true;
    s->stream_id[0] = '\0';
    enter(s, now, SESSION_CONNECTING, now + HEAD_TIMEOUT);
    struct session_command *command = session_do(s, SESSION_DO_SUBSCRIBE);
    snprintf(s->last->line, sizeof s->last->line, "%s", s->host);
    command->host = s->last->line;
    command->port = s->port;
}

void session_start(struct session *s, qm_time now)
{
    if (s->state == SESSION_IDLE)
        find_leader(s, now, false);
}

void session_stop(struct session *s, qm_time now)
{
    if (s->state == SESSION_ENDED)
        return;
    drop(s, now);
    enter(s, now, SESSION_ENDED, QM_TIME_NEVER);
}

void session_give_up(struct session *s, qm_time now, enum session_end end, const char *line)
{
    if (s->state != SESSION_ENDED)
        session_finish(s, now, end, "%s", line);
}

void session_leader(struct session *s, qm_time now, const char *host, uint16_t port)
{
    bool same = s->port == port && strcmp(s->host, host) == 0;
    if (s->state == SESSION_IDLE || s->state == SESSION_ENDED || strlen(host) >= sizeof s->host)
        return;
    if (s->state != SESSION_FINDING_LEADER && s->state != SESSION_BACKING_OFF) {
        if (same)
            return;
        session_say(s, LOG_LEVEL_INFO, "the leading %s is now %s:%u", s->rules.peer, host, port);
    } else if (s->state == SESSION_BACKING_OFF && same) {
        return; /* it waits for its time */
    }
    drop(s, now);
    snprintf(s->host, sizeof s->host, "%s", host);
    s->port = port;
    s->redirects = 0;
    subscribe(s, now);
}

void session_no_leader(struct session *s, qm_time now, const char *why)
{
    if (s->state == SESSION_FINDING_LEADER)
        say_trouble(s, LOG_LEVEL_WARNING, why);
}

bool session_parse_location(const char *location, char *host, size_t size, uint16_t *port)
{
    const char *start = strstr(location, "//");
    if (start == NULL)
        return false;
    start += 2;
    size_t length = strcspn(start, "/?#");
    const char *colon = memrchr(start, ':', length);
    if (colon == NULL || colon == start)
        return false;
    size_t host_length = (size_t)(colon - start);
    if (*start == '[' && colon[-1] == ']') { /* IPv6 address */
        start++;
        host_length -= 2;
    }
    char *end;
    errno = 0;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (errno != 0 || colon[1] < '0' || colon[1] > '9' || number < 1 || number > UINT16_MAX ||
        host_length == 0 || host_length >= size)
        return false;
    if (*end != '\0' && strchr("/?#", *end) == NULL)
        return false;
    memcpy(host, start, host_length);
    host[host_length] = '\0';
    *port = (uint16_t)number;
    return true;
}

static void redirected(struct session *s, qm_time now, const char *location)
{
    char host[SESSION_HOST_MAX];
    uint16_t port;
    if (location == NULL || !session_parse_location(location, host, sizeof host, &port)) {
        session_retry(s, now, LOG_LEVEL_WARNING, "%s %s:%u redirects to nowhere", s->rules.peer,
                      s->host, s->port);
    } else if (++s->redirects > REDIRECTS_MAX) {
        session_retry(s, now, LOG_LEVEL_WARNING, "%s %s:%u: too many redirects", s->rules.peer,
                      s->host, s->port);
    } else {
        session_say(s, LOG_LEVEL_INFO, "%s %s:%u redirects to %s:%u", s->rules.peer, s->host,
                    s->port, host, port);
        drop(s, now);
        snprintf(s->host, sizeof s->host, "%s", host);
        s->port = port;
        subscribe(s, now);
    }
}

/* SUBSCRIBE was answered 400. */
static void rejected(struct session *s, qm_time now, const char *body)
{
    if (s->rules.stranger_is_end && strstr(body, "cannot be found") != NULL)
        session_finish(s, now, SESSION_END_GAVE_UP, "the %s does not know us: %s", s->rules.peer,
                       body);
    else if (strncmp(body, "Failed to validate", strlen("Failed to validate")) == 0)
        session_finish(s, now, SESSION_END_REFUSED,
                       "the %s refuses the subscription: %s; mend the configuration", s->rules.peer,
                       body);
    else
        session_retry(s, now, LOG_LEVEL_ERROR, "%s %s:%u answers 400: %s", s->rules.peer, s->host,
                      s->port, body);
}

void session_answered(struct session *s, qm_time now, uint64_t number, int status,
                      const char *stream_id, const char *location, const char *body)
{
    if (number != s->number || s->state != SESSION_CONNECTING)
        return;
    if (body == NULL)
        body = "";
    if (status == 200 && s->rules.needs_stream_id &&
        (stream_id == NULL || *stream_id == '\0' || strlen(stream_id) >= sizeof s->stream_id)) {
        session_retry(s, now, LOG_LEVEL_ERROR, "%s %s:%u names no stream id: is it a %s?",
                      s->rules.peer, s->host, s->port, s->rules.peer);
    } else if (status == 200) {
        if (stream_id != NULL)
            snprintf(s->stream_id, sizeof s->stream_id, "%s", stream_id);
        enter(s, now, SESSION_SUBSCRIBING, now + SUBSCRIBED_TIMEOUT);
    } else if (status == 307) {
        redirected(s, now, location);
    } else if (status == 400) {
        rejected(s, now, body);
    } else if (status == 401) {
        session_retry(s, now, LOG_LEVEL_ERROR,
                      "%s %s:%u does not accept our principal and secret (401)", s->rules.peer,
                      s->host, s->port);
    } else if (status == 404 || status == 503) { /* as long as it starts or has no leader */
        session_retry(s, now, LOG_LEVEL_WARNING, "%s %s:%u is not ready (%d: %s)", s->rules.peer,
                      s->host, s->port, status, body);
    } else {
        session_retry(s, now, LOG_LEVEL_ERROR, "%s %s:%u answers %d to SUBSCRIBE: %s",
                      s->rules.peer, s->host, s->port, status, body);
    }
}

/* Mesos has no codes for these, only the texts. */
static void failed_by_error(struct session *s, qm_time now, const char *text)
{
    if (strcmp(text, "Framework has been removed") == 0)
        session_finish(s, now, SESSION_END_REMOVED,
                       "%s: its framework id is dead and its tasks are gone; start with --reset "
                       "to begin anew under a new id",
                       text);
    else if (strcmp(text, "Framework failed over") == 0)
        session_finish(s, now, SESSION_END_FAILED_OVER,
                       "%s: another scheduler has subscribed with our framework id; stop one of "
                       "the two",
                       text);
    else if (strncmp(text, "Not authorized", 14) == 0 ||
             strncmp(text, "Authorization failure", 21) == 0)
        session_finish(s, now, SESSION_END_NOT_AUTHORIZED,
                       "%s; check the master's ACLs, our principal, user and roles", text);
    else if (s->state != SESSION_SUBSCRIBED) /* refused before it began: no try would help */
        session_finish(s, now, SESSION_END_REFUSED,
                       "the %s refuses the subscription: %s; mend the configuration", s->rules.peer,
                       text);
    else
        session_retry(s, now, LOG_LEVEL_ERROR, "the %s ends the subscription: %s", s->rules.peer,
                      text);
}

static qm_time heartbeat_deadline(const struct session *s, qm_time now)
{
    return s->heartbeat == 0 ? QM_TIME_NEVER : now + HEARTBEAT_MISSES * s->heartbeat;
}

static void subscribed(struct session *s, qm_time now, qm_duration heartbeat)
{
    bool watch = s->rules.heartbeat != 0;
    s->heartbeat = watch && heartbeat != 0 ? heartbeat : s->rules.heartbeat;
    enter(s, now, SESSION_SUBSCRIBED, heartbeat_deadline(s, now));
    s->ever = true;
    s->first_loss = s->give_up_at = QM_TIME_NEVER;
    s->n_said = 0;
    s->trouble[0] = '\0';
    session_do(s, SESSION_DO_UP);
}

bool session_event(struct session *s, qm_time now, uint64_t number, enum session_event_kind kind,
                   const char *text, qm_duration heartbeat)
{
    if (number != s->number || !s->open ||
        (s->state != SESSION_SUBSCRIBING && s->state != SESSION_SUBSCRIBED))
        return false;
    s->last_event = now;
    if (s->state == SESSION_SUBSCRIBED)
        s->deadline = heartbeat_deadline(s, now);
    if (kind == SESSION_EVENT_SUBSCRIBED && s->state == SESSION_SUBSCRIBING)
        subscribed(s, now, heartbeat);
    else if (kind == SESSION_EVENT_ERROR)
        failed_by_error(s, now, text != NULL ? text : "");
    return true;
}

void session_lost(struct session *s, qm_time now, uint64_t number, const char *why)
{
    if (number != s->number || !s->open)
        return;
    session_retry(s, now, LOG_LEVEL_WARNING, "%s %s:%u: %s", s->rules.peer, s->host, s->port, why);
}

static void deadline_passed(struct session *s, qm_time now)
{
    switch (s->state) {
    case SESSION_CONNECTING:
        session_lost(s, now, s->number, "no answer to SUBSCRIBE");
        break;
    case SESSION_SUBSCRIBING:
        session_lost(s, now, s->number, "no SUBSCRIBED event");
        break;
    case SESSION_SUBSCRIBED:
        session_lost(s, now, s->number, "no heartbeat");
        break;
    case SESSION_BACKING_OFF:
        find_leader(s, now, true);
        break;
    default:
        s->deadline = QM_TIME_NEVER;
        break;
    }
}

void session_tick(struct session *s, qm_time now)
{
    if (now >= s->give_up_at && s->state != SESSION_ENDED && s->state != SESSION_SUBSCRIBED)
        session_finish(s, now, SESSION_END_GAVE_UP, "the %s has been away for too long",
                       s->rules.peer);
    if (now >= s->deadline)
        deadline_passed(s, now);
    session_calls_tick(s, now);
}

qm_time session_deadline(const struct session *s)
{
    qm_time deadline = session_calls_deadline(s);
    if (s->deadline < deadline)
        deadline = s->deadline;
    if (s->state != SESSION_ENDED && s->give_up_at < deadline)
        deadline = s->give_up_at;
    return deadline;
}

void session_view(const struct session *s, struct session_view *view)
{
    *view = (struct session_view){
        .state = s->state,
        .since = s->since,
        .last_event = s->last_event,
        .host = s->host,
        .port = s->port,
        .trouble = s->trouble,
        .queued = s->n_calls,
    };
}

const char *session_state_name(enum session_state state)
{
    static const char *const names[] = {
        "idle",       "finding the leader", "connecting", "subscribing",
        "subscribed", "backing off",        "ended",
    };
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "?";
}
