// The maps that every contract, stress and model test runs over: the one list to extend for a new engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>

#include "support/scale.hpp"

namespace test {

/// A family is one map template; `of<Key, T, ...>` is a map of it.
struct flagship {
    static constexpr const char* name = "map";
    /// Callbacks may call every operation of the map that runs them; else such a call throws `reentrant_call`.
    static constexpr bool callbacks_are_free = true;
    /// Small keys and values lie in the table, which `reserve` makes; else each entry is allocated by itself.
    static constexpr bool holds_small_entries_in_place = true;
    /// How an entry is held is up to the types of its key and value. (The other families hold all that do not throw
    /// when they are moved in one way.)
    static constexpr bool has_layouts = true;
    template <class Key, class T, class Hash = syncmap::hash<Key>, class KeyEqual = std::equal_to<>,
              class Allocator = std::allocator<std::pair<const Key, T>>>
    using of = syncmap::map<Key, T, Hash, KeyEqual, Allocator>;
};

struct behind_mutex {
    static constexpr const char* name = "mutex_map";
    static constexpr bool callbacks_are_free = false;
    static constexpr bool holds_small_entries_in_place = true;
    static constexpr bool has_layouts = false;
    template <class Key, class T, class Hash = syncmap::hash<Key>, class KeyEqual = std::equal_to<>,
              class Allocator = std::allocator<std::pair<const Key, T>>>
    using of = syncmap::mutex_map<Key, T, Hash, KeyEqual, Allocator>;
};

struct behind_shared_mutex {
    static constexpr const char* name = "shared_mutex_map";
    static constexpr bool callbacks_are_free = false;
    static constexpr bool holds_small_entries_in_place = true;
    static constexpr bool has_layouts = false;
    template <class Key, class T, class Hash = syncmap::hash<Key>, class KeyEqual = std::equal_to<>,
              class Allocator = std::allocator<std::pair<const Key, T>>>
    using of = syncmap::shared_mutex_map<Key, T, Hash, KeyEqual, Allocator>;
};

struct with_snapshot {
    static constexpr const char* name = "snapshot_map";
    static constexpr bool callbacks_are_free = true;
    static constexpr bool holds_small_entries_in_place = false;
    static constexpr bool has_layouts = false;
    template <class Key, class T, class Hash = syncmap::hash<Key>, class KeyEqual = std::equal_to<>,
              class Allocator = std::allocator<std::pair<const Key, T>>>
    using of = syncmap::snapshot_map<Key, T, Hash, KeyEqual, Allocator>;
};

using all_families = ::testing::Types<flagship, behind_mutex, behind_shared_mutex, with_snapshot>;

/// Of a family, the layouts of entries that a list of key and value types is taken for.
enum class layouts { every, first, last };

/// Which families a program's typed suites run over, and with which layouts. test/CMakeLists.txt names one of these for
/// each program. The two maps behind a lock have one engine: most programs take one of them.
namespace scope {

struct family {
    using families = ::testing::Types<flagship, behind_shared_mutex, with_snapshot>;
    static constexpr layouts of_flagship = layouts::every;
    static constexpr layouts of_others = layouts::last;
};
/// Entries held in place are the compiler's to reorder, so they are an optimised build's. The sanitizers run the others.
struct first_layout {
    using families = ::testing::Types<flagship, behind_mutex, with_snapshot>;
    static constexpr layouts of_flagship = layouts::first;
    static constexpr layouts of_others = layouts::last;
};
/// The engine that the sanitizers leave out. (Of the maps behind a lock, the other one is in most programs.)
struct other_engine {
    using families = ::testing::Types<with_snapshot>;
    static constexpr layouts of_flagship = layouts::every;
    static constexpr layouts of_others = layouts::last;
};
struct flagship_alone {
    using families = ::testing::Types<flagship>;
    static constexpr layouts of_flagship = layouts::every;
    static constexpr layouts of_others = layouts::last;
};
/// For scripts/quick.sh.
struct quick_inline {
    using families = ::testing::Types<flagship>;
    static constexpr layouts of_flagship = layouts::first;
    static constexpr layouts of_others = layouts::first;
};
struct quick_node {
    using families = ::testing::Types<flagship>;
    static constexpr layouts of_flagship = layouts::last;
    static constexpr layouts of_others = layouts::last;
};
struct everything {
    using families = all_families;
    static constexpr layouts of_flagship = layouts::every;
    static constexpr layouts of_others = layouts::every;
};

} // namespace scope

#if defined(SYNCMAP_TEST_SCOPE)
using program_scope = scope::SYNCMAP_TEST_SCOPE;
#else
using program_scope = scope::family;
#endif
using families = program_scope::families;

namespace detail {

/// The maps of `Families` for those of `Pairs` that the program's scope asks for.
template <class Families, class... Pairs>
struct product;
template <class... Families, class... Pairs>
struct product<::testing::Types<Families...>, Pairs...> {
    using first_pair = std::tuple_element_t<0, std::tuple<Pairs...>>;
    using last_pair = std::tuple_element_t<sizeof...(Pairs) - 1, std::tuple<Pairs...>>;
    template <class Family>
    static constexpr layouts wanted = Family::has_layouts ? program_scope::of_flagship : program_scope::of_others;
    template <class Family, class Pair>
    static constexpr bool has_map =
        wanted<Family> == layouts::every ||
        std::is_same_v<Pair, std::conditional_t<wanted<Family> == layouts::first, first_pair, last_pair>>;
    template <class Family, class Pair>
    using map =
        std::conditional_t<has_map<Family, Pair>,
                           std::tuple<typename Family::template of<typename Pair::first_type, typename Pair::second_type>>,
                           std::tuple<>>;
    template <class Family>
    using row = decltype(std::tuple_cat(std::declval<map<Family, Pairs>>()...));
    template <class... Maps>
    static ::testing::Types<Maps...> list(std::tuple<Maps...>);
    using type = decltype(list(std::tuple_cat(std::declval<row<Families>>()...)));
};

} // namespace detail

/// Maps for the tests of single operations: small keys and values held in place, and large ones held in nodes.
using maps = detail::product<families, std::pair<int, int>, std::pair<std::string, std::string>>::type;

/// The other ways in which an engine may have to hold a key and a value.
using further_maps = detail::product<families, std::pair<std::uint64_t, std::uint64_t>, std::pair<std::string, std::uint64_t>,
                                     std::pair<std::uint64_t, std::string>>::type;

/// Readable names for the types of typed tests.
struct names {
    template <class Named>
    static std::string GetName(int index) {
        if constexpr (requires { Named::name; }) {
            return Named::name;
        } else {
            std::string result = "map";
            name_family<Named>(result, all_families{});
            return result + "_" + word<typename Named::key_type>() + "_" + word<typename Named::mapped_type>() + "_" +
                   std::to_string(index);
        }
    }

private:
    template <class Map, class... Families>
    static void name_family(std::string& result, ::testing::Types<Families...>) {
        ((std::is_same_v<Map, typename Families::template of<typename Map::key_type, typename Map::mapped_type>>
              ? void(result = Families::name)
              : void()),
         ...);
    }
    template <class T>
    static std::string word() {
        if constexpr (std::is_same_v<T, std::string>) {
            return "string";
        } else {
            return (std::is_signed_v<T> ? "i" : "u") + std::to_string(8 * sizeof(T));
        }
    }
};

/// The i-th of a row of distinct values; strings of all lengths around the point where they own memory.
template <class T>
T sample(int i) {
    if constexpr (std::is_same_v<T, std::string>) {
        return std::to_string(i) + std::string(static_cast<std::size_t>(i) % 40, '.');
    } else {
        return static_cast<T>(i);
    }
}

template <class Map>
typename Map::key_type key(int i) {
    return sample<typename Map::key_type>(i);
}
template <class Map>
typename Map::mapped_type value(int i) {
    return sample<typename Map::mapped_type>(i);
}

} // namespace test
