package redisbudget

// A hash holds the window's number (w), what was spent in it (t, c) and a field for
// each call that is not settled (r…), so that a client that sends a script again
// after a lost answer reserves and settles once. A field for each call that was given
// up (x…) turns its reservation away, should that come late. Numbers in Lua are
// doubles, exact to 2^53, which is nine thousand million of the currency; HINCRBY is
// exact to 2^63.

// enter begins a script whose first argument is the window in ms: it empties the
// hash of a window that is over. A server whose clock is behind that of the one it
// took over from goes on in the later window.
const enter = `
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
`

// reserve: KEYS key; ARGV window in ms, limits, amounts, ID.
const reserve = enter + `
local call = 'r' .. ARGV[6]
if redis.call('HEXISTS', KEYS[1], call) == 1 then
  return {1, id, 0, 0}
end
if redis.call('HEXISTS', KEYS[1], 'x' .. ARGV[6]) == 1 then
  return {0, id, 0, 0}
end
local function full(field, limit, amount)
  local spent = tonumber(redis.call('HGET', KEYS[1], field) or '0')
  return limit > 0 and (spent >= limit or spent + amount > limit)
end
if full('t', tonumber(ARGV[2]), tonumber(ARGV[4])) or full('c', tonumber(ARGV[3]), tonumber(ARGV[5])) then
  return {0, id, redis.call('HGET', KEYS[1], 't') or '0', redis.call('HGET', KEYS[1], 'c') or '0'}
end
redis.call('HINCRBY', KEYS[1], 't', ARGV[4])
redis.call('HINCRBY', KEYS[1], 'c', ARGV[5])
redis.call('HSET', KEYS[1], call, '1')
return {1, id, 0, 0}
`

// release: KEYS key; ARGV window in ms, ID, what to add. A reservation that comes
// later, or once more, is turned away.
const release = enter + `
if redis.call('HDEL', KEYS[1], 'r' .. ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], 't', ARGV[3])
  redis.call('HINCRBY', KEYS[1], 'c', ARGV[4])
end
redis.call('HSET', KEYS[1], 'x' .. ARGV[2], '1')
return 1
`

// settle: KEYS key; ARGV window's number, ID, what to add.
const settle = `
if redis.call('HGET', KEYS[1], 'w') == ARGV[1] and redis.call('HDEL', KEYS[1], 'r' .. ARGV[2]) == 1 then
  redis.call('HINCRBY', KEYS[1], 't', ARGV[3])
  redis.call('HINCRBY', KEYS[1], 'c', ARGV[4])
end
return 1
`
