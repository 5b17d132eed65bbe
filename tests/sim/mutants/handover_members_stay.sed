# file: router/handover.c
# bug: memberships are told to have moved, and have not
/^static void move_keys/,/^}/s/if (move_key(router, from, to, move, move->keys\[i\]))/if (from != to)/
