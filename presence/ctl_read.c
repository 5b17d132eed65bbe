/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that look. What comes in pages is asked for page by page, and shown as it
 * comes.
 */
#include "presence/ctl_show.h"

/* Rows asked for at once: the default page_max allows ten times as many. */
#define PAGE_ROWS 100

#define COUNT(columns) (sizeof(columns) / sizeof((columns)[0]))

static const struct ctl_column user_columns[] = {
	{ "USER", "userId", CTL_TEXT },
	{ "NAME", "name", CTL_NAME },
	{ "CONNECTIONS", "connections", CTL_NUMBER },
	{ "SINCE", "since", CTL_TEXT },
};

static const struct ctl_column user_card[] = {
	{ "user", "userId", CTL_TEXT },
	{ "name", "name", CTL_TEXT },
	{ "since", "since", CTL_TEXT },
	{ "connections", "connectionCount", CTL_NUMBER },
};

static const struct ctl_column connection_columns[] = {
	{ "CONNECTION", "connectionId", CTL_TEXT },
	{ "HUB", "hub", CTL_TEXT },
	{ "GATEWAY", "gateway", CTL_TEXT },
	{ "TRANSPORT", "transport", CTL_TEXT },
	{ "PROTOCOL", "protocol", CTL_TEXT },
	{ "OPENED", "openedAt", CTL_TEXT },
	{ "REMOTE", "remote", CTL_TEXT },
	{ "AGENT", "userAgent", CTL_NAME },
};

static const struct ctl_column connection_card[] = {
	{ "connection", "connectionId", CTL_TEXT },
	{ "user", "userId", CTL_TEXT },
	{ "name", "name", CTL_TEXT },
	{ "hub", "hub", CTL_TEXT },
	{ "gateway", "gateway", CTL_TEXT },
	{ "transport", "transport", CTL_TEXT },
	{ "protocol", "protocol", CTL_TEXT },
	{ "opened", "openedAt", CTL_TEXT },
	{ "remote", "remote", CTL_TEXT },
	{ "agent", "userAgent", CTL_TEXT },
};

static const struct ctl_column group_columns[] = {
	{ "GROUP", "name", CTL_TEXT },
	{ "MEMBERS", "members", CTL_NUMBER },
};

static const struct ctl_column group_card[] = {
	{ "hub", "hub", CTL_TEXT },
	{ "group", "name", CTL_TEXT },
	{ "members", "size", CTL_NUMBER },
};

static const struct ctl_column member_columns[] = {
	{ "CONNECTION", "connectionId", CTL_TEXT },
	{ "USER", "userId", CTL_TEXT },
	{ "NAME", "name", CTL_NAME },
};

static const struct ctl_column stats_card[] = {
	{ "users", "users", CTL_NUMBER },
	{ "connections", "connections", CTL_NUMBER },
	{ "gateways", "gateways", CTL_NUMBER },
	{ "routers", "routers", CTL_NUMBER },
	{ "presences", "replicas", CTL_NUMBER },
	{ "messages in", "messagesInPerSecond", CTL_RATE },
	{ "messages out", "messagesOutPerSecond", CTL_RATE },
	{ "bytes in, a second", "bytesInPerSecond", CTL_BYTES },
	{ "bytes out, a second", "bytesOutPerSecond", CTL_BYTES },
	{ "latency p50", "latency.p50Ms", CTL_MS },
	{ "latency p95", "latency.p95Ms", CTL_MS },
	{ "latency p99", "latency.p99Ms", CTL_MS },
	{ "store", "store.kind", CTL_TEXT },
	{ "store is away", "store.isAway", CTL_TEXT },
	{ "for seconds", "store.staleSeconds", CTL_NUMBER },
	{ "settled", "isSettled", CTL_TEXT },
	{ "up for", "uptimeMs", CTL_SPAN },
};

static const struct ctl_column cluster_card[] = {
	{ "told by", "presence", CTL_TEXT },
	{ "at", "at", CTL_TEXT },
	{ "shards", "shardMap.phase", CTL_TEXT },
	{ "epoch", "shardMap.epoch", CTL_NUMBER },
	{ "state", "shardMap.state", CTL_TEXT },
};

