#pragma once

#include <string_view>

/// The constant programs of ir/shim.h. Kept apart from the code that uses them because they are
/// programs in other languages; tests/unit/ir/shim_test.cpp runs them for real.
namespace couler::ir {

/// POSIX sh, for dash, bash and BusyBox ash. Names are identifiers and types are words without
/// characters that mean anything to a shell (shim.cpp), so the `eval`s below build no program text
/// from values. Runs under `-eu`.
inline constexpr std::string_view kShShim =
    R"sh(_couler_json=${COULER_JSON-} _couler_script=$COULER_SCRIPT _couler_types=$COULER_TYPES
unset COULER_JSON COULER_SCRIPT COULER_TYPES COULER_TASK
_couler_fail() {
  printf 'couler: %s\n' "$1" >&2
  exit 64
}
_couler_done=
_couler_write() {
  _couler_done=1
  IFS=' '
  for _couler_word in $_couler_types; do
    case $_couler_word in out:*) ;; *) continue ;; esac
    _couler_word=${_couler_word#out:}
    _couler_name=${_couler_word%%:*} _couler_type=${_couler_word#*:}
    eval "_couler_set=\${$_couler_name+1} _couler_value=\${$_couler_name-} _couler_path=\$_couler_out_$_couler_name"
    case $_couler_set$_couler_type in
      1* | opt:*) ;;
      *) _couler_fail "output \`$_couler_name\` was not set" ;;
    esac
    if [ "$_couler_json" = 1 ]; then
      COULER_VALUE=$_couler_value LC_ALL=C "$_couler_awk" -v "name=$_couler_name" \
        -v "type=$_couler_type" -v dir=out "$_couler_program" </dev/null >"$_couler_path" || exit
    else
      printf '%s' "$_couler_value" >"$_couler_path" || exit
    fi
  done
}
if [ "$_couler_json" = 1 ]; then
  _couler_awk=$(command -v awk) || _couler_fail 'this image has no awk, which reading values needs'
  _couler_program='@AWK@'
fi
for _couler_word in $_couler_types; do
  _couler_kind=${_couler_word%%:*} _couler_word=${_couler_word#*:}
  _couler_name=${_couler_word%%:*} _couler_type=${_couler_word#*:}
  case $_couler_kind in
    in)
      if [ "$_couler_json" = 1 ]; then
        eval "_couler_value=\$COULER_IN_$_couler_name"
        _couler_value=$(COULER_VALUE=$_couler_value LC_ALL=C "$_couler_awk" \
          -v "name=$_couler_name" -v "type=$_couler_type" -v dir=in "$_couler_program" </dev/null &&
          printf x)
        eval "$_couler_name=\${_couler_value%x}"
      else
        eval "$_couler_name=\$COULER_IN_$_couler_name"
      fi
      unset "COULER_IN_$_couler_name"
      ;;
    out)
      eval "_couler_out_$_couler_name=\$COULER_OUT_$_couler_name"
      unset "COULER_OUT_$_couler_name" "$_couler_name"
      ;;
    path)
      eval "$_couler_name=\$COULER_OUT_$_couler_name"
      unset "COULER_OUT_$_couler_name"
      ;;
  esac
done
unset _couler_value
trap '_couler_status=$?
if [ "$_couler_status" = 0 ] && [ -z "$_couler_done" ]; then _couler_write; fi
exit "$_couler_status"' EXIT
eval "$_couler_script"
_couler_status=$?
if [ "$_couler_status" != 0 ]; then exit "$_couler_status"; fi
_couler_write
)sh";

