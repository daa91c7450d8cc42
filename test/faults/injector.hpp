// Failures on order: every allocation and every call of user code reports here first, and may be told to fail.
#pragma once

#include <array>
#include <atomic>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>

#include "support/threads.hpp"
#include "support/types.hpp"

namespace test::faults {

/// What can fail.
enum class site : unsigned char { allocation, hash, equality, key, value, assignment, callback };
inline constexpr std::array site_names{
    "allocations", "hashes", "equalities", "keys copied or moved", "values copied or moved", "assignments", "callbacks"};

/// Decides which call fails: of its own thread, and only between `armed` and its end.
class injector {
public:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    /// From here to its end calls may fail.
    class armed {
    public:
        armed() noexcept { state().on = true; }
        armed(const armed&) = delete;
        armed& operator=(const armed&) = delete;
        ~armed() { state().on = false; }
    };

    /// The n-th call from now on fails, and none after it.
    static void fail_at(std::uint64_t n) noexcept {
        state().left = n;
        state().of_10000 = 0;
    }
    /// Each call fails with this probability.
    static void fail_at_random(std::uint64_t of_10000, std::uint64_t seed) noexcept {
        state().left = never;
        state().of_10000 = of_10000;
        state().draw = random(seed);
    }
    static void stop() noexcept { fail_at(never); }

    /// One call that may fail. Throws `bad_alloc` for an allocation, `thrown_on_purpose` for user code.
    static void reach(site where) {
        auto& mine = state();
        if (!mine.on) return;
        if (mine.of_10000 != 0) {
            if (mine.draw.below(10'000) >= mine.of_10000) return;
        } else {
            if (mine.left == never || mine.left-- != 0) return;
            mine.left = never;
        }
        injected[static_cast<std::size_t>(where)].fetch_add(1, std::memory_order_relaxed);
        if (where == site::allocation) throw std::bad_alloc();
        throw thrown_on_purpose();
    }

    /// Whether a `fail_at` has had its effect.
    static bool has_failed() noexcept { return state().left == never; }

    static std::uint64_t count(site where) noexcept {
        return injected[static_cast<std::size_t>(where)].load(std::memory_order_relaxed);
    }
    static std::uint64_t count() noexcept {
        std::uint64_t sum = 0;
        for (const auto& n : injected) sum += n.load(std::memory_order_relaxed);
        return sum;
    }
    /// Prints how many were injected since the last time.
    static void report(const char* where) {
        std::printf("%s: %llu faults injected", where, static_cast<unsigned long long>(count()));
        for (std::size_t i = 0; i < injected.size(); ++i) {
            const std::uint64_t n = injected[i].exchange(0, std::memory_order_relaxed);
            if (n != 0) std::printf(", %llu %s", static_cast<unsigned long long>(n), site_names[i]);
        }
        std::printf("\n");
    }

private:
    struct per_thread {
        bool on = false;
        std::uint64_t left = never;
        std::uint64_t of_10000 = 0;
        random draw{1};
    };
    static per_thread& state() noexcept {
        static thread_local per_thread mine;
        return mine;
    }
    static inline std::array<std::atomic<std::uint64_t>, site_names.size()> injected{};
};

/// Memory that was asked for and not given back.
struct books {
    static inline std::atomic<std::ptrdiff_t> blocks{0};
    static inline std::atomic<std::ptrdiff_t> objects{0};
};

/// The allocator of the maps under test.
template <class T>
struct allocator {
    using value_type = T;
    allocator() = default;
    template <class U>
    allocator(const allocator<U>&) noexcept {}

    T* allocate(std::size_t n) {
        injector::reach(site::allocation);
        T* const block = std::allocator<T>().allocate(n);
        books::blocks.fetch_add(1, std::memory_order_relaxed);
        return block;
    }
    void deallocate(T* block, std::size_t n) noexcept {
        books::blocks.fetch_sub(1, std::memory_order_relaxed);
        std::allocator<T>().deallocate(block, n);
    }
    friend bool operator==(const allocator&, const allocator&) noexcept { return true; }
};

/// A number whose copies, moves and assignments may throw.
template <site Made>
class breakable {
public:
    explicit breakable(int number) noexcept : number_(number) { born(); }
    breakable(const breakable& other) : number_((injector::reach(Made), other.number_)) { born(); }
    breakable(breakable&& other) : number_((injector::reach(Made), other.number_)) { born(); } // NOLINT: throws on purpose
    breakable& operator=(const breakable& other) {
        injector::reach(site::assignment);
        number_ = other.number_;
        return *this;
    }
    ~breakable() {
        number_ = -1;
        books::objects.fetch_sub(1, std::memory_order_relaxed);
    }

    int number() const noexcept { return number_; }
    friend bool operator==(const breakable& a, const breakable& b) {
        injector::reach(site::equality);
        return a.number_ == b.number_;
    }

private:
    static void born() noexcept { books::objects.fetch_add(1, std::memory_order_relaxed); }
    int number_;
};
using breakable_key = breakable<site::key>;
using breakable_value = breakable<site::value>;

/// Small enough to lie in the table, but compared by code of the user's.
struct small_value {
    int number;
    friend bool operator==(const small_value& a, const small_value& b) {
        injector::reach(site::equality);
        return a.number == b.number;
    }
};

struct breakable_hash {
    std::size_t operator()(const breakable_key& key) const {
        injector::reach(site::hash);
        return static_cast<std::size_t>(key.number()) * 0x9E3779B97F4A7C15U;
    }
};

/// As hash and equality of texts.
struct breakable_view_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
        injector::reach(site::hash);
        return std::hash<std::string_view>()(key);
    }
};
struct breakable_view_equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const {
        injector::reach(site::equality);
        return a == b;
    }
};

template <class T>
T made_of(int number) {
    if constexpr (std::is_same_v<T, std::string>) {
        return std::to_string(number) + std::string(30, '.'); // too long to lie in the string itself
    } else {
        return T{number};
    }
}
inline int number_of(std::string_view value) noexcept {
    int number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}
inline int number_of(int value) noexcept { return value; }
inline int number_of(const small_value& value) noexcept { return value.number; }
template <site Made>
int number_of(const breakable<Made>& value) noexcept {
    return value.number();
}

} // namespace test::faults
