# Functions that are written in the language itself, in the meaning of the jq manual.
def not: if . then false else true end;
def select(f): if f then . else empty end;
def map(f): [.[] | f];
def map_values(f): .[] |= f;
def recurse(f): def r: ., (f | r); r;
def recurse: ..;
def recurse(f; cond): def r: ., (f | select(cond) | r); r;
def values: select(. != null);
def nulls: select(. == null);
def booleans: select(type == "boolean");
def numbers: select(type == "number");
def strings: select(type == "string");
def arrays: select(type == "array");
def objects: select(type == "object");
def iterables: select(type == "array" or type == "object");
def scalars: select(type != "array" and type != "object");
def finites: select(isinfinite or isnan | not);
def normals: select(isnormal);
def first(f): label $out | (f | ., break $out);
def first: .[0];
def last: .[-1];
def last(f): reduce f as $x (null; $x);
def isempty(f): label $out | (f | false, break $out), true;
def limit($n; f): if $n > 0 then label $out | foreach f as $x (0; . + 1; $x, if . >= $n then break $out else empty end) elif $n == 0 then empty else error("limit needs a count that is not negative") end;
def skip($n; f): if $n < 0 then error("skip needs a count that is not negative") elif $n > 0 then foreach f as $x ($n; . - 1; if . < 0 then $x else empty end) else f end;
def nth($n): .[$n];
def nth($n; f): if $n < 0 then error("nth doesn't support negative indices") else first(skip($n; f)) end;
def until(cond; next): def u: if cond then . else next | u end; u;
def while(cond; next): def w: if cond then ., (next | w) else empty end; w;
# As gojq 0.12 has it: each time from the same value.
def repeat(f): def r: f, r; r;
def range($end): range(0; $end);
def any: any(.[]; .);
def all: all(.[]; .);
def any(f): any(.[]; f);
def all(f): all(.[]; f);
def any(g; f): isempty(first(g | f | select(.))) | not;
def all(g; f): isempty(first(g | f | select(. | not)));
def in(f): . as $x | f | has($x);
def inside(f): . as $x | f | contains($x);
def add: reduce .[] as $x (null; . + $x);
def add(f): reduce f as $x (null; . + $x);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def INDEX(f): INDEX(.[]; f);
def INDEX(s; f): reduce s as $row ({}; .[$row | f | tostring] |= $row);
def todate: strftime("%Y-%m-%dT%H:%M:%SZ");
def paths: path(..) | select(length > 0);
def paths(f): paths as $p | select(getpath($p) | f) | $p;
def del(f): delpaths([path(f)]);
def pick(f): . as $v | reduce path(f) as $p (null; setpath($p; $v | getpath($p)));
def to_entries: [keys[] as $k | {key: $k, value: .[$k]}];
def from_entries:
  reduce .[] as $x ({};
    . + {($x | if .key == null then .k // .name // .Name // .K // .Key else .key end
          | if type == "string" then . else tojson end):
         ($x | if has("value") then .value elif has("v") then .v else .Value end)});
def with_entries(f): to_entries | map(f) | from_entries;
def _assign(ps; $v): reduce path(ps) as $p (.; setpath($p; $v));
def _modify(ps; f):
  reduce path(ps) as $p ([., []];
    . as [$v, $gone] | label $out
    | (($v | getpath($p) | f) as $new | [($v | setpath($p; $new)), $gone] | ., break $out), [$v, $gone + [$p]])
  | . as [$v, $gone] | $v | delpaths($gone);
def sort_by(f): _sort_by(map([f]));
def group_by(f): _group_by(map([f]));
def unique_by(f): [group_by(f)[] | .[0]];
def min_by(f): _min_by(map([f]));
def max_by(f): _max_by(map([f]));
def unique: [_group_by(map([.]))[] | .[0]];
def walk(f): def w: if type == "object" then map_values(w) elif type == "array" then map(w) else . end | f; w;
def flatten: flatten(1e9);
def index($x): indices($x) | .[0];
def rindex($x): indices($x) | .[-1];
def transpose: [range(0; map(length) | max // 0) as $i | [.[][$i]]];
def combinations:
  if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $rest | [$x] + $rest end;
def combinations($n): . as $v | [range($n) | $v] | combinations;
def tostream:
  path(def r: (.[]? | r), .; r) as $p | getpath($p)
  | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);
def fromstream(f):
  {x: null, e: false} as $init
  | foreach f as $i ($init;
      if .e then $init else . end
      | if $i | length == 2
        then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1])
        else setpath(["e"]; $i[0] | length == 1) end;
      if .e then .x else empty end);
def truncate_stream(f): . as $n | null | f | . as $e | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;
def match($re): match($re; null);
def match($re; $flags): _match($re; $flags; false) | .[];
def test($re): test($re; null);
def test($re; $flags): _match($re; $flags; true);
def capture($re): capture($re; null);
def capture($re; $flags): match($re; $flags) | [.captures | .[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
def scan($re): scan($re; null);
def scan($re; $flags): match($re; ($flags // "") + "g") | if .captures == [] then .string else [.captures | .[].string] end;
def splits($re): splits($re; null);
def splits($re; $flags): split($re; $flags) | .[];
def split($re; $flags): . as $s | [foreach ((match($re; ($flags // "") + "g") | [.offset, .length]), null) as $m
  ({at: 0, part: null}; if $m == null then .part = $s[.at:] else .part = $s[.at:$m[0]] | .at = $m[0] + $m[1] end; .part)];
def sub($re; str): sub($re; str; "");
def sub($re; str; $flags): . as $s | def _captures: [.captures | .[] | select(.name != null) | {key: .name, value: .string}] | from_entries;
  reduce ([match($re; $flags)] | reverse | .[]) as $m ([$s];
    [.[] as $t | ($m | _captures | str) as $new | $t[0:$m.offset] + $new + $t[$m.offset + $m.length:]]) | .[];
def gsub($re; str): sub($re; str; "g");
def gsub($re; str; $flags): sub($re; str; ($flags // "") + "g");
def _both_text($name; $x): if type == "string" and ($x | type) == "string" then . else error($name + " needs texts") end;
def ltrimstr($x): _both_text("ltrimstr"; $x) | if startswith($x) then .[$x | length:] else . end;
def rtrimstr($x): _both_text("rtrimstr"; $x) | if endswith($x) then .[:length - ($x | length)] else . end;
def trimstr($x): ltrimstr($x) | rtrimstr($x);
def env: $ENV;
def error($message): $message | error;
