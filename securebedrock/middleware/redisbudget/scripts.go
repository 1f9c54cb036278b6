package redisbudget

// A hash holds the window's number (w), what was spent in it (t, c) and a field for
// each call that is not settled (r…), so that a client that sends a script again
// after a lost answer reserves and settles once. Numbers in Lua are doubles, exact
// to 2^53, which is nine thousand million of the currency; HINCRBY is exact to 2^63.

// reserve: KEYS key; ARGV window in ms, limits, amounts, ID. A server whose clock is
// behind that of the one it took over from goes on in the later window.
const reserve = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local window = tonumber(ARGV[1])
local id = math.floor(now / window)
local held = tonumber(redis.call('HGET', KEYS[1], 'w') or '-1')
if held < id then
  redis.call('DEL', KEYS[1])
  redis.call('HSET', KEYS[1], 'w', string.format('%.0f', id))
else
  id = held
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', window + 3600000))
local call = 'r' .. ARGV[6]
if redis.call('HEXISTS', KEYS[1], call) == 1 then
  return {1, id}
end
local function full(field, limit, amount)
  local spent = tonumber(redis.call('HGET', KEYS[1], field) or '0')
  return limit > 0 and (spent >= limit or spent + amount > limit)
end
if full('t', tonumber(ARGV[2]), tonumber(ARGV[4])) or full('c', tonumber(ARGV[3]), tonumber(ARGV[5])) then
  return {0, id}
end
redis.call('HINCRBY', KEYS[1], 't', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'c', ARGV[5])
redis.call('HSET', KEYS[1], call, '1')
return {1, id}
`

// settle: KEYS key; ARGV window's number, ID, what to add.
const settle = `
if redis.call('HGET', KEYS[1], 'w') == ARGV[1] and redis.call('HDEL', KEYS[1], 'r' .. ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], 't', ARGV[3])
  redis.call('HINCRBY', KEYS[1], 'c', ARGV[4])
end
return 1
`
