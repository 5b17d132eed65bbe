-- SPDX-License-Identifier: Apache-2.0
--
-- KEYS: fields, order. ARGV: name, expected version or ''.
-- Answers {1, 0}: the field is not there any more; or {0, the version that it has}.

local call = redis.call
local fields, order = KEYS[1], KEYS[2]
local last = call('HGET', fields, 'version')

-- One without the other is what eviction has left; a change would keep it for ever.
if (call('EXISTS', order) == 1) ~= (last and true) then
	call('DEL', fields, order)
end

local old = call('ZSCORE', order, ARGV[1])
old = old and string.format('%.0f', tonumber(old)) or '0'

if ARGV[2] ~= '' and ARGV[2] ~= old then
	return { 0, tonumber(old) }
end
if old == '0' then
	return { 1, 0 }
end
call('ZREM', order, ARGV[1])
if call('EXISTS', order) == 0 then
	call('DEL', fields)
	return { 1, 0 }
end
local time = call('TIME')
call('HINCRBY', fields, 'total', -#ARGV[1] - call('HSTRLEN', fields, '=' .. ARGV[1]))
call('HDEL', fields, '=' .. ARGV[1])
call('HSET', fields, 'version',
	string.format('%.0f', math.max(tonumber(last) + 1, time[1] * 1000000 + time[2])))
return { 1, 0 }
