# file: gateway/forward.c
# bug: a poll whose router is lost is asked again: its answer may be lost as well
/^static bool may_repeat/,/^}/s/forward->kind != LINK__REQUEST_KIND__REQUEST_KIND_POLL;/true;/
