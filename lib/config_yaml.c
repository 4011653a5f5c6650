/*
 * Configuration from YAML text. The text is first gathered into assignments with their places, then
 * applied to a copy of the configuration, which takes the original's place when all went well.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "alloc.h"
#include "config_store.h"
#include "fail.h"

#define MAX_TEXT  (1024 * 1024)
#define MAX_PATH  96 /* of a dotted key: as much as an error can tell */
#define MAX_DEPTH 8

struct place {
    unsigned line, column;
};

struct assignment {
    char path[MAX_PATH];
    char *text;
    struct place place;
};

struct loader {
    const struct qm_allocator *allocator;
    yaml_parser_t parser;
    struct qm_config *config; /* the copy */
    struct assignment *assignments;
    size_t n, capacity;
    struct qm_error *error;
};

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){(unsigned)mark.line + 1, (unsigned)mark.column + 1};
}

/* Adds the place to what qm_fail() filled. */
static int fail_at(struct loader *loader, struct place place, int code)
{
    if (loader->error && code > 0) {
        loader->error->line = place.line;
        loader->error->column = place.column;
    }
    return code;
}

/* An error of libyaml itself. Bad bytes come with an offset only, and never with a mark. */
static int fail_parser(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    struct place place = place_of(parser->problem_mark);
    const char *problem = parser->problem ? parser->problem : "not YAML";

    if (parser->error == YAML_MEMORY_ERROR)
        return -ENOMEM;
    if (parser->error == YAML_READER_ERROR)
        place = place_of(parser->mark);
    if (parser->context)
        qm_fail(loader->error, QM_E_INVALID, NULL, "%s %s", parser->context, problem);
    else
        qm_fail(loader->error, QM_E_INVALID, NULL, "%s", problem);
    return fail_at(loader, place, QM_E_INVALID);
}

/* The next event, without what this file format has no use for. */
static int next_event(struct loader *loader, yaml_event_t *event)
{
    const unsigned char *anchor = NULL, *tag = NULL;
    struct place place;

    if (!yaml_parser_parse(&loader->parser, event))
        return fail_parser(loader);
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
    }
    if (!anchor && !tag && event->type != YAML_ALIAS_EVENT)
        return 0;
    place = place_of(event->start_mark);
    yaml_event_delete(event);
    return fail_at(loader, place,
                   qm_fail(loader->error, QM_E_INVALID, NULL,
                           "anchors, aliases and tags are not allowed here"));
}

/* What is known about a key; services.<new>.<field> counts, whether its binding comes or not. */
static const struct qm_config_key *about_path(const struct loader *loader, const char *path)
{
    const struct config_entry *entry = qm_config_find(loader->config, path);
    const char *field;
    char name[64];

    if (entry)
        return entry->about;
    if (!qm_config_service_of(path, name, sizeof(name), &field))
        return NULL;
    for (size_t i = 0; i < qm_n_service_keys; i++) {
        if (strcmp(qm_service_keys[i].key + strlen("services.*."), field) == 0)
            return &qm_service_keys[i];
    }
    return NULL;
}

/* May keys lie below this path? */
static bool is_group(const struct loader *loader, const char *path)
{
    size_t length = strlen(path);
    char name[64];
    const char *field;

    for (size_t i = 0; i < loader->config->n_entries; i++) {
        const char *key = loader->config->entries[i]->key;

        if (strncmp(key, path, length) == 0 && key[length] == '.')
            return true;
    }
    if (strncmp(path, "services.", 9) == 0 && !strchr(path + 9, '.'))
        return !qm_config_find(loader->config, path);
    if (!qm_config_service_of(path, name, sizeof(name), &field))
        return false;
    return strcmp(field, "health") == 0 || strcmp(field, "backoff") == 0;
}

/* A scalar's text. Plain ~ and null are YAML's words for nothing. */
static int scalar_text(struct loader *loader, const yaml_event_t *event, const char *path,
                       const char **text)
{
    const char *value = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;

    if (strlen(value) != length)
        return fail_at(loader, place_of(event->start_mark),
                       qm_fail(loader->error, QM_E_INVALID, path, "contains a NUL byte"));
    if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
        (strcmp(value, "~") == 0 || strcmp(value, "null") == 0))
        value = "";
    *text = value;
    return 0;
}

