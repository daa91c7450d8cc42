// What a node carries beside key and value, for an extension of the map: its *mark*. A map without marks has none, and its
// nodes are as if this file did not exist.
//
// The mark lies behind the pins, in what is padding where the key is aligned to 8 bytes. It goes with the entry, not with
// the value: a writer that overwrites the value lets the new node inherit the mark, under the bucket's lock.
#pragma once

#include <cstdint>
#include <type_traits>

#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// Of a map whose entries carry nothing.
struct no_mark {};

/// A mark: atomic words, made anew with each entry. `renew` runs where no other thread sees the node; `inherit` runs under
/// the bucket's lock, before other threads see the new node.
template <class Mark>
concept entry_mark = std::is_same_v<Mark, no_mark> || requires(Mark& mark, Mark& old) {
    { mark.renew() } noexcept;
    { mark.inherit(old) } noexcept;
};

template <class Sync, entry_mark Mark>
struct marked_node_base : reclaim::node_base<Sync> {
    using base = reclaim::node_base<Sync>;
    using base::base;

    void renew(std::uint64_t l) noexcept {
        base::renew(l);
        mark.renew();
    }

    Mark mark{};
};

template <class Sync, class Mark>
using node_base_for = std::conditional_t<std::is_same_v<Mark, no_mark>, reclaim::node_base<Sync>, marked_node_base<Sync, Mark>>;

} // namespace syncmap::engine
