/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters: around what they run, in which order, what they may refuse and make good, and
 * what a call says of itself.
 */
#include "router/hub_private.h"
#include "tests/unit/router/hub_kit.h"

static char seen[1024];	     /* what ran, in its order */
static enum hub_rc outer_rc; /* what the outer filter answers instead of HUB_OK */
static bool is_refusing;
static bool is_mending;
static unsigned repeats; /* how often the inner filter goes on */

static void note(const char *fmt, ...) PRINTF_LIKE(1, 2);

static void note(const char *fmt, ...)
{
	const size_t len = strlen(seen);
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(seen + len, sizeof(seen) - len, fmt,
			args); /* it is long enough */
	va_end(args);
}

static enum hub_rc outer(struct hub_call *call)
{
	enum hub_rc rc;

	note("(%.*s ", SLICE_FMT(hub_method_name(call)));
	if (is_refusing)
		return hub_fail(call, "Not today.");
	rc = hub_next(call);
	note("%d)", rc);
	if (is_mending) {
		hub_return(call, hub_string(call, SLICE("mended")));
		return HUB_OK;
	}
	return rc == HUB_OK ? outer_rc : rc;
}

static enum hub_rc inner(struct hub_call *call)
{
	enum hub_rc rc = HUB_OK;

	if (hub_call_kind(call) == HUB_CALL_INVOKE &&
	    hub_await_join(call, SLICE("trail")) != HUB_OK)
		return HUB_FAILED;
	note("[");
	for (unsigned i = 0; i < repeats && rc == HUB_OK; i++)
		rc = hub_next(call);
	note("]");
	return rc;
}

static enum hub_rc greet(struct hub_call *call)
{
	note("greet %.*s ", SLICE_FMT(hub_arg_string(call, 0)));
	hub_return(call, hub_string(call, SLICE("hello")));
	return HUB_OK;
}

static enum hub_rc fail(struct hub_call *call)
{
	return hub_fail(call, "It broke.");
}

static enum hub_rc say_yes(struct hub_call *call)
{
	(void)hub_fail(call, "Never mind.");
	return HUB_OK;
}

static enum hub_rc stray(struct hub_call *call)
{
	return hub_next(call);
}

static enum hub_rc depart(struct hub_call *call)
{
	note("because \"%.*s\" ", SLICE_FMT(hub_disconnect_reason(call)));
	return HUB_OK;
}

static const struct hub_method methods[] = {
	{ .name = "Greet", .fn = greet, .arguments = "s" },
	{ .name = "Fail", .fn = fail, .arguments = "" },
	{ .name = "SayYes", .fn = say_yes, .arguments = "" },
	{ .name = "Stray", .fn = stray, .arguments = "" },
};

static hub_method_fn *const filters[] = { outer, inner };

static const struct hub_module filtered = {
	.api_version = HUB_API_VERSION,
	.name = "filtered",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
	.filters = filters,
	.filters_n = 2,
	.on_disconnected = depart,
};

static const struct hub_module plain = {
	.api_version = HUB_API_VERSION,
	.name = "plain",
	.methods = methods,
	.methods_n = sizeof(methods) / sizeof(methods[0]),
};

static struct kit *kit;

static void start(const struct hub_module *module)
{
	repeats = 1;
	kit = kit_new(module);
	kit_connect(kit, kit->g1, "c1", "ann");
	kit_turn(kit);
}

static void invoke(const char *target, const char *arguments)
{
	seen[0] = '\0';
	kit_invoke(kit, kit->g1, "c1", "7", target, arguments);
	kit_turn(kit);
}

/* The inner filter waits for it. */
static void joined(void)
{
	kit_expect(kit, kit->g1, "join c1 trail");
	kit_joined(kit, kit->g1, "c1", "trail", false, OK);
	kit_turn(kit);
}

static void expect_result(const char *result)
{
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"result\":%s}",
		   (unsigned)kit->last_invoke, result);
}

static void expect_error(const char *target, const char *text)
{
	kit_expect(kit, kit->g1,
		   "complete c1 %u {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking '%s' on the server.%s\"}",
		   (unsigned)kit->last_invoke, target, text);
}