/* Notes an assignment; takes @text over. */
static int note(struct loader *loader, const char *path, char *text, struct place place)
{
    struct assignment *assignment;

    if (!text)
        return -ENOMEM;
    if (!qm_grow(loader->allocator, &loader->assignments, &loader->capacity, loader->n + 1,
                 sizeof(*loader->assignments))) {
        qm_free(loader->allocator, text);
        return -ENOMEM;
    }
    assignment = &loader->assignments[loader->n++];
    snprintf(assignment->path, sizeof(assignment->path), "%s", path);
    assignment->text = text;
    assignment->place = place;
    return 0;
}

/* Appends one line to the text of a list or map. */
static int append_line(struct loader *loader, char **text, const char *path, const char *name,
                       const yaml_event_t *event)
{
    const char *value;
    char *longer;
    int r = scalar_text(loader, event, path, &value);

    if (r != 0)
        return r;
    if (strchr(value, '\n'))
        return fail_at(loader, place_of(event->start_mark),
                       qm_fail(loader->error, QM_E_INVALID, path, "contains a line end"));
    longer =
        qm_format(loader->allocator, "%s%s%s%s\n", *text, name ? name : "", name ? "=" : "", value);
    if (!longer)
        return -ENOMEM;
    qm_free(loader->allocator, *text);
    *text = longer;
    return 0;
}

/* Is NAME= the beginning of one of the lines? */
static bool has_name(const char *lines, const char *name)
{
    size_t length = strlen(name);

    for (const char *p = lines; *p != '\0'; p++) {
        if (strncmp(p, name, length) == 0 && p[length] == '=')
            return true;
        p += strcspn(p, "\n");
    }
    return false;
}

static int expected_scalar(struct loader *loader, const yaml_event_t *event, const char *path)
{
    return fail_at(loader, place_of(event->start_mark),
                   qm_fail(loader->error, QM_E_INVALID, path, "expected plain values in here"));
}

/* One name and value of a MAP; the name is in @event. */
static int read_pair(struct loader *loader, const yaml_event_t *event, const char *path,
                     char **text)
{
    struct place place = place_of(event->start_mark);
    yaml_event_t value;
    char *name;
    int r;

    if (event->type != YAML_SCALAR_EVENT)
        return expected_scalar(loader, event, path);
    name = qm_memdup0(loader->allocator, event->data.scalar.value, event->data.scalar.length);
    if (!name)
        return -ENOMEM;
    if (has_name(*text, name))
        r = fail_at(loader, place,
                    qm_fail(loader->error, QM_E_INVALID, path, "%.60s is given twice", name));
    else
        r = next_event(loader, &value);
    if (r == 0) {
        r = value.type == YAML_SCALAR_EVENT ? append_line(loader, text, path, name, &value)
                                            : expected_scalar(loader, &value, path);
        yaml_event_delete(&value);
    }
    qm_free(loader->allocator, name);
    return r;
}

/* The rest of a sequence (LIST) or mapping (MAP), as lines. */
static int read_lines(struct loader *loader, const char *path, bool is_map, struct place place)
{
    yaml_event_type_t end = is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
    char *text = qm_strdup(loader->allocator, "");
    bool ended = false;
    int r = text ? 0 : -ENOMEM;

    while (r == 0 && !ended) {
        yaml_event_t event;

        r = next_event(loader, &event);
        if (r != 0)
            break;
        ended = event.type == end;
        if (!ended && is_map)
            r = read_pair(loader, &event, path, &text);
        else if (!ended)
            r = event.type == YAML_SCALAR_EVENT ? append_line(loader, &text, path, NULL, &event)
                                                : expected_scalar(loader, &event, path);
        yaml_event_delete(&event);
    }
    if (r == 0)
        return note(loader, path, text, place);
    qm_free(loader->allocator, text);
    return r;
}

static int read_group(struct loader *loader, const char *path, unsigned depth);

