/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taps the log for the time of a try. Reasons are compared by a hash of their lines.
 */
#include "proto/base/reload_log.h"

#include <string.h>

#include "proto/base/hash.h"
#include "proto/base/list.h"
#include "proto/base/mem.h"

static bool take(struct log_tap *tap, enum log_level level, const char *id,
		 const char *pairs)
{
	struct reload_log *log = CONTAINER_OF(tap, struct reload_log, tap);

	if (level == LOG_ERROR) {
		log->reasons = hash_bytes(slice_from_str(id), log->reasons);
		log->reasons = hash_bytes(slice_from_str(pairs), log->reasons);
	}
	if (!log->is_kept || log->n == RELOAD_LOG_LINES_MAX)
		return false;
	log->lines[log->n++] = (struct reload_log_line){
		.level = level, .id = id, .pairs = mem_dup(pairs, strlen(pairs))
	};
	return true;
}

void reload_log_begin(struct reload_log *log, bool is_again)
{
	log->tap.take = take;
	log->is_kept = is_again;
	log->reasons = 1;
	log->n = 0;
	log_tap(&log->tap);
}

void reload_log_end(struct reload_log *log, bool is_failed)
{
	const bool is_told = is_failed && log->reasons == log->told;

	log_tap(NULL);
	log->told = is_failed ? log->reasons : 0;
	for (size_t i = 0; i < log->n; i++) {
		struct reload_log_line *line = &log->lines[i];

		if (!is_told)
			log_write(line->level, line->id, "%s", line->pairs);
		mem_free(line->pairs);
	}
	log->n = 0;
}
