// Where in the source a call stands: `std::source_location`, also for clang 14, to which libstdc++ does not give it.
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
