#include "trace_file.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <istream>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/core.h>

#include "usage_error.hpp"

namespace syncmap::tool {
namespace {

constexpr std::size_t most_requests = 1'000'000'000;
constexpr std::size_t longest_key = 4096;

/// Numbers the keys in the order of their first request.
template <class Key>
class requests_of {
public:
    explicit requests_of(bench::trace& to) : to_(to) {}
    void add(const Key& key) {
        const auto [found, is_new] = numbers_.try_emplace(key, to_.keys);
        if (is_new) ++to_.keys;
        to_.requests.push_back(found->second);
    }

private:
    bench::trace& to_;
    std::unordered_map<Key, std::uint32_t> numbers_;
};

class reader {
public:
    reader(std::istream& in, const std::string& name) : in_(in), name_(name) {}

    bench::trace read(trace_format format) {
        switch (format) {
        case trace_format::lines: read_lines(); break;
        case trace_format::ranges: read_ranges(); break;
        case trace_format::words: read_words(); break;
        }
        if (in_.bad()) refuse("cannot be read to its end");
        if (found_.requests.empty()) refuse("has no request");
        return std::move(found_);
    }

private:
    [[noreturn]] void refuse(std::string_view why) const { throw usage_error(fmt::format("trace: '{}' {}", name_, why)); }

    void refuse_compressed(std::string_view begin) const {
        struct packer {
            std::string_view magic;
            std::string_view unpack;
        };
        constexpr std::array packers{packer{"\xFD\x37\x7A\x58", "xz"}, packer{"\x28\xB5\x2F\xFD", "zstd"},
                                     packer{"\x1F\x8B\x08", "gzip"}};
        for (const auto& [magic, unpack] : packers) {
            if (begin.starts_with(magic)) refuse(fmt::format("is compressed: {} -dc FILE | syncmap trace -", unpack));
        }
    }

    void check_length() const {
        if (found_.requests.size() > most_requests) refuse("has more than 1,000,000,000 requests");
    }

    /// The next line that is not empty, without the end that other systems give it.
    bool next_line(std::string& line) {
        while (std::getline(in_, line)) {
            if (++line_ == 1) refuse_compressed(line);
            if (line.ends_with('\r')) line.pop_back();
            if (line.find('\0') != std::string::npos || line.size() > longest_key)
                refuse(fmt::format("is no text (line {}): is it --format words?", line_));
            if (line.find_first_not_of(" \t") != std::string::npos) return true;
        }
        return false;
    }

    void read_lines() {
        requests_of<std::string> requests(found_);
        for (std::string line; next_line(line); check_length()) requests.add(line);
    }

    void read_ranges() {
        requests_of<std::uint64_t> requests(found_);
        for (std::string line; next_line(line); check_length()) {
            std::uint64_t first = 0;
            std::uint64_t count = 0;
            const char* at = line.data();
            const char* const end = at + line.size();
            const bool is_range = number(at, end, first) && number(at, end, count) && (at == end || *at == ' ' || *at == '\t');
            if (!is_range) refuse(fmt::format("has no 'first count' in line {}", line_));
            if (count > most_requests - found_.requests.size() || first + count < first)
                refuse(fmt::format("asks for {} keys in line {}: more than can be replayed", count, line_));
            for (std::uint64_t i = 0; i < count; ++i) requests.add(first + i);
        }
    }

    void read_words() {
        requests_of<std::uint32_t> requests(found_);
        std::array<char, 4> word{};
        for (; in_.read(word.data(), word.size()); check_length()) {
            if (found_.requests.empty()) refuse_compressed({word.data(), word.size()});
            std::uint32_t key = 0;
            for (const char byte : word) key = key << 8 | static_cast<unsigned char>(byte);
            requests.add(key);
        }
        if (in_.gcount() != 0) refuse("ends within a word of four bytes: is it --format lines?");
    }

    static bool number(const char*& at, const char* end, std::uint64_t& value) {
        while (at != end && (*at == ' ' || *at == '\t')) ++at;
        const auto [rest, error] = std::from_chars(at, end, value);
        at = rest;
        return error == std::errc();
    }

    std::istream& in_;
    const std::string& name_;
    std::size_t line_ = 0;
    bench::trace found_{};
};

} // namespace

trace_format trace_format_of(const std::string& name) {
    if (name == "lines") return trace_format::lines;
    if (name == "ranges") return trace_format::ranges;
    if (name == "words") return trace_format::words;
    throw usage_error(fmt::format("--format: '{}' is none of lines, ranges, words", name));
}

bench::trace read_trace(const std::string& path, trace_format format) {
    if (path == "-") {
        std::ios::sync_with_stdio(false);
        return reader(std::cin, path).read(format);
    }
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) throw usage_error(fmt::format("trace: '{}' is a folder", path));
    std::ifstream file(path, std::ios::binary);
    if (!file) throw usage_error(fmt::format("trace: '{}' cannot be read", path));
    return reader(file, path).read(format);
}

} // namespace syncmap::tool