/// POSIX awk: COULER_VALUE from JSON to text (dir=in) or from text to JSON (dir=out), by `type`.
/// Has no apostrophe in it, since it stands between two of them.
inline constexpr std::string_view kAwkProgram = R"awk(
function fail(message) {
  print "couler: `" name "`: " message | "cat 1>&2"
  close("cat 1>&2")
  exit 64
}
function skip() { while (p <= n && index(" \t\r\n", substr(s, p, 1))) p++ }
function hex4(digits,   i, d, v) {
  v = 0
  for (i = 1; i <= 4; i++) {
    d = index("0123456789abcdef", tolower(substr(digits, i, 1))) - 1
    if (length(digits) < 4 || d < 0) fail("a bad \\u escape in its JSON")
    v = v * 16 + d
  }
  return v
}
function utf8(c) {
  if (c == 0) fail("a NUL character cannot be given to sh")
  if (c < 128) return sprintf("%c", c)
  if (c < 2048) return sprintf("%c%c", 192 + int(c / 64), 128 + c % 64)
  if (c < 65536)
    return sprintf("%c%c%c", 224 + int(c / 4096), 128 + int(c / 64) % 64, 128 + c % 64)
  return sprintf("%c%c%c%c", 240 + int(c / 262144), 128 + int(c / 4096) % 64, \
                 128 + int(c / 64) % 64, 128 + c % 64)
}
function put(t) {
  if (inlist && index(t, "\n")) fail("an item with a newline in it cannot be given to sh")
  printf "%s", t
}
function putstring(   c, e, i, u, low, start) {
  start = ++p
  while (1) {
    if (p > n) fail("a JSON string without its end")
    c = substr(s, p, 1)
    if (c == "\"") {
      put(substr(s, start, p - start))
      p++
      return
    }
    if (c != "\\") {
      p++
      continue
    }
    put(substr(s, start, p - start))
    e = substr(s, p + 1, 1)
    i = e == "" ? 0 : index("\"\\/bfnrt", e)
    if (i) {
      p += 2
      put(substr("\"\\/\b\f\n\r\t", i, 1))
    } else {
      if (e != "u") fail("a bad escape in its JSON")
      u = hex4(substr(s, p + 2, 4))
      p += 6
      if (u >= 55296 && u < 56320 && substr(s, p, 2) == "\\u") {
        low = hex4(substr(s, p + 2, 4))
        if (low >= 56320 && low < 57344) {
          u = 65536 + (u - 55296) * 1024 + low - 56320
          p += 6
        }
      }
      if (u >= 55296 && u < 57344) fail("half of a surrogate pair in its JSON")
      put(utf8(u))
    }
    start = p
  }
}
function raw(   c, depth, quoted, start) {
  start = p
  depth = 0
  quoted = 0
  for (; p <= n; p++) {
    c = substr(s, p, 1)
    if (quoted) {
      if (c == "\\") p++
      else if (c == "\"") quoted = 0
    } else if (c == "\"") quoted = 1
    else if (c == "[" || c == "{") depth++
    else if (depth == 0 && index(",]} \t\r\n", c)) break
    else if (c == "]" || c == "}") {
      if (--depth == 0) {
        p++
        break
      }
    }
  }
  if (p == start || depth > 0 || quoted) fail("not a whole JSON value")
  return substr(s, start, p - start)
}
function units(t, which, zero,   i, k, list, pair, v) {
  if (t !~ /^-?[0-9]+$/) fail("expected a JSON integer")
  v = t + 0
  if (v == 0) return "0 " zero
  if (v > 9007199254740992 || v < -9007199254740992) fail("too large to be given to sh")
  k = split(which, list, " ")
  for (i = 1; i <= k; i++) {
    split(list[i], pair, "=")
    if (v % pair[2] == 0) return sprintf("%.0f %s", v / pair[2], pair[1])
  }
}
function show(t,   c, r) {
  skip()
  sub(/^opt:/, "", t)
  c = substr(s, p, 1)
  if (substr(s, p, 4) == "null") {
    p += 4
  } else if (t ~ /^(string|timestamp|file|dir|enum)/ || (t == "float" && c == "\"")) {
    if (c != "\"") fail("expected a JSON string")
    putstring()
  } else {
    r = raw()
    if (t == "duration") r = units(r, durations, "s")
    else if (t == "size") r = units(r, sizes, "B")
    put(r)
  }
  skip()
}
function showlist(item,   c) {
  if (substr(s, p, 1) != "[") fail("expected a JSON list")
  inlist = 1
  p++
  skip()
  if (substr(s, p, 1) != "]") {
    while (1) {
      show(item)
      c = substr(s, p, 1)
      if (c == "]") break
      if (c != ",") fail("expected a comma in its JSON list")
      p++
      printf "\n"
    }
  }
  p++
  skip()
}
function quote(t,   i, c, k) {
  printf "\""
  k = length(t)
  for (i = 1; i <= k; i++) {
    c = substr(t, i, 1)
    printf "%s", (c in escape) ? escape[c] : c
  }
  printf "\""
}
function trim(t) {
  sub(/^[ \t\r\n]+/, "", t)
  sub(/[ \t\r\n]+$/, "", t)
  return t
}
function integer(t,   sign, limit) {
  if (t !~ /^[-+]?[0-9]+$/) fail("expected an int, found \"" t "\"")
  sign = substr(t, 1, 1) == "-" ? "-" : ""
  sub(/^[-+]/, "", t)
  sub(/^0+/, "", t)
  if (t == "") return "0"
  limit = sign == "" ? "9223372036854775807" : "9223372036854775808"
  if (length(t) > 19 || (length(t) == 19 && ("x" t) > ("x" limit))) fail("an int out of range")
  return sign t
}
function real(t,   low, sign, k, r, e, d) {
  low = tolower(t)
  if (low ~ /^[-+]?(nan|inf|infinity)$/) {
    sub(/^\+/, "", low)
    sub(/infinity/, "inf", low)
    return "\"" (low ~ /nan/ ? "nan" : low) "\""
  }
  if (t !~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/)
    fail("expected a float, found \"" t "\"")
  sign = substr(t, 1, 1) == "-" ? "-" : ""
  sub(/^[-+]/, "", t)
  t = t + 0
  if (sprintf("%e", t) ~ /[iI]/) fail("a float out of range")
  for (k = 0; k <= 16; k++) {
    r = sprintf("%." k "e", t)
    if (r + 0 == t) break
  }
  # As ir/value.h floatText: the shorter of both forms, positional where they are as long.
  e = r
  sub(/^.*e/, "", e)
  sub(/e.*$/, "", r)
  sub(/\./, "", r)
  while (length(r) > 1 && substr(r, length(r), 1) == "0") r = substr(r, 1, length(r) - 1)
  e = e + 0
  d = length(r)
  low = sprintf("%." (d - 1 - e > 0 ? d - 1 - e : 0) "f", t)
  r = substr(r, 1, 1) (d > 1 ? "." substr(r, 2) : "") "e" (e < 0 ? "-" : "+") \
      sprintf("%02d", e < 0 ? -e : e)
  if (length(r) < length(low)) return sign r
  return sign low (index(low, ".") ? "" : ".0")
}
function quantity(t, which, what,   i, k, list, pair, number, unit, v) {
  number = unit = t
  sub(/ *[A-Za-z]+$/, "", number)
  sub(/^.*[0-9.] */, "", unit)
  if (number !~ /^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$/)
    fail("expected a " what ", found \"" t "\"")
  k = split(which, list, " ")
  for (i = 1; i <= k; i++) {
    split(list[i], pair, "=")
    if (pair[1] == unit) {
      v = number * pair[2]
      if (v > 9007199254740992 || v < -9007199254740992 || (v < 0 && what == "size"))
        fail("a " what " out of range")
      v = v < 0 ? -int(0.5 - v) : int(v + 0.5)
      return sprintf("%.0f", v)
    }
  }
  fail("expected a " what ", found \"" t "\"")
}
function say(t, v,   i, k, lines, low) {
  if (t ~ /^opt:/) {
    if (v == "") {
      printf "null"
      return
    }
    sub(/^opt:/, "", t)
  }
  if (t == "string") {
    quote(v)
    return
  }
  if (t ~ /^list:/) {
    sub(/^list:/, "", t)
    sub(/\n$/, "", v)
    printf "["
    k = v == "" ? 0 : split(v, lines, "\n")
    for (i = 1; i <= k; i++) {
      if (i > 1) printf ","
      say(t, lines[i])
    }
    printf "]"
    return
  }
  v = trim(v)
  if (t == "bool") {
    if (v != "true" && v != "false") fail("expected true or false, found \"" v "\"")
    printf "%s", v
  } else if (t == "int") printf "%s", integer(v)
  else if (t == "float") printf "%s", real(v)
  else if (t == "duration") printf "%s", quantity(v, durations, t)
  else if (t == "size") printf "%s", quantity(v, sizes, t)
  else if (t == "timestamp") {
    if (v !~ /^[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]+)?Z$/)
      fail("expected a timestamp such as 2024-05-01T12:00:00Z, found \"" v "\"")
    if (v ~ /\./) {
      sub(/0*Z$/, "Z", v)
      sub(/\.Z$/, "Z", v)
    }
    quote(v)
  } else {
    sub(/^enum=/, "", t)
    if (index("," t ",", "," v ",") == 0 || v ~ /,/ || v == "")
      fail("expected one of " t ", found \"" v "\"")
    quote(v)
  }
}
BEGIN {
  durations = "d=86400000000 h=3600000000 min=60000000 s=1000000 ms=1000 us=1"
  sizes = "TiB=1099511627776 TB=1000000000000 GiB=1073741824 GB=1000000000 MiB=1048576 MB=1000000 KiB=1024 kB=1000 B=1"
  s = ENVIRON["COULER_VALUE"] ""
  if (dir == "out") {
    for (k = 1; k < 32; k++) escape[sprintf("%c", k)] = sprintf("\\u%04x", k)
    escape[sprintf("%c", 127)] = "\\u007f"
    escape["\b"] = "\\b"
    escape["\f"] = "\\f"
    escape["\n"] = "\\n"
    escape["\r"] = "\\r"
    escape["\t"] = "\\t"
    escape["\""] = "\\\""
    escape["\\"] = "\\\\"
    say(type, s)
  } else {
    n = length(s)
    p = 1
    skip()
    bare = type
    sub(/^opt:/, "", bare)
    if (bare ~ /^list:/ && substr(s, p, 4) != "null") {
      sub(/^list:/, "", bare)
      showlist(bare)
    } else show(type)
    if (p <= n) fail("more text after its JSON value")
  }
}
)awk";