Test(hub_filter, filters_run_around_a_method_and_may_await)
{
	start(&filtered);
	invoke("GREET", "[\"bob\"]");
	joined();
	expect_result("\"hello\"");
	cr_expect_str_eq(seen, "(Greet [greet bob ]0)");
	kit_free(kit);
}

Test(hub_filter, filters_see_connections_come_and_go_also_without_functions)
{
	seen[0] = '\0';
	start(&filtered);
	cr_expect_str_eq(seen, "(on_connected []0)");
	seen[0] = '\0';
	kit_disconnect(kit, kit->g1, "c1");
	kit_turn(kit);
	cr_expect_str_eq(seen, "(on_disconnected [because \"\" ]0)");
	kit_free(kit);
}

Test(hub_filter, a_filter_that_does_not_go_on_refuses)
{
	start(&filtered);
	is_refusing = true;
	invoke("Greet", "[\"bob\"]");
	expect_error("Greet", " HubException: Not today.");
	cr_expect_str_eq(seen, "(Greet ");
	kit_free(kit);
}

Test(hub_filter, a_filter_that_refuses_a_connection_ends_it)
{
	is_refusing = true;
	start(&filtered);
	kit_expect(kit, kit->g1, "abort c1 Connection closed with an error.");
	kit_free(kit);
}

Test(hub_filter, arguments_are_checked_before_filters_run)
{
	start(&filtered);
	invoke("Greet", "[1]");
	cr_expect_str_eq(seen, "");
	cr_expect_eq(kit->router->metrics.invoke_unbound_total, 1);
	kit_free(kit);
}

Test(hub_filter, what_a_method_ends_with_passes_through)
{
	start(&filtered);
	invoke("Fail", "[]");
	joined();
	expect_error("Fail", " HubException: It broke.");
	cr_expect_str_eq(seen, "(Fail []-1)");
	kit_free(kit);
}

Test(hub_filter, a_filter_may_make_good_what_failed)
{
	start(&filtered);
	is_mending = true;
	invoke("Fail", "[]");
	joined();
	expect_result("\"mended\"");
	cr_expect_eq(kit->router->metrics.invoke_failed_total, 0);
	kit_free(kit);
}

Test(hub_filter, a_filter_may_fail_what_was_good)
{
	start(&filtered);
	outer_rc = HUB_ECONFLICT;
	kit_hub_conf(kit)->is_detailed = true;
	invoke("Greet", "[\"bob\"]");
	joined();
	expect_error("Greet", " HubException: It was changed meanwhile.");
	kit_free(kit);
}

Test(hub_filter, a_filter_that_goes_on_twice_runs_all_inside_it_twice)
{
	start(&filtered);
	repeats = 2;
	invoke("Greet", "[\"bob\"]");
	joined();
	expect_result("\"hello\"");
	cr_expect_str_eq(seen, "(Greet [greet bob greet bob ]0)");
	kit_free(kit);
}

Test(hub_filter, what_returns_ok_has_not_failed_whatever_it_said)
{
	start(&plain);
	invoke("SayYes", "[]");
	expect_result("null");
	kit_free(kit);
}

Test(hub_filter, going_on_outside_a_filter_is_a_mistake)
{
	start(&plain);
	invoke("Stray", "[]");
	expect_error("Stray", "");
	cr_expect_eq(kit->router->metrics.hub_misuse_total, 1);
	kit_free(kit);
}

Test(hub_filter, an_end_tells_its_reason)
{
	Link__Disconnected disconnected = LINK__DISCONNECTED__INIT;

	start(&filtered);
	kit_connect(kit, kit->g2, "c2", "bob");
	kit_turn(kit);
	seen[0] = '\0';
	disconnected.hub = link_bytes(SLICE("filtered"));
	disconnected.connection = link_bytes(SLICE("c1"));
	disconnected.error = link_bytes(SLICE("timeout"));
	kit_hear_disconnected(kit, kit->g1, &disconnected);
	kit_turn(kit);
	cr_expect_str_eq(seen, "(on_disconnected [because \"timeout\" ]0)");
	seen[0] = '\0';
	kit_gone(kit, kit->g2);
	kit_turn(kit);
	cr_expect_str_eq(seen, "(on_disconnected [because \"gateway_lost\" ]0)");
	kit_free(kit);
}