static int wrong_kind(struct loader *loader, struct place place, const char *path,
                      const struct qm_config_key *about)
{
    if (!about)
        qm_fail(loader->error, QM_E_UNKNOWN, path, "unknown key");
    else if (about->type == QM_CONFIG_LIST)
        qm_fail(loader->error, QM_E_INVALID, path, "expected a list");
    else if (about->type == QM_CONFIG_MAP)
        qm_fail(loader->error, QM_E_INVALID, path, "expected names with values");
    else
        qm_fail(loader->error, QM_E_INVALID, path, "expected a single value");
    return fail_at(loader, place, about ? QM_E_INVALID : QM_E_UNKNOWN);
}

/* A scalar's assignment, or an empty group ("services:" and nothing below it). */
static int read_scalar(struct loader *loader, const yaml_event_t *event, const char *path,
                       const struct qm_config_key *about)
{
    const char *text;
    char *copy;
    size_t length;
    int r = scalar_text(loader, event, path, &text);

    if (r != 0)
        return r;
    if (!about && *text == '\0' && is_group(loader, path))
        return 0;
    if (!about && is_group(loader, path))
        return fail_at(loader, place_of(event->start_mark),
                       qm_fail(loader->error, QM_E_INVALID, path, "expected keys below this one"));
    copy = qm_strdup(loader->allocator, text);
    length = copy ? strlen(copy) : 0;
    /* Block scalars end with a line end that nobody means. */
    while (length > 0 && copy[length - 1] == '\n')
        copy[--length] = '\0';
    return note(loader, path, copy, place_of(event->start_mark));
}

static int read_value(struct loader *loader, const char *path, struct place key_place,
                      unsigned depth)
{
    const struct qm_config_key *about = about_path(loader, path);
    struct place place;
    yaml_event_t event;
    int r;

    if (!about && !is_group(loader, path))
        return wrong_kind(loader, key_place, path, NULL);
    r = next_event(loader, &event);
    if (r != 0)
        return r;
    place = place_of(event.start_mark);
    if (event.type == YAML_SCALAR_EVENT)
        r = read_scalar(loader, &event, path, about);
    else if (about && about->type == QM_CONFIG_LIST && event.type == YAML_SEQUENCE_START_EVENT)
        r = read_lines(loader, path, false, place);
    else if (about && about->type == QM_CONFIG_MAP && event.type == YAML_MAPPING_START_EVENT)
        r = read_lines(loader, path, true, place);
    else if (about)
        r = wrong_kind(loader, place, path, about);
    else if (event.type == YAML_MAPPING_START_EVENT && depth < MAX_DEPTH)
        r = read_group(loader, path, depth + 1);
    else
        r = fail_at(loader, place,
                    qm_fail(loader->error, QM_E_INVALID, path, "expected keys below this one"));
    yaml_event_delete(&event);
    return r;
}

static int read_key(struct loader *loader, const yaml_event_t *event, const char *group,
                    unsigned depth)
{
    struct place place = place_of(event->start_mark);
    char path[MAX_PATH];
    const char *key;
    int length, r;

    if (event->type != YAML_SCALAR_EVENT)
        return fail_at(loader, place,
                       qm_fail(loader->error, QM_E_INVALID, group, "a key must be a plain word"));
    r = scalar_text(loader, event, group, &key);
    if (r != 0)
        return r;
    length = snprintf(path, sizeof(path), "%s%s%s", group, group[0] ? "." : "", key);
    if (length >= (int)sizeof(path) || *key == '\0')
        return fail_at(loader, place, qm_fail(loader->error, QM_E_UNKNOWN, path, "unknown key"));
    return read_value(loader, path, place, depth);
}

static int read_group(struct loader *loader, const char *path, unsigned depth)
{
    for (;;) {
        yaml_event_t event;
        bool ended;
        int r = next_event(loader, &event);

        if (r != 0)
            return r;
        ended = event.type == YAML_MAPPING_END_EVENT;
        if (!ended)
            r = read_key(loader, &event, path, depth);
        yaml_event_delete(&event);
        if (r != 0 || ended)
            return r;
    }
}

