# file: router/hub_runtime.c
# bug: on_disconnected does not run when the gateway is lost
/^static bool call_prepare/,/^}/s/if (call->conn->is_standby)/if (call->conn->is_standby || call->conn->gateway == NULL)/
