/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Static files in memory, sorted by their path. A request names a file by exact
 * comparison with that list and never becomes a path of the file system, so no "..", link
 * or device can be reached through it. Links inside the folder are followed when it is
 * loaded: that is how Kubernetes mounts a ConfigMap.
 */
#include "proto/base/http_files.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/arena.h"
#include "proto/base/hash.h"
#include "proto/base/mem.h"

static const char COMMON_HEADERS[] =
	"Cache-Control: no-cache\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Content-Security-Policy: default-src 'self'; connect-src 'self' ws: wss:; "
	"img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors "
	"'none'\r\n";

struct content_type {
	const char *ending;
	const char *type;
};

static const struct content_type CONTENT_TYPES[] = {
	{ ".html", "text/html; charset=utf-8" },
	{ ".css", "text/css; charset=utf-8" },
	{ ".js", "text/javascript; charset=utf-8" },
	{ ".mjs", "text/javascript; charset=utf-8" },
	{ ".json", "application/json" },
	{ ".map", "application/json" },
	{ ".svg", "image/svg+xml" },
	{ ".png", "image/png" },
	{ ".ico", "image/x-icon" },
	{ ".webp", "image/webp" },
	{ ".woff2", "font/woff2" },
	{ ".txt", "text/plain; charset=utf-8" },
};

struct file {
	const char *path; /* "/css/page.css"; in the arena, as the next two */
	struct slice etag;
	struct slice headers;
	const char *type; /* static */
	struct buf bytes;
};

struct http_files {
	struct arena arena; /* all names and headers, and the paths that loading needed */
	struct file list[HTTP_FILES_MAX];
	size_t n;
	size_t bytes;
};

/* A walk without recursion: folders found and not read yet, "" for the root itself. */
struct walk {
	struct http_files *files; /* borrowed */
	const char *root;
	const char *pending[HTTP_FILES_MAX]; /* in the arena */
	size_t pending_n;
};

static const char *type_of(const char *path)
{
	const char *ending = strrchr(path, '.');

	for (size_t i = 0; ending && i < sizeof(CONTENT_TYPES) / sizeof(CONTENT_TYPES[0]);
	     i++) {
		if (strcmp(CONTENT_TYPES[i].ending, ending) == 0)
			return CONTENT_TYPES[i].type;
	}
	return "application/octet-stream";
}

/* ---- loading */

/* Reads to the end, whatever stat said: files may grow meanwhile. */
static enum err read_bytes(int fd, struct http_files *files, struct buf *bytes)
{
	for (;;) {
		char *room = buf_reserve(bytes, 65536);
		ssize_t n = read(fd, room, 65536);

		if (n == 0)
			return OK;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return ERR_IO;
		bytes->len += (size_t)n;
		files->bytes += (size_t)n;
		if (files->bytes > HTTP_FILES_BYTES_MAX)
			return ERR_LIMIT;
	}
}

static enum err load_file(struct http_files *files, const char *full, const char *path)
{
	struct arena *arena = &files->arena;
	struct file *file;
	enum err rc;
	int fd;

	if (files->n == HTTP_FILES_MAX)
		return ERR_LIMIT;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	file = &files->list[files->n++];
	file->path = path;
	file->type = type_of(path);
	buf_init(&file->bytes);
	rc = read_bytes(fd, files, &file->bytes);
	(void)close(fd); /* was only read */
	file->etag = arena_printf(arena, "\"%016" PRIx64 "\"",
				  hash_bytes(buf_slice(&file->bytes), 0));
	file->headers =
		arena_printf(arena, "ETag: %s\r\n%s", file->etag.ptr, COMMON_HEADERS);
	return rc;
}

/* What is neither file nor folder is no page: left out. `path` is in the arena. */
static enum err load_entry(struct walk *walk, const char *path)
{
	const char *full =
		arena_printf(&walk->files->arena, "%s%s", walk->root, path).ptr;
	struct stat st;

