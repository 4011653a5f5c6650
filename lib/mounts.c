/* Mount tables in the form of /proc/mounts. */
#include <string.h>

#include <quobyte-mesos/device.h>

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_separator(char c)
{
    return c == ' ' || c == '\t';
}

struct line {
    const char *p, *end;
    char *to, *to_end;
};

/* An escape's byte at p, or -1. The kernel writes three octal digits; anything else is left alone.
 */
static int escaped_byte(const struct line *line)
{
    const char *p = line->p;
    int value;

    if (line->end - p < 4 || p[0] != '\\' || !is_octal(p[1]) || !is_octal(p[2]) || !is_octal(p[3]))
        return -1;
    value = (p[1] - '0') * 64 + (p[2] - '0') * 8 + (p[3] - '0');
    return value > 0 && value < 256 ? value : -1;
}

/* The next field, decoded. NULL when there is none, when it has a NUL byte, or no room. */
static const char *next_field(struct line *line)
{
    const char *field = line->to;

    while (line->p < line->end && is_separator(*line->p))
        line->p++;
    if (line->p == line->end)
        return NULL;
    while (line->p < line->end && !is_separator(*line->p)) {
        int byte = escaped_byte(line);

        if (*line->p == '\0' || line->to == line->to_end)
            return NULL;
        *line->to++ = byte >= 0 ? (char)byte : *line->p;
        line->p += byte >= 0 ? 4 : 1;
    }
    if (line->to == line->to_end)
        return NULL;
    *line->to++ = '\0';
    return field;
}

static bool parse_line(const char *text, size_t length, char *scratch, size_t size,
                       struct qm_mount *mount)
{
    struct line line = {text, text + length, scratch, scratch + size};

    if (length > 0 && text[length - 1] == '\r')
        line.end--;
    mount->source = next_field(&line);
    mount->mount = mount->source ? next_field(&line) : NULL;
    mount->filesystem = mount->mount ? next_field(&line) : NULL;
    /* A comment has no absolute path in its second place; neither has swap. */
    return mount->filesystem && mount->source[0] != '#' && mount->mount[0] == '/';
}

bool qm_mounts_next(const char *text, size_t length, size_t *offset, char *scratch, size_t size,
                    struct qm_mount *mount)
{
    while (*offset < length) {
        const char *line = text + *offset;
        const char *end = memchr(line, '\n', length - *offset);
        size_t n = end ? (size_t)(end - line) : length - *offset;

        *offset += n + (end != NULL);
        if (parse_line(line, n, scratch, size, mount))
            return true;
    }
    *mount = (struct qm_mount){0};
    return false;
}

bool qm_mount_may_hold_device(const struct qm_mount *mount)
{
    return strcmp(mount->filesystem, "ext4") == 0 || strcmp(mount->filesystem, "xfs") == 0;
}
