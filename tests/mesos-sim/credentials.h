/*
 * The file of --credentials: whom the master lets in.
 */
#ifndef MESOS_SIM_CREDENTIALS_H
#define MESOS_SIM_CREDENTIALS_H

#include <stddef.h>

struct sim_pair;

struct credentials {
    struct sim_pair *pairs; /* principal and secret */
    size_t n_pairs;
};

/* Reads the text form of Mesos' --credentials: a line for each, "principal secret", parted by
 * blanks; empty lines do not count. 0, or a negative errno with one line in `*ret_error` (freed by
 * the caller) that never shows a secret. To be ended with credentials_deinit() in either case. */
int credentials_load(struct credentials *credentials, const char *path, char **ret_error);
void credentials_deinit(struct credentials *credentials);

#endif
