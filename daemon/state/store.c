/* What every kind of store does alike: dispatch, answers from the event loop, lists of records. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "state/store_private.h"

struct store_answer {
    struct store_answer *next;
    uint64_t revision;
    bool saved;
};

static void deliver_answers(evutil_socket_t fd, short what, void *userdata)
{
    struct store *store = userdata;

    while (store->answers) {
        struct store_answer *answer = store->answers;
        char text[sizeof(store->failure)];

        /* The failure holds until its last answer is out, so that a save which is handed over from
         * inside a report cannot overtake one that failed. */
        memcpy(text, store->failure, sizeof(text));
        if (answer->saved)
            store->callbacks.saved(store->callbacks.userdata, answer->revision);
        else
            store->callbacks.failed(store->callbacks.userdata, answer->revision, text);
        store->answers = answer->next;
        if (!store->answers) {
            store->answers_end = &store->answers;
            store->failing = false;
        }
        free(answer);
    }
}

int store_init(struct store *store, const struct store_type *type, struct event_base *base,
               const struct store_callbacks *callbacks)
{
    store->type = type;
    store->callbacks = *callbacks;
    store->answers_end = &store->answers;
    store->deliver = event_new(base, -1, 0, deliver_answers, store);
    return store->deliver ? 0 : -ENOMEM;
}

void store_deinit(struct store *store)
{
    while (store->answers) {
        struct store_answer *answer = store->answers;

        store->answers = answer->next;
        free(answer);
    }
    if (store->deliver)
        event_free(store->deliver);
}

static void answer_with(struct store *store, uint64_t revision, bool saved)
{
    struct store_answer *answer = calloc(1, sizeof(*answer));

    /* An answer that is never given stalls the planner for good; there is nothing to wait for. */
    if (!answer)
        abort();
    answer->revision = revision;
    answer->saved = saved;
    *store->answers_end = answer;
    store->answers_end = &answer->next;
    event_active(store->deliver, EV_TIMEOUT, 1);
}

void store_answer_saved(struct store *store, uint64_t revision)
{
    answer_with(store, revision, !store->failing);
}

void store_answer_failed(struct store *store, uint64_t revision, const char *format, ...)
{
    va_list args;

    if (!store->failing) {
        va_start(args, format);
        vsnprintf(store->failure, sizeof(store->failure), format, args);
        va_end(args);
    }
    store->failing = true;
    answer_with(store, revision, false);
}

int store_fail(struct store_error *error, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}

int store_records_add(struct store_records *records, const char *key, const void *data,
                      size_t length)
{
    struct qm_record *grown;
    char *key_copy = NULL;
    uint8_t *data_copy = NULL;

    /* Doubling, with the capacity read off the count: full exactly at powers of two. */
    if ((records->n_records & (records->n_records - 1)) == 0) {
        size_t capacity = records->n_records ? 2 * records->n_records : 1;

        grown = realloc(records->records, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        records->records = grown;
    }
    key_copy = strdup(key);
    data_copy = malloc(length ? length : 1);
    if (!key_copy || !data_copy) {
        free(key_copy);
        free(data_copy);
        return -ENOMEM;
    }
    if (length)
        memcpy(data_copy, data, length);
    records->records[records->n_records++] =
        (struct qm_record){.key = key_copy, .data = data_copy, .length = length};
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct qm_record *)a)->key, ((const struct qm_record *)b)->key);
}

void store_records_sort(struct store_records *records)
{
    if (records->n_records)
        qsort(records->records, records->n_records, sizeof(*records->records), compare_keys);
}

void store_records_deinit(struct store_records *records)
{
    for (size_t i = 0; i < records->n_records; i++) {
        free((char *)records->records[i].key);
        free((uint8_t *)records->records[i].data);
    }
    free(records->records);
    *records = (struct store_records){0};
}

bool store_deployment_is_valid(const char *deployment)
{
    size_t length = strlen(deployment);

    if (length == 0 || length > STORE_NAME_MAX || deployment[0] == '.')
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)deployment[i] <= ' ' || deployment[i] == '/' || deployment[i] == 0x7f)
            return false;
    return true;
}

int store_load(struct store *store, unsigned timeout_ms, struct store_records *records,
               struct store_error *error)
{
    int r;

    *records = (struct store_records){0};
    r = store->type->load(store, timeout_ms, records, error);
    if (r != 0)
        store_records_deinit(records);
    else
        store_records_sort(records);
    return r;
}

void store_save(struct store *store, const struct qm_save *save)
{
    if (store->failing)
        store_answer_failed(store, save->revision, "an earlier save failed");
    else
        store->type->save(store, save);
}

int store_erase(struct store *store, unsigned timeout_ms, struct store_error *error)
{
    return store->type->erase(store, timeout_ms, error);
}

const char *store_name(const struct store *store)
{
    return store->name;
}

struct store *store_close(struct store *store)
{
    if (store)
        store->type->close(store);
    return NULL;
}
