/*
 * TLS to the master: how connections are made when its address is https. Host names are always
 * verified. Used by the daemon only; the prober, linked statically, speaks plain HTTP to its agent.
 */
#ifndef DAEMON_MESOS_TLS_H
#define DAEMON_MESOS_TLS_H

#include "mesos/link.h"

struct tls;

/* Paths of PEM files; NULL or "": not given. */
struct tls_options {
    const char *ca_file;   /* whom to trust; not given: the authorities of this host */
    const char *cert_file; /* what we show to masters that ask for it, with its chain */
    const char *key_file;  /* belongs to cert_file; not given: it is in that file, too */
};

/**
 * tls_new() - reads the files.
 * @error, @size: receives one line
 * Returns 0; -EINVAL: a file cannot be used; -ENOMEM.
 */
int tls_new(struct tls **tls, const struct tls_options *options, char *error, size_t size);

/** tls_free() - after the last connection. NULL is fine. */
void tls_free(struct tls *tls);

/** tls_channel() - for struct link_network; lives as long as @tls. */
const struct link_channel *tls_channel(const struct tls *tls);

#endif
