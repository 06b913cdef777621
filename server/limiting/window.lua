-- Exact sliding windows: all of a call's limits are judged, then all are taken or none.
--
-- A key holds a header and, in the order they were admitted, the times of the latest
-- calls (microseconds of this server's clock, 8 bytes each). One more call is one
-- APPEND; once in a while the string is written anew without the calls that no figure
-- asks for any longer. The rings of one host (ringslot.py) answer the same.
--
-- KEYS: one for each limit.
-- ARGV: 1 to take or 0 to look, what the call costs; then for each key its amount, its
-- window, and how long an edited figure may look back, both in microseconds.
-- Returns whether the call is admitted; then for each key what is left, when the oldest
-- counted call leaves, and when the limit would admit this call.

local call, pack, unpack = redis.call, struct.pack, struct.unpack
local floor, max, min = math.floor, math.max, math.min

local MARK = 'WEIRlog1'
local HEADER = 40    -- the mark; forgotten calls, capacity, looked back, expiry
local STAMP = 8
local PIECE = 4096   -- what is read at once: header and stamps of most figures
local LEAST = 64     -- calls that are remembered however small the figure
local SKEW = 1000    -- a clock that is less behind the newest call is not a step

local time = call('TIME')
local clock = time[1] * 1000000 + time[2]
local takes, cost = ARGV[1] == '1', tonumber(ARGV[2])

local function read(key)
  local piece = call('GETRANGE', key, 0, PIECE - 1)
  local length = #piece
  if length == 0 then
    return { stored = 0, forgotten = 0, capacity = 0, back = 0, ends = 0 }
  end
  if length <= HEADER or string.sub(piece, 1, #MARK) ~= MARK then return nil end
  local whole = length < PIECE
  if not whole then length = call('STRLEN', key) end
  local log = { stored = (length - HEADER) / STAMP }
  log.forgotten, log.capacity, log.back, log.ends = unpack('<dddd', piece, #MARK + 1)
  -- The time of the nth newest call, from 0. Forgotten calls are taken to be as young
  -- as the oldest known one, so an edit forgives none of them.
  log.time = function(nth)
    local at = length - STAMP * (min(nth, log.stored - 1) + 1)
    if whole then return (unpack('<d', piece, at + 1)) end
    return (unpack('<d', call('GETRANGE', key, at, at + STAMP - 1)))
  end
  return log
end

-- The clock was put back, or another server has taken over whose clock is behind: no
-- call is later than now, so a key is locked for one window at most, and not freed.
local function mend(key, log)
  local low, high = 1, log.stored
  while low < high do  -- how many are later
    local middle = floor((low + high) / 2)
    if log.time(middle) > clock then low = middle + 1 else high = middle end
  end
  local at = HEADER + STAMP * (log.stored - low)
  call('SETRANGE', key, at, string.rep(pack('<d', clock), low))
  return read(key)
end

-- How many of the latest *amount* calls came after *edge*.
local function count(log, amount, edge)
  local known = min(amount, log.stored + log.forgotten)
  if known == 0 or log.time(0) <= edge then return 0 end
  if log.time(known - 1) > edge then return known end
  local low, high = 1, known - 1
  while low < high do
    local middle = floor((low + high) / 2)
    if log.time(middle) > edge then low = middle + 1 else high = middle end
  end
  return low
end

local function write(key, log, now, amount, back, spent)
  local capacity = max(log.capacity, amount)
  back = max(log.back, back)
  local expires = back > log.back or (spent > 0 and log.ends - clock < back)
  -- A little longer than needed, so that it need not be said anew at every call.
  local ends = expires and clock + back + floor(back / 8) or log.ends
  local life = string.format('%.0f', floor((ends - clock) / 1000) + 1)
  local stamps = string.rep(pack('<d', now), spent)
  local keep = max(LEAST, capacity)
  local stored = log.stored + spent
  if log.stored == 0 or stored > keep + max(LEAST, floor(keep / 8)) then
    local dropped = max(0, stored - keep)
    local header = pack('<dddd', log.forgotten + dropped, capacity, back, ends)
    local kept = ''
    if log.stored > dropped then
      kept = call('GETRANGE', key, HEADER + STAMP * dropped, -1)
    end
    call('SET', key, MARK .. header .. kept .. stamps, 'PX', life)
    return
  end
  if spent > 0 then call('APPEND', key, stamps) end
  if expires or capacity > log.capacity then
    call('SETRANGE', key, #MARK, pack('<dddd', log.forgotten, capacity, back, ends))
  end
  if expires then call('PEXPIRE', key, life) end
end

local logs, admitted = {}, true
for i, key in ipairs(KEYS) do
  local log = read(key)
  if not log then return redis.error_reply('WEIR ' .. key .. ' is no counter') end
  log.amount, log.window = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  logs[i] = log
end
for i, key in ipairs(KEYS) do
  local log, now = logs[i], clock
  local newest = log.stored > 0 and log.time(0) or clock
  if newest > clock + SKEW - 1 then
    local amount, window = log.amount, log.window
    log = mend(key, log)
    log.amount, log.window, logs[i] = amount, window, log
  elseif newest > clock then
    now = newest
  end
  log.now, log.counted = now, count(log, log.amount, now - log.window)
  if log.counted + cost > log.amount then admitted = false end
end

local answer, spent = { admitted and 1 or 0 }, admitted and takes and cost or 0
for i, key in ipairs(KEYS) do
  local log = logs[i]
  local amount, window, now, counted = log.amount, log.window, log.now, log.counted
  local reset, wait = spent > 0 and window or 0, 0
  if counted > 0 then reset = log.time(counted - 1) + window - now end
  if cost > amount then
    wait = window
  elseif counted + cost > amount then
    wait = log.time(amount - cost) + window - now
  end
  if log.stored > 0 or spent > 0 then
    write(key, log, now, amount, tonumber(ARGV[3 * i + 2]), spent)
  end
  answer[3 * i - 1], answer[3 * i], answer[3 * i + 1] =
    amount - counted - spent, reset, wait
end
return answer
