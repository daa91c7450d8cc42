// The times of one entry: 16 bytes in front of its node, where the entry has a lifetime or is renewed
// (engine/table/node_prefix.hpp).
//
// | word     | what                                                             | written by                                  |
// |----------|------------------------------------------------------------------|---------------------------------------------|
// | deadline | when the entry ends                                              | the writer, before others see the node; hits that prolong the entry |
// | history  | 50 bits: when the value was written, in units of 1.024 µs        | the writer; the thread whose renewal failed |
// |          | 4 bits: how many renewals in a row have failed; then the 50 bits tell when the next try is due | |
// |          | 1 bit: hits do not prolong the entry                             | |
// |          | 9 bits: how long the load took, in steps of 12 per cent          | |
//
// Of a node without a value the second word is the address of the exception that the load threw, or 0: it has found nothing.
//
// Times are nanoseconds of the cache's clock. All accesses are relaxed: the node is published after the writer's, and a thread
// that reads an older deadline ends the entry a little earlier.
#pragma once

#include <atomic>
#include <bit>
#include <cstdint>
#include <exception>
#include <limits>

namespace syncmap::cache_detail {

/// A moment, or a length of time, in nanoseconds.
using nanoseconds_t = std::int64_t;
inline constexpr nanoseconds_t never = (std::numeric_limits<nanoseconds_t>::max)();

/// Returns the moment `length` after `from`; `never` where that is beyond all times, and at once for a negative length.
constexpr nanoseconds_t later(nanoseconds_t from, nanoseconds_t length) noexcept {
    if (length <= 0) return from;
    return from > never - length ? never : from + length;
}

/// When an entry was written or is to be renewed next, as the second word of its times has it.
class write_history {
public:
    write_history() noexcept = default;
    explicit write_history(std::uint64_t word) noexcept : word_(word) {}
    write_history(nanoseconds_t when, unsigned failures, bool is_fixed, nanoseconds_t load_took) noexcept
        : word_(units(when) << when_shift | std::uint64_t{failures} << failures_shift | std::uint64_t{is_fixed} << fixed_shift |
                compressed(load_took)) {}

    std::uint64_t word() const noexcept { return word_; }
    /// When the value was written; after a failure, when the next try is due. Up to a microsecond early.
    nanoseconds_t when() const noexcept { return static_cast<nanoseconds_t>(word_ >> when_shift << unit_log2); }
    unsigned failures() const noexcept { return static_cast<unsigned>(word_ >> failures_shift) & most_failures; }
    /// Hits do not prolong the entry: its lifetime was given with it.
    bool is_fixed() const noexcept { return (word_ >> fixed_shift & 1) != 0; }
    /// How long the load took, up to an eighth too little.
    nanoseconds_t load_took() const noexcept {
        const std::uint64_t code = word_ & length_mask;
        const std::uint64_t exponent = code >> fraction_bits;
        const std::uint64_t fraction = code & ((1U << fraction_bits) - 1);
        if (exponent == 0) return static_cast<nanoseconds_t>(fraction);
        return static_cast<nanoseconds_t>(((1U << fraction_bits) + fraction) << (exponent - 1));
    }

    write_history with_failure(nanoseconds_t next_try) const noexcept {
        const unsigned n = failures() < most_failures ? failures() + 1 : most_failures;
        return {next_try, n, is_fixed(), load_took()};
    }

    static constexpr unsigned most_failures = 15;

private:
    static constexpr int unit_log2 = 10;
    static constexpr int when_shift = 14;
    static constexpr int failures_shift = 10;
    static constexpr int fixed_shift = 9;
    static constexpr std::uint64_t length_mask = 0x1FF;
    static constexpr unsigned fraction_bits = 3;

    static std::uint64_t units(nanoseconds_t when) noexcept {
        return when <= 0 ? 0 : static_cast<std::uint64_t>(when) >> unit_log2 & (~std::uint64_t{0} >> when_shift);
    }
    /// Six bits of exponent and three of fraction.
    static std::uint64_t compressed(nanoseconds_t length) noexcept {
        if (length <= 0) return 0;
        const auto n = static_cast<std::uint64_t>(length);
        if (n < (1U << fraction_bits)) return n;
        const auto exponent = static_cast<unsigned>(std::bit_width(n)) - fraction_bits;
        return std::uint64_t{exponent} << fraction_bits | (n >> (exponent - 1) & ((1U << fraction_bits) - 1));
    }

    std::uint64_t word_ = 0;
};

template <class Sync>
class entry_times {
    template <class U>
    using atomic = typename Sync::template atomic<U>;

public:
    nanoseconds_t deadline() const noexcept { return deadline_.load(std::memory_order_relaxed); }
    void end_at(nanoseconds_t when) noexcept { deadline_.store(when, std::memory_order_relaxed); }

    write_history history() const noexcept { return write_history(history_.load(std::memory_order_relaxed)); }
    void remember(write_history h) noexcept { history_.store(h.word(), std::memory_order_relaxed); }

    // ---- of a node without a value ----

    void begin_without_value() noexcept { history_.store(0, std::memory_order_relaxed); }
    /// What the load threw; null, if it has found nothing.
    std::exception_ptr error() const noexcept {
        const std::exception_ptr* const thrown = error_in(history_.load(std::memory_order_relaxed));
        return thrown == nullptr ? nullptr : *thrown;
    }
    /// Of a node that is not published yet: once. Throws: `bad_alloc`.
    void remember_error(const std::exception_ptr& thrown) {
        if (thrown == nullptr || error_in(history_.load(std::memory_order_relaxed)) != nullptr) return;
        history_.store(reinterpret_cast<std::uintptr_t>(new std::exception_ptr(thrown)), std::memory_order_relaxed);
    }
    void end_without_value() noexcept { delete error_in(history_.load(std::memory_order_relaxed)); }

private:
    static const std::exception_ptr* error_in(std::uint64_t word) noexcept {
        return reinterpret_cast<const std::exception_ptr*>(static_cast<std::uintptr_t>(word));
    }
    atomic<nanoseconds_t> deadline_{never};
    atomic<std::uint64_t> history_{0};
};

} // namespace syncmap::cache_detail
