-- SPDX-License-Identifier: Apache-2.0
--
-- Which routers own keys: the hash `shards` has the greatest map that any replica told, and
-- the list of routers that is wanted; `leader` is the replica that makes maps, for as long as
-- it says so. A list that was wanted before anybody went by a map has `target_after`: the epoch
-- that was kept then, which the cluster's first map will follow.

local SHARDS = P .. 'shards'
local LEADER = P .. 'leader'

-- Those of the hash that are there.
local function shards_read()
	local list = call('HGETALL', SHARDS)
	local shards = { epoch = '0', phase = '0', routers = '', next = '', target = '', target_after = '' }
	for i = 1, #list, 2 do
		shards[list[i]] = list[i + 1]
	end
	return shards
end

local function shards_put(epoch, phase, routers, next)
	call('HSET', SHARDS, 'epoch', epoch, 'phase', phase, 'routers', routers, 'next', next)
end

local function shards_is_before(shards, epoch, phase)
	local left, right = tonumber(shards.epoch), tonumber(epoch)
	return left < right or left == right and tonumber(shards.phase) < tonumber(phase)
end

local function leader_renew(name, lease_ms)
	local leader = call('GET', LEADER)
	if not leader or leader == name then
		call('SET', LEADER, name, 'PX', lease_ms)
		return name
	end
	return leader
end

local function shards_tell(name, lease_ms, epoch, phase, routers, next, target)
	local shards = shards_read()
	if shards_is_before(shards, epoch, phase) then
		shards_put(epoch, phase, routers, next)
	end
	if shards.target == '' and target ~= '' then
		call('HSET', SHARDS, 'target', target)
	end
	local leader = leader_renew(name, lease_ms)
	shards = shards_read()
	return { leader, shards.epoch, shards.phase, shards.routers, shards.next, shards.target }
end

-- The map behind (after_epoch, after_phase). As the first of a cluster it ends what was wanted
-- of the one before.
local function shards_step(name, after_epoch, after_phase, epoch, phase, routers, next, is_over)
	local shards = shards_read()
	if call('GET', LEADER) ~= name or shards.epoch ~= after_epoch or
			shards.phase ~= after_phase then
		return EXISTS
	end
	shards_put(epoch, phase, routers, next)
	if is_over == '1' and shards.target_after ~= after_epoch and shards.target ~= '' then
		call('HSET', SHARDS, 'target', routers)
	end
	return 0
end

local function shards_target(target, is_first)
	local after = is_first == '1' and shards_read().epoch or ''
	call('HSET', SHARDS, 'target', target, 'target_after', after)
	return 0
end
