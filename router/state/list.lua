-- SPDX-License-Identifier: Apache-2.0
--
-- The fields whose versions are `first` or above, by version, as many as a page holds.
--
-- KEYS: fields, order. ARGV: first, entries_max (0: all), page_max.
-- Answers {version of the key, 1 if newer ones did not fit, name, version, value, ...}.

local call = redis.call
local meta = call('HMGET', KEYS[1], 'version', 'total')

-- One without the other is what eviction has left: nothing.
if not meta[1] or call('EXISTS', KEYS[2]) == 0 then
	return { 0, 0 }
end

local names = call('ZRANGE', KEYS[2], ARGV[1], '+inf', 'BYSCORE', 'WITHSCORES')
local answer = { tonumber(meta[1]), 0 }
local entries_max, page_max = tonumber(ARGV[2]), tonumber(ARGV[3])
local wanted, bytes = {}, 0

-- Until a page is full, unless all of it fits.
local is_small = tonumber(meta[2] or 0) <= page_max
for i = 1, #names, 2 do
	if bytes >= page_max or (entries_max > 0 and #wanted == entries_max) then
		answer[2] = 1
		break
	end
	wanted[#wanted + 1] = '=' .. names[i]
	if not is_small then
		bytes = bytes + #names[i] + call('HSTRLEN', KEYS[1], '=' .. names[i])
	end
end
if #wanted > 0 then
	for i, value in ipairs(call('HMGET', KEYS[1], unpack(wanted))) do
		if value then
			local at = #answer
			answer[at + 1], answer[at + 2] = names[2 * i - 1], tonumber(names[2 * i])
			answer[at + 3] = value
		end
	end
end

-- Who is told of more goes on behind the last one; without any it would ask this again.
if #answer == 2 then
	answer[2] = 0
end
return answer
