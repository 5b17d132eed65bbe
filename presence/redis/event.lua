-- SPDX-License-Identifier: Apache-2.0
--
-- Who is told what. In the quiet phase nobody is: `quiet` collects who came, and what speaks
-- for it that he was here before (declared by replicas: 1 each; told by his gateway: 0.5).
-- While it is settled, a user's next change settles him.

local declared
local EVENTS = P .. 'events'
local NEXT_ID = START .. '-*'

-- The stream is gone, which only happens where Redis evicts keys: another one begins, by which
-- all replicas know that watchers are to ask again.
local function stream_begin()
	START = string.format('%.0f', math.max(NOW, tonumber(START) + 1))
	NEXT_ID = START .. '-*'
	call('SET', P .. 'start', START)
	call('XADD', EVENTS, START .. '-0', 't', 'b', 'u', '', 'n', '', 'a', NOW_TEXT)
end

local function stream_append(kind, user, name)
	return call('XADD', EVENTS, 'NOMKSTREAM', 'MAXLEN', '~', EVENTS_MAX, NEXT_ID,
		't', kind, 'u', user, 'n', name, 'a', NOW_TEXT)
end

-- '+' online, '-' offline, 'p' and 'm' the same, when settled; 'r' reset; 'e' all are settled.
local function event(kind, user, name)
	if not stream_append(kind, user, name) then
		stream_begin()
		stream_append(kind, user, name)
	end
end

-- Do all replicas believe that he is here; does any? When none remembers, gateways may know.
local function believed(score)
	declared = declared or call('SCARD', P .. 'declared')
	if declared == 0 then
		local is_told = score % 1 > 0
		return is_told, is_told
	end
	return math.floor(score) >= declared, score >= 1
end

-- 1: came online by it; -1: went offline.
local function settle_user(user, name, is_here, score)
	local all, any = believed(tonumber(score))
	if is_here and not all then
		event('p', user, name)
		return 1
	elseif not is_here and any then
		event('m', user, name)
		return -1
	end
	return 0
end

-- A connection of his that was told before: he is no newcomer.
local function tell(user, is_told)
	local score = call('ZSCORE', P .. 'quiet', user)
	if not score then
		call('ZADD', P .. 'quiet', is_told and 0.5 or 0, user)
	elseif is_told and score % 1 == 0 then
		call('ZINCRBY', P .. 'quiet', 0.5, user)
	end
end

-- Takes him out of those who are yet to be settled: his score, if he was.
local function unsettled(user)
	local score = call('ZSCORE', P .. 'quiet', user)
	if score then
		call('ZREM', P .. 'quiet', user)
	end
	return score
end

-- His first connection is here. Returns who came online, 0 or 1.
local function arrive(user, name, is_told)
	if PHASE == 'quiet' then
		tell(user, is_told)
		return 0
	end
	if PHASE then
		local score = unsettled(user)
		if score then
			return settle_user(user, name, true, score)
		end
	end
	event('+', user, name)
	return 1
end

-- He is gone. Returns who went offline, 0 or 1.
local function depart(user, name)
	if PHASE == 'quiet' then
		return 0
	end
	if PHASE then
		local score = unsettled(user)
		if score then
			return -settle_user(user, name, false, score)
		end
	end
	event('-', user, name)
	return 1
end

-- Was he never told of, and nobody believes that he is here?
local function is_unheard_of(user)
	if not PHASE then
		return false
	end
	local score = call('ZSCORE', P .. 'quiet', user)
	if not score then
		return false
	end
	if PHASE == 'quiet' then
		return tonumber(score) == 0
	end
	local _, any = believed(tonumber(score))
	return not any
end