static const struct ctl_column process_columns[] = {
	{ "ROLE", "role", CTL_TEXT },
	{ "NAME", "name", CTL_TEXT },
	{ "UP", "isUp", CTL_TEXT },
	{ "DRAINING", "isDraining", CTL_TEXT },
	{ "STARTED", "startedAt", CTL_TEXT },
	{ "CONNECTIONS", "connections", CTL_NUMBER },
	{ "IN", "messagesInPerSecond", CTL_RATE },
	{ "OUT", "messagesOutPerSecond", CTL_RATE },
	{ "CPU", "cpu", CTL_SHARE },
	{ "MEMORY", "memoryBytes", CTL_BYTES },
	{ "LINKS", "links", CTL_UP },
	{ "SEEN", "seenMs", CTL_SPAN },
};

static const struct ctl_column shard_columns[] = {
	{ "SHARD", "name", CTL_TEXT },
	{ "SHARE", "share", CTL_SHARE },
	{ "HERE", "isHere", CTL_TEXT },
};

static const struct ctl_column top_columns[] = {
	{ "HUB", "hub", CTL_TEXT },
	{ "LARGEST GROUPS", "name", CTL_TEXT },
	{ "MEMBERS", "members", CTL_NUMBER },
};

/* ---- pages */

struct pages {
	struct ctl_list list;
	struct slice path;	       /* with what of a query is the same for all */
	const char *key;	       /* of the array; rows are what is in it */
	bool is_unlimited;	       /* `limit` is not asked for */
	const struct ctl_column *card; /* before the first page, or NULL */
	size_t card_n;
};

static void write_target(const struct pages *pages, struct slice cursor,
			 struct buf *target)
{
	const int64_t left = pages->list.left;
	char mark = slice_find(pages->path, '?') < 0 ? '?' : '&';

	buf_clear(target);
	buf_append_slice(target, pages->path);
	if (!pages->is_unlimited) {
		buf_appendf(target, "%climit=%d", mark,
			    (int)(left < PAGE_ROWS ? left : PAGE_ROWS));
		mark = '&';
	}
	if (cursor.len > 0) {
		buf_appendf(target, "%ccursor=", mark);
		ctl_append_encoded(target, cursor);
	}
}

/* A page_max below what is asked for is refused: then as much as it gives. */
static int get_page(struct pages *pages, struct slice cursor, const struct value **answer)
{
	struct ctl *ctl = pages->list.ctl;
	struct buf target = BUF_INIT;
	int status;

	ctl->tolerated = pages->is_unlimited ? 0 : 400;
	write_target(pages, cursor, &target);
	status = ctl_get(ctl, buf_slice(&target), answer);
	if (status == CTL_EXIT_TOLERATED) {
		ctl->tolerated = 0;
		pages->is_unlimited = true;
		write_target(pages, cursor, &target);
		status = ctl_get(ctl, buf_slice(&target), answer);
	}
	buf_fini(&target);
	return status;
}

static void show_page(struct pages *pages, const struct value *answer, bool is_first)
{
	struct ctl *ctl = pages->list.ctl;
	const struct value *array = value_find(answer, slice_from_str(pages->key));

	if (ctl_is_given(ctl, CTL_JSON)) {
		ctl_put_json(ctl);
		pages->list.left -= array != NULL ? (int64_t)array->count : 0;
		return;
	}
	if (is_first && pages->card != NULL) {
		ctl_card(ctl, pages->card, pages->card_n, answer);
		buf_append_byte(&ctl->out, '\n');
	}
	ctl_list_add(&pages->list, array);
}

/* Until there are no more, or no more are wanted. */
static int show_pages(struct pages *pages)
{
	struct ctl *ctl = pages->list.ctl;
	struct buf cursor = BUF_INIT;
	bool is_first = true;
	int status;

	do {
		const struct value *answer = NULL;
		const struct value *next;

		status = get_page(pages, buf_slice(&cursor), &answer);
		if (status != CTL_EXIT_OK)
			break;
		show_page(pages, answer, is_first);
		is_first = false;
		buf_clear(&cursor);
		next = value_find(answer, SLICE("next"));
		if (next != NULL && next->type == VALUE_STRING)
			buf_append_slice(&cursor, next->bytes);
		ctl_flush(ctl);
	} while (cursor.len > 0 && pages->list.left > 0);
	if (status == CTL_EXIT_OK && cursor.len > 0)
		(void)ctl_complain(ctl, CTL_EXIT_OK, NULL,
				   SLICE("there are more: --all, or a larger --limit"));
	buf_fini(&cursor);
	ctl_list_fini(&pages->list);
	return status;
}

