# Fails for a file of more than `most` lines, and for one that does not begin with a comment about what it holds.
#
# Usage: awk -v most=500 -f length.awk FILE...

FNR == 1 {
    judge()
    file = FILENAME
    if ($0 !~ /^(\/\/ |\/\*)/) {
        print file ": begins without a comment that tells its idea"
        failed = 1
    }
}
{ lines = FNR }
END {
    judge()
    exit failed
}

function judge() {
    if (file == "" || lines <= most) return
    print file ": " lines " lines, of " most " at most: split it by what it holds"
    failed = 1
}
