/*
 * Where the library's memory comes from: one allocator per object, NULL for libc's.
 */
#ifndef QUOBYTE_MESOS_ALLOCATOR_H
#define QUOBYTE_MESOS_ALLOCATOR_H

#include <quobyte-mesos/base.h>

/* Same rules as malloc, realloc and free. Must outlive the object that uses it. */
struct qm_allocator {
    void *(*alloc)(void *userdata, size_t size);
    void *(*realloc)(void *userdata, void *block, size_t size);
    void (*free)(void *userdata, void *block);
    void *userdata;
};

#endif
