/* Telling and comparing stories. */
#include "story.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void story_init(struct story *story, qm_time start)
{
    *story = (struct story){.start = start};
    story->stream = open_memstream(&story->text, &story->length);
    if (!story->stream)
        abort();
}

void story_deinit(struct story *story)
{
    if (story->stream)
        fclose(story->stream);
    free(story->text);
    *story = (struct story){0};
}

void story_tell(struct story *story, qm_time now, const char *format, ...)
{
    qm_duration since = now - story->start;
    va_list args;

    fprintf(story->stream, "[%4" PRIu64 ".%03" PRIu64 "s] ", since / 1000, since % 1000);
    va_start(args, format);
    vfprintf(story->stream, format, args);
    va_end(args);
    fputc('\n', story->stream);
}

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);

    if (!text)
        abort();
    if (in) {
        size_t n = fread(text, 1, (1 << 20) - 1, in);

        text[n] = '\0';
        fclose(in);
    }
    return text;
}

/* The n-th line before `at`, as a start for showing what led to it. */
static const char *lines_before(const char *text, const char *at, int n)
{
    while (at > text && n > 0) {
        at--;
        if (at > text && at[-1] == '\n')
            n--;
    }
    return at;
}

static void show(const char *title, const char *from, const char *end, int lines)
{
    printf("# %s\n", title);
    while (from < end && *from && lines-- > 0) {
        size_t length = strcspn(from, "\n");

        printf("#   %.*s\n", (int)length, from);
        from += length + (from[length] == '\n');
    }
}

static bool write_file(const struct story *story, const char *path)
{
    FILE *out = fopen(path, "wb");
    bool good = out && fwrite(story->text, 1, story->length, out) == story->length;

    if (out && fclose(out) != 0)
        good = false;
    return good;
}

bool story_matches(struct story *story, const char *path)
{
    const char *wanted, *told, *line;
    char *expected;
    bool same;

    fflush(story->stream);
    if (getenv("QM_STORY_WRITE"))
        return write_file(story, path);
    expected = read_file(path);
    same = strcmp(expected, story->text) == 0;
    if (!same) {
        for (wanted = expected, told = story->text; *wanted && *wanted == *told; wanted++, told++)
            continue;
        line = told;
        while (line > story->text && line[-1] != '\n') {
            line--;
            wanted--;
        }
        printf("# the story differs from %s\n", path);
        show("before:", lines_before(story->text, line, 8), line, 8);
        show("wanted:", wanted, expected + strlen(expected), 6);
        show("told:", line, story->text + story->length, 6);
        fflush(stdout);
    }
    free(expected);
    return same;
}

void story_show(struct story *story, int lines)
{
    const char *end;

    fflush(story->stream);
    end = story->text + story->length;
    show("the story:", lines_before(story->text, end, lines), end, lines + 1);
    fflush(stdout); /* check ends the process without it */
}
