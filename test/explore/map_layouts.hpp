// The keys of the explorer's programs, and the slot formats in which maps hold them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <explore/map_history.hpp>
#include <explore/probe.hpp>
#include <explore/sync.hpp>

#include <syncmap/engine/table/table.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/text.hpp>

namespace explore {

// ---- keys: numbered, each with its place in a table ----

/// The numbered keys of a program. `first` and `second` stay in one bucket up to 8 buckets a table; `apart` lies in the
/// other half; the fillers share the half of `first`, so that they fill its bucket in the smallest table.
namespace keys {
inline constexpr std::uint64_t first = 0, second = 1, trigger = 2, apart = 3, fillers = 4;
/// A probe in the bucket of `first` that has a tag of its own. No history has it.
inline constexpr std::uint64_t of_own_tag = 1000;

/// The upper three bits of the hash of a numbered key.
constexpr std::uint64_t octant(std::uint64_t number) noexcept {
    if (number == apart) return 4;
    return number < fillers || number == of_own_tag ? 0 : 1 + number % 3;
}
} // namespace keys

// ---- the three slot formats of the engine ----

/// Key and value in the slot. The engine trusts only its own hash here: keys are searched that lie where they should.
struct inline_layout {
    static constexpr const char* name = "inline";
    static constexpr bool has_integral_value = true;
    using key_type = std::uint64_t;
    using mapped_type = std::uint64_t;
    using hasher = syncmap::hash<std::uint64_t>;
    using key_equal = std::equal_to<>;

    static const std::array<std::uint64_t, contents::keys>& all() {
        static const std::array<std::uint64_t, contents::keys> chosen = [] {
            const syncmap::hash_seed seed{sync_policy::random_word(), sync_policy::random_word() | 1};
            std::array<std::uint64_t, contents::keys> found{};
            std::uint64_t candidate = 1000;
            for (std::uint64_t number = 0; number != contents::keys; ++number) {
                do ++candidate;
                while (syncmap::detail::seeded_hash(hasher(), candidate, seed) >> 61 != keys::octant(number));
                found[number] = candidate;
            }
            return found;
        }();
        return chosen;
    }
    static key_type key(std::uint64_t number) { return all()[number]; }
    static std::uint64_t number_of(const key_type& key) {
        for (std::uint64_t number = 0; number != contents::keys; ++number) {
            if (all()[number] == key) return number;
        }
        return contents::keys;
    }
    static std::uint64_t value_of(const mapped_type& value) { return value; }
};

/// Every numbered key lies where it should. All but one have the same tag: only a comparison tells them apart.
struct probe_hash {
    std::uint64_t operator()(const probe& key, const syncmap::hash_seed&) const noexcept {
        const std::uint64_t tag = key.number() == keys::of_own_tag ? 0xA5A5U : 0x5A5AU;
        return keys::octant(key.number()) << 61 | key.number() << 40 | tag;
    }
    std::size_t operator()(const probe& key) const noexcept { return static_cast<std::size_t>(key.number()); }
};

/// Key in a node, value in the slot.
struct node_key_layout {
    static constexpr const char* name = "node key";
    static constexpr bool has_integral_value = true;
    using key_type = probe;
    using mapped_type = std::uint64_t;
    using hasher = probe_hash;
    using key_equal = std::equal_to<>;

    static key_type key(std::uint64_t number) { return probe(number); }
    static std::uint64_t number_of(const key_type& key) { return key.number(); }
    static std::uint64_t value_of(const mapped_type& value) { return value; }
};

/// Key and value in a node.
struct node_layout {
    static constexpr const char* name = "node";
    static constexpr bool has_integral_value = false;
    using key_type = probe;
    using mapped_type = probe;
    using hasher = probe_hash;
    using key_equal = std::equal_to<>;

    static key_type key(std::uint64_t number) { return probe(number); }
    static std::uint64_t number_of(const key_type& key) { return key.number(); }
    static std::uint64_t value_of(const mapped_type& value) { return value.number(); }
};

/// Key and value are texts in one block with their node, of a size that depends on the number.
struct text_layout {
    static constexpr const char* name = "text";
    static constexpr bool has_integral_value = false;
    using key_type = syncmap::text;
    using mapped_type = syncmap::text;

    /// As for probes. What a map has of a text must be readable when it is read.
    struct hasher {
        using is_transparent = void;
        std::uint64_t operator()(std::string_view key, const syncmap::hash_seed&) const noexcept {
            const std::uint64_t number = value_of(key);
            return keys::octant(number) << 61 | number << 40 | 0x5A5AU;
        }
        std::size_t operator()(std::string_view key) const noexcept { return static_cast<std::size_t>(value_of(key)); }
    };
    struct key_equal {
        using is_transparent = void;
        bool operator()(std::string_view a, std::string_view b) const noexcept { return value_of(a) == value_of(b); }
        bool operator()(const syncmap::text& a, std::string_view b) const noexcept { return value_of(a) == value_of(b); }
    };

    /// Short enough for a `std::string` to have no memory of its own.
    static std::string value(std::uint64_t number) { return std::string(number % 9, '0') + std::to_string(number); }
    static std::string key(std::uint64_t number) { return value(number); }
    static std::uint64_t number_of(std::string_view key) { return value_of(key); }
    static std::uint64_t value_of(const syncmap::text& in_map) {
        scheduler::instance().touch(&in_map);
        return value_of(in_map.view());
    }
    static std::uint64_t value_of(const std::string& copy) { return value_of(std::string_view(copy)); }
    static std::uint64_t value_of(std::string_view digits) {
        std::uint64_t number = 0;
        for (const char digit : digits) number = 10 * number + static_cast<unsigned char>(digit - '0');
        return number;
    }
};

/// A value by number, as it is given to a map.
template <class Layout>
auto value_for(std::uint64_t number) {
    if constexpr (requires { Layout::value(number); }) {
        return Layout::value(number);
    } else {
        return typename Layout::mapped_type(number);
    }
}

} // namespace explore
