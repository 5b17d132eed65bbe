# file: gateway/forward.c
# bug: a poll whose router was lost is asked as a new one
s/request->poll_id = forward->poll_id;/request->poll_id = forward->poll_id + forward->doubts;/
