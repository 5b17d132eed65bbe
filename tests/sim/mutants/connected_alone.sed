# file: router/hub_queue.c
# bug: methods run beside on_connected
/^static bool may_begin/,/^}/s/if (first->kind == HUB_CALL_CONNECTED || /if (first->kind == HUB_CALL_CONNECTED)\n\t\treturn true;\n\tif (/
