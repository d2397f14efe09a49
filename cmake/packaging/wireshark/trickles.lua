-- trickles.lua - Trickles for Wireshark and tshark: the option and every message of core/PROTOCOL.md section 3.
--
--     tshark -X lua_script:trickles.lua -r capture.pcap -Y trickles
--
-- or copy it into a plugins folder (Help, About Wireshark, Folders). It follows the other dissectors (a "postdissector"), so it
-- finds Trickles on any port, whatever else that port is known for. The option is the first one of a segment:
-- fd 04 54 52.

local trickles = Proto("trickles", "Trickles")

local forms = { [1] = "OPEN", [2] = "REQUEST", [3] = "RESTART", [4] = "CLOSE", [8] = "OPENED", [9] = "LONG", [10] = "NORMAL", [11] = "TERMINAL", [12] = "VERDICT" }
local verdicts = {
    [0x10] = "unknown-epoch", [0x11] = "retired-epoch", [0x12] = "bad-address", [0x13] = "bad-seal", [0x14] = "bad-proof",
    [0x15] = "bad-continuation", [0x20] = "not-adjoining", [0x21] = "beyond-recovery", [0x22] = "cut-spent", [0x23] = "too-many",
    [0x24] = "wrong-domain", [0x25] = "too-early", [0x26] = "attempts", [0x27] = "old-generation", [0x28] = "loss-spent",
    [0x29] = "replayed", [0x2a] = "no-room", [0x30] = "dropped", [0x31] = "reset", [0x32] = "closed",
}
local answer_flags = { { 1, "MORE" }, { 2, "DONE" }, { 4, "END" }, { 8, "FIN" }, { 16, "NO_FILTER" }, { 32, "REFRESH" }, { 64, "PLACED" },
                       { 128, "RENEW" } }
local request_flags = { { 1, "WANT_LONG" }, { 2, "INPUT" }, { 4, "INPUT_END" }, { 8, "PLACED" } }
local open_flags = { { 1, "INPUT" }, { 2, "INPUT_END" } }
local cont_types = { [1] = "input", [2] = "output", [3] = "range" }
local restart_kinds = { [1] = "timeout", [2] = "resume" }
local grant_kinds = { [0] = "normal", [1] = "opening" }

local F = {}
local function field(name, make, text, ...)
    F[name] = make("trickles." .. name, text, ...)
end
field("version", ProtoField.uint8, "Version", base.DEC, nil, 0xf0)
field("form", ProtoField.uint8, "Form", base.DEC, forms, 0x0f)
field("flags", ProtoField.uint8, "Flags", base.HEX)
field("code", ProtoField.uint8, "Verdict", base.HEX, verdicts)
field("random", ProtoField.bytes, "Random")
field("h", ProtoField.uint64, "Connection hash h", base.HEX)
field("t", ProtoField.uint32, "Opening tick t")
field("domain", ProtoField.uint32, "Domain", base.HEX)
field("epoch", ProtoField.uint8, "Epoch")
field("generation", ProtoField.uint32, "Generation")
field("tag", ProtoField.uint32, "Address tag", base.HEX)
field("slot", ProtoField.uint16, "Slot")
field("fill", ProtoField.uint16, "Fill")
field("reserve", ProtoField.uint16, "Reserve")
field("parts", ProtoField.uint8, "Parts", base.DEC, nil, 0xf0)
field("conts", ProtoField.uint8, "Continuations", base.DEC, nil, 0x0f)
field("kind", ProtoField.uint8, "Kind", base.DEC, grant_kinds)
field("restart", ProtoField.uint8, "Restart", base.DEC, restart_kinds)
field("attempt", ProtoField.uint8, "Attempt")
field("start", ProtoField.uint16, "Start")
field("ssthresh", ProtoField.uint16, "Slow start threshold")
field("base", ProtoField.uint64, "Base")
field("n", ProtoField.uint64, "Number n")
field("a", ProtoField.uint64, "First number granted a")
field("b", ProtoField.uint64, "Last number granted b")
field("f", ProtoField.uint64, "Last number sent f")
field("k", ProtoField.uint64, "Number spent k")
field("m", ProtoField.uint8, "Numbers spent m")
field("received", ProtoField.string, "Received")
field("xor", ProtoField.uint64, "Sum of nonces", base.HEX)
field("tick", ProtoField.uint32, "Tick")
field("offset", ProtoField.uint64, "Output offset")
field("digest", ProtoField.uint16, "Digest", base.HEX)
field("nonce", ProtoField.uint64, "Nonce", base.HEX)
field("seal", ProtoField.bytes, "Seal")
field("ask", ProtoField.string, "Ask")
field("cont_type", ProtoField.uint8, "Type", base.DEC, cont_types)
field("first", ProtoField.uint64, "First")
field("second", ProtoField.uint64, "Second")
field("opaque", ProtoField.bytes, "Opaque")
field("input_offset", ProtoField.uint64, "Input offset")
field("input", ProtoField.bytes, "Input")
field("data", ProtoField.bytes, "Data")
trickles.fields = {}
for _, f in pairs(F) do table.insert(trickles.fields, f) end

