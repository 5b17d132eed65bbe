-- SPDX-License-Identifier: Apache-2.0
--
-- A replica has connected. Makes the store when there is none, fences off what an earlier
-- connection of this replica may still have on its way, and tells how far it got.
--
-- KEYS[1] is "{prefix}:epoch". ARGV: replica, generation, an epoch to begin with, the epoch
-- that it knows, the newest event that it has seen: start and number; and the last
-- registration that it was given.
-- Answers: epoch, start, newest event, phase, the last batch of the replica and its answers.

local call = redis.call
local P = string.sub(KEYS[1], 1, -6)
local REPLICA = P .. 'replica:' .. ARGV[1]
local REPLICA_S = 86400

-- Of all keys and records. Another one is to come with whatever older replicas would misread.
local FORMAT = '1'

local seen_start, seen_number = tonumber(ARGV[5]), tonumber(ARGV[6])
local seen_serial = tonumber(ARGV[7])
local time = call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)

-- From here on registrations have greater numbers than any before: a replica refuses those
-- that it knows to be void.
local function serial_raise(serial)
	if serial > tonumber(call('GET', P .. 'serial') or 0) then
		call('SET', P .. 'serial', string.format('%.0f', serial))
	end
end

-- From here on events have greater ids than any before, registrations greater numbers.
local function begin(start)
	serial_raise(start)
	start = string.format('%.0f', start)
	call('SET', P .. 'start', start)
	call('XADD', P .. 'events', start .. '-0', 't', 'b', 'u', '', 'n', '', 'a', NOW)
	return start
end

local function newest()
	local entry = call('XREVRANGE', P .. 'events', '+', '-', 'COUNT', 1)[1]
	return entry and entry[1]
end

-- Retired registrations are swept: when it was the epoch alone that went, what it left.
local function retire_all()
	local list = call('HGETALL', P .. 'gateways')
	for i = 1, #list, 2 do
		call('HSET', P .. 'gateways', list[i], 'r' .. string.sub(list[i + 1], 2))
		call('ZADD', P .. 'retired', list[i], list[i])
	end
	call('DEL', P .. 'names', P .. 'leases')
end

local format = call('GET', P .. 'format')
if format and format ~= FORMAT then
	return redis.error_reply('FORMAT this store is of another version: ' .. format)
end
if not format then
	call('SET', P .. 'format', FORMAT)
end

local epoch = call('GET', KEYS[1])
local start = call('GET', P .. 'start')
if not epoch or not start or call('EXISTS', P .. 'clock') == 0 then
	epoch = ARGV[3]
	call('DEL', P .. 'quiet', P .. 'declared', P .. 'events', P .. 'marks')
	retire_all()
	start = begin(math.max(NOW, seen_start + 1, tonumber(start or 0) + 1))
	call('SET', P .. 'clock', string.format('%.0f 0', NOW))
	call('SET', P .. 'phase', 'quiet')
	call('SET', KEYS[1], epoch)
else
	-- Has it seen what this Redis, to which another one failed over, never had? Or was the
	-- store begun anew by a replica that did not know it, with a clock that had gone back?
	-- Or has Redis evicted the stream?
	local id = newest()
	local number = id and tonumber(string.match(id, '%d+$'))
	if not id or seen_start > tonumber(start) or
			(seen_start == tonumber(start) and (seen_number > number or epoch ~= ARGV[4])) then
		start = begin(math.max(NOW, seen_start + 1, tonumber(start) + 1))
	end
end
serial_raise(seen_serial)

local batch, kept = string.match(call('GET', REPLICA) or '', '^%d+ (%d+) (.*)$')
batch, kept = batch or '0', kept or ''
call('SET', REPLICA, ARGV[2] .. ' ' .. batch .. ' ' .. kept, 'EX', REPLICA_S)
return { epoch, start, newest(), call('GET', P .. 'phase') or '', batch, kept }
