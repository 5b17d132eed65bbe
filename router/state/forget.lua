-- SPDX-License-Identifier: Apache-2.0
--
-- KEYS: log, fields, order.

redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
return { 1, 0 }
