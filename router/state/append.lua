-- SPDX-License-Identifier: Apache-2.0
--
-- A log is one hash: its entries by number, and `first`, `last`, `total` (bytes) and `life`.
-- Puts an entry behind the last one.
--
-- KEYS: log. ARGV: entry, entries_max, ttl_ms, expected number or '', total_max.
-- Answers {1, its number}, or {0, the number that it would have got}.

local call = redis.call
local log = KEYS[1]
local meta = call('HMGET', log, 'first', 'last', 'total')
local first, number = tonumber(meta[1] or 1), tonumber(meta[2] or 0) + 1
local total = tonumber(meta[3] or 0) + #ARGV[1]
local text = string.format('%.0f', number)

if ARGV[4] ~= '' and ARGV[4] ~= text then
	return { 0, number }
end
if number == 1 then
	local time = call('TIME')
	call('HSET', log, 'life', string.format('%.0f', time[1] * 1000000 + time[2]))
end
while first < number and (number - first >= tonumber(ARGV[2]) or total > tonumber(ARGV[5])) do
	local oldest = string.format('%.0f', first)
	total = total - call('HSTRLEN', log, oldest)
	call('HDEL', log, oldest)
	first = first + 1
end
call('HSET', log, text, ARGV[1], 'last', text, 'first', string.format('%.0f', first),
	'total', string.format('%.0f', total))
call('PEXPIRE', log, ARGV[3])
return { 1, number }
