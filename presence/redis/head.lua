-- SPDX-License-Identifier: Apache-2.0
--
-- One run carries out a batch of operations, in their order, as one atomic change. The parts
-- of this script, presence/redis/{head,event,user,gateway,connection,due,ask,shards,run}.lua,
-- are put together in that order by make. docs/PRESENCE.md tells what the keys hold.
--
-- KEYS[1] is "{prefix}:epoch"; all other keys begin as it does and share its hash tag.
-- ARGV: epoch, replica, generation, batch, events_max, grace_ms, sessions_max; operations.

local call = redis.call
local P = string.sub(KEYS[1], 1, -6)
local REPLICA = P .. 'replica:' .. ARGV[2]
local BATCH = ARGV[4]
local EVENTS_MAX = ARGV[5]
local GRACE_MS = tonumber(ARGV[6])
local SESSIONS_MAX = tonumber(ARGV[7])

-- enum err, for answers
local NOT_FOUND, EXISTS, LIMIT = -7, -8, -4

-- How many hubs there may be (SESSION_HUBS_MAX), and names that are marked.
local HUBS_MAX = 256
local MARKS_MAX = 1024

-- Nobody swept for so long: nobody could tell us anything, and the store's clock stood still.
local STALL_MS = 2000

-- How long we remember how far a replica got.
local REPLICA_S = 86400

-- Of one operation: what one slice does, and what one page holds.
local SLICE_MAX = 500
local PAGE_BYTES_MAX = 1048576

local state = call('MGET', KEYS[1], REPLICA, P .. 'phase', P .. 'start', P .. 'clock')
-- Without a start or a clock, which only happens where Redis evicts keys, nobody knows what is
-- new, nor what has ended.
if state[1] ~= ARGV[1] or not state[4] or not state[5] then
	return redis.error_reply('EPOCH what was kept is lost')
end
if not state[2] or string.match(state[2], '^%d+') ~= ARGV[3] then
	return redis.error_reply('FENCED this connection was given up')
end

local PHASE = state[3]
local START = state[4]
local SEEN, OFFSET = string.match(state[5], '^(%d+) (%d+)$')

local time = call('TIME')
local NOW = time[1] * 1000 + math.floor(time[2] / 1000)
local NOW_TEXT = string.format('%.0f', NOW)

-- Leases and graces are counted on a clock that stands still while no replica is there.
local function clock()
	return NOW - OFFSET
end
