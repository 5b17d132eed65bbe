/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens and reads. A file that grows meanwhile is read up to its limit, and no further.
 */
#include "proto/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char too_long[] = "too long";

int file_open(const char *path, struct stat *status, const char **problem)
{
	/* Without waiting for a pipe's other end, nor taking a terminal for ours. */
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	*problem = NULL;
	if (fd < 0 || fstat(fd, status) != 0)
		*problem = err_errno_text();
	else if (!S_ISREG(status->st_mode))
		*problem = "not a regular file";
	if (*problem == NULL)
		return fd;
	if (fd >= 0)
		(void)close(fd); /* nothing was written */
	return -1;
}

enum err file_read(int fd, size_t bytes_max, struct buf *bytes, const char **problem)
{
	/* One more byte tells one that is too long. Its room is there from the start, for
	 * a buffer that grows leaves copies of secrets behind. */
	char *room = buf_reserve(bytes, bytes_max + 1);
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, room + len, bytes_max + 1 - len);
		len += n > 0 ? (size_t)n : 0;
	} while ((n > 0 && len <= bytes_max) || (n < 0 && errno == EINTR));
	*problem = NULL;
	if (n < 0) {
		*problem = err_errno_text();
		return ERR_IO;
	}
	if (len > bytes_max) {
		*problem = too_long;
		return ERR_LIMIT;
	}
	bytes->len += len;
	return OK;
}

enum err file_check(const char *path, size_t bytes_max, const char **problem)
{
	struct stat status;
	const int fd = file_open(path, &status, problem);

	if (fd < 0)
		return ERR_IO;
	(void)close(fd); /* nothing was written */
	if (status.st_size <= (off_t)bytes_max)
		return OK;
	*problem = too_long;
	return ERR_LIMIT;
}
