/* The judge's copy of the saved records, read without the planner's help. */
#include "judge_private.h"

#include <stdlib.h>
#include <string.h>

#include "quobyte-mesos/state.pb-c.h"

void judge_free_save(struct judged_save *save)
{
    for (size_t i = 0; i < save->n_records; i++)
        free(save->records[i].data);
    free(save);
}

static void apply_record(struct judge *judge, const struct judged_record *record)
{
    struct judged_record *slot = NULL;

    for (size_t i = 0; i < judge->n_saved; i++)
        if (strcmp(judge->saved[i].key, record->key) == 0)
            slot = &judge->saved[i];
    if (!slot) {
        slot = &judge->saved[judge->n_saved++];
        if (judge->n_saved > RECORDS_MAX)
            abort();
        judge_copy(slot->key, sizeof(slot->key), record->key);
    }
    free(slot->data);
    slot->data = NULL;
    slot->length = record->length;
    if (record->data) {
        slot->data = malloc(record->length + 1);
        if (!slot->data)
            abort();
        memcpy(slot->data, record->data, record->length);
    }
}

void judge_end_saves(struct judge *judge, uint64_t revision, bool durable)
{
    size_t kept = 0;

    for (size_t i = 0; i < judge->n_pending; i++) {
        struct judged_save *save = judge->pending[i];

        if (save->revision > revision) {
            judge->pending[kept++] = save;
            continue;
        }
        for (size_t k = 0; durable && k < save->n_records; k++)
            apply_record(judge, &save->records[k]);
        judge_free_save(save);
    }
    judge->n_pending = kept;
    if (durable && revision > judge->saved_revision)
        judge->saved_revision = revision;
    if (durable && judge->order_open && judge->order_revision > 0 &&
        revision >= judge->order_revision) {
        judge_copy(judge->safe_target, sizeof(judge->safe_target), judge->target);
        judge->order_open = false;
    }
}

void judge_note_save(struct judge *judge, const struct qm_save *action)
{
    struct judged_save *save = calloc(1, sizeof(*save));

    if (!save || judge->n_pending == SAVES_MAX || action->n_records > RECORDS_MAX)
        abort();
    save->revision = action->revision;
    for (size_t i = 0; i < action->n_records; i++) {
        struct judged_record *record = &save->records[save->n_records++];

        judge_copy(record->key, sizeof(record->key), action->records[i].key);
        record->length = action->records[i].length;
        if (action->records[i].data) {
            record->data = malloc(record->length + 1);
            if (!record->data)
                abort();
            memcpy(record->data, action->records[i].data, record->length);
        }
    }
    if (action->revision < judge->asked_revision)
        judge_complain(judge, "a save of revision %ju after %ju", (uintmax_t)action->revision,
                       (uintmax_t)judge->asked_revision);
    judge->asked_revision = action->revision;
    judge->pending[judge->n_pending++] = save;
}

static const struct judged_record *find_saved(const struct judge *judge, const char *key)
{
    for (size_t i = 0; i < judge->n_saved; i++)
        if (strcmp(judge->saved[i].key, key) == 0 && judge->saved[i].data)
            return &judge->saved[i];
    return NULL;
}

bool judge_task_is_saved(const struct judge *judge, const char *host, const char *task_id)
{
    char key[NAME_MAX_];
    const struct judged_record *record;
    QuobyteMesos__State__Host *message;
    bool found = false;

    snprintf(key, sizeof(key), "host/%s", host);
    record = find_saved(judge, key);
    if (!record)
        return false;
    message = quobyte_mesos__state__host__unpack(NULL, record->length, record->data);
    for (size_t i = 0; message && i < message->n_tasks; i++)
        found |= strcmp(message->tasks[i]->task_id, task_id) == 0;
    if (message)
        quobyte_mesos__state__host__free_unpacked(message, NULL);
    return found;
}

bool judge_target_is_saved(const struct judge *judge)
{
    const struct judged_record *record = find_saved(judge, "framework");
    QuobyteMesos__State__Framework *message;
    bool same;

    if (!record)
        return false;
    message = quobyte_mesos__state__framework__unpack(NULL, record->length, record->data);
    if (!message)
        return false;
    same = message->target &&
           strcmp(message->target->version ? message->target->version : "", judge->target) == 0;
    quobyte_mesos__state__framework__free_unpacked(message, NULL);
    return same;
}
