-- SPDX-License-Identifier: Apache-2.0
--
-- KEYS: fields, order. ARGV: name. Answers {version, value}, or nil,
-- also when eviction has left one of the keys: both are needed.

local version = redis.call('ZSCORE', KEYS[2], ARGV[1])
local value = redis.call('HGET', KEYS[1], '=' .. ARGV[1])
return version and value and { tonumber(version), value }
