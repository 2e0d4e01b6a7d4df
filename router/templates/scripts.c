/* scripts.c - what Redis does for templates, as Lua. */
#include "router/templates/scripts.h"

#include "classifier/guard/allowance.h"

const struct store_script script_adopt = {
    .name = "template-adopt",
    .body = "local id = ARGV[1]\n"
            "for i = 1, #KEYS do\n"
            "  local known = redis.call('GET', KEYS[i])\n"
            "  if known then id = known break end\n"
            "end\n"
            "for i = 1, #KEYS do\n"
            "  redis.call('SET', KEYS[i], id, 'PX', ARGV[2], 'NX')\n"
            "end\n"
            "return id\n",
};

/* A slice is counted as long as ALLOWANCE_STOCK_SLICES says. */
_Static_assert(ALLOWANCE_STOCK_SLICES == 9, "the script has the number");
const struct store_script script_share = {
    .name = "template-share",
    .body =
        "local time = redis.call('TIME')\n"
        "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
        "local share = tonumber(ARGV[1])\n"
        "local slices = {}\n"
        "for i = 1, #KEYS do\n"
        "  local slice = math.floor(now / tonumber(ARGV[2 * i]))\n"
        "  local sum, all = 0, redis.call('HGETALL', KEYS[i])\n"
        "  for k = 1, #all, 2 do\n"
        "    if tonumber(all[k]) <= slice - 9 then\n"
        "      redis.call('HDEL', KEYS[i], all[k])\n"
        "    else\n"
        "      sum = sum + tonumber(all[k + 1])\n"
        "    end\n"
        "  end\n"
        "  slices[i] = slice\n"
        "  share = math.min(share, tonumber(ARGV[2 * i + 1]) - sum)\n"
        "end\n"
        "if share <= 0 then return 0 end\n"
        "for i = 1, #KEYS do\n"
        "  redis.call('HINCRBY', KEYS[i], string.format('%.0f', slices[i]),\n"
        "             string.format('%.0f', share))\n"
        "  redis.call('PEXPIRE', KEYS[i], 10 * tonumber(ARGV[2 * i]))\n"
        "end\n"
        "return share\n",
};

_Static_assert(STORE_ARGS_MAX >= 3 + 1 + 3 * 8, "put takes eight at a time");

const struct store_script script_put = {
    .name = "template-put",
    .body =
        "for i = 2, #ARGV, 3 do\n"
        "  local id, rank = ARGV[i], tonumber(ARGV[i + 1])\n"
        "  local old = redis.call('HGET', KEYS[2], id)\n"
        "  local before = old and tonumber(string.match(old, '^(%d+) '))\n"
        "  if not before or before < rank then\n"
        "    redis.call('HSET', KEYS[2], id, ARGV[i + 1] .. ' ' .. ARGV[i + "
        "2])\n"
        "    redis.call('ZADD', KEYS[1], redis.call('INCR', KEYS[3]), id)\n"
        "  end\n"
        "end\n"
        "local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[1])\n"
        "if over > 0 then\n"
        "  for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, over - 1)) do\n"
        "    redis.call('HDEL', KEYS[2], id)\n"
        "  end\n"
        "  redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over - 1)\n"
        "end\n"
        "return redis.call('GET', KEYS[3])\n",
};

const struct store_script script_news = {
    .name = "template-news",
    .body =
        "local epoch = redis.call('GET', KEYS[3]) or '0'\n"
        "local most = tonumber(ARGV[2])\n"
        "local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1],\n"
        "                         '+inf', 'WITHSCORES', 'LIMIT', 0, most)\n"
        "local reply = { epoch }\n"
        "for i = 1, #found, 2 do\n"
        "  local state = redis.call('HGET', KEYS[2], found[i])\n"
        "  if state then\n"
        "    reply[#reply + 1] = string.match(state, '^%d+ (.*)$')\n"
        "  end\n"
        "end\n"
        "if #found == 2 * most then reply[1] = found[#found] end\n"
        "return reply\n",
};
