// Runs a fuzz target over the kept inputs, and over random ones that are made of them: `replay FOLDER COUNT [SEED]`.
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "support/threads.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using bytes = std::vector<std::uint8_t>;

bytes content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return bytes(std::istreambuf_iterator<char>(file), {});
}

/// A kept input with a few bytes changed, cut out or put in.
bytes changed(bytes input, test::random& draw) {
    for (std::uint64_t n = 1 + draw.below(8); n > 0; --n) {
        const auto at = static_cast<std::ptrdiff_t>(draw.below(input.size() + 1));
        const auto byte = static_cast<std::uint8_t>(draw());
        switch (draw.below(4)) {
        case 0: input.insert(input.begin() + at, byte); break;
        case 1:
            if (static_cast<std::size_t>(at) < input.size()) input.erase(input.begin() + at);
            break;
        case 2: // a stretch once more
            if (input.size() < 4096) {
                const bytes stretch(input.begin() + at, input.begin() + std::min<std::ptrdiff_t>(at + 30, std::ssize(input)));
                input.insert(input.end(), stretch.begin(), stretch.end());
            }
            break;
        default:
            if (static_cast<std::size_t>(at) < input.size()) input[static_cast<std::size_t>(at)] = byte;
        }
    }
    return input;
}
bytes random_bytes(test::random& draw) {
    bytes input(2 + draw.below(900));
    for (auto& b : input) b = static_cast<std::uint8_t>(draw());
    return input;
}

bool to_number(std::string_view text, std::uint64_t& number) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && rest == text.data() + text.size();
}

} // namespace

int main(int argc, char** argv) {
    std::uint64_t count = 0;
    std::uint64_t seed = 1;
    if (argc < 3 || argc > 4 || !to_number(argv[2], count) || (argc == 4 && !to_number(argv[3], seed))) {
        std::fprintf(stderr, "usage: %s FOLDER COUNT [SEED]\n", argv[0]);
        return 2;
    }
    std::vector<bytes> kept;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(argv[1], error)) {
        std::fprintf(stderr, "%s\n", entry.path().filename().c_str()); // the last one named is the one that ended it
        kept.push_back(content_of(entry.path()));
        LLVMFuzzerTestOneInput(kept.back().data(), kept.back().size());
    }
    if (kept.empty()) {
        std::fprintf(stderr, "%s: no inputs in '%s'\n", argv[0], argv[1]);
        return 2;
    }
    for (std::uint64_t i = 0; i < count; ++i) {
        test::random draw(seed + i);
        const bytes input = draw.below(4) == 0 ? random_bytes(draw) : changed(kept[draw.below(kept.size())], draw);
        if (i % 1000 == 0) std::fprintf(stderr, "random input %llu\n", static_cast<unsigned long long>(seed + i));
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::printf("%zu kept and %llu random inputs\n", kept.size(), static_cast<unsigned long long>(count));
    return 0;
}
