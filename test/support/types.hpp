// Keys, values and hashes that are awkward on purpose.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include <syncmap/hash.hpp>

namespace test {

/// Can be moved, not copied.
class move_only {
public:
    explicit move_only(int number) noexcept : number_(number) {}
    move_only(move_only&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    move_only& operator=(move_only&& other) noexcept {
        number_ = std::exchange(other.number_, -1);
        return *this;
    }
    int number() const noexcept { return number_; }

private:
    int number_;
};

/// Has neither a default constructor, nor assignment, nor equality.
struct bare {
    explicit bare(int n) : number(n), text(std::to_string(n)) {}
    bare(const bare&) = default;
    bare& operator=(const bare&) = delete;
    const int number;
    std::string text;
};

/// Wants more alignment than the heap gives by itself.
template <std::size_t Alignment>
struct alignas(Alignment) over_aligned {
    explicit over_aligned(int n = 0) noexcept : number(n) {}
    int number;
    bool well_placed() const noexcept { return reinterpret_cast<std::uintptr_t>(this) % Alignment == 0; }
    friend bool operator==(const over_aligned&, const over_aligned&) = default;
};

struct thrown_on_purpose : std::runtime_error {
    thrown_on_purpose() : std::runtime_error("thrown on purpose") {}
};

/// A count-down shared by all `fragile` objects, hashes and equalities of the thread.
struct fuse {
    static inline thread_local std::size_t steps = std::numeric_limits<std::size_t>::max();
    static void burn() {
        if (steps == std::numeric_limits<std::size_t>::max()) return;
        if (steps == 0) throw thrown_on_purpose();
        --steps;
    }
    static void disarm() { steps = std::numeric_limits<std::size_t>::max(); }
};

/// Every copy, move, assignment and comparison may throw; counts how many are alive.
class fragile {
public:
    static inline thread_local std::ptrdiff_t alive = 0;

    fragile(int number) : number_((fuse::burn(), number)) { ++alive; } // NOLINT: converts on purpose
    fragile(const fragile& other) : number_((fuse::burn(), other.number_)) { ++alive; }
    fragile(fragile&& other) : number_((fuse::burn(), other.number_)) { ++alive; } // NOLINT: throws on purpose
    fragile& operator=(const fragile& other) {
        fuse::burn();
        number_ = other.number_;
        return *this;
    }
    ~fragile() { --alive; }

    int number() const noexcept { return number_; }
    friend bool operator==(const fragile& a, const fragile& b) {
        fuse::burn();
        return a.number_ == b.number_;
    }

private:
    int number_;
};

struct fragile_hash {
    std::size_t operator()(const fragile& f) const {
        fuse::burn();
        return static_cast<std::size_t>(f.number());
    }
};

/// All keys collide.
struct constant_hash {
    template <class K>
    std::uint64_t operator()(const K&, const syncmap::hash_seed&) const noexcept {
        return 0x0123456789ABCDEFU;
    }
};

/// Only the upper `Bits` bits differ: keys crowd in few places, and share tags there.
template <unsigned Bits>
struct truncated_hash {
    template <class K>
    std::uint64_t operator()(const K& key, const syncmap::hash_seed& seed) const {
        if constexpr (Bits == 0) {
            return 0;
        } else {
            return syncmap::detail::seeded_hash(syncmap::hash<K>{}, key, seed) >> (64 - Bits) << (64 - Bits);
        }
    }
};

/// The same without knowledge of the seed: what a user's own poor hash looks like.
template <unsigned Bits>
struct poor_hash {
    template <class K>
    std::size_t operator()(const K& key) const {
        return std::hash<K>{}(key) & ((std::size_t{1} << Bits) - 1);
    }
};

/// A case-insensitive string key by way of hash and equality.
struct fold_case_hash {
    std::size_t operator()(const std::string& s) const {
        std::size_t result = 0;
        for (const char c : s) result = result * 31 + static_cast<unsigned char>(lower(c));
        return result;
    }
    static char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
};
struct fold_case_equal {
    bool operator()(const std::string& a, const std::string& b) const {
        if (a.size() != b.size()) return false;
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (fold_case_hash::lower(a[i]) != fold_case_hash::lower(b[i])) return false;
        }
        return true;
    }
};

} // namespace test
