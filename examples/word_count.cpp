// A real job: all cores count the identifiers in real source text into one map.
//
//     word_count [FOLDER] [--threads N] [--bytes N]
//
// The same text is counted three ways: by one thread into a std::unordered_map, by all threads into a
// std::unordered_map behind a mutex, and by all threads into one syncmap::map. The first is the truth that the
// others are held against, word for word; exit status 1 if a single count differs.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <syncmap/map.hpp>

namespace {

namespace fs = std::filesystem;

// ---- the job ----

constexpr bool is_digit(char c) { return '0' <= c && c <= '9'; }
constexpr bool is_word_character(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_' || is_digit(c); }

/// Calls `count(word)` for each identifier in `text`; a number such as 0x1F or 10ul is none.
template <class Count>
void for_each_identifier(std::string_view text, Count&& count) {
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p != end;) {
        const char* const word = std::find_if(p, end, is_word_character);
        p = std::find_if_not(word, end, is_word_character);
        if (word != p && !is_digit(*word)) count(std::string_view(word, static_cast<std::size_t>(p - word)));
    }
}

/// Runs `count` on every identifier of every piece; each thread takes the next piece that no thread has taken yet.
template <class Count>
void count_in_parallel(const std::vector<std::string_view>& pieces, unsigned threads, const Count& count) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
        for (std::size_t i = next++; i < pieces.size(); i = next++) for_each_identifier(pieces[i], count);
    };
    std::vector<std::jthread> team;
    for (unsigned thread = 0; thread < threads; ++thread) team.emplace_back(work);
}

using shared_counts = syncmap::map<std::string, std::uint64_t>;

void count_into(shared_counts& counts, const std::vector<std::string_view>& pieces, unsigned threads) {
    count_in_parallel(pieces, threads, [&counts](std::string_view word) { counts.fetch_add(word, 1); });
}

// ---- the same job without syncmap ----

struct string_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
};
using plain_counts = std::unordered_map<std::string, std::uint64_t, string_hash, std::equal_to<>>;

void add_one(plain_counts& counts, std::string_view word) {
    if (const auto found = counts.find(word); found != counts.end()) {
        ++found->second;
    } else {
        counts.emplace(word, 1);
    }
}

void count_alone(plain_counts& counts, const std::vector<std::string_view>& pieces) {
    for (const std::string_view piece : pieces) {
        for_each_identifier(piece, [&counts](std::string_view word) { add_one(counts, word); });
    }
}

void count_behind_mutex(plain_counts& counts, const std::vector<std::string_view>& pieces, unsigned threads) {
    std::mutex mutex;
    count_in_parallel(pieces, threads, [&](std::string_view word) {
        const std::lock_guard lock(mutex);
        add_one(counts, word);
    });
}

// ---- the text: read into memory first, so that the counting is measured and not the disk ----

struct corpus {
    std::string text;
    std::size_t files = 0;
    std::size_t binary = 0;     ///< files with a zero byte near their beginning, left out
    std::size_t unreadable = 0; ///< files and folders that could not be opened, left out
    bool complete = true;       ///< false: there was more text than was asked for
};

