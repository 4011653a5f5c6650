/* The output queue: what the face still has to do. Each entry owns what it shows. */
#include "core.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct output_entry {
    TAILQ_ENTRY(output_entry) next;
    struct sim_output out;
    uint8_t *data;
    char *container;
    struct sim_process process;
    Mesos__V1__CommandInfo *command;
};

static struct output_entry *entry_new(struct sim *sim, enum sim_output_kind kind)
{
    struct output_entry *entry = sim_zalloc(sizeof *entry);

    entry->out.kind = kind;
    entry->out.target = SIM_MASTER;
    TAILQ_INSERT_TAIL(&sim->outputs, entry, next);
    return entry;
}

static void entry_free(struct output_entry *entry)
{
    struct sim_process *process = &entry->process;

    for (size_t i = 0; i < process->n_argv; i++)
        free((char *)process->argv[i]);
    for (size_t i = 0; i < process->n_environment; i++) {
        free((char *)process->environment[i].name);
        free((char *)process->environment[i].value);
    }
    free((void *)process->argv);
    free((void *)process->environment);
    free((char *)process->value);
    free((char *)process->user);
    free((char *)process->sandbox);
    free((char *)process->framework_id);
    free((char *)process->executor_id);
    sim_drop(entry->command);
    free(entry->data);
    free(entry->container);
    free(entry);
}

void core_output_record(struct sim *sim, int target, uint64_t stream, uint64_t connection,
                        bool json, const void *message)
{
    struct output_entry *entry;
    char *text = NULL;
    char head[24];
    size_t size, head_len;

    if (json) {
        text = sim->json->encode(message, &size);
        if (!text)
            return;
    } else {
        size = protobuf_c_message_get_packed_size(message);
    }
    head_len = (size_t)snprintf(head, sizeof head, "%zu\n", size);
    entry = entry_new(sim, SIM_OUT_RECORD);
    entry->data = sim_zalloc(head_len + size);
    memcpy(entry->data, head, head_len);
    if (json)
        memcpy(entry->data + head_len, text, size);
    else
        protobuf_c_message_pack(message, entry->data + head_len);
    free(text);
    entry->out.data = entry->data;
    entry->out.len = head_len + size;
    entry->out.target = target;
    entry->out.stream = stream;
    entry->out.connection = connection;
}

void core_output_end(struct sim *sim, int target, uint64_t stream, uint64_t connection)
{
    struct output_entry *entry = entry_new(sim, SIM_OUT_END);

    entry->out.target = target;
    entry->out.stream = stream;
    entry->out.connection = connection;
}

void core_output_hang_up(struct sim *sim, uint64_t connection)
{
    entry_new(sim, SIM_OUT_HANG_UP)->out.connection = connection;
}

void core_output_hang_up_all(struct sim *sim, int target)
{
    entry_new(sim, SIM_OUT_HANG_UP_ALL)->out.target = target;
}

static struct output_entry *container_entry(struct sim *sim, enum sim_output_kind kind,
                                            const char *container)
{
    struct output_entry *entry = entry_new(sim, kind);

    entry->container = sim_dup(container);
    entry->out.container = entry->container;
    return entry;
}

void core_output_process(struct sim *sim, const char *container, const struct sim_process *from)
{
    struct output_entry *entry = container_entry(sim, SIM_OUT_START_PROCESS, container);
    struct sim_process *to = &entry->process;
    const char **argv = sim_zalloc((from->n_argv + 1) * sizeof *argv);
    struct sim_pair *environment = sim_zalloc((from->n_environment + 1) * sizeof *environment);

    *to = *from;
    for (size_t i = 0; i < from->n_argv; i++)
        argv[i] = sim_dup(from->argv[i]);
    for (size_t i = 0; i < from->n_environment; i++) {
        environment[i].name = sim_dup(from->environment[i].name);
        environment[i].value = sim_dup(from->environment[i].value);
    }
    to->argv = argv;
    to->environment = environment;
    to->value = sim_dup(from->value);
    to->user = sim_dup(from->user);
    to->sandbox = sim_dup(from->sandbox);
    to->framework_id = sim_dup(from->framework_id);
    to->executor_id = sim_dup(from->executor_id);
    entry->command = sim_copy(from->command);
    to->command = entry->command;
    entry->out.target = (int)from->agent;
    entry->out.process = to;
}

void core_output_signal(struct sim *sim, const char *container, int signal)
{
    container_entry(sim, SIM_OUT_SIGNAL_PROCESS, container)->out.signal = signal;
}

void core_output_gone(struct sim *sim, const char *container)
{
    container_entry(sim, SIM_OUT_CONTAINER_GONE, container);
}

bool sim_next_output(struct sim *sim, struct sim_output *out)
{
    struct output_entry *entry = TAILQ_FIRST(&sim->outputs);

    if (sim->taken)
        entry_free(sim->taken);
    sim->taken = entry;
    if (!entry)
        return false;
    TAILQ_REMOVE(&sim->outputs, entry, next);
    *out = entry->out;
    return true;
}

void core_output_clear(struct sim *sim)
{
    struct sim_output out;

    while (sim_next_output(sim, &out))
        ;
}
