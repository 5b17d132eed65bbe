-- SPDX-License-Identifier: Apache-2.0
--
-- What time brings: leases and graces that end, what retired registrations leave behind, and
-- the end of the quiet phase. Each in slices.

local function clock_tick()
	if NOW - SEEN > STALL_MS then
		OFFSET = OFFSET + NOW - SEEN
	end
	SEEN = NOW
	call('SET', P .. 'clock', string.format('%.0f %.0f', SEEN, OFFSET))
end

-- At most `limit` connections of retired ones. Returns them, and who went offline.
local function sweep_retired(limit)
	local n, offline = 0, 0
	while n < limit do
		local number = call('ZRANGE', P .. 'retired', 0, 0)[1]
		if not number then
			break
		end
		local gateway = gateway_any(tonumber(number))
		local ckeys = call('SPOP', gateway.set, limit - n)
		for _, ckey in ipairs(ckeys) do
			local record = call('GETDEL', P .. 'c:' .. ckey)
			if record then
				local _, user = record_parse(record)
				offline = offline + connection_drop(ckey, gateway, user, 0)
			end
		end
		n = n + #ckeys
		if call('EXISTS', gateway.set) == 0 then
			gateway_end(gateway.number)
		end
	end
	return n, offline
end

-- At most `limit` whose grace is over.
local function sweep_leaving(limit)
	if PHASE == 'quiet' then
		return 0, 0
	end
	local due = call('ZRANGE', P .. 'leaving', '-inf', clock(), 'BYSCORE', 'LIMIT', 0, limit)
	local offline = 0
	for _, user in ipairs(due) do
		local _, _, name = note_parse(call('HGET', P .. 'who', user) or NO_NOTE)
		call('ZREM', P .. 'leaving', user)
		offline = offline + user_go(user, name)
	end
	return #due, offline
end

local function sweep(limit)
	limit = math.min(limit, SLICE_MAX)
	clock_tick()
	local due = call('ZRANGE', P .. 'leases', '-inf', clock(), 'BYSCORE', 'LIMIT', 0, limit)
	for _, number in ipairs(due) do
		if gateway_retire(tonumber(number)) ~= 0 then
			gateway_retire_one(tonumber(number))
		end
	end
	local n, offline = sweep_retired(limit)
	local left, more_offline = sweep_leaving(limit)
	local is_more = #due == limit or left == limit or call('EXISTS', P .. 'retired') == 1
	return string.format('%d %d %d', n, offline + more_offline, is_more and 1 or 0)
end

-- A replica remembers these from before what was kept was lost.
local function declare(declarer, first, n)
	if PHASE ~= 'quiet' then
		return 0
	end
	call('SADD', P .. 'declared', declarer)
	for i = first, first + n - 1 do
		call('ZINCRBY', P .. 'quiet', 1, ARGV[i])
	end
	return 1
end

local function settle()
	if not PHASE then
		return '0 0 0'
	end
	if PHASE == 'quiet' then
		PHASE = 'settling'
		call('SET', P .. 'phase', PHASE)
		if call('SCARD', P .. 'declared') == 0 then
			event('r', '', '')
		end
	end
	local list = call('ZPOPMIN', P .. 'quiet', SLICE_MAX)
	local online, offline = 0, 0
	for i = 1, #list, 2 do
		local note = call('HGET', P .. 'who', list[i])
		local _, _, name = note_parse(note or NO_NOTE)
		local change = settle_user(list[i], name, note, list[i + 1])
		if change > 0 then
			online = online + 1
		else
			offline = offline - change
		end
	end
	if call('EXISTS', P .. 'quiet') == 1 then
		return string.format('%d %d 1', online, offline)
	end
	PHASE = false
	call('DEL', P .. 'phase', P .. 'declared')
	event('e', '', '')
	return string.format('%d %d 0', online, offline)
end
