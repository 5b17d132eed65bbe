/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handful of paths, and what was seen at each. stat(2) of a local file does not block
 * for longer than reading the file would, which comes next.
 */
#include "proto/base/file_watch.h"

#include <assert.h>
#include <string.h>
#include <sys/stat.h>

#include "proto/base/mem.h"

/* What tells a file from the one that was there before; all 0: there is none. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t bytes;
	struct timespec changed;
	struct timespec written;
};

struct watched {
	char *path; /* owned */
	struct stamp known;
	struct stamp seen; /* at the last look */
	bool is_wanted;
};

struct file_watch {
	struct loop *loop; /* borrowed */
	file_watch_fn *fn;
	void *owner;
	/* Between begin and end those that were may stand beside as many that will be:
	 * one that is wanted again is still known as it was. */
	struct watched files[2 * FILE_WATCH_MAX];
	size_t n;
	size_t wanted_n;
	int64_t interval_ms;
	unsigned looks; /* since a change was seen */
	struct timer timer;
};

static struct stamp stamp_of(const char *path)
{
	struct stamp stamp;
	struct stat status;

	memset(&stamp, 0, sizeof(stamp)); /* it is compared byte by byte */
	if (stat(path, &status) != 0)
		return stamp;
	stamp.dev = status.st_dev;
	stamp.ino = status.st_ino;
	stamp.bytes = status.st_size;
	stamp.changed = status.st_ctim;
	stamp.written = status.st_mtim;
	return stamp;
}

static bool is_same(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->bytes == b->bytes &&
	       a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec &&
	       a->written.tv_sec == b->written.tv_sec &&
	       a->written.tv_nsec == b->written.tv_nsec;
}

/* ---- life */

static void on_timer(struct timer *timer);

struct file_watch *file_watch_new(struct loop *loop, file_watch_fn *fn, void *owner)
{
	struct file_watch *watch = MEM_NEW(struct file_watch);

	assert(fn != NULL);
	watch->loop = loop;
	watch->fn = fn;
	watch->owner = owner;
	timer_init(&watch->timer, on_timer);
	return watch;
}

void file_watch_free(struct file_watch *watch)
{
	if (watch == NULL)
		return;
	loop_timer_stop(watch->loop, &watch->timer);
	for (size_t i = 0; i < watch->n; i++)
		mem_free(watch->files[i].path);
	mem_free(watch);
}

void file_watch_set_interval(struct file_watch *watch, int64_t interval_ms)
{
	if (interval_ms == watch->interval_ms)
		return;
	watch->interval_ms = interval_ms;
	if (interval_ms > 0)
		loop_timer_start(watch->loop, &watch->timer, interval_ms);
	else
		loop_timer_stop(watch->loop, &watch->timer);
}

/* ---- which files */

static struct watched *find(struct file_watch *watch, const char *path)
{
	for (size_t i = 0; i < watch->n; i++) {
		if (strcmp(watch->files[i].path, path) == 0)
			return &watch->files[i];
	}
	return NULL;
}

bool file_watch_add(struct file_watch *watch, const char *path)
{
	struct watched *file;

	file = find(watch, path);
	if (file != NULL && file->is_wanted)
		return true;
	if (watch->wanted_n == FILE_WATCH_MAX)
		return false;
	watch->wanted_n++;
	if (file == NULL) {
		assert(watch->n < 2 * FILE_WATCH_MAX);
		file = &watch->files[watch->n++];
		*file = (struct watched){ .path = mem_dup(path, strlen(path)) };
		file->known = file->seen = stamp_of(path);
	}
	file->is_wanted = true;
	return true;
}

void file_watch_begin(struct file_watch *watch)
{
	for (size_t i = 0; i < watch->n; i++)
		watch->files[i].is_wanted = false;
	watch->wanted_n = 0;
}

void file_watch_end(struct file_watch *watch)
{
	size_t kept = 0;

	for (size_t i = 0; i < watch->n; i++) {
		if (watch->files[i].is_wanted)
			watch->files[kept++] = watch->files[i];
		else
			mem_free(watch->files[i].path);
	}
	watch->n = kept;
	assert(watch->n == watch->wanted_n);
}

bool file_watch_is_changing(const struct file_watch *watch)
{
	return watch->looks > 0;
}

void file_watch_note(struct file_watch *watch)
{
	watch->looks = 0;
	for (size_t i = 0; i < watch->n; i++) {
		struct watched *file = &watch->files[i];

		file->known = file->seen = stamp_of(file->path);
	}
}

/* ---- looking */

/* Whether all are as they were at the last look. */
static bool look(struct file_watch *watch, const char **changed)
{
	bool is_quiet = true;

	*changed = NULL;
	for (size_t i = 0; i < watch->n; i++) {
		struct watched *file = &watch->files[i];
		const struct stamp stamp = stamp_of(file->path);

		if (!is_same(&stamp, &file->seen))
			is_quiet = false;
		file->seen = stamp;
		if (*changed == NULL && !is_same(&stamp, &file->known))
			*changed = file->path;
	}
	return is_quiet;
}

static void on_timer(struct timer *timer)
{
	struct file_watch *watch = CONTAINER_OF(timer, struct file_watch, timer);
	int64_t next_ms = watch->interval_ms;
	const char *changed;
	const bool is_quiet = look(watch, &changed);

	watch->looks = changed != NULL ? watch->looks + 1 : 0;
	if (changed != NULL && next_ms > FILE_WATCH_SETTLE_MS)
		next_ms = FILE_WATCH_SETTLE_MS;
	loop_timer_start(watch->loop, timer, next_ms);
	if (changed == NULL || (!is_quiet && watch->looks < FILE_WATCH_LOOKS_MAX))
		return;
	watch->looks = 0;
	for (size_t i = 0; i < watch->n; i++)
		watch->files[i].known = watch->files[i].seen;
	watch->fn(watch->owner, changed);
}