/// Regular files under `folder`, in the order of their names so that every run counts the same text. Symbolic
/// links are not followed: no file is counted twice, and no cycle of folders is walked for ever.
std::vector<fs::path> files_under(const fs::path& folder, std::size_t& unreadable) {
    std::vector<fs::path> files;
    std::vector<fs::path> folders{folder};
    while (!folders.empty()) {
        std::error_code error;
        fs::directory_iterator entry(folders.back(), error);
        folders.pop_back();
        while (!error && entry != fs::directory_iterator()) {
            std::error_code unknown; // an entry that vanished meanwhile is neither folder nor file
            const fs::file_type type = entry->symlink_status(unknown).type();
            if (type == fs::file_type::directory) folders.push_back(entry->path());
            if (type == fs::file_type::regular) files.push_back(entry->path());
            entry.increment(error);
        }
        if (error) ++unreadable;
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// The first `limit` bytes of a file, or nothing if it can't be read.
std::optional<std::string> read_file(const fs::path& path, std::uint64_t limit) {
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    std::ifstream file(path, std::ios::binary);
    if (error || !file) return std::nullopt;
    std::string text(static_cast<std::size_t>(std::min<std::uintmax_t>(size, limit)), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return std::nullopt;
    text.resize(static_cast<std::size_t>(file.gcount())); // it may have become shorter meanwhile
    return text;
}

corpus read_folder(const fs::path& folder, std::uint64_t limit) {
    corpus result;
    for (const fs::path& path : files_under(folder, result.unreadable)) {
        if (result.text.size() >= limit) {
            result.complete = false;
            break;
        }
        const std::uint64_t room = limit - result.text.size();
        const std::optional<std::string> text = read_file(path, room);
        if (!text) {
            ++result.unreadable;
        } else if (std::string_view(*text).substr(0, 8192).find('\0') != std::string_view::npos) {
            ++result.binary;
        } else {
            ++result.files;
            result.text += *text;
            result.text += '\n'; // the last word of a file and the first of the next are two
        }
    }
    return result;
}

/// The text in pieces of about 64 KiB, none of which begins or ends inside a word.
std::vector<std::string_view> cut(std::string_view text) {
    constexpr std::size_t piece_size = 64 * 1024;
    std::vector<std::string_view> pieces;
    while (!text.empty()) {
        std::size_t length = std::min(piece_size, text.size());
        while (length < text.size() && is_word_character(text[length])) ++length;
        pieces.push_back(text.substr(0, length));
        text.remove_prefix(length);
    }
    return pieces;
}

// ---- measuring ----

template <class Work>
double seconds(Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

/// How many words have another count than they should; words that should not be there at all included.
std::uint64_t differences(const plain_counts& expected, const shared_counts& counts) {
    std::uint64_t different = 0;
    for (const auto& [word, count] : expected) different += counts.load(word) == count ? 0U : 1U;
    counts.for_each([&](const std::string& word, std::uint64_t) { different += expected.contains(word) ? 0U : 1U; });
    return different + (counts.size() == expected.size() ? 0U : 1U);
}

struct measurement {
    plain_counts counts; ///< the truth: the single-threaded run's
    std::vector<double> alone, behind_mutex, shared;
    std::uint64_t wrong = 0;
};

/// Rounds of all three, one after the other, so that whatever else the machine does meanwhile hits all alike.
/// Three rounds, and up to nine while a second and a half is not yet spent.
measurement measure(const std::vector<std::string_view>& pieces, unsigned threads) {
    measurement result;
    double spent = 0;
    for (int round = 0; round < 3 || (round < 9 && spent < 1.5); ++round) {
        plain_counts alone, behind_mutex;
        shared_counts shared;
        result.alone.push_back(seconds([&] { count_alone(alone, pieces); }));
        result.behind_mutex.push_back(seconds([&] { count_behind_mutex(behind_mutex, pieces, threads); }));
        result.shared.push_back(seconds([&] { count_into(shared, pieces, threads); }));
        spent += result.alone.back() + result.behind_mutex.back() + result.shared.back();
        result.wrong += differences(alone, shared) + (behind_mutex == alone ? 0U : 1U);
        result.counts = std::move(alone);
    }
    return result;
}

// ---- the report ----

/// 1234567 as "1 234 567".
std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ' ');
    return digits;
}

void print_text(const fs::path& folder, const corpus& corpus, const measurement& measured, std::uint64_t words) {
    std::printf("%s: %s identifiers, %s different ones (%.1f MiB, files read: %s)\n", folder.c_str(), grouped(words).c_str(),
                grouped(measured.counts.size()).c_str(), static_cast<double>(corpus.text.size()) / (1 << 20),
                grouped(corpus.files).c_str());
    if (!corpus.complete) std::puts("the folder holds more text than was read: --bytes N reads more");
    if (corpus.binary + corpus.unreadable > 0) {
        std::printf("left out: %s binary, %s unreadable\n", grouped(corpus.binary).c_str(), grouped(corpus.unreadable).c_str());
    }
}

void print_times(const measurement& measured, unsigned threads, std::uint64_t words) {
    const double base = median(measured.alone);
    const auto row = [&](const char* what, unsigned team, const std::vector<double>& times) {
        const double time = median(times);
        std::printf("%-34s %7u %10.1f ms %9.1f ns %9.2f x\n", what, team, time * 1e3, time * 1e9 / static_cast<double>(words),
                    base / time);
    };
    std::printf("\n%-34s %7s %13s %12s %11s\n", "", "threads", "time", "per word", "speed-up");
    row("std::unordered_map", 1, measured.alone);
    row("std::unordered_map behind a mutex", threads, measured.behind_mutex);
    row("syncmap::map", threads, measured.shared);
    std::printf("(medians of interleaved rounds: %zu)\n", measured.alone.size());
}

void print_most_frequent(const plain_counts& counts) {
    std::vector<std::pair<std::uint64_t, std::string_view>> words;
    for (const auto& [word, count] : counts) words.emplace_back(count, word);
    const auto shown = static_cast<std::ptrdiff_t>(std::min<std::size_t>(words.size(), 10));
    std::partial_sort(words.begin(), words.begin() + shown, words.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    std::puts("\nmost frequent");
    for (auto word = words.begin(); word != words.begin() + shown; ++word) {
        std::printf("%12s  %.*s\n", grouped(word->first).c_str(), static_cast<int>(word->second.size()), word->second.data());
    }
}

// ---- the command line ----

struct options {
    fs::path folder = "/usr/include";
    unsigned threads = std::max(1U, std::thread::hardware_concurrency());
    std::uint64_t bytes = 16 << 20;
};

struct usage_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class Number>
Number number_from_1_to(Number most, std::string_view option, std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number < 1 || number > most) {
        throw usage_error(std::string(option) + " needs a number from 1 to " + std::to_string(most) + ", not '" +
                          std::string(text) + "'");
    }
    return number;
}

options parse(const std::vector<std::string_view>& arguments) {
    options result;
    bool folder_given = false;
    for (auto argument = arguments.begin(); argument != arguments.end(); ++argument) {
        const std::string_view option = *argument;
        if (option == "--threads" || option == "--bytes") {
            const std::string_view value = ++argument == arguments.end() ? "" : *argument;
            if (option == "--threads") result.threads = number_from_1_to(1024U, option, value);
            if (option == "--bytes") result.bytes = number_from_1_to(std::uint64_t{1} << 40, option, value);
        } else if (option.starts_with("--")) {
            throw usage_error("no option is called " + std::string(option) +
                              "; usage: word_count [FOLDER] [--threads N] [--bytes N]");
        } else if (std::exchange(folder_given, true)) {
            throw usage_error("one folder at a time, please");
        } else {
            result.folder = option;
        }
    }
    std::error_code error;
    const fs::directory_iterator opened(result.folder, error);
    if (error) throw usage_error(result.folder.string() + ": " + error.message());
    return result;
}

int run(const options& options) {
    const corpus corpus = read_folder(options.folder, options.bytes);
    const measurement measured = measure(cut(corpus.text), options.threads);
    std::uint64_t words = 0;
    for (const auto& [word, count] : measured.counts) words += count;

    print_text(options.folder, corpus, measured, words);
    if (words == 0) return 0;
    print_times(measured, options.threads, words);
    print_most_frequent(measured.counts);
    if (measured.wrong > 0) {
        std::printf("\nWRONG: %s counts differ from the single-threaded run's\n", grouped(measured.wrong).c_str());
        return 1;
    }
    std::puts("\nall counts are equal, word for word, in every round");
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return run(parse({argv + 1, argv + argc}));
    } catch (const std::bad_alloc&) {
        std::fputs("word_count: the text does not fit into memory: a smaller --bytes helps\n", stderr);
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "word_count: %s\n", error.what());
        return 2;
    }
}
