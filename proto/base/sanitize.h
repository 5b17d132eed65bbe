/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we tell the sanitizers: which bytes of an arena are in use, and that a fiber's
 * stack takes over. Everything here is empty in an ordinary build. The functions are
 * always inlined, because ThreadSanitizer counts calls and returns per stack.
 */
#ifndef PROTO_BASE_SANITIZE_H
#define PROTO_BASE_SANITIZE_H

#include <stddef.h>

#ifdef __has_feature
#define SANITIZE_HAS(feature) __has_feature(feature)
#else
#define SANITIZE_HAS(feature) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || SANITIZE_HAS(address_sanitizer)
#define SANITIZE_ADDRESS 1
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#else
#define SANITIZE_ADDRESS 0
#endif

#if defined(__SANITIZE_THREAD__) || SANITIZE_HAS(thread_sanitizer)
#define SANITIZE_THREAD 1
#include <sanitizer/tsan_interface.h>
#else
#define SANITIZE_THREAD 0
#endif

#define SANITIZE_INLINE static inline __attribute__((always_inline))

/* Touching [ptr, ptr + len) is an error from now on. */
SANITIZE_INLINE void sanitize_poison(const void *ptr, size_t len)
{
#if SANITIZE_ADDRESS
	__asan_poison_memory_region(ptr, len);
#else
	(void)ptr;
	(void)len;
#endif
}

SANITIZE_INLINE void sanitize_unpoison(const void *ptr, size_t len)
{
#if SANITIZE_ADDRESS
	__asan_unpoison_memory_region(ptr, len);
#else
	(void)ptr;
	(void)len;
#endif
}

struct sanitize_stack {
	const void *ptr; /* borrowed */
	size_t len;
};

/* Before a switch to the stack `to`; `fake` NULL: the old stack is done with. */
SANITIZE_INLINE void sanitize_switch(void **fake, const struct sanitize_stack *to)
{
#if SANITIZE_ADDRESS
	__sanitizer_start_switch_fiber(fake, to->ptr, to->len);
#else
	(void)fake;
	(void)to;
#endif
}

/* First thing on the new stack; tells which stack was left. */
SANITIZE_INLINE void sanitize_switched(void *fake, struct sanitize_stack *from)
{
#if SANITIZE_ADDRESS
	__sanitizer_finish_switch_fiber(fake, &from->ptr, &from->len);
#else
	(void)fake;
	(void)from;
#endif
}

/* What ThreadSanitizer knows of a fiber; NULL where it is not. */
SANITIZE_INLINE void *sanitize_fiber_new(void)
{
#if SANITIZE_THREAD
	return __tsan_create_fiber(0);
#else
	return NULL;
#endif
}

SANITIZE_INLINE void sanitize_fiber_free(void *fiber)
{
#if SANITIZE_THREAD
	__tsan_destroy_fiber(fiber);
#else
	(void)fiber;
#endif
}

SANITIZE_INLINE void *sanitize_fiber_current(void)
{
#if SANITIZE_THREAD
	return __tsan_get_current_fiber();
#else
	return NULL;
#endif
}

SANITIZE_INLINE void sanitize_fiber_enter(void *fiber)
{
#if SANITIZE_THREAD
	__tsan_switch_to_fiber(fiber, 0);
#else
	(void)fiber;
#endif
}

#endif
