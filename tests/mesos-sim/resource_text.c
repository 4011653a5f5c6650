/* Resources as text: the agents' --resources, and the texts in which Mesos names resources. */
#include "core.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* At most three decimals, none that are not needed. */
static void number_add(struct text *text, double value)
{
    char digits[64];
    size_t len = (size_t)snprintf(digits, sizeof digits, "%.3f", value);

    if (len >= sizeof digits)
        len = sizeof digits - 1;
    while (len && digits[len - 1] == '0')
        len--;
    if (len && digits[len - 1] == '.')
        len--;
    core_text_add(text, "%.*s", (int)len, digits);
}

static void reservations_add(struct text *text, const resource_t *resource)
{
    core_text_add(text, "(reservations: [");
    for (size_t i = 0; i < resource->n_reservations; i++) {
        const Mesos__V1__Resource__ReservationInfo *r = resource->reservations[i];
        bool dynamic = r->type == MESOS__V1__RESOURCE__RESERVATION_INFO__TYPE__DYNAMIC;

        core_text_add(text, "%s(%s,%s", i ? "," : "", dynamic ? "DYNAMIC" : "STATIC",
                      r->role ? r->role : "");
        if (r->principal)
            core_text_add(text, ",%s", r->principal);
        if (r->labels) {
            core_text_add(text, ",{");
            for (size_t j = 0; j < r->labels->n_labels; j++) {
                const Mesos__V1__Label *label = r->labels->labels[j];

                core_text_add(text, "%s%s", j ? ", " : "", label->key);
                if (label->value)
                    core_text_add(text, ": %s", label->value);
            }
            core_text_add(text, "}");
        }
        core_text_add(text, ")");
    }
    core_text_add(text, "])");
}

static void disk_add(struct text *text, const Mesos__V1__Resource__DiskInfo *disk)
{
    const Mesos__V1__Resource__DiskInfo__Source *source = disk->source;

    core_text_add(text, "[");
    if (source) {
        const char *root = source->mount  ? source->mount->root
                           : source->path ? source->path->root
                                          : NULL;

        core_text_add(text, "%s",
                      source->type == MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__MOUNT  ? "MOUNT"
                      : source->type == MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__PATH ? "PATH"
                      : source->type == MESOS__V1__RESOURCE__DISK_INFO__SOURCE__TYPE__BLOCK
                          ? "BLOCK"
                          : "RAW");
        if (root)
            core_text_add(text, ":%s", root);
    }
    if (disk->persistence)
        core_text_add(text, "%s%s", source ? "," : "", disk->persistence->id);
    if (disk->volume)
        core_text_add(text, ":%s", disk->volume->container_path);
    core_text_add(text, "]");
}

static void amount_text(struct text *text, const resource_t *resource)
{
    if (resource->scalar) {
        number_add(text, resource->scalar->value);
    } else if (resource->ranges) {
        core_text_add(text, "[");
        for (size_t i = 0; i < resource->ranges->n_range; i++)
            core_text_add(text, "%s%" PRIu64 "-%" PRIu64, i ? ", " : "",
                          resource->ranges->range[i]->begin, resource->ranges->range[i]->end);
        core_text_add(text, "]");
    } else if (resource->set) {
        core_text_add(text, "{");
        for (size_t i = 0; i < resource->set->n_item; i++)
            core_text_add(text, "%s%s", i ? ", " : "", resource->set->item[i]);
        core_text_add(text, "}");
    }
}

char *core_resource_text(const resource_t *resource, bool with_roles)
{
    struct text text = {0};

    core_text_add(&text, "%s", resource->name);
    if (with_roles) {
        if (resource->allocation_info && resource->allocation_info->role)
            core_text_add(&text, "(allocated: %s)", resource->allocation_info->role);
        if (resource->n_reservations)
            reservations_add(&text, resource);
        if (resource->disk)
            disk_add(&text, resource->disk);
        if (resource->revocable)
            core_text_add(&text, "{REV}");
        if (resource->shared)
            core_text_add(&text, "<SHARED>");
    }
    core_text_add(&text, ":");
    amount_text(&text, resource);
    return text.s;
}

