# file: gateway/invoke.c
# bug: a call whose router was lost is told to have ended well
/^static void call_fail/,/^}/{
s/hub_encode_error(/hub_encode_result(/
s/buf_slice(&text));/SLICE("null"));/
}
