# file: gateway/join.c
# bug: a member that left gets what is sent later
/^static enum err join_start/,/^}/s/if (membership != NULL)/if (membership == NULL)/
