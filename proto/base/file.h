/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that options name, read whole. Symbolic links are followed, as Kubernetes makes
 * them to what it mounts; what is no regular file in the end is refused at once: a pipe
 * or a device would be waited for, by a loop that has others to serve.
 */
#ifndef PROTO_BASE_FILE_H
#define PROTO_BASE_FILE_H

#include <stddef.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"

struct stat;

/* A descriptor, for the caller to close, and what fstat(2) says of it; -1: `problem` is a
 * constant that says why. */
MUST_CHECK int file_open(const char *path, struct stat *status, const char **problem);

/* Appends the bytes of a file of file_open(), at most `bytes_max`. ERR_IO or ERR_LIMIT;
 * `problem` as above. */
MUST_CHECK enum err file_read(int fd, size_t bytes_max, struct buf *bytes,
			      const char **problem);

/* Whether it can be read so; for who leaves that to a library. */
MUST_CHECK enum err file_check(const char *path, size_t bytes_max, const char **problem);

#endif
