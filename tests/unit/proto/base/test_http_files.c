/* SPDX-License-Identifier: Apache-2.0 */
/* Static files: what is loaded from a folder, the limits, and how files are answered. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif
#include "proto/base/http_files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/proto/base/http_kit.h"

static struct http_kit kit;
static struct http_client client;
static struct http_files *files;
static char folder[64];

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	(void)server;
	if (!http_files_respond(files, conn, request))
		http_respond_text(conn, 404, "not ours");
}

static void setup(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/test_http_files.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	http_kit_init(&kit);
	kit.options.on_request = on_request;
	http_kit_open(&kit);
	http_client_open(&kit, &client);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void teardown(void)
{
	http_client_close(&client);
	http_kit_fini(&kit);
	http_files_free(files);
	cr_assert_eq(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

TestSuite(http_files, .init = setup, .fini = teardown);

static const char *path_of(const char *name)
{
	static char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_bytes(const char *name, const char *bytes, size_t len)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void write_text(const char *name, const char *text)
{
	write_bytes(name, text, strlen(text));
}

static void make_folder(const char *name)
{
	cr_assert_eq(mkdir(path_of(name), 0700), 0);
}

static void load(void)
{
	cr_assert_eq(http_files_load(folder, &files), OK);
}

/* One request on a connection of its own; the answer is in client.in until the next. */
static void ask(const char *method, const char *path, const char *fields)
{
	char request[512];

	http_client_close(&client);
	http_client_open(&kit, &client);
	(void)snprintf(request, sizeof(request),
		       "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method,
		       path, fields);
	http_client_say(&client, request);
	http_client_wait_end(&kit, &client);
}

static bool is_found(const char *path)
{
	ask("GET", path, "");
	return http_client_has(&client, "HTTP/1.1 200 OK\r\n");
}

/* ---- answering */

Test(http_files, file_comes_with_type_and_policies)
{
	write_text("page.css", "body {}");
	load();
	ask("GET", "/page.css", "");
	cr_expect(http_client_has(&client, "HTTP/1.1 200 OK\r\n"));
	cr_expect(http_client_has(&client,
				  "\r\nContent-Type: text/css; charset=utf-8\r\n"));
	cr_expect(http_client_has(&client, "\r\nContent-Length: 7\r\n"));
	cr_expect(http_client_has(&client, "\r\nCache-Control: no-cache\r\n"));
	cr_expect(http_client_has(&client, "\r\nX-Content-Type-Options: nosniff\r\n"));
	cr_expect(http_client_has(&client, "\r\nReferrer-Policy: no-referrer\r\n"));
	cr_expect(http_client_has(
		&client,
		"\r\nContent-Security-Policy: default-src 'self'; "
		"connect-src 'self' ws: wss:; img-src 'self' data:; "
		"object-src 'none'; base-uri 'none'; frame-ancestors 'none'\r\n"));
	cr_expect(http_client_has(&client, "\r\n\r\nbody {}"));
}

Test(http_files, root_is_the_index)
{
	write_text("index.html", "<p>start");
	load();
	ask("GET", "/", "");
	cr_expect(http_client_has(&client, "\r\n\r\n<p>start"));
	cr_expect(http_client_has(&client, "Content-Type: text/html; charset=utf-8\r\n"));
}

Test(http_files, root_without_index_is_not_ours)
{
	write_text("a.txt", "a");
	load();
	cr_expect_not(is_found("/"));
}

Test(http_files, head_has_no_body)
{
	write_text("a.txt", "content");
	load();
	ask("HEAD", "/a.txt", "");
	cr_expect(http_client_has(&client, "\r\nContent-Length: 7\r\n"));
	cr_expect_not(http_client_has(&client, "\r\n\r\ncontent"));
}

Test(http_files, other_methods_are_not_ours)
{
	write_text("a.txt", "a");
	load();
	ask("POST", "/a.txt", "");
	cr_expect(http_client_has(&client, "HTTP/1.1 404 "));
}

Test(http_files, query_is_ignored_and_escapes_are_decoded)
{
	write_text("a b.txt", "a");
	load();
	cr_expect(is_found("/a%20b.txt?version=7"));
}

Test(http_files, no_path_leads_out_of_the_list)
{
	write_text("a.txt", "a");
	make_folder("sub");
	write_text("sub/b.txt", "b");
	load();
	cr_expect(is_found("/a.txt"));
	cr_expect_not(is_found("/a.txt/"));
	cr_expect_not(is_found("/a.tx"));
	cr_expect_not(is_found("/a.txt2"));
	cr_expect_not(is_found("//a.txt"));
	cr_expect_not(is_found("/sub"));
	cr_expect_not(is_found("/sub/../a.txt"));
	cr_expect_not(is_found("/../../../../etc/passwd"));
	cr_expect_not(is_found("/%2e%2e/%2e%2e/etc/passwd"));
	cr_expect_not(is_found("/a.txt%00"));
	cr_expect_not(is_found("/a.txt%"));
}

