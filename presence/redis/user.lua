-- SPDX-License-Identifier: Apache-2.0
--
-- Users: `who` has of each whether he is [h]ere or [l]eaving, since when he is here, and his
-- name; `users` their order; u:<user> his connections, in order; `leaving` whose grace runs.

local WHO = P .. 'who'
local USERS = P .. 'users'

-- Keys are lost only where Redis evicts them. That must not stop what others do.
local NO_NOTE = 'h0:'

local function note_make(flag, since, name)
	return flag .. since .. ':' .. name
end

local function note_parse(note)
	return string.match(note, '^(.)(%d+):(.*)$')
end

-- A new connection of his. Returns who came online, 0 or 1.
local function user_join(user, ckey, name, opened, is_told)
	local note = call('HGET', WHO, user)
	local online = 0
	if not note then
		call('HSET', WHO, user, note_make('h', opened, name))
		call('ZADD', USERS, '0', user)
		online = arrive(user, name, is_told)
	else
		local flag, since = note_parse(note)
		if flag == 'l' then
			call('ZREM', P .. 'leaving', user)
		end
		if tonumber(opened) < tonumber(since) then
			since = opened
		end
		-- The newest one's token has the name that holds.
		local new_note = note_make('h', since, name)
		if new_note ~= note then
			call('HSET', WHO, user, new_note)
		end
		if PHASE == 'quiet' then
			tell(user, is_told)
		end
	end
	call('ZADD', P .. 'u:' .. user, '0', ckey)
	return online
end

local function user_go(user, name)
	call('HDEL', WHO, user)
	call('ZREM', USERS, user)
	return depart(user, name)
end

-- His last connection is gone. In the quiet phase nobody goes who was here before: other
-- connections of his may not have been told yet.
local function user_leave(user, grace_ms)
	local _, since, name = note_parse(call('HGET', WHO, user) or NO_NOTE)
	if is_unheard_of(user) then
		call('ZREM', P .. 'quiet', user)
		call('HDEL', WHO, user)
		call('ZREM', USERS, user)
		return 0
	end
	if grace_ms == 0 and PHASE ~= 'quiet' then
		return user_go(user, name)
	end
	call('HSET', WHO, user, note_make('l', since, name))
	call('ZADD', P .. 'leaving', clock() + grace_ms, user)
	return 0
end

-- One of his connections is gone. Returns who went offline, 0 or 1.
local function user_part(user, ckey, grace_ms)
	local set = P .. 'u:' .. user
	call('ZREM', set, ckey)
	if call('EXISTS', set) == 1 then
		return 0
	end
	return user_leave(user, grace_ms)
end