char *core_res_text(const struct res *res)
{
    struct text text = {0};

    for (size_t i = 0; i < res->n; i++) {
        char *one = core_resource_text(res->v[i], true);

        core_text_add(&text, "%s%s", i ? "; " : "", one);
        free(one);
    }
    if (!text.s)
        core_text_add(&text, "{}");
    return text.s;
}

static bool ranges_overlap(const Mesos__V1__Value__Ranges *ranges)
{
    for (size_t i = 0; i < ranges->n_range; i++)
        for (size_t j = 0; j < i; j++)
            if (ranges->range[i]->begin <= ranges->range[j]->end &&
                ranges->range[j]->begin <= ranges->range[i]->end)
                return true;
    return false;
}

static const char *value_invalid(const resource_t *r)
{
    switch (r->type) {
    case MESOS__V1__VALUE__TYPE__SCALAR:
        if (!r->scalar || r->ranges || r->set)
            return "Invalid scalar resource";
        if (isnan(r->scalar->value) || core_milli(r->scalar->value) < 0)
            return "Invalid scalar resource: value <= 0";
        return NULL;
    case MESOS__V1__VALUE__TYPE__RANGES:
        if (r->scalar || !r->ranges || r->set)
            return "Invalid ranges resource";
        for (size_t i = 0; i < r->ranges->n_range; i++)
            if (r->ranges->range[i]->begin > r->ranges->range[i]->end)
                return "Invalid ranges resource: begin > end";
        return ranges_overlap(r->ranges) ? "Invalid ranges resource: overlapping ranges" : NULL;
    case MESOS__V1__VALUE__TYPE__SET:
        if (r->scalar || r->ranges || !r->set)
            return "Invalid set resource";
        for (size_t i = 0; i < r->set->n_item; i++)
            for (size_t j = 0; j < i; j++)
                if (strcmp(r->set->item[i], r->set->item[j]) == 0)
                    return "Invalid set resource: duplicated elements";
        return NULL;
    default:
        return "Unsupported resource type";
    }
}

const char *core_resource_invalid(const resource_t *r)
{
    const char *text;

    if (!*r->name)
        return "Empty resource name";
    if ((unsigned)r->type > MESOS__V1__VALUE__TYPE__TEXT)
        return "Invalid resource type";
    text = value_invalid(r);
    if (text)
        return text;
    if (r->disk && strcmp(r->name, "disk"))
        return "DiskInfo should not be set for a resource that is not a disk";
    if (r->reservation && (!r->role || strcmp(r->role, "*") == 0) && !r->n_reservations)
        return "Invalid reservation: role \"*\" cannot be dynamically reserved";
    return NULL;
}

/* ---- reading ---- */

static const char *skip_blanks(const char *s)
{
    while (isspace((unsigned char)*s))
        s++;
    return s;
}

static bool read_range(const char **s, uint64_t *begin, uint64_t *end)
{
    char *after;

    errno = 0;
    *s = skip_blanks(*s);
    if (!isdigit((unsigned char)**s))
        return false;
    *begin = strtoull(*s, &after, 10);
    after = (char *)skip_blanks(after);
    if (*after++ != '-')
        return false;
    after = (char *)skip_blanks(after);
    if (!isdigit((unsigned char)*after))
        return false;
    *end = strtoull(after, &after, 10);
    *s = skip_blanks(after);
    return !errno && *begin <= *end;
}

static Mesos__V1__Value__Ranges *read_ranges(const char *s)
{
    Mesos__V1__Value__Ranges empty = MESOS__V1__VALUE__RANGES__INIT, *out = sim_copy(&empty);

    for (s++; *s; s++) {
        Mesos__V1__Value__Range range = MESOS__V1__VALUE__RANGE__INIT;

        if (!read_range(&s, &range.begin, &range.end))
            break;
        out->range = sim_grow(out->range, out->n_range + 1, sizeof *out->range);
        out->range[out->n_range++] = sim_copy(&range);
        if (*s == ']' && !*skip_blanks(s + 1))
            return out;
        if (*s != ',')
            break;
    }
    sim_drop(out);
    return NULL;
}

