// Which hand a cache has: by the marks of its entries.
#pragma once

#include <syncmap/cache/main_hand.hpp>
#include <syncmap/cache/numbered_state.hpp>
#include <syncmap/cache/ordered_hand.hpp>

namespace syncmap::cache_detail {

template <class Engine, class Sync, class Lifetimes, class Mark>
struct hand_of {
    using type = main_hand<Engine, Sync, Lifetimes>;
};
template <class Engine, class Sync, class Lifetimes, numbered_mark Mark>
struct hand_of<Engine, Sync, Lifetimes, Mark> {
    using type = ordered_hand<Engine, Sync, Lifetimes, Mark::number_tells>;
};

template <class Engine, class Sync, class Lifetimes>
using hand_for = typename hand_of<Engine, Sync, Lifetimes, decltype(Engine::entry_type::mark)>::type;

} // namespace syncmap::cache_detail
