/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a file with hubs says of the headers it was built with. A router reads it before
 * anything else in the file, so that one that does not fit is refused, with the reason,
 * and can do no harm. `HUB_EXPORT(&poll_hub, &game_hub);` at the end of a source writes
 * it, and the list of hubs.
 */
#ifndef ROUTER_HUB_ABI_H
#define ROUTER_HUB_ABI_H

#include <stddef.h>
#include <stdint.h>

/* Every struct of the hub API that both sides know the insides of. */
#define HUB_ABI_STRUCTS(X)                                                               \
	X(slice)                                                                         \
	X(value)                                                                         \
	X(hub_module)                                                                    \
	X(hub_method)                                                                    \
	X(hub_member)                                                                    \
	X(hub_to)                                                                        \
	X(hub_shape)                                                                     \
	X(hub_part)                                                                      \
	X(hub_option)                                                                    \
	X(hub_bounds)                                                                    \
	X(hub_entry)                                                                     \
	X(hub_field)                                                                     \
	X(hub_changes)                                                                   \
	X(hub_script)                                                                    \
	X(hub_script_args)

#define HUB_ABI_STRUCTS_MAX 32

/* Never changes, in no version: the first thing that is read. */
struct hub_abi {
	uint32_t api_version; /* HUB_API_VERSION */
	uint32_t structs_n;
	uint32_t bytes[HUB_ABI_STRUCTS_MAX]; /* of each, in their order */
};

struct hub_module;

/* What the file exports; NULL is behind the last hub. */
extern const struct hub_abi hub_abi __attribute__((visibility("default")));
extern const struct hub_module *const hub_modules[]
	__attribute__((visibility("default")));

#define HUB_ABI_ONE(name) +1u
#define HUB_ABI_BYTES(name) sizeof(struct name),
#define HUB_ABI_INIT                                                                     \
	{                                                                                \
		HUB_API_VERSION, 0 HUB_ABI_STRUCTS(HUB_ABI_ONE),                         \
		{                                                                        \
			HUB_ABI_STRUCTS(HUB_ABI_BYTES)                                   \
		}                                                                        \
	}

/* One or more pointers to hubs; once in a file. */
#define HUB_EXPORT(...)                                                                  \
	const struct hub_abi hub_abi = HUB_ABI_INIT;                                     \
	const struct hub_module *const hub_modules[] = { __VA_ARGS__, NULL }

#endif
