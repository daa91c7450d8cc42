# Fails on an include that points upwards in this picture:
#
#     syncmap.hpp                                      everything
#     decorators    recorded_map.hpp checked_map.hpp
#     facades       every other header at the top
#     engines       engine/NAME.hpp engine/NAME/       never one another; what several need is shared: see below
#     reclamation   reclaim/
#     parts         sync/ detail/ hash errors ...      the standard library and the system alone
#
# Usage: awk -f layers.awk .../include/syncmap/*.hpp ...   (a path counts from its last "syncmap/")

BEGIN {
    split("parts reclamation engines facades decorators everything", layer_name)
    split("hash errors results text owned_bytes version fwd", names)
    for (i in names) part[names[i]] = 1
    split("decision concepts single_flight process walk_position", names)
    for (i in names) shared[names[i]] = 1
}

FNR == 1 {
    self = FILENAME
    sub(/.*syncmap\//, "", self)
}

/^[ \t]*#[ \t]*include/ {
    target = $0
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
    if (target ~ /^"/) complain("write <syncmap/...>: an include in quotes depends on the place of the file")
    if (target !~ /^</) next
    sub(/^</, "", target)
    sub(/>.*/, "", target)
    if (target ~ /^syncmap\//) {
        sub(/^syncmap\//, "", target)
        check(self, target)
    } else if (target ~ /\// && target !~ /^(sys|linux|sanitizer)\//) {
        complain("<" target "> is neither the library, nor the standard library, nor the system")
    }
}

function check(from, to) {
    if (layer(to) > layer(from))
        complain(to " (" layer_name[layer(to)] ") lies above " from " (" layer_name[layer(from)] ")")
    else if (layer(from) == 3 && layer(to) == 3 && engine(to) != engine(from) && !(engine(to) in shared))
        complain("engine " engine(from) " includes engine " engine(to))
}

function layer(path) {
    if (path ~ /^(sync|detail)\//) return 1
    if (path ~ /^reclaim\//) return 2
    if (path ~ /^engine\//) return 3
    if (stem(path) in part) return 1
    if (path == "syncmap.hpp") return 6
    return path ~ /^(recorded_map|checked_map)\.hpp$/ ? 5 : 4
}

function engine(path) {
    sub(/^engine\//, "", path)
    sub(/\/.*/, "", path)
    return stem(path)
}

function stem(path) {
    sub(/\.hpp$/, "", path)
    return path
}

function complain(what) {
    print FILENAME ":" FNR ": " what
    failed = 1
}

END { exit failed }
