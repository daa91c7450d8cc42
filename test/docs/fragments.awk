# Writes to the file `output` one program of the C++ blocks of the pages that are no programs by themselves. Each becomes a function, after
# what the last comment `<!-- given ... -->` of its page declares. Of lines such as
#     map.size();     // == 1
#     value.as<T>();  // throws some_error
# the claim is checked.

function text_of(string) { gsub(/["\\]/, "\\\\&", string); return "\"" string "\"" }

function checked(line,    place) {
    place = text_of(page ":" FNR)
    if (match(line, /; +\/\/ == .*$/)) {
        return "expect((" substr(line, 1, RSTART - 1) ") == (" substr(line, RSTART + index(substr(line, RSTART), "// == ") + 5) "), " place ");"
    }
    if (match(line, /; +\/\/ throws .*$/)) {
        return "expect_throw<" substr(line, RSTART + index(substr(line, RSTART), "// throws ") + 9) ">([&] { (void)(" substr(line, 1, RSTART - 1) "); }, " place ");"
    }
    return line
}

function finish_block() {
    if (block !~ /int main\(/) {
        print "static void fragment_" ++fragments "() {\n" given "{\n#line " start " " text_of(page) "\n" block "}\n}" > output
    }
}

BEGIN               { print "#include \"fragments.hpp\"" > output }
FNR == 1            { page = FILENAME; sub(/.*\//, "", page); given = ""; state = "text" }
/^<!-- given$/      { state = "given"; given = "#line " FNR + 1 " " text_of(page) "\n"; next }
/^```cpp$/          { state = "block"; start = FNR + 1; block = ""; next }
/^(```|-->)$/       { if (state == "block") finish_block(); state = "text"; next }
state == "given"    { given = given $0 "\n" }
state == "block"    { block = block checked($0) "\n" }
END {
    print "#line 1 \"end of the pages\"\nint main() {" > output
    for (i = 1; i <= fragments; ++i) print "    fragment_" i "();" > output
    print "    std::cout << checks << \" checks in " fragments " fragments, \" << failures << \" failed\\n\";" > output
    print "    return failures == 0 && checks > 0 ? 0 : 1;\n}" > output
}
