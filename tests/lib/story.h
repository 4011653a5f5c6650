/*
 * A story: lines with virtual times that a scenario writes as it goes, compared byte for byte with
 * the expected text in a file. QM_STORY_WRITE=1 in the environment writes the files instead, for
 * review with git diff.
 */
#ifndef TESTS_LIB_STORY_H
#define TESTS_LIB_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <quobyte-mesos/base.h>

struct story {
    FILE *stream;
    char *text;
    size_t length;
    qm_time start;
};

/** story_init() - empty; times in it count from @start. */
void story_init(struct story *story, qm_time start);
void story_deinit(struct story *story);

/** story_tell() - one line: "[  12.345s] what". */
void story_tell(struct story *story, qm_time now, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * story_matches() - is the story so far the content of the file? If not, the first line that
 * differs is printed as TAP comments, with what stands before it.
 */
bool story_matches(struct story *story, const char *path);

/** story_show() - prints the story so far as TAP comments, from its last @lines lines on. */
void story_show(struct story *story, int lines);

#endif