static Mesos__V1__Value__Set *read_set(const char *text)
{
    Mesos__V1__Value__Set empty = MESOS__V1__VALUE__SET__INIT, *out;
    const char *close = strchr(text, '}');

    if (!close || *skip_blanks(close + 1))
        return NULL;
    out = sim_copy(&empty);
    for (const char *s = text + 1; s < close; s++) {
        size_t len = strcspn(s, ",}"), used;

        s = skip_blanks(s);
        len = strcspn(s, ",}");
        for (used = len; used && isspace((unsigned char)s[used - 1]); used--)
            ;
        out->item = sim_grow(out->item, out->n_item + 1, sizeof *out->item);
        out->item[out->n_item++] = sim_text("%.*s", (int)used, s);
        s += len;
    }
    return out;
}

static bool read_number(const char *s, double *value)
{
    char *end;

    if (!*s)
        return false;
    *value = strtod(s, &end);
    return end != s && !*skip_blanks(end) && isfinite(*value);
}

/* "name(role):value" */
static bool read_one(struct res *out, char *text)
{
    resource_t r = MESOS__V1__RESOURCE__INIT;
    Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
    char *value = strchr(text, ':'), *role, *end;
    bool ok = true;

    if (!value)
        return false;
    *value++ = '\0';
    value = (char *)skip_blanks(value);
    r.name = (char *)skip_blanks(text);
    role = strchr(r.name, '(');
    if (role) {
        end = strchr(role, ')');
        if (!end)
            return false;
        *role++ = *end = '\0';
        r.role = role;
    }
    for (end = r.name + strlen(r.name); end > r.name && isspace((unsigned char)end[-1]);)
        *--end = '\0';
    if (!*r.name)
        return false;
    if (*value == '[') {
        r.type = MESOS__V1__VALUE__TYPE__RANGES;
        ok = (r.ranges = read_ranges(value)) != NULL;
    } else if (*value == '{') {
        r.type = MESOS__V1__VALUE__TYPE__SET;
        ok = (r.set = read_set(value)) != NULL;
    } else {
        r.type = MESOS__V1__VALUE__TYPE__SCALAR;
        r.scalar = &scalar;
        ok = read_number(value, &scalar.value) && scalar.value >= 0;
    }
    if (ok) {
        resource_t *one = &r;

        core_res_read(out, &one, 1);
    }
    sim_drop(r.ranges);
    sim_drop(r.set);
    return ok;
}

bool core_res_parse(struct res *out, const char *text, char **error)
{
    char *copy = sim_dup(text), *rest = copy, *item;
    bool ok = true;

    while (ok && (item = strsep(&rest, ";"))) {
        char *whole;

        if (!*skip_blanks(item))
            continue;
        whole = sim_dup(item);
        ok = read_one(out, item);
        if (!ok && error)
            *error = sim_text("bad resource '%s'", whole);
        free(whole);
    }
    free(copy);
    return ok;
}

void core_attribute_parse(Mesos__V1__Attribute *out, const char *name, const char *value)
{
    Mesos__V1__Value__Scalar scalar = MESOS__V1__VALUE__SCALAR__INIT;
    Mesos__V1__Value__Text text = MESOS__V1__VALUE__TEXT__INIT;

    out->name = sim_dup(name);
    if (*value == '[' && (out->ranges = read_ranges(value))) {
        out->type = MESOS__V1__VALUE__TYPE__RANGES;
    } else if (*value == '{' && (out->set = read_set(value))) {
        out->type = MESOS__V1__VALUE__TYPE__SET;
    } else if (read_number(value, &scalar.value)) {
        out->type = MESOS__V1__VALUE__TYPE__SCALAR;
        out->scalar = sim_copy(&scalar);
    } else {
        text.value = (char *)value;
        out->type = MESOS__V1__VALUE__TYPE__TEXT;
        out->text = sim_copy(&text);
    }
}