local bad = ProtoExpert.new("trickles.bad", "Message cut short or malformed", expert.group.MALFORMED, expert.severity.ERROR)
trickles.experts = { bad }

local f_tcp, f_header, f_length = Field.new("tcp"), Field.new("tcp.hdr_len"), Field.new("tcp.len")
local f_seq, f_stream = Field.new("tcp.seq_raw"), Field.new("tcp.stream")

-- What a stream's OPENED says: where number 0 would begin, and how wide a number is. Captures that begin later show no n.
local streams = {}
function trickles.init() streams = {} end

local function names_of(flags, list)
    local out = {}
    for _, f in ipairs(list) do
        if flags % (2 * f[1]) >= f[1] then table.insert(out, f[2]) end
    end
    return table.concat(out, " ")
end

-- ---- reading: a cursor over one message. Reading beyond its end raises, and the caller shows what there was. ----
local Reader = {}
Reader.__index = Reader
local function reader(tvb) return setmetatable({ tvb = tvb, at = 0 }, Reader) end
function Reader:left() return self.tvb:len() - self.at end
function Reader:take(n)
    if n > self:left() then error("cut short") end
    local r = self.tvb(self.at, n)
    self.at = self.at + n
    return r
end
function Reader:number(tree, f, n)
    local r = self:take(n)
    local value = n <= 4 and r:uint() or r:uint64()
    tree:add(f, r, value)
    return value
end
-- 48 bits, exact in a Lua number
function Reader:long(tree, f, n)
    local r, value = self:take(n), 0
    for i = 0, n - 1 do value = value * 256 + r(i, 1):uint() end
    if f then tree:add(f, r, UInt64.new(value % 4294967296, math.floor(value / 4294967296))) end
    return value
end
function Reader:varint()
    local head = self.tvb(self.at, 1):uint()
    local n = 2 ^ math.floor(head / 64)
    local r, value = self:take(n), 0
    for i = 0, n - 1 do value = value * 256 + (i == 0 and head % 64 or r(i, 1):uint()) end
    return value, r
end
local function u64(value) return UInt64.new(value % 4294967296, math.floor(value / 4294967296)) end

-- ---- pieces of messages ----
local function id(r, tree)
    r:number(tree, F.h, 8)
    r:number(tree, F.t, 4)
end
local function continuation(r, tree)
    local begin = r.at
    local kind = r.tvb(r.at, 1):uint()
    local opaque = r.tvb(r.at + 3, 2):uint()
    local sub = tree:add(trickles, r.tvb(begin, 21 + opaque + 16), string.format("%s continuation", cont_types[kind] or "unknown"))
    r:number(sub, F.cont_type, 1)
    r:number(sub, F.flags, 1)
    r:number(sub, F.epoch, 1)
    r:take(2)
    r:number(sub, F.first, 8)
    r:number(sub, F.second, 8)
    sub:add(F.opaque, r:take(opaque))
    sub:add(F.seal, r:take(16))
end

local function ranges(r, tree, count, base, last)
    local out, at, begin = {}, base, r.at
    for i = 1, count do
        local left = at + r:varint() + 1
        local right = i == count and last or left + r:varint()
        table.insert(out, left == right and string.format("%.0f", left) or string.format("%.0f-%.0f", left, right))
        at = right
    end
    tree:add(F.received, r.tvb(begin, r.at - begin), table.concat(out, " "))
end

