/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets come from files, never from options or the environment. A file has one secret a
 * line: the first is the one in use, those behind it are accepted beside it, which is how
 * one takes the place of another while everything runs (docs/OPERATING.md, "Keys").
 */
#ifndef PROTO_BASE_SECRET_H
#define PROTO_BASE_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"

#define SECRET_BYTES_MIN 32
#define SECRET_BYTES_MAX 4096

/* The one in use, the next or the last, and one that may be left over from before. */
#define SECRET_LINES_MAX 3

/* All of them as long as may be, each with its end, and some that are empty. */
#define SECRETS_FILE_BYTES_MAX (SECRET_LINES_MAX * (SECRET_BYTES_MAX + 2) + 64)

struct stat;

/* What a file has in it. */
struct secrets {
	struct buf text;		      /* the file's; the items are in it */
	struct slice items[SECRET_LINES_MAX]; /* the first is in use */
	size_t n;
};

#define SECRETS_INIT ((struct secrets){ .n = 0 })

/* One that is not from a file; borrowed. Not to be ended. */
#define SECRETS_OF(secret) ((struct secrets){ .items = { (secret) }, .n = 1 })

/*
 * Cuts `secrets->text` into its lines; empty ones do not count, and a line may end in
 * "\r\n". ERR_ARGUMENT: none, more than SECRET_LINES_MAX, one that has a control
 * character, fewer bytes than `bytes_min` or more than SECRET_BYTES_MAX. `problem` is a
 * constant that says so.
 */
MUST_CHECK enum err secrets_parse(struct secrets *secrets, size_t bytes_min,
				  const char **problem);

/* Reads a file into `secrets`, which is empty. The errors of secret_load() and
 * secrets_parse(); to be ended with secrets_fini() in any case. */
MUST_CHECK enum err secrets_load(struct secrets *secrets, const char *path,
				 size_t bytes_min, const char **problem);

/* The same at start-up, of what is SECRET_BYTES_MIN long at least: ends the program with
 * a message that names `option`. */
void secrets_read(struct secrets *secrets, const char *option, const char *path);

/*
 * The same again, into the place of what there is. When the file will not do that stays,
 * a log line says why, and the error is returned. Whether there is a change is said in
 * `is_changed`, and in the log.
 */
MUST_CHECK enum err secrets_reload(struct secrets *secrets, const char *option,
				   const char *path, size_t bytes_min, bool *is_changed);

void secrets_copy(struct secrets *to, const struct secrets *from);

/*
 * The first four bytes of the SHA-256 of all lines, each with a "\n" behind it: two
 * processes that show the same have the same file, and `sha256sum` tells it too. Of
 * secrets that nobody can guess only. 0: there are none.
 */
int64_t secrets_fingerprint(const struct secrets *secrets);

/*
 * The same for secrets that may be short, such as passwords of people: with `key`, which
 * nobody can guess, and a "\n" in front of the lines. It tells nothing to who does not
 * have the key, and who has it cannot tell by four bytes which of many passwords it is.
 */
int64_t secrets_fingerprint_keyed(const struct secrets *secrets, struct slice key);

/* Overwrites and frees. */
void secrets_fini(struct secrets *secrets);

/*
 * Appends the file's bytes as they are, at most `bytes_max`. ERR_IO (it cannot be read),
 * ERR_DENIED (it is open to others) or ERR_LIMIT: `problem` is a constant that
 * says so. Ends with secret_fini() in any case.
 */
MUST_CHECK enum err secret_load(const char *path, size_t bytes_max, struct buf *key,
				const char **problem);

/*
 * May others than its owner read the file? Its group may where root laid it down for us,
 * as containers and systemd do: we could not read it otherwise. Whoever owns it is
 * trusted: whom we run as, root, or, when we are root, whom its path leads to.
 */
bool secret_is_open(const struct stat *status);

/* Overwrites and frees. */
void secret_fini(struct buf *key);

#endif
