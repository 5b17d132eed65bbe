-- SPDX-License-Identifier: Apache-2.0
--
-- Connections: c:<ckey> has the record of one, which presence/store_record.h makes; it begins
-- with its registration's number and its user. A ckey is the hub's length, the hub, and the
-- connection's id. `hubs` counts those of each hub.

local hubs    -- connections of each hub that has any, as of the start of this run
local hubs_n  -- how many there are
local total   -- connections
local changes = {} -- by how much a hub's count has changed

local function hubs_load()
	if hubs then
		return
	end
	local list = call('HGETALL', P .. 'hubs')
	hubs, hubs_n, total = {}, 0, 0
	for i = 1, #list, 2 do
		hubs[list[i]] = tonumber(list[i + 1])
		hubs_n = hubs_n + 1
		total = total + list[i + 1]
	end
end

local function hub_of(ckey)
	local high, low = string.byte(ckey, 1, 2)
	return string.sub(ckey, 3, 2 + high * 256 + low)
end

local function hub_add(hub, n)
	local count = (hubs[hub] or 0) + n
	if not hubs[hub] then
		hubs_n = hubs_n + 1
	elseif count == 0 then
		hubs_n = hubs_n - 1
		count = nil
	end
	hubs[hub] = count
	total = total + n
	changes[hub] = true
end

-- At the end of the run.
local function hubs_save()
	for hub in pairs(changes) do
		if hubs[hub] then
			call('HSET', P .. 'hubs', hub, hubs[hub])
		else
			call('HDEL', P .. 'hubs', hub)
		end
	end
end

-- The bytes of its registration's number, and its user.
local function record_parse(record)
	local high, low = string.byte(record, 7, 8)
	return string.sub(record, 1, 6), string.sub(record, 9, 8 + high * 256 + low)
end

-- What has lost its record.
local function connection_drop(ckey, gateway, user, grace_ms)
	hubs_load()
	call('SREM', gateway.set, ckey)
	hub_add(hub_of(ckey), -1)
	if user == '' then
		return 0
	end
	return user_part(user, ckey, grace_ms)
end

-- It was told already: by this registration, an earlier one, or one that is retired, or has
-- handed it over.
local function connection_again(gateway, ckey, user, old, is_moved)
	local bytes, old_user = record_parse(old)
	local holder = gateway_of(bytes) or gateway_any((struct.unpack('>I6', bytes)))
	if old_user ~= user then
		return EXISTS
	elseif holder == gateway then
		return 0
	elseif holder.is_live and holder.name ~= gateway.name and not is_moved then
		return EXISTS
	end
	call('SREM', holder.set, ckey)
	call('SADD', gateway.set, ckey)
	return 0
end

-- `flags`: was it told before, and has it moved from another gateway; 0 or 1 each.
local function connection_add(ckey, user, name, opened, flags, record)
	local is_told = string.sub(flags, 1, 1) == '1'
	local is_moved = string.sub(flags, 2, 2) == '1'
	local gateway = gateway_of(string.sub(record, 1, 6))
	if not gateway or not gateway.is_live then
		return NOT_FOUND
	end
	hubs_load()
	local key = P .. 'c:' .. ckey
	local hub = hub_of(ckey)
	local is_full = total >= SESSIONS_MAX or (not hubs[hub] and hubs_n >= HUBS_MAX)
	if is_full and call('EXISTS', key) == 0 then
		return LIMIT
	end
	local old = call('SET', key, record, 'GET')
	if old then
		local rc = connection_again(gateway, ckey, user, old, is_moved)
		if rc ~= 0 then
			call('SET', key, old)
		elseif is_told and user ~= '' and PHASE == 'quiet' then
			tell(user, true)
		end
		return rc
	end
	call('SADD', gateway.set, ckey)
	hub_add(hub, 1)
	if user == '' then
		return 0
	end
	return user_join(user, ckey, name, opened, is_told)
end

local function connection_remove(bytes, ckey)
	local key = P .. 'c:' .. ckey
	local gateway = gateway_of(bytes)
	local record = gateway and gateway.is_live and call('GETDEL', key)
	if not record then
		return NOT_FOUND
	end
	local holder, user = record_parse(record)
	if holder ~= bytes then
		call('SET', key, record)
		return NOT_FOUND
	end
	return connection_drop(ckey, gateway, user, GRACE_MS)
end
