-- SPDX-License-Identifier: Apache-2.0
--
-- Questions. A page ends after `limit`, or when it holds PAGE_BYTES_MAX: then there is a next
-- one, which begins behind the last that this one holds.

-- The members of an ordered set behind `from` that fit: what `make` appends to `page`.
-- page[1] becomes the last one's key when there are more.
local function page_fill(page, set, from, to, limit, make)
	local members = call('ZRANGE', set, from, to, 'BYLEX', 'LIMIT', 0, limit + 1)
	local bytes = 0
	for i, member in ipairs(members) do
		if i > limit or bytes > PAGE_BYTES_MAX then
			page[1] = members[i - 1]
			break
		end
		bytes = bytes + make(member)
	end
	return page
end

local function gateway_text(bytes)
	local gateway = gateway_of(bytes)
	return gateway and gateway.incarnation .. ':' .. gateway.name or '0:'
end

local function ask_user(user, from, limit)
	local note = call('HGET', P .. 'who', user)
	if not note then
		return NOT_FOUND
	end
	local set = P .. 'u:' .. user
	local page = { '', note, call('ZCARD', set) }
	return page_fill(page, set, from, '+', math.min(limit, 1000), function(ckey)
		local record = call('GET', P .. 'c:' .. ckey)
		if not record then
			return 0
		end
		page[#page + 1] = ckey
		page[#page + 1] = record
		page[#page + 1] = gateway_text((record_parse(record)))
		return #ckey + #record
	end)
end

local function ask_connection(id)
	for _, hub in ipairs(call('HKEYS', P .. 'hubs')) do
		local ckey = string.char(math.floor(#hub / 256), #hub % 256) .. hub .. id
		local record = call('GET', P .. 'c:' .. ckey)
		if record then
			local bytes, user = record_parse(record)
			local note = call('HGET', P .. 'who', user) or NO_NOTE
			return { ckey, record, gateway_text(bytes), note }
		end
	end
	return NOT_FOUND
end

local function ask_list(from, to, limit)
	local page = { '' }
	return page_fill(page, P .. 'users', from, to, math.min(limit, 1000), function(user)
		local note = call('HGET', P .. 'who', user) or NO_NOTE
		page[#page + 1] = user
		page[#page + 1] = note
		page[#page + 1] = call('ZCARD', P .. 'u:' .. user)
		return #user + #note
	end)
end

local function ask_count()
	local connections = 0
	for _, n in ipairs(call('HVALS', P .. 'hubs')) do
		connections = connections + n
	end
	return string.format('%d %d', call('ZCARD', P .. 'users'), connections)
end

local function event_newest()
	local entry = call('XREVRANGE', EVENTS, '+', '-', 'COUNT', 1)[1]
	if not entry then
		stream_begin()
		return START .. '-0'
	end
	return entry[1]
end

-- Those behind start-seq. Ids have no gaps: what is missing is forgotten.
local function ask_events(start, seq, limit)
	local newest = event_newest()
	if start == '' then
		return { newest }
	end
	local newest_seq = tonumber(string.match(newest, '%d+$'))
	seq = tonumber(seq)
	if start ~= START or seq > newest_seq or seq < newest_seq - EVENTS_MAX then
		return NOT_FOUND
	end
	local list = call('XRANGE', EVENTS, '(' .. start .. '-' .. seq, '+',
		'COUNT', math.min(limit, 1000))
	local page = { newest }
	local bytes = 0
	for i, entry in ipairs(list) do
		local fields = entry[2]
		if i == 1 and tonumber(string.match(entry[1], '%d+$')) ~= seq + 1 then
			return NOT_FOUND
		end
		page[1] = entry[1]
		page[#page + 1] = entry[1]
		for f = 2, 8, 2 do
			page[#page + 1] = fields[f]
		end
		bytes = bytes + #fields[4] + #fields[6]
		if bytes > PAGE_BYTES_MAX then
			break
		end
	end
	return page
end

-- By bytes; Lua's own order may be that of a language.
local function is_less(a, b)
	for i = 1, math.min(#a, #b) do
		local byte, other = string.byte(a, i), string.byte(b, i)
		if byte ~= other then
			return byte < other
		end
	end
	return #a < #b
end

-- A home that was may be late: none goes back.
local function mark(name, id)
	local old = call('HGET', P .. 'marks', name)
	if old and not is_less(old, id) then
		return 0
	elseif not old and call('HLEN', P .. 'marks') >= MARKS_MAX then
		return LIMIT
	end
	call('HSET', P .. 'marks', name, id)
	return 0
end

-- Who is here, for a replica that has just come; while the store is quiet, it waits.
local function ask_mirror(from)
	if PHASE then
		return 0
	end
	local page = { '' }
	return page_fill(page, P .. 'users', from, '+', 1000, function(user)
		page[#page + 1] = user
		return #user
	end)
end
