/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps in order; those that an option leaves out are neither said nor waited for. An
 * error text of the server is looked at for its first word only and never logged: one
 * that does not know AUTH repeats the password.
 */
#include "proto/base/redis_login.h"

#include <assert.h>
#include <stdio.h>

#include "proto/base/crypto.h"
#include "proto/base/redis_queue.h"

/* ---- saying it */

static void say(struct buf *out, const struct slice *words, size_t n)
{
	redis_command_write(&(struct redis_command){ .head = words, .head_n = n }, out);
}

static void say_auth(const struct redis_login_options *options, struct buf *out)
{
	const struct slice auth = SLICE("AUTH");

	if (options->user[0] != '\0')
		say(out,
		    (struct slice[]){ auth, slice_from_str(options->user),
				      options->password },
		    3);
	else
		say(out, (struct slice[]){ auth, options->password }, 2);
}

static void say_select(const struct redis_login_options *options, struct buf *out)
{
	char db[16];
	int n = snprintf(db, sizeof(db), "%u", options->db);

	assert(n > 0);
	say(out, (struct slice[]){ SLICE("SELECT"), slice_make(db, (size_t)n) }, 2);
}

static void say_script(struct slice text, struct buf *out)
{
	say(out, (struct slice[]){ SLICE("SCRIPT"), SLICE("LOAD"), text }, 3);
}

/* ---- steps */

/* From `step` on, the first that there is with these options. */
static enum redis_step step_from(const struct redis_login_options *options,
				 enum redis_step step)
{
	/* A user without a password is said with an empty one: as whom we log in is never
	 * another than we were told. */
	if (step == REDIS_STEP_AUTH && options->password.len == 0 &&
	    options->user[0] == '\0')
		step = REDIS_STEP_SELECT;
	if (step == REDIS_STEP_SELECT && options->db == 0)
		step = REDIS_STEP_ROLE;
	if (step == REDIS_STEP_SCRIPTS && options->scripts_n == 0)
		step = REDIS_STEP_DONE;
	return step;
}

static void say_step(const struct redis_login_options *options, enum redis_step step,
		     struct buf *out)
{
	const struct slice role = SLICE("ROLE");
	const struct slice ping = SLICE("PING");

	switch (step) {
	case REDIS_STEP_AUTH:
		say_auth(options, out);
		break;
	case REDIS_STEP_SELECT:
		say_select(options, out);
		break;
	case REDIS_STEP_ROLE:
		say(out, &role, 1);
		break;
	case REDIS_STEP_PING:
		say(out, &ping, 1);
		break;
	case REDIS_STEP_SCRIPTS:
		for (size_t i = 0; i < options->scripts_n; i++)
			say_script(slice_from_str(options->scripts[i].text), out);
		break;
	case REDIS_STEP_DONE:
		break;
	}
}

void redis_login_start(struct redis_login *login,
		       const struct redis_login_options *options, enum redis_step first,
		       struct buf *out)
{
	const enum redis_step start = step_from(options, first);

	*login = (struct redis_login){ .options = options, .step = start };
	for (enum redis_step step = start; step != REDIS_STEP_DONE;
	     step = step_from(options, step + 1))
		say_step(options, step, out);
}

/* ---- answers */

static bool is_text(const struct redis_reply *reply, const char *text)
{
	return reply->type == REDIS_STRING &&
	       slice_equal(reply->text, slice_from_str(text));
}

/* Why no step could be answered well. */
static const char *problem_of(const struct redis_reply *reply, const char *otherwise)
{
	if (redis_reply_is_error(reply, "LOADING"))
		return "it is loading its data";
	if (redis_reply_is_error(reply, "NOAUTH"))
		return "it wants a password";
	if (redis_reply_is_error(reply, "NOPERM"))
		return "the user may not do all that is needed (ACL)";
	if (redis_reply_is_error(reply, "READONLY") ||
	    redis_reply_is_error(reply, "MASTERDOWN"))
		return "it is no master";
	return otherwise;
}

enum err redis_role_is_master(const struct redis_reply *reply)
{
	return reply->type == REDIS_ARRAY && reply->items_n > 0 &&
			       is_text(&reply->items[0], "master")
		       ? OK
		       : ERR_DENIED;
}

void redis_script_sha(struct slice text, char sha[REDIS_SHA_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[CRYPTO_SHA1_BYTES];

	crypto_sha1(text, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		sha[2 * i] = digits[bytes[i] >> 4];
		sha[2 * i + 1] = digits[bytes[i] & 15];
	}
}

static bool is_sha_of(const struct redis_reply *reply, const char *text)
{
	char sha[REDIS_SHA_BYTES];

	redis_script_sha(slice_from_str(text), sha);
	return reply->type == REDIS_STRING &&
	       slice_equal(reply->text, slice_make(sha, sizeof(sha)));
}

/* NULL: it is what it should be. */
static const char *problem_in(const struct redis_login *login,
			      const struct redis_reply *reply)
{
	const struct redis_login_options *options = login->options;

	switch (login->step) {
	case REDIS_STEP_AUTH:
		if (!is_text(reply, "OK"))
			return "it refused the user or the password";
		break;
	case REDIS_STEP_SELECT:
		if (!is_text(reply, "OK"))
			return problem_of(reply, "it has no such database");
		break;
	case REDIS_STEP_ROLE:
		if (redis_role_is_master(reply) != OK)
			return problem_of(reply, "it is no master");
		break;
	case REDIS_STEP_PING:
		if (!is_text(reply, "PONG"))
			return problem_of(reply, "it does not answer PING");
		break;
	case REDIS_STEP_SCRIPTS:
		if (!is_sha_of(reply, options->scripts[login->script].text))
			return problem_of(reply, "it refused a script");
		break;
	case REDIS_STEP_DONE:
		return "it answered what was not asked";
	}
	return NULL;
}

enum err redis_login_answer(struct redis_login *login, const struct redis_reply *reply)
{
	login->problem = problem_in(login, reply);
	if (login->problem != NULL)
		return ERR_DENIED;
	if (login->step == REDIS_STEP_SCRIPTS &&
	    ++login->script < login->options->scripts_n)
		return OK;
	login->step = step_from(login->options, login->step + 1);
	return OK;
}