/* ---- who is here */

/* Each '$' of the path is an argument, encoded. */
static int show_path(struct ctl *ctl, struct pages *pages, const char *path)
{
	struct slice left = slice_from_str(path);
	struct buf whole = BUF_INIT;
	size_t i = 0;
	int status;

	buf_append_slice(&whole, slice_cut(&left, '$'));
	while (left.ptr != NULL) {
		ctl_append_encoded(&whole, ctl_arg(ctl, i++));
		buf_append_slice(&whole, slice_cut(&left, '$'));
	}
	pages->path = buf_slice(&whole);
	status = show_pages(pages);
	buf_fini(&whole);
	return status;
}

int ctl_run_users(struct ctl *ctl)
{
	struct pages pages = { .key = "users" };

	ctl_list_init(&pages.list, ctl, user_columns, COUNT(user_columns));
	return show_path(ctl, &pages,
			 ctl->args_n > 0 ? "/api/v1/users?prefix=$" : "/api/v1/users");
}

int ctl_run_user(struct ctl *ctl)
{
	struct pages pages = { .key = "connections",
			       .card = user_card,
			       .card_n = COUNT(user_card) };

	ctl_list_init(&pages.list, ctl, connection_columns, COUNT(connection_columns));
	return show_path(ctl, &pages, "/api/v1/users/$");
}

/* Its groups are texts: one column without a path. */
int ctl_run_connection(struct ctl *ctl)
{
	static const struct ctl_column names[] = { { "GROUP", "", CTL_TEXT } };
	struct pages pages = { .key = "groups",
			       .card = connection_card,
			       .card_n = COUNT(connection_card) };

	ctl_list_init(&pages.list, ctl, names, COUNT(names));
	return show_path(ctl, &pages, "/api/v1/connections/$");
}

int ctl_run_groups(struct ctl *ctl)
{
	struct pages pages = { .key = "groups" };

	ctl_list_init(&pages.list, ctl, group_columns, COUNT(group_columns));
	return show_path(ctl, &pages, "/api/v1/hubs/$/groups");
}

int ctl_run_group(struct ctl *ctl)
{
	struct pages pages = { .key = "members",
			       .card = group_card,
			       .card_n = COUNT(group_card) };

	ctl_list_init(&pages.list, ctl, member_columns, COUNT(member_columns));
	return show_path(ctl, &pages, "/api/v1/hubs/$/groups/$");
}

/* ---- the cluster */

int ctl_run_stats(struct ctl *ctl)
{
	const struct value *answer = NULL;
	const int status = ctl_get(ctl, SLICE("/api/v1/stats"), &answer);

	if (status != CTL_EXIT_OK)
		return status;
	if (ctl_is_given(ctl, CTL_JSON))
		ctl_put_json(ctl);
	else
		ctl_card(ctl, stats_card, COUNT(stats_card), answer);
	return CTL_EXIT_OK;
}

int ctl_run_cluster(struct ctl *ctl)
{
	const struct value *answer = NULL;
	const int status = ctl_get(ctl, SLICE("/api/v1/cluster"), &answer);

	if (status != CTL_EXIT_OK)
		return status;
	if (ctl_is_given(ctl, CTL_JSON)) {
		ctl_put_json(ctl);
		return CTL_EXIT_OK;
	}
	ctl_card(ctl, cluster_card, COUNT(cluster_card), answer);
	ctl_show_list(ctl, answer, SLICE("processes"), process_columns,
		      COUNT(process_columns));
	ctl_show_list(ctl, answer, SLICE("shards"), shard_columns, COUNT(shard_columns));
	ctl_show_list(ctl, answer, SLICE("groupsTop"), top_columns, COUNT(top_columns));
	return CTL_EXIT_OK;
}