local function part(r, tree, index)
    local begin = r.at
    local sub = tree:add(trickles, r.tvb(begin), "Part " .. index)
    r:number(sub, F.flags, 1)
    local m = r:number(sub, F.m, 1)
    local n_ranges, n_grants, n_asks = r:take(1):uint(), r:take(1):uint(), r:take(1):uint()
    local base = r:long(sub, F.base, 6)
    r:number(sub, F.start, 2)
    r:number(sub, F.ssthresh, 2)
    local distance, where = r:varint()
    local k = base + 1 + distance
    sub:add(F.k, where, u64(k))
    ranges(r, sub, n_ranges, base, k + m - 1)
    r:number(sub, F.xor, 8)
    local before = base
    for _ = 1, n_grants do
        local gap, at = r:varint()
        local a = before + 1 + gap
        local grant = sub:add(trickles, r.tvb(r.at), "Grant")
        grant:add(F.a, at, u64(a))
        local wide, sent = r:take(1), r:take(1)
        before = a + wide:uint()
        grant:add(F.b, wide, u64(before))
        grant:add(F.f, sent, u64(a + sent:uint()))
        r:number(grant, F.tick, 4)
        grant:add(F.seal, r:take(16))
        grant:append_text(string.format(" %.0f-%.0f", a, before))
    end
    for _ = 1, n_asks do
        local at = r.at
        local cont, offset, bytes = r:take(1):uint(), r:varint(), r:varint()
        sub:add(F.ask, r.tvb(at, r.at - at), string.format("%.0f bytes at %.0f of %s", bytes, offset, cont == 0xff and "the input's output" or "continuation " .. cont))
    end
    sub:append_text(string.format(": k=%.0f m=%d base=%.0f", k, m, base))
    sub:set_len(r.at - begin)
    return k, m
end

-- ---- messages: each returns what the Info column says ----
local function read_open(r, tree)
    local flags = r:number(tree, F.flags, 1)
    tree:add(F.random, r:take(16))
    local bytes = r:take(2):uint()
    if bytes > 0 then tree:add(F.input, r:take(bytes)) end
    return names_of(flags, open_flags) .. (bytes > 0 and " input=" .. bytes or "")
end

local function read_request(r, tree, form)
    local flags = r:number(tree, F.flags, 1)
    id(r, tree)
    r:number(tree, F.domain, 4)
    r:number(tree, F.epoch, 1)
    local generation = r:number(tree, F.generation, 4)
    r:number(tree, F.tag, 4)
    r:number(tree, F.slot, 2)
    r:number(tree, F.fill, 2)
    r:number(tree, F.reserve, 2)
    local counts = r.tvb(r.at, 1)
    tree:add(F.parts, counts)
    tree:add(F.conts, counts)
    local n_parts, n_conts = math.floor(counts:uint() / 16), counts:uint() % 16
    r:take(1)
    local info = "g=" .. generation
    if form == 3 then
        info = info .. " " .. (restart_kinds[r:number(tree, F.restart, 1)] or "?")
        info = info .. " r=" .. r:number(tree, F.attempt, 1)
    end
    local k, m
    for i = 1, n_parts do k, m = part(r, tree, i) end
    if k then info = info .. string.format(" k=%.0f", k) .. (m > 1 and string.format("-%.0f", k + m - 1) or "") end
    for _ = 1, n_conts do continuation(r, tree) end
    if flags % 4 >= 2 then
        r:take(1)
        if flags % 16 >= 8 then r:number(tree, F.input_offset, 8) end
        info = info .. " input=" .. r:left()
        if r:left() > 0 then tree:add(F.input, r:take(r:left())) end
    end
    return info .. " " .. names_of(flags, request_flags)
end

local function read_close(r, tree)
    r:take(1)
    id(r, tree)
    return "g=" .. r:number(tree, F.generation, 4)
end

local function rest(r, tree, flags, with_conts)
    local n = with_conts or ((flags % 2 >= 1 and 1 or 0) + (flags % 4 >= 2 and 2 or 0))
    if not with_conts and flags % 8 >= 4 and flags % 4 < 2 then n = n + 1 end
    if not with_conts and flags % 128 >= 64 and flags % 2 >= 1 then n = n + 1 end
    if not with_conts and flags >= 128 then n = n + 1 end      -- RENEW
    for _ = 1, n do continuation(r, tree) end
    local bytes = r:left()
    if bytes > 0 then tree:add(F.data, r:take(bytes)) end
    return " " .. names_of(flags, answer_flags) .. " data=" .. bytes
end

