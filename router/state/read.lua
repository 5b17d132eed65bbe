-- SPDX-License-Identifier: Apache-2.0
--
-- The newest entries of a log with first <= number < before, as many as a page holds.
--
-- KEYS: log. ARGV: first, before (0: no end), entries_max, page_max.
-- Answers {last, life, 1 if older ones did not fit, number of the first, entries ascending}.

local call = redis.call
local log = KEYS[1]
local meta = call('HMGET', log, 'first', 'last', 'life', 'total')
if not meta[2] then
	return { 0, 0, 0, 0 }
end
local last, before = tonumber(meta[2]), tonumber(ARGV[2])
local to = before > 0 and math.min(last, before - 1) or last
local from = math.max(tonumber(meta[1]), tonumber(ARGV[1]), to - tonumber(ARGV[3]) + 1)
local answer = { last, tonumber(meta[3]), 0, 0 }
local page_max, bytes = tonumber(ARGV[4]), 0
if from > to then
	return answer
end

-- From the newest one back, until a page is full, unless all of it fits.
if tonumber(meta[4]) > page_max then
	local at = to
	while at >= from and bytes < page_max do
		bytes = bytes + call('HSTRLEN', log, string.format('%.0f', at))
		at = at - 1
	end
	answer[3] = at >= from and 1 or 0
	from = at + 1
end
local numbers = {}
for number = from, to do
	numbers[#numbers + 1] = string.format('%.0f', number)
end
answer[4] = from
for i, entry in ipairs(call('HMGET', log, unpack(numbers))) do
	answer[4 + i] = entry
end
return answer
