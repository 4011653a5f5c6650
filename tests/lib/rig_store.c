/* The rig's store: records in memory, saved at once or late, or not at all. */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static void put(struct rig *rig, const struct qm_record *record)
{
    struct rig_record *slot = NULL;

    for (size_t i = 0; i < rig->n_records; i++)
        if (strcmp(rig->records[i].key, record->key) == 0)
            slot = &rig->records[i];
    if (!slot) {
        rig->records = realloc(rig->records, (rig->n_records + 1) * sizeof(*rig->records));
        if (!rig->records)
            abort();
        slot = &rig->records[rig->n_records++];
        *slot = (struct rig_record){.key = strdup(record->key)};
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

/* Whatever is durable is durable from here on; only the word of it comes later. */
void rig_store_save(struct rig *rig, const struct qm_save *save)
{
    bool fails = rig->failing_saves > 0 || ++rig->saves == rig->fail_save_at;

    if (rig->failing_saves > 0)
        rig->failing_saves--;
    for (size_t i = 0; i < save->n_records && !fails; i++)
        put(rig, &save->records[i]);
    rig->save.revision = save->revision;
    rig->save.fails = fails;
    rig->save.at = rig->now + rig->options.save_takes;
}

void rig_store_tick(struct rig *rig)
{
    uint64_t revision = rig->save.revision;

    if (revision == 0 || rig->now < rig->save.at)
        return;
    rig->save.revision = 0;
    rig_tell(rig, (struct qm_fact){
                      .type = rig->save.fails ? QM_FACT_SAVE_FAILED : QM_FACT_STATE_SAVED,
                      .revision = revision,
                  });
}

void rig_store_free(struct rig *rig)
{
    for (size_t i = 0; i < rig->n_records; i++) {
        free(rig->records[i].key);
        free(rig->records[i].data);
    }
    free(rig->records);
    rig->records = NULL;
    rig->n_records = 0;
}
