/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of routes against the API's own description, and finding in it.
 */
#include "presence/admin_route.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <jansson.h>
#include <string.h>

#include "presence/embed.h"

static const struct admin_route *find(const char *method, const char *path)
{
	const struct admin_route *route = NULL;
	struct slice params[ADMIN_PARAMS_MAX];

	if (admin_route_find(slice_from_str(method), slice_from_str(path), &route,
			     params) != OK)
		return NULL;
	return route;
}

static enum err outcome(const char *method, const char *path)
{
	const struct admin_route *route;
	struct slice params[ADMIN_PARAMS_MAX];

	return admin_route_find(slice_from_str(method), slice_from_str(path), &route,
				params);
}

/* ---- the description */

static json_t *document(void)
{
	const struct slice text = embed_text("openapi.json");
	json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);

	cr_assert_not_null(root);
	return root;
}

static void expect_described(const json_t *paths, const struct admin_route *route)
{
	char method[16] = "";
	const json_t *operation;
	const json_t *body;

	for (size_t i = 0; route->method[i] != '\0'; i++)
		method[i] = (char)tolower(route->method[i]);
	operation = json_object_get(json_object_get(paths, route->path), method);
	cr_assert_not_null(operation, "%s %s", route->method, route->path);
	cr_expect_str_eq(json_string_value(json_object_get(operation, "operationId")),
			 route->name);
	body = json_object_get(operation, "requestBody");
	cr_expect_eq(body != NULL, route->body != ADMIN_BODY_NONE, "%s", route->name);
	if (body != NULL)
		cr_expect_eq(json_is_true(json_object_get(body, "required")),
			     route->body == ADMIN_BODY_NEEDED, "%s", route->name);
	cr_expect_eq(json_object_get(operation, "security") != NULL, route->is_public,
		     "%s", route->name);
	cr_expect_eq(strcmp(route->method, "GET") != 0, route->is_act, "%s", route->name);
}

Test(admin_route, the_description_has_every_route_and_no_other)
{
	json_t *root = document();
	json_t *paths = json_object_get(root, "paths");
	size_t operations_n = 0;
	const char *path;
	json_t *item;

	for (size_t i = 0; i < admin_routes_n; i++)
		expect_described(paths, &admin_routes[i]);
	json_object_foreach(paths, path, item) operations_n += json_object_size(item);
	cr_expect_eq(operations_n, admin_routes_n);
	json_decref(root);
}

/* "#/components/parameters/hub", or a parameter that stands there itself. */
static bool is_path_param(const json_t *root, const json_t *param, struct slice name)
{
	const char *ref = json_string_value(json_object_get(param, "$ref"));

	if (ref != NULL)
		param = json_object_get(
			json_object_get(json_object_get(root, "components"),
					"parameters"),
			strrchr(ref, '/') + 1);
	return strcmp(json_string_value(json_object_get(param, "in")), "path") == 0 &&
	       slice_equal(
		       slice_from_str(json_string_value(json_object_get(param, "name"))),
		       name);
}

Test(admin_route, the_description_has_the_parameters_of_every_path)
{
	json_t *root = document();

	for (size_t i = 0; i < admin_routes_n; i++) {
		const struct admin_route *route = &admin_routes[i];
		const json_t *item =
			json_object_get(json_object_get(root, "paths"), route->path);
		const char *method;
		json_t *operation;

		json_object_foreach((json_t *)(uintptr_t)item, method, operation)
		{
			const json_t *params = json_object_get(operation, "parameters");
			struct slice name;

			for (size_t j = 0; (name = admin_route_param(route, j)).len > 0;
			     j++) {
				cr_assert_lt(j, ADMIN_PARAMS_MAX);
				cr_expect(is_path_param(root, json_array_get(params, j),
							name),
					  "%s: %.*s", route->name, SLICE_FMT(name));
			}
		}
	}
	json_decref(root);
}

/* ---- finding */

Test(admin_route, every_template_leads_to_itself)
{
	for (size_t i = 0; i < admin_routes_n; i++)
		cr_expect_eq(find(admin_routes[i].method, admin_routes[i].path),
			     &admin_routes[i]);
}

Test(admin_route, parameters_are_whole_segments)
{
	const struct admin_route *route;
	struct slice params[ADMIN_PARAMS_MAX];

	cr_assert_eq(admin_route_find(SLICE("PUT"),
				      SLICE("/api/v1/hubs/h%2F/groups/g%20/users/u"),
				      &route, params),
		     OK);
	cr_expect_str_eq(route->name, "addUserToGroup");
	cr_expect(slice_equal(params[0], SLICE("h%2F")));
	cr_expect(slice_equal(params[1], SLICE("g%20")));
	cr_expect(slice_equal(params[2], SLICE("u")));
}

Test(admin_route, what_is_no_path_is_not_found)
{
	static const char *const paths[] = {
		"",
		"/",
		"/api",
		"/api/v1/",
		"/api/v1/users/",
		"/api/v1/users/a/b",
		"/api/v1/users//connections",
		"/api/v1/statsx",
		"/api/v1/stats/",
		"//api/v1/stats",
		"/api/v1/../v1/stats",
		"/api/v1/hubs//send",
		"/API/v1/stats",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		cr_expect_eq(outcome("GET", paths[i]), ERR_NOT_FOUND, "%s", paths[i]);
}

Test(admin_route, another_method_is_told_from_another_path)
{
	struct buf allow = BUF_INIT;

	cr_expect_eq(outcome("POST", "/api/v1/stats"), ERR_UNSUPPORTED);
	cr_expect_eq(outcome("get", "/api/v1/stats"), ERR_UNSUPPORTED);
	cr_expect_eq(outcome("OPTIONS", "/api/v1/users/a/connections"), ERR_UNSUPPORTED);
	cr_expect_eq(outcome("HEAD", "/api/v1/stats"), OK);
	cr_expect_eq(outcome("HEAD", "/api/v1/hubs/chat/send"), ERR_UNSUPPORTED);
	admin_route_allow(SLICE("/api/v1/hubs/h/groups/g/users/u"), &allow);
	cr_expect(slice_equal(buf_slice(&allow), SLICE("PUT, DELETE")));
	buf_clear(&allow);
	admin_route_allow(SLICE("/api/v1/connections/c"), &allow);
	cr_expect(slice_equal(buf_slice(&allow), SLICE("GET, HEAD, DELETE")));
	buf_fini(&allow);
}
