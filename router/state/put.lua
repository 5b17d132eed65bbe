-- SPDX-License-Identifier: Apache-2.0
--
-- Fields are a hash, which has their values by '=' and the name, `version` and `total` (bytes
-- of names and values), and a sorted set of their names by version. A version is the time in
-- microseconds, or one more than the last: none comes again, also not behind DEL.
-- Sets a field.
--
-- KEYS: fields, order. ARGV: name, value, entries_max, ttl_ms, expected version or '', total_max.
-- Answers {1, its version}, or {0, the version that it has, 0: there is none}.

local call = redis.call
local fields, order = KEYS[1], KEYS[2]
local meta = call('HMGET', fields, 'version', 'total')

-- One without the other is what eviction has left.
if (call('EXISTS', order) == 1) ~= (meta[1] and true) then
	call('DEL', fields, order)
	meta = {}
end

local name, total = ARGV[1], tonumber(meta[2] or 0)
local old = call('ZSCORE', order, name)
old = old and string.format('%.0f', tonumber(old)) or '0'
if ARGV[5] ~= '' and ARGV[5] ~= old then
	return { 0, tonumber(old) }
end
if old ~= '0' then
	total = total - #name - call('HSTRLEN', fields, '=' .. name)
end
local time = call('TIME')
local version = math.max(tonumber(meta[1] or 0) + 1, time[1] * 1000000 + time[2])
local text = string.format('%.0f', version)
call('HSET', fields, '=' .. name, ARGV[2], 'version', text)
call('ZADD', order, text, name)
total = total + #name + #ARGV[2]

local n = call('ZCARD', order)
while n > 1 and (n > tonumber(ARGV[3]) or total > tonumber(ARGV[6])) do
	local oldest = call('ZPOPMIN', order)[1]
	total = total - #oldest - call('HSTRLEN', fields, '=' .. oldest)
	call('HDEL', fields, '=' .. oldest)
	n = n - 1
end
call('HSET', fields, 'total', string.format('%.0f', total))
call('PEXPIRE', fields, ARGV[4])
call('PEXPIRE', order, ARGV[4])
return { 1, version }
