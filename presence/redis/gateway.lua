-- SPDX-License-Identifier: Apache-2.0
--
-- Registrations: `gateways` has of each whether it is [l]ive or [r]etired, and whose it is;
-- `names` the live ones of a gateway; `leases` when they end, on the store's clock; g:<n> the
-- connections of one.

local gateways = {} -- that this run has looked at; false: there is none

local function gateway_find(number)
	local gateway = gateways[number]
	if gateway == nil then
		local text = call('HGET', P .. 'gateways', number)
		gateway = false
		if text then
			local flag, incarnation, name = string.match(text, '^(.)(%d+):(.*)$')
			gateway = { number = number, set = P .. 'g:' .. number, is_live = flag == 'l',
				incarnation = incarnation, name = name }
		end
		gateways[number] = gateway
	end
	return gateway
end

local function gateway_live(number)
	local gateway = gateway_find(number)
	return gateway and gateway.is_live and gateway
end

-- One whose entry is lost, which only happens where Redis evicts keys, is nobody's; what it
-- holds is swept.
local function gateway_any(number)
	local gateway = gateway_find(number)
	if not gateway then
		gateway = { number = number, set = P .. 'g:' .. number, is_live = false,
			incarnation = '0', name = '' }
		gateways[number] = gateway
	end
	return gateway
end

local by_bytes = {}

-- By its number as records have it. Texts of such numbers are costly to make and to read.
local function gateway_of(bytes)
	local gateway = by_bytes[bytes]
	if gateway == nil then
		gateway = gateway_find((struct.unpack('>I6', bytes)))
		by_bytes[bytes] = gateway
	end
	return gateway
end

local function gateway_save(gateway)
	call('HSET', P .. 'gateways', gateway.number,
		(gateway.is_live and 'l' or 'r') .. gateway.incarnation .. ':' .. gateway.name)
end

-- The live ones of a name, oldest first, and their incarnation.
local function name_find(name)
	local text = call('HGET', P .. 'names', name)
	local numbers = {}
	if not text then
		return numbers
	end
	for number in string.gmatch(string.match(text, ' .*$'), '%d+') do
		numbers[#numbers + 1] = tonumber(number)
	end
	return numbers, string.match(text, '^%d+')
end

local function name_put(name, numbers, incarnation)
	if #numbers == 0 then
		call('HDEL', P .. 'names', name)
	else
		call('HSET', P .. 'names', name, incarnation .. ' ' .. table.concat(numbers, ' '))
	end
end

-- All of it is removed.
local function gateway_end(number)
	call('ZREM', P .. 'retired', number)
	call('HDEL', P .. 'gateways', number)
	gateway_any(number).is_live = false
	gateways[number] = false
end

-- But for its name's list.
local function gateway_retire_one(number)
	local gateway = gateway_any(number)
	call('ZREM', P .. 'leases', number)
	if call('EXISTS', gateway.set) == 0 then
		gateway_end(number)
		return
	end
	gateway.is_live = false
	gateway_save(gateway)
	call('ZADD', P .. 'retired', number, number)
end

local function gateway_retire(number)
	local gateway = gateway_live(number)
	if not gateway then
		return NOT_FOUND
	end
	local numbers, incarnation = name_find(gateway.name)
	local others = {}
	for _, other in ipairs(numbers) do
		if other ~= number then
			others[#others + 1] = other
		end
	end
	name_put(gateway.name, others, incarnation)
	gateway_retire_one(number)
	return 0
end

-- It is over, says its home, and speaks for it alone: what began anew elsewhere lives, and is
-- to be told first what this one holds.
local function gateway_give_up(number)
	local gateway = gateway_live(number)
	if not gateway then
		return NOT_FOUND
	end
	local numbers = name_find(gateway.name)
	if #numbers > 0 and numbers[#numbers] > number then
		return 0
	end
	return gateway_retire(number)
end

-- Above all that anybody knows, also when the last one's number is gone, which only happens
-- where Redis evicts keys.
local function serial_next()
	local number = call('INCR', P .. 'serial')
	if number > tonumber(START) then
		return number
	end
	number = math.max(NOW, tonumber(START))
	for _, other in ipairs(call('HKEYS', P .. 'gateways')) do
		number = math.max(number, tonumber(other))
	end
	call('SET', P .. 'serial', string.format('%.0f', number + 1))
	return number + 1
end

local function gateway_new(name, incarnation, lease_ms)
	local numbers, old_incarnation = name_find(name)
	if old_incarnation ~= incarnation then
		for _, number in ipairs(numbers) do
			gateway_retire_one(number)
		end
		numbers = {}
	end
	local number = serial_next()
	gateways[number] = { number = number, set = P .. 'g:' .. number, is_live = true,
		incarnation = incarnation, name = name }
	gateway_save(gateways[number])
	call('ZADD', P .. 'leases', clock() + lease_ms, number)
	numbers[#numbers + 1] = number
	name_put(name, numbers, incarnation)
	return number
end

-- Whoever tells us of a gateway speaks for all of its registrations: until it has told all
-- again, the earlier ones hold what it has.
local function gateway_renew(number, lease_ms)
	local gateway = gateway_live(number)
	if not gateway then
		return NOT_FOUND
	end
	for _, other in ipairs((name_find(gateway.name))) do
		call('ZADD', P .. 'leases', clock() + lease_ms, other)
	end
	return 0
end

local function gateway_replayed(number)
	local gateway = gateway_live(number)
	if not gateway then
		return NOT_FOUND
	end
	local numbers, incarnation = name_find(gateway.name)
	local others = {}
	for _, other in ipairs(numbers) do
		if other < number then
			gateway_retire_one(other)
		else
			others[#others + 1] = other
		end
	end
	name_put(gateway.name, others, incarnation)
	return 0
end
