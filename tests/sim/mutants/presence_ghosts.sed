# file: presence/session.c
# bug: connections of a gateway that is gone stay
/^static size_t retired_sweep/,/^}/s/if (registration == NULL)/if (registration == NULL || limit > 0)/
