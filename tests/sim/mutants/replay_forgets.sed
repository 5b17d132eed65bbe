# file: gateway/replay.c
# bug: memberships are not told to a router that comes back
/^static enum err replay_members/,/^}/s/rc = join_replay_key/if (node == NULL)\n\t\t\trc = join_replay_key/
