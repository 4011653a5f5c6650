/*
 * The calls of a session: one at a time, in order. A call without an answer may or may not have
 * been executed; sending it again could launch twice, so its subscription is given up instead and
 * the owner learns by reconciliation what became of it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session_private.h"

#define ANSWER_TIMEOUT QM_SECONDS(75)
#define AGAIN          QM_SECONDS(1) /* a master or agent that is not ready executes nothing */
#define CALLS_MAX      200000
#define BYTES_MAX      (64u * 1024 * 1024)

void session_calls_init(struct session *s)
{
    s->call_deadline = s->call_again = QM_TIME_NEVER;
}

static void pop(struct session *s)
{
    struct session_call *call = s->calls;
    s->calls = call->next;
    if (s->calls == NULL)
        s->last_call = NULL;
    s->n_calls--;
    s->bytes -= call->length;
    free(call);
    session_calls_init(s);
}

void session_calls_drop(struct session *s)
{
    while (s->calls != NULL)
        pop(s);
}

bool session_calls_fill(const struct session *s, struct session_command *command)
{
    if (command->number != s->number || s->calls == NULL || s->call_deadline == QM_TIME_NEVER)
        return false;
    command->body = s->calls->body;
    command->length = s->calls->length;
    command->stream_id = s->stream_id;
    return true;
}

static void start_first(struct session *s, qm_time now)
{
    s->call_deadline = now + ANSWER_TIMEOUT;
    s->call_again = QM_TIME_NEVER;
    session_do(s, SESSION_DO_CALL);
}

static void start_next(struct session *s, qm_time now)
{
    if (s->calls == NULL)
        return;
    s->call_since = now;
    start_first(s, now);
}

int session_send(struct session *s, qm_time now, const char *what, const uint8_t *body,
                 size_t length)
{
    if (s->state != SESSION_SUBSCRIBED)
        return -ENOTCONN;
    if (s->n_calls >= CALLS_MAX || length > BYTES_MAX || s->bytes > BYTES_MAX - length)
        return -ENOBUFS;
    struct session_call *call = malloc(sizeof *call + length);
    if (call == NULL)
        return -ENOMEM;
    *call = (struct session_call){.what = what, .length = length};
    memcpy(call->body, body, length);
    if (s->last_call != NULL)
        s->last_call->next = call;
    else
        s->calls = call;
    s->last_call = call;
    s->n_calls++;
    s->bytes += length;
    if (s->calls == call)
        start_next(s, now);
    return 0;
}

/* The peer says that it does not have us, or not on this stream. */
static bool is_stranger(int status, const char *body)
{
    return status == 403 || (status == 400 && (strstr(body, "cannot be found") != NULL ||
                                               strstr(body, "stream ID") != NULL));
}

static void not_ready(struct session *s, qm_time now, const char *what, int status)
{
    if (now - s->call_since >= ANSWER_TIMEOUT) {
        session_retry(s, now, LOG_LEVEL_WARNING, "%s %s:%u answers %d to %s for too long",
                      s->rules.peer, s->host, s->port, status, what);
        return;
    }
    s->call_deadline = QM_TIME_NEVER;
    s->call_again = now + AGAIN;
}

void session_call_answered(struct session *s, qm_time now, uint64_t number, int status,
                           const char *body)
{
    if (number != s->number || s->calls == NULL || s->call_deadline == QM_TIME_NEVER)
        return;
    const char *what = s->calls->what;
    if (body == NULL)
        body = "";
    if (status == 503 || status == 404) {
        not_ready(s, now, what, status);
        return;
    }
    if (s->rules.stranger_is_end && status == 400 && is_stranger(status, body)) {
        session_finish(s, now, SESSION_END_GAVE_UP, "the %s does not know us: %s", s->rules.peer,
                       body);
        return;
    }
    if (status == 307 || is_stranger(status, body)) {
        session_retry(s, now, LOG_LEVEL_WARNING,
                      "%s %s:%u answers %d to %s (%s); subscribing again", s->rules.peer, s->host,
                      s->port, status, what, body);
        return;
    }
    if (status != 202 && status != 200)
        session_say(s, LOG_LEVEL_WARNING, "%s %s:%u answers %d to %s, which is dropped: %s",
                    s->rules.peer, s->host, s->port, status, what, body);
    pop(s);
    start_next(s, now);
}

void session_calls_tick(struct session *s, qm_time now)
{
    if (now >= s->call_again)
        start_first(s, now);
    else if (now >= s->call_deadline)
        session_retry(s, now, LOG_LEVEL_WARNING, "%s %s:%u does not answer %s", s->rules.peer,
                      s->host, s->port, s->calls->what);
}

qm_time session_calls_deadline(const struct session *s)
{
    return s->call_deadline < s->call_again ? s->call_deadline : s->call_again;
}
