# file: gateway/moving.c
# bug: what goes to all goes to a client at both gateways
/^const Link__Deliver \*moving_deliver/,/^}/s/leave_out(&movings->arriving, router, false, copy);//
