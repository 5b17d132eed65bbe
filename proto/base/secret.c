/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a key file once, at start-up; blocking is fine there.
 */
#include "proto/base/secret.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"

void secret_read(const char *option, const char *path, struct buf *key)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	const size_t before = key->len;
	struct stat status;
	ssize_t n;

	if (fd < 0 || fstat(fd, &status) != 0)
		fatal("%s = %s: cannot be read: %s", option, path, err_errno_text());
	if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		fatal("%s = %s: others may read it; chmod 600 it", option, path);
	n = read(fd, buf_reserve(key, SECRET_BYTES_MAX + 1), SECRET_BYTES_MAX + 1);
	(void)close(fd); /* nothing was written */
	if (n < 0)
		fatal("%s = %s: cannot be read: %s", option, path, err_errno_text());
	if (n > SECRET_BYTES_MAX)
		fatal("%s = %s: longer than %d bytes", option, path, SECRET_BYTES_MAX);
	key->len += (size_t)n;
	if (key->len > before && key->ptr[key->len - 1] == '\n')
		key->len--;
	if (key->len - before < SECRET_BYTES_MIN)
		fatal("%s = %s: holds %zu bytes, at least %d are needed", option, path,
		      key->len - before, SECRET_BYTES_MIN);
}

void secret_fini(struct buf *key)
{
	if (key->ptr != NULL)
		explicit_bzero(key->ptr, key->cap);
	buf_fini(key);
}
