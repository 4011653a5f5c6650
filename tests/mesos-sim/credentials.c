/*
 * Reads principals with their secrets. A mistake is named by its line, never by its text.
 */
#include "credentials.h"
#include "sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANKS " \t\r\n"

static int add(struct credentials *credentials, const char *principal, const char *secret)
{
    struct sim_pair *pairs =
        realloc(credentials->pairs, (credentials->n_pairs + 1) * sizeof(*pairs));
    struct sim_pair *pair;

    if (!pairs)
        return -ENOMEM;
    credentials->pairs = pairs;
    pair = &pairs[credentials->n_pairs++];
    pair->name = strdup(principal);
    pair->value = strdup(secret);
    return pair->name && pair->value ? 0 : -ENOMEM;
}

/* A colon would part the words of basic authentication elsewhere; Mesos refuses such a request. */
static int read_line(struct credentials *credentials, char *line)
{
    char *rest = NULL;
    char *principal = strtok_r(line, BLANKS, &rest);
    char *secret = strtok_r(NULL, BLANKS, &rest);

    if (!principal)
        return 0;
    if (!secret || strtok_r(NULL, BLANKS, &rest) || strchr(principal, ':') || strchr(secret, ':'))
        return -EINVAL;
    return add(credentials, principal, secret);
}

int credentials_load(struct credentials *credentials, const char *path, char **ret_error)
{
    FILE *in = fopen(path, "re");
    char *line = NULL;
    size_t size = 0, number = 0;
    int r = in ? 0 : -errno;

    *credentials = (struct credentials){0};
    while (r == 0 && getline(&line, &size, in) >= 0) {
        number++;
        r = read_line(credentials, line);
    }
    if (r == 0 && ferror(in))
        r = -EIO;
    if (r == 0 && !credentials->n_pairs)
        r = -EINVAL;
    if (r < 0 && asprintf(ret_error, r == -EINVAL ? "%s:%zu: a line is 'principal secret'" : "%s",
                          path, number) < 0)
        *ret_error = NULL;
    if (size)
        explicit_bzero(line, size);
    free(line);
    if (in)
        fclose(in);
    return r;
}

void credentials_deinit(struct credentials *credentials)
{
    for (size_t i = 0; i < credentials->n_pairs; i++) {
        free((char *)credentials->pairs[i].name);
        free((char *)credentials->pairs[i].value);
    }
    free(credentials->pairs);
    *credentials = (struct credentials){0};
}
