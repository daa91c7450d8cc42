// What a node carries beside key and value, for an extension of the map: its *mark*. A map without marks has none, and its
// nodes are as if this file did not exist.
//
// The mark lies behind the pins, in what is padding where the key is aligned to 8 bytes. It goes with the entry, not with
// the value: a writer that overwrites the value lets the new node inherit the mark, under the bucket's lock.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>

#include <syncmap/reclaim/node.hpp>

namespace syncmap::engine {

/// Of a map whose entries carry nothing.
struct no_mark {};

/// A mark that is a part of the value word of an entry that lies in the table; see inline_entries.hpp. `is_same`: whether two
/// words with one key are to be taken for one entry. `view<Place>` is made of a place whose word it reads and changes.
template <class Mark>
concept mark_in_value = requires(std::uint64_t a, std::uint64_t b) {
    { Mark::is_same(a, b) } noexcept -> std::same_as<bool>;
};

/// A mark: atomic words, made anew with each entry. `renew` runs where no other thread sees the node; `inherit` runs under
/// the bucket's lock, before other threads see the new node. A mark with a type `prefix` has a bit for it, which both leave as
/// it is; see node_prefix.hpp.
template <class Mark>
concept entry_mark = std::is_same_v<Mark, no_mark> || requires(Mark& mark, Mark& old) {
    { mark.renew() } noexcept;
    { mark.inherit(old) } noexcept;
};

/// A mark of entries some of which have a prefix. `begin_with_prefix` runs once, when the node's block has been allocated.
template <class Mark>
concept prefixed_mark = entry_mark<Mark> && requires(Mark& mark, const Mark& shared) {
    typename Mark::prefix;
    { mark.begin_with_prefix() } noexcept;
    { shared.has_prefix() } noexcept -> std::same_as<bool>;
};

/// A mark of entries some of which have an extension in front of their prefix. `begin_with_extension` runs once, in place of
/// `begin_with_prefix`.
template <class Mark>
concept extended_mark = prefixed_mark<Mark> && requires(Mark& mark, const Mark& shared) {
    typename Mark::extension;
    { mark.begin_with_extension() } noexcept;
    { shared.has_extension() } noexcept -> std::same_as<bool>;
};

/// A mark of entries some of which have a prefix and no value. `begin_without_value` of both runs once, before other threads
/// see the node: its prefix may be that of a node before. `prefix::end_without_value` runs when such a node's block is given
/// back.
template <class Mark>
concept valueless_mark = prefixed_mark<Mark> && requires(Mark& mark, const Mark& shared, typename Mark::prefix& prefix) {
    { mark.begin_without_value() } noexcept;
    { shared.has_value() } noexcept -> std::same_as<bool>;
    { prefix.begin_without_value() } noexcept;
    { prefix.end_without_value() } noexcept;
};

/// What a node base has for its prefix, if its mark has one.
template <class Base, class Mark>
struct with_prefix_of {}; // NOLINT(bugprone-crtp-constructor-accessibility): `Base` is not derived from it
template <class Base, prefixed_mark Mark>
struct with_prefix_of<Base, Mark> {
    using prefix = typename Mark::prefix;

    bool has_prefix() const noexcept { return static_cast<const Base&>(*this).mark.has_prefix(); }
    void begin_without_value() noexcept
        requires valueless_mark<Mark>
    {
        in_front().begin_without_value();
        static_cast<Base&>(*this).mark.begin_without_value();
    }
    /// Whether the node has a value. Constant while other threads can find the node.
    bool has_value() const noexcept {
        if constexpr (valueless_mark<Mark>) {
            return static_cast<const Base&>(*this).mark.has_value();
        } else {
            return true;
        }
    }
    /// Of a node that has one.
    prefix& in_front() const noexcept {
        const auto* const node = reinterpret_cast<const std::byte*>(static_cast<const Base*>(this));
        return *std::launder(reinterpret_cast<prefix*>(const_cast<std::byte*>(node) - sizeof(prefix)));
    }
};

/// The same for its extension.
template <class Base, class Mark>
struct with_extension_of {}; // NOLINT(bugprone-crtp-constructor-accessibility): as above
template <class Base, extended_mark Mark>
struct with_extension_of<Base, Mark> {
    using extension = typename Mark::extension;

    bool has_extension() const noexcept { return static_cast<const Base&>(*this).mark.has_extension(); }
    /// Of a node that has one.
    extension& before_prefix() const noexcept {
        auto* const prefix = reinterpret_cast<std::byte*>(std::addressof(static_cast<const Base&>(*this).in_front()));
        return *std::launder(reinterpret_cast<extension*>(prefix - sizeof(extension)));
    }
};

template <class Sync, entry_mark Mark>
struct marked_node_base : reclaim::node_base<Sync>,
                          with_prefix_of<marked_node_base<Sync, Mark>, Mark>,
                          with_extension_of<marked_node_base<Sync, Mark>, Mark> {
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
