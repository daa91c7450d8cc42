// What the steps of an overwrite of an inline key cost a single thread, without an engine around them: which of them a
// write pays for is told by leaving them out, or by changing where it stores. Usage: scripts/write_steps.sh
//
// A table is lines of four pairs and, beside them, a control word for each line. Every row overwrites the value of a random
// key; all of them are timed in turn, and the median of the rounds is told.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include <syncmap/sync/vector_search.hpp>

#include "random.hpp"
#include "stopwatch.hpp"

namespace {

using word = std::atomic<std::uint64_t>;

struct alignas(64) line {
    word words[8];
    word& key(std::size_t slot) { return words[2 * slot]; }
    word& value(std::size_t slot) { return words[2 * slot + 1]; }
};

/// One table, and the key that is written next.
class table {
public:
    explicit table(std::size_t lines)
        : mask_(lines - 1), lines_(new line[lines]{}), controls_(new std::atomic<std::uint32_t>[lines] {}) {
        for (std::size_t i = 0; i != lines; ++i) {
            for (std::size_t slot = 0; slot != 4; ++slot)
                lines_[i].key(slot).store(i * 4 + slot + 1, std::memory_order_relaxed);
        }
    }

    struct place {
        line& in;
        std::atomic<std::uint32_t>& control;
        std::size_t slot;
        std::uint64_t key;
    };
    place next() {
        const std::uint64_t number = random_();
        const std::size_t i = (number >> 8) & mask_;
        return {lines_[i], controls_[i], number & 3, i * 4 + (number & 3) + 1};
    }

private:
    std::size_t mask_;
    std::unique_ptr<line[]> lines_;
    std::unique_ptr<std::atomic<std::uint32_t>[]> controls_;
    syncmap::bench::random_source random_{1};
};

/// Holds the control word's lock for as long as `body` runs.
template <class Body>
void locked(std::atomic<std::uint32_t>& control, Body&& body) {
    std::uint32_t free = control.load(std::memory_order_relaxed);
    if ((free & 1) != 0 || !control.compare_exchange_strong(free, free | 1, std::memory_order_acquire)) return;
    body();
    control.store(free, std::memory_order_release);
}

std::size_t slot_of(line& in, std::uint64_t key) {
    return static_cast<std::size_t>(std::countr_zero(syncmap::sync::vector_search::match_pairs(in.words, key) | 16U));
}

/// Forty instructions, one after the other, that have nothing to do with the table.
void idle_instructions() {
    std::uint64_t x = 1;
    for (int i = 0; i != 20; ++i) asm volatile("add $3, %0\n\tror $1, %0" : "+r"(x));
}

void search_and_store(const table::place& p, std::uint64_t value) {
    __builtin_prefetch(&p.in, 1);
    locked(p.control, [&] { p.in.value(slot_of(p.in, p.key) & 3).store(value, std::memory_order_release); });
}

struct row {
    const char* name;
    std::function<double(table&, std::uint64_t)> nanoseconds;
};

template <class Write>
row make_row(const char* name, Write write) {
    return {name, [write](table& t, std::uint64_t times) {
                const syncmap::bench::stopwatch watch;
                for (std::uint64_t i = 0; i != times; ++i) write(t.next(), i);
                return static_cast<double>(watch.elapsed()) / static_cast<double>(times);
            }};
}

} // namespace

int main() {
    using place = table::place;
    const row rows[] = {
        make_row("the key alone", [](const place& p, std::uint64_t) { asm volatile(""
                                                                                   :
                                                                                   : "r"(p.key)); }),
        make_row("exchange of the value", [](const place& p, std::uint64_t i) { p.in.value(p.slot).exchange(i); }),
        make_row("lock, store to a known slot",
                 [](const place& p, std::uint64_t i) {
                     __builtin_prefetch(&p.in, 1);
                     locked(p.control, [&] { p.in.value(p.slot).store(i, std::memory_order_release); });
                 }),
        make_row("lock, search, store", search_and_store),
        make_row("lock, search, store to the first slot",
                 [](const place& p, std::uint64_t i) {
                     __builtin_prefetch(&p.in, 1);
                     locked(p.control, [&] {
                         const std::size_t found = slot_of(p.in, p.key);
                         asm volatile("" : : "r"(found));
                         p.in.value(0).store(i, std::memory_order_release);
                     });
                 }),
        make_row("lock, search, store all four values",
                 [](const place& p, std::uint64_t i) {
                     __builtin_prefetch(&p.in, 1);
                     locked(p.control, [&] {
                         const std::size_t found = slot_of(p.in, p.key);
                         for (std::size_t slot = 0; slot != 4; ++slot) {
                             std::uint64_t value = p.in.value(slot).load(std::memory_order_relaxed);
                             value = slot == found ? i : value;
                             asm volatile("" : "+r"(value)); // chosen, not branched on
                             p.in.value(slot).store(value, std::memory_order_release);
                         }
                     });
                 }),
        make_row("lock, search, store, 40 instructions",
                 [](const place& p, std::uint64_t i) {
                     search_and_store(p, i);
                     idle_instructions();
                 }),
    };
    constexpr std::size_t sizes[] = {std::size_t{1} << 8, std::size_t{1} << 15, std::size_t{1} << 19}; // lines
    constexpr std::uint64_t times = 1'000'000;
    constexpr std::size_t rounds = 9;

    std::printf("%-40s", "ns, by bytes of lines:");
    for (const std::size_t lines : sizes) std::printf("%12zu", lines * sizeof(line));
    std::printf("\n");
    std::vector<std::array<double, std::size(sizes)>> median(std::size(rows));
    for (std::size_t size = 0; size != std::size(sizes); ++size) {
        table t(sizes[size]);
        std::vector<std::vector<double>> found(std::size(rows));
        for (std::size_t round = 0; round != rounds; ++round) {
            for (std::size_t r = 0; r != std::size(rows); ++r) found[r].push_back(rows[r].nanoseconds(t, times));
        }
        for (std::size_t r = 0; r != std::size(rows); ++r) {
            std::nth_element(found[r].begin(), found[r].begin() + rounds / 2, found[r].end());
            median[r][size] = found[r][rounds / 2];
        }
    }
    for (std::size_t r = 0; r != std::size(rows); ++r) {
        std::printf("%-40s", rows[r].name);
        for (const double each : median[r]) std::printf("%12.1f", each);
        std::printf("\n");
    }
}
