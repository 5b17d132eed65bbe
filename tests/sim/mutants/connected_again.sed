# file: router/conn.c
# bug: on_connected runs again behind a router that was replaced
/^void conn_on_connected/,/^}/s/} else if (connected->is_resumed) {/} else if (connected->is_resumed \&\& connected->is_standby) {/
