/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list as a table, and problems as JSON.
 */
#include "presence/admin_problem.h"

#include "presence/json_put.h"

struct row {
	const char *type;
	const char *title;
	int status;
};

static const struct row rows[] = {
#define ADMIN_PROBLEM_ROW(name, type, status, title)                                     \
	[name] = { ADMIN_PROBLEM_TYPE type, title, status },
	ADMIN_PROBLEMS(ADMIN_PROBLEM_ROW)
#undef ADMIN_PROBLEM_ROW
};

int admin_problem_status(enum admin_problem problem)
{
	return rows[problem].status;
}

void admin_problem_write(struct buf *out, enum admin_problem problem,
			 const struct admin_problem_details *details)
{
	const struct row *row = &rows[problem];

	buf_append_byte(out, '{');
	json_put_text(out, "type", slice_from_str(row->type));
	json_put_text(out, "title", slice_from_str(row->title));
	json_put_number(out, "status", row->status);
	if (details->detail != NULL)
		json_put_text(out, "detail", slice_from_str(details->detail));
	if (details->instance.len > 0)
		json_put_text(out, "instance", details->instance);
	if (details->stale_ms >= 0)
		json_put_number(out, "staleSeconds", details->stale_ms / 1000);
	if (details->done_n >= 0)
		json_put_number(out, "connections", details->done_n);
	buf_append_byte(out, '}');
}

void admin_problem_write_status(struct buf *out, int status, const char *title)
{
	buf_append_byte(out, '{');
	json_put_text(out, "type", SLICE("about:blank"));
	json_put_text(out, "title", slice_from_str(title));
	json_put_number(out, "status", status);
	buf_append_byte(out, '}');
}

enum admin_problem admin_problem_of(enum err rc, bool is_asked)
{
	switch ((int)rc) {
	case ERR_NOT_FOUND:
		return is_asked ? ADMIN_NOT_HERE : ADMIN_UNAVAILABLE;
	case ERR_LIMIT:
	case ERR_ARGUMENT:
	case ERR_DENIED:
	case ERR_UNSUPPORTED:
	case ERR_EXISTS:
		return is_asked ? ADMIN_REFUSED : ADMIN_BUSY;
	case ERR_AGAIN:
		return ADMIN_BUSY;
	case ERR_CLOSED:
		return ADMIN_UNAVAILABLE;
	case ERR_TIMEOUT:
		return ADMIN_TIMEOUT;
	default:
		return ADMIN_UNKNOWN;
	}
}
