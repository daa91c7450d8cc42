// The place of a call in the source. It stands in for `std::source_location`, which libstdc++ lacks under Clang 14.
#pragma once

namespace syncmap {

struct source_place {
    const char* file = "";
    unsigned line = 0;
    const char* function = "";

    static constexpr source_place current(const char* in_file = __builtin_FILE(), unsigned at_line = __builtin_LINE(),
                                          const char* in_function = __builtin_FUNCTION()) noexcept {
        return {in_file, at_line, in_function};
    }
    friend constexpr bool operator==(const source_place&, const source_place&) noexcept = default;
};

} // namespace syncmap
