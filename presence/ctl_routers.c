/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which routers own keys; and other ones, with what is waited for until they do. A
 * presence that goes meanwhile is asked again: what was put is with the others, too.
 */
#include <inttypes.h>
#include <time.h>

#include "presence/ctl_show.h"
#include "presence/ctl_text.h"
#include "proto/base/json_write.h"

#define TARGET "/api/v1/cluster/routers"
#define AGAIN_MS 500

/* Replicas agree on what is wanted within a second or two. */
#define OTHERS_MAX 10

#define COUNT(columns) (sizeof(columns) / sizeof((columns)[0]))

static const struct ctl_column card[] = {
	{ "epoch", "epoch", CTL_NUMBER }, { "phase", "phase", CTL_TEXT },
	{ "since", "since", CTL_TEXT },	  { "state", "state", CTL_TEXT },
	{ "wanted", "target", CTL_TEXT }, { "says", "targetFrom", CTL_TEXT },
	{ "leads", "leader", CTL_TEXT },  { "settled", "isSettled", CTL_TEXT },
};

static const struct ctl_column router_columns[] = {
	{ "ROUTER", "name", CTL_TEXT },
	{ "ADDRESS", "url", CTL_TEXT },
	{ "HERE", "isHere", CTL_TEXT },
};

static const struct ctl_column next_columns[] = {
	{ "NEXT", "name", CTL_TEXT },
	{ "ADDRESS", "url", CTL_TEXT },
	{ "HERE", "isHere", CTL_TEXT },
};

static const struct ctl_column waiting_columns[] = {
	{ "WAITING FOR", "name", CTL_TEXT },
	{ "ROLE", "role", CTL_TEXT },
	{ "WHY", "why", CTL_TEXT },
};

static int show(struct ctl *ctl, const struct value *answer)
{
	if (ctl_is_given(ctl, CTL_JSON)) {
		ctl_put_json(ctl);
		return CTL_EXIT_OK;
	}
	ctl_card(ctl, card, COUNT(card), answer);
	ctl_show_list(ctl, answer, SLICE("routers"), router_columns,
		      COUNT(router_columns));
	ctl_show_list(ctl, answer, SLICE("next"), next_columns, COUNT(next_columns));
	ctl_show_list(ctl, answer, SLICE("waitingFor"), waiting_columns,
		      COUNT(waiting_columns));
	return CTL_EXIT_OK;
}

/* ---- waiting for the end */

struct wait {
	struct ctl *ctl;
	struct slice list; /* what is wanted */
	struct buf told;   /* the last line */
	int others_n;	   /* times in a row that something else was wanted */
	int64_t silent_ms; /* nobody has answered for so long */
};

static struct slice text_of(const struct value *object, struct slice key)
{
	const struct value *found = value_find(object, key);

	return found != NULL && found->type == VALUE_STRING ? found->bytes : SLICE_NONE;
}

/* "commit, epoch 3: doing; g1 (doing), r4 (absent)", when it is another one. */
static void tell(struct wait *wait, const struct value *answer)
{
	const struct value *waiting = value_find(answer, SLICE("waitingFor"));
	const struct value *at = NULL;
	const char *comma = "; ";
	struct buf line = BUF_INIT;
	struct buf epoch = BUF_INIT;

	(void)ctl_show(&epoch, answer, "epoch", CTL_NUMBER); /* or there is none */
	ctl_text_escape(&line, text_of(answer, SLICE("phase")));
	buf_append_str(&line, ", epoch ");
	buf_append_slice(&line, buf_slice(&epoch));
	buf_append_str(&line, ": ");
	ctl_text_escape(&line, text_of(answer, SLICE("state")));
	if (waiting != NULL && waiting->type == VALUE_ARRAY)
		at = waiting->first;
	for (; at != NULL; at = at->next) {
		buf_append_str(&line, comma);
		ctl_text_escape(&line, text_of(at, SLICE("name")));
		buf_append_str(&line, " (");
		ctl_text_escape(&line, text_of(at, SLICE("why")));
		buf_append_byte(&line, ')');
		comma = ", ";
	}
	if (!slice_equal(buf_slice(&line), buf_slice(&wait->told))) {
		buf_clear(&wait->told);
		buf_append_slice(&wait->told, buf_slice(&line));
		if (ctl_is_given(wait->ctl, CTL_JSON)) {
			ctl_put_json(wait->ctl);
		} else {
			buf_append_slice(&wait->ctl->out, buf_slice(&line));
			buf_append_byte(&wait->ctl->out, '\n');
		}
		ctl_flush(wait->ctl);
	}
	buf_fini(&line);
	buf_fini(&epoch);
}

/* The exit status, or -1: not yet. */
static int look(struct wait *wait, const struct value *answer)
{
	struct ctl *ctl = wait->ctl;
	const struct slice state = text_of(answer, SLICE("state"));

	if (!slice_equal(text_of(answer, SLICE("target")), wait->list)) {
		if (++wait->others_n < OTHERS_MAX)
			return -1;
		return ctl_complain(ctl, CTL_EXIT_REFUSED, NULL,
				    SLICE("other routers are wanted by now"));
	}
	wait->others_n = 0;
	tell(wait, answer);
	if (slice_equal(state, SLICE("refused")))
		return ctl_complain(ctl, CTL_EXIT_REFUSED, NULL,
				    SLICE("these routers cannot follow those that are"));
	return slice_equal(state, SLICE("rest")) ? CTL_EXIT_OK : -1;
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = AGAIN_MS * 1000000L };

	(void)nanosleep(&moment, NULL); /* cut short it is a shorter moment */
}

/* As above. A presence that does not answer may be back in a moment. */
static int ask(struct wait *wait)
{
	struct ctl *ctl = wait->ctl;
	const struct value *answer = NULL;
	int status;

	ctl->is_quiet = wait->silent_ms < ctl->line.timeout_ms;
	status = ctl_get(ctl, SLICE(TARGET), &answer);
	if (status == CTL_EXIT_OK) {
		ctl->is_quiet = false;
		wait->silent_ms = 0;
		return look(wait, answer);
	}
	wait->silent_ms += AGAIN_MS;
	return ctl->is_quiet ? -1 : status;
}

static int wait_for_end(struct ctl *ctl)
{
	struct wait wait = { .ctl = ctl, .list = ctl_arg(ctl, 0), .told = BUF_INIT };
	int status;

	for (;;) {
		status = ask(&wait);
		if (status >= 0)
			break;
		wait_a_moment();
	}
	buf_fini(&wait.told);
	return status;
}

/* ---- the command */

int ctl_run_routers(struct ctl *ctl)
{
	struct ctl_request request = { .method = "GET", .target = SLICE(TARGET) };
	const struct value *answer = NULL;
	struct buf body = BUF_INIT;
	int status;

	if (ctl->args_n > 0) {
		buf_append_str(&body, "{\"routers\":");
		json_write_string(&body, ctl_arg(ctl, 0));
		buf_append_byte(&body, '}');
		request.method = "PUT";
		request.body = buf_slice(&body);
	}
	status = ctl_ask(ctl, &request, &answer);
	buf_fini(&body);
	if (status != CTL_EXIT_OK)
		return status;
	if (ctl->args_n == 0 || ctl_is_given(ctl, CTL_NO_WAIT))
		return show(ctl, answer);
	return wait_for_end(ctl);
}
