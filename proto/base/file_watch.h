/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that are looked at now and then, by stat(2): whoever changes one need not tell
 * us. What counts is what a path leads to, so that a symbolic link which is made to lead
 * elsewhere (as Kubernetes changes what it mounts) is a change, and so is a file that
 * goes or comes. A change is told once it is over: when a second look finds the same, at
 * all files, so that a certificate and its key are taken together, and no half of a file.
 */
#ifndef PROTO_BASE_FILE_WATCH_H
#define PROTO_BASE_FILE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/loop.h"

/* Many hubs with keys of their own may name more; those are not looked at. */
#define FILE_WATCH_MAX 32

/* The second look comes as soon as this, or at the next one if that is sooner. */
#define FILE_WATCH_SETTLE_MS 500

/* What changes all the time is told after so many looks. */
#define FILE_WATCH_LOOKS_MAX 8

struct file_watch;

/* `path` is one that changed; borrowed. May call anything here but file_watch_free(). */
typedef void file_watch_fn(void *owner, const char *path);

/* Looks at nothing yet. */
struct file_watch *file_watch_new(struct loop *loop, file_watch_fn *fn, void *owner);
void file_watch_free(struct file_watch *watch); /* NULL is legal */

/* Between two looks; 0: none any more. The same as before changes nothing. */
void file_watch_set_interval(struct file_watch *watch, int64_t interval_ms);

/* A file to look at from now on; one that is looked at already is not taken again.
 * False: there are FILE_WATCH_MAX. */
bool file_watch_add(struct file_watch *watch, const char *path);

/* Those that are not added between the two are not looked at any more. */
void file_watch_begin(struct file_watch *watch);
void file_watch_end(struct file_watch *watch);

/* A change was seen, and will be told when it is over. */
bool file_watch_is_changing(const struct file_watch *watch);

/* What there is now is known: it will not be told. */
void file_watch_note(struct file_watch *watch);

#endif
