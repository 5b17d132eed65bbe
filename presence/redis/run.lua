-- SPDX-License-Identifier: Apache-2.0
--
-- Operations by the letter that stands before their arguments: their answer, and how many
-- arguments they have.

local A = ARGV
local operations = {
	N = function(i) return gateway_new(A[i], A[i + 1], A[i + 2]), 3 end,
	R = function(i) return gateway_renew(tonumber(A[i]), A[i + 1]), 2 end,
	P = function(i) return gateway_replayed(tonumber(A[i])), 1 end,
	X = function(i) return gateway_give_up(tonumber(A[i])), 1 end,
	A = function(i)
		return connection_add(A[i], A[i + 1], A[i + 2], A[i + 3], A[i + 4], A[i + 5]), 6
	end,
	D = function(i) return connection_remove(A[i], A[i + 1]), 2 end,
	S = function(i) return sweep(tonumber(A[i])), 1 end,
	E = function() return settle(), 0 end,
	L = function(i)
		return shards_tell(A[i], A[i + 1], A[i + 2], A[i + 3], A[i + 4], A[i + 5], A[i + 6]), 7
	end,
	M = function(i)
		return shards_step(A[i], A[i + 1], A[i + 2], A[i + 3], A[i + 4], A[i + 5], A[i + 6], A[i + 7]), 8
	end,
	T = function(i) return shards_target(A[i], A[i + 1]), 2 end,
	K = function(i) return mark(A[i], A[i + 1]), 2 end,
	B = function(i)
		local n = tonumber(A[i + 1])
		return declare(A[i], i + 2, n), 2 + n
	end,
	u = function(i) return ask_user(A[i], A[i + 1], tonumber(A[i + 2])), 3 end,
	c = function(i) return ask_connection(A[i]), 1 end,
	l = function(i) return ask_list(A[i], A[i + 1], tonumber(A[i + 2])), 3 end,
	n = function() return ask_count(), 0 end,
	e = function(i) return ask_events(A[i], A[i + 1], tonumber(A[i + 2])), 3 end,
	k = function(i) return call('HGET', P .. 'marks', A[i]) or '', 1 end,
	m = function(i) return ask_mirror(A[i]), 1 end,
}

local answers = {}
local kept = {}
local at = 8
while at <= #A do
	local answer, n = operations[A[at]](at + 1)
	answers[#answers + 1] = answer
	kept[#kept + 1] = type(answer) == 'table' and '' or answer
	at = at + 1 + n
end
hubs_save()

-- Should the connection break before the answer arrives, the replica finds it here.
if BATCH ~= '0' then
	call('SET', REPLICA, ARGV[3] .. ' ' .. BATCH .. ' ' .. table.concat(kept, ','),
		'EX', REPLICA_S)
end
return answers