/// Python 3.6 or later. Runs the script in `__main__` itself, so that pickling and `__name__` work.
inline constexpr std::string_view kPythonShim = R"py(def _couler_main():
    import datetime, decimal, json, linecache, math, operator, os, re, sys, traceback, types
    space = sys.modules["__main__"].__dict__
    del space["_couler_main"]
    env = {k.decode(): v.decode("utf-8", "surrogateescape") for k, v in os.environb.items() if k.startswith(b"COULER_")}
    for key in env:
        del os.environ[key]
    plan = json.loads(env["COULER_TYPES"])
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    micro = datetime.timedelta(microseconds=1)

    class Wrong(Exception):
        pass

    def fail(message):
        sys.stdout.flush()
        sys.stderr.write("couler: " + message + "\n")
        sys.exit(64)

    def timestamp(text):
        m = re.match(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z$", text)
        if not m:
            raise ValueError(text + " is out of the range of datetime")
        parts = [int(g) for g in m.groups()[:6]] + [int((m.group(7) or "0").ljust(6, "0"))]
        return datetime.datetime(*parts, tzinfo=datetime.timezone.utc)

    def decode(v, t):
        kind = t if isinstance(t, str) else t[0]
        if v is None:
            return None
        if kind == "opt":
            return decode(v, t[1])
        if kind == "list":
            return [decode(x, t[1]) for x in v]
        if kind == "map":
            return {k: decode(x, t[1]) for k, x in v.items()}
        if kind == "record":
            result = types.SimpleNamespace()
            for name, field in t[1]:
                setattr(result, name, decode(v.get(name), field))
            return result
        if kind == "float":
            return float(v)
        if kind == "duration":
            return datetime.timedelta(microseconds=v)
        if kind == "timestamp":
            return timestamp(v)
        return v

    def wrong(at, what, v):
        raise Wrong("%s: expected %s, found %s" % (at, what, type(v).__name__))

    def quote(at, v):
        try:
            v.encode("utf-8")
        except UnicodeEncodeError:
            raise Wrong("%s: a string that is not valid UTF-8" % at)
        return json.dumps(v, ensure_ascii=False).replace("\x7f", "\\u007f")

    def real(v):
        # As ir/value.h floatText: the shorter of both forms, positional where they are as long.
        if math.isnan(v) or math.isinf(v):
            return '"%s"' % v
        if v == 0:
            return str(v)
        sign, digits, e = decimal.Decimal(repr(v)).normalize().as_tuple()
        plain = "%.*f" % (max(0, -e), abs(v))
        d = "".join(map(str, digits))
        short = "%s%se%+03d" % (d[0], "." + d[1:] if len(d) > 1 else "", e + len(d) - 1)
        if len(plain) <= len(short):
            short = plain if "." in plain else plain + ".0"
        return ("-" if sign else "") + short

    def integer(at, v):
        if not -(1 << 63) <= v < (1 << 63):
            raise Wrong("%s: %d does not fit 64 bits" % (at, v))
        return "%d" % v

    def encode(at, v, t):
        kind = t if isinstance(t, str) else t[0]
        if hasattr(v, "dtype") and hasattr(v, "item") and getattr(v, "ndim", 1) == 0:
            v = v.item()
        if kind == "opt":
            return "null" if v is None else encode(at, v, t[1])
        if kind == "bool":
            return ("true" if v else "false") if isinstance(v, bool) else wrong(at, "bool", v)
        if kind in ("int", "size"):
            if isinstance(v, bool) or not hasattr(v, "__index__"):
                wrong(at, kind, v)
            return integer(at, operator.index(v))
        if kind == "float":
            if isinstance(v, (bool, str)) or not hasattr(v, "__float__"):
                wrong(at, "float", v)
            return real(float(v))
        if kind == "string":
            return quote(at, v) if isinstance(v, str) else wrong(at, "str", v)
        if kind == "timestamp":
            if not isinstance(v, datetime.datetime):
                wrong(at, "datetime", v)
            if v.tzinfo is None:
                raise Wrong("%s: a datetime without a time zone" % at)
            v = v.astimezone(datetime.timezone.utc)
            fraction = (".%06d" % v.microsecond).rstrip("0") if v.microsecond else ""
            clock = (v.year, v.month, v.day, v.hour, v.minute, v.second, fraction)
            return '"%04d-%02d-%02dT%02d:%02d:%02d%sZ"' % clock
        if kind == "duration":
            return integer(at, v // micro) if isinstance(v, datetime.timedelta) else wrong(at, "timedelta", v)
        if kind == "enum":
            if not isinstance(v, str):
                wrong(at, "one of " + ", ".join(t[1:]), v)
            if v not in t[1:]:
                raise Wrong("%s: expected one of %s, found %r" % (at, ", ".join(t[1:]), v))
            return quote(at, v)
        if kind == "list":
            if not isinstance(v, (list, tuple)) and not (hasattr(v, "dtype") and hasattr(v, "tolist")):
                wrong(at, "list", v)
            return "[" + ",".join(encode("%s[%d]" % (at, i), x, t[1]) for i, x in enumerate(v)) + "]"
        if kind == "map":
            if not isinstance(v, dict):
                wrong(at, "dict", v)
            for k in v:
                if not isinstance(k, str):
                    wrong("a key of " + at, "str", k)
            parts = [quote(at, k) + ":" + encode("%s[%r]" % (at, k), v[k], t[1]) for k in sorted(v)]
            return "{" + ",".join(parts) + "}"
        if kind == "record":
            fields = v if isinstance(v, dict) else getattr(v, "__dict__", None)
            if fields is None:
                wrong(at, "SimpleNamespace or dict", v)
            known = [name for name, _ in t[1]]
            for k in fields:
                if k not in known:
                    raise Wrong("%s: no field `%s` in its type" % (at, k))
            for name, field in t[1]:
                if name not in fields and not (isinstance(field, list) and field[0] == "opt"):
                    raise Wrong("%s: field `%s` is missing" % (at, name))
            parts = [quote(at, name) + ":" + encode(at + "." + name, fields.get(name), field) for name, field in t[1]]
            return "{" + ",".join(parts) + "}"
        wrong(at, kind, v)

    for name, t in plan["in"]:
        try:
            space[name] = decode(json.loads(env["COULER_IN_" + name]), t)
        except (ValueError, OverflowError) as error:
            fail("input `%s`: %s" % (name, error))
    for name in plan["path"]:
        space[name] = env["COULER_OUT_" + name]

    script = env["COULER_SCRIPT"]
    title = "task " + env.get("COULER_TASK", "script")
    linecache.cache[title] = (len(script), None, script.splitlines(True), title)
    code = 0
    try:
        exec(compile(script, title, "exec", dont_inherit=True), space)
    except SystemExit as end:
        code = end.code
        if code is None:
            code = 0
        elif not isinstance(code, int):
            sys.stdout.flush()
            sys.stderr.write(str(code) + "\n")
            code = 1
    except BaseException as error:
        trace = error.__traceback__.tb_next
        if isinstance(error, SyntaxError) and trace is None:
            error.__traceback__ = None
        traceback.print_exception(type(error), error, trace)
        code = 130 if isinstance(error, KeyboardInterrupt) else 1
    if code != 0:
        sys.exit(code)
    texts = []
    for name, t in plan["out"]:
        if name not in space and not (isinstance(t, list) and t[0] == "opt"):
            fail("output `%s` was not set" % name)
        try:
            texts.append((name, encode("output `%s`" % name, space.get(name), t)))
        except Wrong as error:
            fail(str(error))
    for name, t in texts:
        with open(env["COULER_OUT_" + name], "w", encoding="utf-8", newline="") as out:
            out.write(t)


_couler_main()
)py";

}  // namespace couler::ir
