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
local NUMBERS = '<dddd'  -- forgotten calls, capacity, how long is looked back, expiry
local HEADER = 40        -- bytes of the mark and the numbers
local STAMP = 8          -- bytes of a time
local PIECE = 4096       -- what is read at once: all there is, for most figures
local LEAST = 64         -- calls that are remembered however small the figure
local SKEW = 1000        -- a clock that is less behind the newest call is not a step

local time = call('TIME')
local clock = time[1] * 1000000 + time[2]
local takes, cost = ARGV[1] == '1', tonumber(ARGV[2])

-- The time of the nth newest call, from 0. Forgotten calls are taken to be as young as
-- the oldest known one, so an edit forgives none of them.
local function newest(log, nth)
  local at = max(HEADER, log.length - STAMP * (nth + 1))
  if log.length < PIECE then return (unpack('<d', log.piece, at + 1)) end
  return (unpack('<d', call('GETRANGE', log.key, at, at + STAMP - 1)))
end

-- How many of the *known* latest calls came after *edge*.
local function count(log, known, edge)
  if newest(log, 0) <= edge then return 0 end
  if newest(log, known - 1) > edge then return known end
  local low, high = 1, known - 1
  while low < high do
    local middle = floor((low + high) / 2)
    if newest(log, middle) > edge then low = middle + 1 else high = middle end
  end
  return low
end

-- The clock was put back, or another server has taken over whose clock is behind: no
-- call is later than now, so a key is locked for one window at most, and not freed.
local function mend(log)
  local later = count(log, (log.length - HEADER) / STAMP, clock)
  local at = log.length - STAMP * later
  call('SETRANGE', log.key, at, string.rep(pack('<d', clock), later))
  log.piece = call('GETRANGE', log.key, 0, PIECE - 1)
end

-- What is known of a key, and how many of its calls count; nil: it is not ours.
local function look(key, amount, window)
  local piece = call('GETRANGE', key, 0, PIECE - 1)
  local length = #piece
  if length > 0 and (length <= HEADER or string.sub(piece, 1, #MARK) ~= MARK) then
    return nil
  end
  if length == PIECE then length = call('STRLEN', key) end
  local log = {
    key = key, piece = piece, length = length, amount = amount, window = window,
    now = clock, counted = 0,
  }
  if length == 0 then return log end
  local latest = newest(log, 0)
  if latest - clock >= SKEW then
    mend(log)
  elseif latest > clock then
    log.now = latest
  end
  local known = (length - HEADER) / STAMP + unpack('<d', piece, #MARK + 1)
  log.counted = count(log, min(amount, known), log.now - window)
  return log
end

-- Write to the log that the call was admitted, if it *spent*; drop what is too old, and
-- keep the rest for as long as this figure, or a longer one before it, looks back.
local function write(log, back, spent)
  local forgotten, capacity, longest, ends = 0, 0, 0, 0
  if log.length > 0 then
    forgotten, capacity, longest, ends = unpack(NUMBERS, log.piece, #MARK + 1)
  end
  local stamps = string.rep(pack('<d', log.now), spent)
  local stored = max(0, log.length - HEADER) / STAMP + spent
  local larger = log.amount > capacity
  capacity, back = max(capacity, log.amount), max(longest, back)
  local expires = back > longest or (spent > 0 and ends - clock < back)
  -- A little longer than needed, so that it need not be said anew at every call.
  if expires then ends = clock + back + floor(back / 8) end
  local keep = max(LEAST, capacity)
  local full = stored > keep + max(LEAST, floor(keep / 8))
  if spent > 0 and log.length > 0 and not full then call('APPEND', log.key, stamps) end
  if not (expires or larger or full) then return end

  local life = string.format('%.0f', floor((ends - clock) / 1000) + 1)
  if log.length == 0 or full then
    local dropped = max(0, stored - keep)
    local kept = call('GETRANGE', log.key, HEADER + STAMP * dropped, -1)
    local header = MARK .. pack(NUMBERS, forgotten + dropped, capacity, back, ends)
    call('SET', log.key, header .. kept .. stamps, 'PX', life)
    return
  end
  call('SETRANGE', log.key, #MARK, pack(NUMBERS, forgotten, capacity, back, ends))
  if expires then call('PEXPIRE', log.key, life) end
end

local logs, admitted = {}, true
for i = 1, #KEYS do
  local log = look(KEYS[i], tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1]))
  if not log then return redis.error_reply('WEIR ' .. KEYS[i] .. ' is no counter') end
  if log.counted + cost > log.amount then admitted = false end
  logs[i] = log
end

local answer, spent = { admitted and 1 or 0 }, admitted and takes and cost or 0
for i, log in ipairs(logs) do
  local amount, window, now, counted = log.amount, log.window, log.now, log.counted
  local reset, wait = spent > 0 and window or 0, 0
  if counted > 0 then reset = newest(log, counted - 1) + window - now end
  if cost > amount then
    wait = window
  elseif counted + cost > amount then
    wait = newest(log, amount - cost) + window - now
  end
  answer[3 * i - 1], answer[3 * i] = amount - counted - spent, reset
  answer[3 * i + 1] = wait
  if log.length > 0 or spent > 0 then write(log, tonumber(ARGV[3 * i + 2]), spent) end
end
return answer
