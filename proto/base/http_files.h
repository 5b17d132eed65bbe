/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder of static files, read into memory at start-up and served from there with
 * Content-Type, ETag, If-None-Match, Cache-Control and a strict Content-Security-Policy.
 * "/" serves index.html. Nothing is read from disk after http_files_load().
 */
#ifndef PROTO_BASE_HTTP_FILES_H
#define PROTO_BASE_HTTP_FILES_H

#include <stdbool.h>

#include "proto/base/http_server.h"

#define HTTP_FILES_MAX 256
#define HTTP_FILES_BYTES_MAX (16u << 20)

struct http_files;

/* Recursive, hidden files left out. ERR_IO with errno; ERR_LIMIT past the limits above.
 */
MUST_CHECK enum err http_files_load(const char *folder, struct http_files **files);
void http_files_free(struct http_files *files);

/* Answers GET and HEAD when the path is one of the files; false: not ours, nothing sent.
 */
bool http_files_respond(const struct http_files *files, struct http_conn *conn,
			const struct http_request *request);

#endif