/* What stands at a document's top: keys, or nothing. */
static int read_document(struct loader *loader)
{
    yaml_event_t event;
    int r = next_event(loader, &event);

    if (r != 0)
        return r;
    if (event.type == YAML_MAPPING_START_EVENT)
        r = read_group(loader, "", 1);
    else if (event.type != YAML_SCALAR_EVENT || event.data.scalar.length > 0)
        r = fail_at(loader, place_of(event.start_mark),
                    qm_fail(loader->error, QM_E_INVALID, NULL, "expected keys with values"));
    yaml_event_delete(&event);
    return r;
}

static int read_stream(struct loader *loader)
{
    bool seen = false;

    for (;;) {
        yaml_event_t event;
        yaml_event_type_t type;
        struct place place;
        int r = next_event(loader, &event);

        if (r != 0)
            return r;
        type = event.type;
        place = place_of(event.start_mark);
        yaml_event_delete(&event);
        if (type == YAML_STREAM_END_EVENT)
            return 0;
        if (type != YAML_DOCUMENT_START_EVENT)
            continue;
        if (seen)
            return fail_at(loader, place,
                           qm_fail(loader->error, QM_E_INVALID, NULL, "a second document"));
        seen = true;
        r = read_document(loader);
        if (r != 0)
            return r;
    }
}

/* Services come first, wherever in the text their binding stands. */
static int add_services(struct loader *loader)
{
    for (size_t i = 0; i < loader->n; i++) {
        const struct assignment *a = &loader->assignments[i];
        const char *field;
        char name[64];
        int r;

        if (qm_config_find(loader->config, a->path) ||
            !qm_config_service_of(a->path, name, sizeof(name), &field) ||
            strcmp(field, "binding") != 0)
            continue;
        r = qm_config_add_service(loader->config, name, loader->error);
        if (r != 0)
            return fail_at(loader, a->place, r);
    }
    return 0;
}

static int apply(struct loader *loader)
{
    struct qm_hashmap seen;
    int r = add_services(loader);

    qm_hashmap_init(&seen, loader->allocator);
    for (size_t i = 0; r == 0 && i < loader->n; i++) {
        struct assignment *a = &loader->assignments[i];
        struct config_entry *entry = qm_config_find(loader->config, a->path);

        if (!entry)
            r = qm_fail(loader->error, QM_E_UNKNOWN, a->path,
                        "unknown service; one that is added needs its binding");
        else if (qm_hashmap_get(&seen, entry->key))
            r = qm_fail(loader->error, QM_E_INVALID, a->path, "given twice (first in line %u)",
                        ((struct assignment *)qm_hashmap_get(&seen, entry->key))->place.line);
        else
            r = qm_hashmap_put(&seen, entry->key, a);
        if (r == 0)
            r = qm_config_set_entry(loader->config, entry, a->text, loader->error);
        fail_at(loader, a->place, r);
    }
    qm_hashmap_deinit(&seen);
    return r;
}

int qm_config_load_yaml(struct qm_config *config, const char *text, size_t length,
                        struct qm_error *error)
{
    struct loader loader = {.allocator = config->allocator, .error = error};
    int r;

    if (length > MAX_TEXT)
        return qm_fail(error, QM_E_INVALID, NULL, "longer than 1 MiB");
    loader.config = qm_config_clone(config);
    if (!loader.config || !yaml_parser_initialize(&loader.parser)) {
        qm_config_free(loader.config);
        return -ENOMEM;
    }
    yaml_parser_set_input_string(&loader.parser, (const unsigned char *)text, length);
    r = read_stream(&loader);
    yaml_parser_delete(&loader.parser);
    if (r == 0)
        r = apply(&loader);
    if (r == 0) {
        struct qm_config old = *config;

        *config = *loader.config;
        *loader.config = old;
    }
    for (size_t i = 0; i < loader.n; i++)
        qm_free(loader.allocator, loader.assignments[i].text);
    qm_free(loader.allocator, loader.assignments);
    qm_config_free(loader.config);
    return r;
}
