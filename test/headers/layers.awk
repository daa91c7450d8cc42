# Fails on an include that points upwards in this picture, or sideways where a line says so:
#
#     tool/                                            the command line; it alone knows CLI11 and fmt
#     bench/                                           public headers, and the front of an engine with a policy of its own
#     src/                                             public headers, the contract of operations, sync/ and detail/
#     ---------------------------------------------------------------------------------------------------------------
#     adapters      near_cache recorded checked_map
#     caches        cache.hpp plain_caches.hpp         reach an engine through operation/ and marked_map.hpp; cache/policy/
#                   compact_cache.hpp cache/           knows neither map nor clock
#     facades       every other header at the top      each includes the front of its own engine at most
#     engines       engine/NAME/ or engine/NAME.hpp    never one another
#     shared        every other file of engine/, operation/      what several engines need; includes no engine
#     reclamation   reclaim/ concurrency/
#     parts         sync/ detail/ time/ hash errors …  the standard library and the system alone
#     aside         trace/ redis/                      themselves, the standard library and the system alone
#
# Usage: awk -v complete=1 -f layers.awk FILE...    the paths of headers count from their last "include/syncmap/", those of other
# files from their last "src/", "bench/" or "tool/". With `complete` every name below must belong to one of the files.

BEGIN {
    split("parts reclamation shared engines facades caches adapters", layer_name)
    # Headers at the top that are parts: they know no map.
    split("hash errors results text owned_bytes stats synchronized_values version walk_position", names)
    for (i in names) part[names[i]] = 1
    # Each engine, and the facades that are made of it.
    split("table flat read_dirty", names)
    for (i in names) engines[names[i]] = 1
    own["map"] = own["fork"] = own["marked_map"] = "table"
    own["locked_map"] = own["checked_map"] = "flat"
    own["snapshot_map"] = "read_dirty"
    split("near_cache recorded checked_map", names) # near_cache and recorded are to come
    for (i in names) adapter[names[i]] = 1
}

FNR == 1 {
    area = "include"
    if (!match(FILENAME, /.*include\/syncmap\//)) {
        match(FILENAME, /^(.*\/)?(src|bench|tool)\//)
        area = substr(FILENAME, 1, RLENGTH - 1)
        sub(/.*\//, "", area)
    }
    self = substr(FILENAME, RLENGTH + 1)
    name = self
    sub(/.*\//, "", name)
    in_area[area, name] = 1
    if (area == "include") {
        exists[stem(self)] = 1
        if (self ~ /^engine\/.*\//) exists[engine(self)] = 1
    }
}

/^[ \t]*#[ \t]*include/ {
    target = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
    if (target ~ /^"/) {
        if (area == "include") complain("write <syncmap/...>: an include in quotes depends on the place of the file")
        gsub(/"/, "", target)
        sub(/.*\//, "", target)
        quoted[FILENAME ":" FNR, area, target] = 1
    }
    if (target !~ /^</) next
    sub(/^</, "", target)
    sub(/>.*/, "", target)
    if (target == "syncmap.h") next
    if (target ~ /^syncmap\//) {
        sub(/^syncmap\//, "", target)
        if (area == "include") check(self, target)
        else check_outer(area, target)
    } else if (area == "include" && target ~ /\// && target !~ /^(sys|linux|sanitizer)\//) {
        complain("<" target "> is neither the library, nor the standard library, nor the system")
    } else if (target ~ /^(CLI|fmt)\// && area != "tool") {
        complain("<" target "> belongs to the command line, tool/")
    }
}

function check(from, to) {
    if (folder(from) ~ /^(trace|redis)$/ || folder(to) ~ /^(trace|redis)$/) {
        if (folder(from) != folder(to) && folder(from) ~ /^(trace|redis)$/)
            complain(from " stands aside, and includes " to)
        return
    }
    if (layer(to) > layer(from))
        complain(to " (" layer_name[layer(to)] ") lies above " from " (" layer_name[layer(from)] ")")
    else if (layer(from) == 4 && layer(to) == 4 && engine(to) != engine(from))
        complain("engine " engine(from) " includes engine " engine(to))
    else if (layer(from) == 6 && folder(to) == "engine")
        complain("a cache reaches an engine through operation/ alone, and includes " to)
    else if (from ~ /^cache\/policy\// && (layer(to) >= 5 && to !~ /^cache\/policy\// || folder(to) == "time"))
        complain("a policy knows neither map nor clock, and includes " to)
    else if (layer(from) >= 5 && layer(to) == 4 && own[stem(from)] != engine(to))
        complain(from " is no facade of engine " engine(to))
}

function check_outer(from, to) {
    if (to !~ /\//) return # public
    if (from == "tool") complain("tool/ includes public headers alone, not " to)
    else if (to ~ /^(sync|detail|operation)\//) return
    else if (from == "src" && layer(to) == 3) return
    else if (from == "bench" && (to == "engine/tuning.hpp" || is_front(to))) return
    else complain(from "/ includes " to ", which is a part of the inside")
}

function layer(path) {
    if (path ~ /^(sync|detail|time)\//) return 1
    if (path ~ /^(reclaim|concurrency)\//) return 2
    if (path ~ /^operation\//) return 3
    if (path ~ /^engine\//) return engine(path) in engines ? 4 : 3
    if (path ~ /^cache\// || path == "cache.hpp" || path == "plain_caches.hpp" || path == "compact_cache.hpp") return 6
    if (stem(path) in part) return 1
    return stem(path) in adapter ? 7 : 5
}

# The file that facades include: engine/NAME.hpp, or a file engine/NAME/NAME.hpp where there is no such.
function is_front(path) {
    return layer(path) == 4 && (path !~ /^engine\/.*\// || stem(path) == "engine/" engine(path) "/" engine(path))
}

function engine(path) {
    sub(/^engine\//, "", path)
    sub(/\/.*/, "", path)
    return stem(path)
}

function folder(path) {
    if (path !~ /\//) return ""
    sub(/\/.*/, "", path)
    return path
}

function stem(path) {
    sub(/\.hpp$/, "", path)
    return path
}

function complain(what) {
    print FILENAME ":" FNR ": " what
    failed = 1
}

END {
    for (entry in quoted) {
        split(entry, q, SUBSEP)
        if (q[2] == "bench" && !(("bench", q[3]) in in_area) && ("tool", q[3]) in in_area) {
            print q[1] ": bench/ lies below tool/, and includes its " q[3]
            failed = 1
        }
    }
    if (complete) {
        for (each in part) must_exist(each)
        for (each in engines) must_exist(each)
        for (each in own) must_exist(each)
    }
    exit failed
}

function must_exist(each) {
    if (each in exists) return
    print "layers.awk names " each ", which is not there"
    failed = 1
}