Test(http_files, each_ending_has_its_type)
{
	static const char *const types[][2] = {
		{ "a.html", "text/html; charset=utf-8" },
		{ "a.css", "text/css; charset=utf-8" },
		{ "a.js", "text/javascript; charset=utf-8" },
		{ "a.mjs", "text/javascript; charset=utf-8" },
		{ "a.json", "application/json" },
		{ "a.min.js.map", "application/json" },
		{ "a.svg", "image/svg+xml" },
		{ "a.png", "image/png" },
		{ "a.ico", "image/x-icon" },
		{ "a.webp", "image/webp" },
		{ "a.woff2", "font/woff2" },
		{ "a.txt", "text/plain; charset=utf-8" },
		{ "a.bin", "application/octet-stream" },
		{ "LICENSE", "application/octet-stream" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		write_text(types[i][0], "x");
	load();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char path[64];
		char field[128];

		(void)snprintf(path, sizeof(path), "/%s", types[i][0]);
		(void)snprintf(field, sizeof(field), "\r\nContent-Type: %s\r\n",
			       types[i][1]);
		ask("GET", path, "");
		cr_expect(http_client_has(&client, field), "%s", path);
	}
}

/* The tag that the last answer had, quotes and all. */
static void read_etag(char etag[32])
{
	cr_assert_eq(sscanf(strstr(client.in.ptr, "ETag: "), "ETag: %31s", etag), 1);
}

static bool is_modified(const char *before, const char *etag)
{
	char field[160];

	(void)snprintf(field, sizeof(field), "If-None-Match: %s%s\r\n", before, etag);
	ask("GET", "/a.txt", field);
	return !http_client_has(&client, "HTTP/1.1 304 Not Modified\r\n");
}

Test(http_files, known_tag_is_answered_304_without_body)
{
	char etag[32];

	write_text("a.txt", "content");
	load();
	ask("GET", "/a.txt", "");
	read_etag(etag);
	cr_expect_not(is_modified("", etag));
	cr_expect_not(http_client_has(&client, "\r\n\r\ncontent"));
	cr_expect(http_client_has(&client, etag));
	cr_expect_not(is_modified("W/", etag));
	cr_expect_not(is_modified("\"other\" , ", etag));
	cr_expect_not(is_modified("*", ""));
	cr_expect(is_modified("\"other\"", ""));
}

Test(http_files, tag_tells_contents_apart)
{
	char first[32];
	char second[32];

	write_text("a.txt", "content");
	write_text("b.txt", "content!");
	load();
	ask("GET", "/a.txt", "");
	read_etag(first);
	ask("GET", "/b.txt", "");
	read_etag(second);
	cr_expect_str_neq(first, second);
	cr_expect_eq(strlen(first), 18);
}

Test(http_files, empty_file_is_served)
{
	write_text("empty.txt", "");
	load();
	cr_expect(is_found("/empty.txt"));
	cr_expect(http_client_has(&client, "\r\nContent-Length: 0\r\n"));
}

/* ---- loading */

Test(http_files, loads_folders_in_folders)
{
	make_folder("a");
	make_folder("a/b");
	make_folder("a/b/c");
	write_text("a/b/c/d.txt", "d");
	write_text("a/e.txt", "e");
	load();
	cr_expect(is_found("/a/b/c/d.txt"));
	cr_expect(is_found("/a/e.txt"));
}

Test(http_files, leaves_hidden_and_special_files_out)
{
	make_folder(".git");
	write_text(".git/config", "x");
	write_text(".htaccess", "x");
	cr_assert_eq(mkfifo(path_of("pipe"), 0600), 0);
	load();
	cr_expect_not(is_found("/.git/config"));
	cr_expect_not(is_found("/.htaccess"));
	cr_expect_not(is_found("/pipe"));
}

/* A ConfigMap's files are links into a hidden folder. */
Test(http_files, follows_links_to_files)
{
	make_folder("..data");
	write_text("..data/a.txt", "content");
	cr_assert_eq(symlink("..data/a.txt", path_of("a.txt")), 0);
	load();
	cr_expect(is_found("/a.txt"));
}

Test(http_files, serves_what_was_loaded_whatever_became_of_it)
{
	write_text("a.txt", "content");
	load();
	cr_assert_eq(unlink(path_of("a.txt")), 0);
	cr_expect(is_found("/a.txt"));
}

Test(http_files, missing_folder_is_told_by_errno)
{
	errno = 0;
	cr_expect_eq(http_files_load("/nowhere/at/all", &files), ERR_IO);
	cr_expect_eq(errno, ENOENT);
}

Test(http_files, broken_link_is_told_by_errno)
{
	cr_assert_eq(symlink("nowhere", path_of("a.txt")), 0);
	cr_expect_eq(http_files_load(folder, &files), ERR_IO);
	cr_expect_eq(errno, ENOENT);
}

static void write_many(int n)
{
	for (int i = 0; i < n; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%d.txt", i);
		write_text(name, name);
	}
}

Test(http_files, takes_as_many_files_as_the_limit)
{
	write_many(HTTP_FILES_MAX);
	load();
	cr_expect(is_found("/0.txt"));
	cr_expect(is_found("/255.txt"));
}

Test(http_files, one_file_past_the_limit_is_refused)
{
	write_many(HTTP_FILES_MAX + 1);
	cr_expect_eq(http_files_load(folder, &files), ERR_LIMIT);
}

Test(http_files, takes_as_many_bytes_as_the_limit_and_no_more)
{
	char *bytes = calloc(1, HTTP_FILES_BYTES_MAX);

	cr_assert_not_null(bytes);
	write_bytes("a.bin", bytes, HTTP_FILES_BYTES_MAX);
	free(bytes);
	load();
	http_files_free(files);
	files = NULL;
	write_text("b.bin", "x");
	cr_expect_eq(http_files_load(folder, &files), ERR_LIMIT);
}

Test(http_files, folders_in_a_circle_are_refused)
{
	cr_assert_eq(symlink(".", path_of("circle")), 0);
	cr_expect_neq(http_files_load(folder, &files), OK);
}

Test(http_files, free_of_null_is_legal)
{
	http_files_free(NULL);
}