	if (stat(full, &st) != 0)
		return ERR_IO;
	if (S_ISREG(st.st_mode))
		return load_file(walk->files, full, path);
	if (!S_ISDIR(st.st_mode))
		return OK;
	if (walk->pending_n == HTTP_FILES_MAX)
		return ERR_LIMIT;
	walk->pending[walk->pending_n++] = path;
	return OK;
}

static enum err load_folder(struct walk *walk, const char *path)
{
	struct arena *arena = &walk->files->arena;
	DIR *dir = opendir(arena_printf(arena, "%s%s", walk->root, path).ptr);
	enum err rc = OK;
	int error;

	if (!dir)
		return ERR_IO;
	while (rc == OK) {
		const struct dirent *entry;

		errno = 0;
		entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own stream */
		if (!entry) {
			rc = errno ? ERR_IO : OK;
			break;
		}
		if (entry->d_name[0] != '.')
			rc = load_entry(
				walk,
				arena_printf(arena, "%s/%s", path, entry->d_name).ptr);
	}
	error = errno;
	(void)closedir(
		dir); /* was only read; the caller wants the first failure's errno */
	errno = error;
	return rc;
}

/* Links may lead in a circle, so all folders ever read are counted, not those waiting. */
static enum err load_all(struct http_files *files, const char *root)
{
	struct walk walk = {
		.files = files, .root = root, .pending = { "" }, .pending_n = 1
	};

	for (size_t n = 0; walk.pending_n > 0; n++) {
		enum err rc = ERR_LIMIT;

		if (n < HTTP_FILES_MAX)
			rc = load_folder(&walk, walk.pending[--walk.pending_n]);
		if (rc != OK)
			return rc;
	}
	return OK;
}

static int compare_files(const void *a, const void *b)
{
	const struct file *left = a;
	const struct file *right = b;

	return strcmp(left->path, right->path);
}

enum err http_files_load(const char *folder, struct http_files **files)
{
	struct http_files *loaded = MEM_NEW(struct http_files);
	enum err rc;

	assert(folder && files);
	arena_init(&loaded->arena);
	rc = load_all(loaded, folder);
	if (rc != OK) {
		int error = errno;

		http_files_free(loaded);
		errno = error;
		return rc;
	}
	qsort(loaded->list, loaded->n, sizeof(loaded->list[0]), compare_files);
	*files = loaded;
	return OK;
}

void http_files_free(struct http_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->n; i++)
		buf_fini(&files->list[i].bytes);
	arena_fini(&files->arena);
	mem_free(files);
}

/* ---- answering */

static int compare_path(const void *key, const void *element)
{
	const struct slice *path = key;
	const struct file *file = element;
	size_t len = strlen(file->path);
	int order = memcmp(path->ptr, file->path, path->len < len ? path->len : len);

	if (order != 0)
		return order;
	return (path->len > len) - (path->len < len);
}

static const struct file *find_file(const struct http_files *files, struct slice path)
{
	if (slice_equal(path, SLICE("/")))
		path = SLICE("/index.html");
	return bsearch(&path, files->list, files->n, sizeof(files->list[0]),
		       compare_path);
}

bool http_files_respond(const struct http_files *files, struct http_conn *conn,
			const struct http_request *request)
{
	struct http_response response = { .status = 200 };
	struct arena arena = ARENA_INIT;
	const struct file *file = NULL;
	struct slice path;

	if (!slice_equal(request->method, SLICE("GET")) &&
	    !slice_equal(request->method, SLICE("HEAD")))
		return false;
	if (http_path_decode(request->path, &arena, &path) == OK)
		file = find_file(files, path);
	arena_fini(&arena);
	if (!file)
		return false;
	if (http_header_has_etag(request, file->etag))
		response.status = 304;
	response.content_type = file->type;
	response.headers = file->headers;
	response.body = buf_slice(&file->bytes);
	http_respond(conn, &response);
	return true;
}