local function read_long(r, tree, form, where)
    local flags = r:number(tree, F.flags, 1)
    r:number(tree, F.epoch, 1)
    r:number(tree, F.kind, 1)
    r:number(tree, F.domain, 4)
    r:number(tree, F.tag, 4)
    local slot = r:number(tree, F.slot, 2)
    local generation = r:number(tree, F.generation, 4)
    r:number(tree, F.start, 2)
    r:number(tree, F.ssthresh, 2)
    local wide, sent = r:take(1), r:take(1)
    r:long(tree, F.base, 6)
    local a = r:long(tree, F.a, 6)
    tree:add(F.b, wide, u64(a + wide:uint()))
    tree:add(F.f, sent, u64(a + sent:uint()))
    local n = a + r:take(1):uint()
    tree:add(F.n, u64(n)):set_generated()
    r:number(tree, F.tick, 4)
    r:number(tree, F.offset, 8)
    r:number(tree, F.nonce, 8)
    tree:add(F.seal, r:take(16))
    if form == 8 then
        id(r, tree)
        streams[where.stream] = { slot = slot, isn = (where.seq + 1 - slot) % 4294967296 }
    end
    return string.format("g=%d n=%.0f of %.0f-%.0f", generation, n, a, a + wide:uint()) .. rest(r, tree, flags)
end

local function number_of(where)
    local s = streams[where.stream]
    return s and math.floor(((where.seq - s.isn) % 4294967296) / s.slot)
end

local function read_normal(r, tree, form, where)
    local flags = r:number(tree, F.flags, 1)
    local low = r:take(1):uint()
    local a_back, wide = r:take(1):uint(), r:take(1):uint()
    r:number(tree, F.digest, 2)
    r:number(tree, F.tick, 2)
    r:long(tree, F.offset, 4)
    r:number(tree, F.nonce, 8)
    tree:add(F.seal, r:take(16))
    local n, info = number_of(where), string.format("g=..%x", math.floor(low / 16))
    if n then
        tree:add(F.n, u64(n)):set_generated()
        info = info .. string.format(" n=%.0f of %.0f-%.0f", n, n - a_back, n - a_back + wide)
    end
    return info .. rest(r, tree, flags)
end

local function read_terminal(r, tree, form, where)
    local flags = r:number(tree, F.flags, 1)
    r:take(1)
    r:long(tree, F.offset, 4)
    local n = number_of(where)
    if n then tree:add(F.n, u64(n)):set_generated() end
    return (n and string.format("n=%.0f", n) or "") .. rest(r, tree, flags, flags % 8 >= 4 and 1 or 0)
end

local function read_verdict(r, tree)
    local code = r:number(tree, F.code, 1)
    id(r, tree)
    r:number(tree, F.generation, 4)
    r:long(tree, F.k, 6)
    r:number(tree, F.domain, 4)
    return verdicts[code] or string.format("0x%02x", code)
end

local readers = {
    [1] = read_open, [2] = read_request, [3] = read_request, [4] = read_close, [8] = read_long, [9] = read_long,
    [10] = read_normal, [11] = read_terminal, [12] = read_verdict,
}

function trickles.dissector(tvb, pinfo, tree)
    local tcp, header, length = f_tcp(), f_header(), f_length()
    if not tcp or not header or header.value < 24 or tcp.offset + header.value > tvb:len() then return end
    if tvb(tcp.offset + 20, 4):uint() ~= 0xfd045452 then return end
    pinfo.cols.protocol = "Trickles"
    local at, bytes = tcp.offset + header.value, length and length.value or 0
    if bytes == 0 then
        tree:add(trickles, tvb(tcp.offset + 20, 4), "Trickles, option only")
        return
    end
    local cut = at + bytes > tvb:len()
    local message = tvb(at, cut and tvb:len() - at or bytes):tvb()
    if message:len() == 0 then return end
    local form = message(0, 1):uint() % 16
    local sub = tree:add(trickles, message(), "Trickles " .. (forms[form] or "unknown form"))
    sub:add(F.version, message(0, 1))
    sub:add(F.form, message(0, 1))
    local r = reader(message)
    r:take(1)
    local where = { stream = f_stream().value, seq = f_seq().value }
    local ok, info = false, ""
    if readers[form] then ok, info = pcall(readers[form], r, sub, form, where) end
    if not ok then
        if not cut then sub:add_proto_expert_info(bad) end
        info = cut and "(captured in part)" or "(malformed)"
    end
    info = info:gsub("%s+", " ")
    pinfo.cols.info:set(string.format("%s %s", forms[form] or "?", info))
end

register_postdissector(trickles)
