# file: gateway/arriving.c
# bug: a client may come to its successor before all routers have moved it
/^static bool has_all/,/^}/s/return moving->.*\|return arriving->.*/return arriving != NULL \&\& rest != NULL;/
