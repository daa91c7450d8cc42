// What an operation may have beside `decide` and `make` (write_operation.hpp), for extensions that keep books about a table of
// nodes. The table calls what is there, and spends nothing on what is not.
//
// | member                  | called                                                                         | may           |
// |-------------------------|--------------------------------------------------------------------------------|---------------|
// | `decide_on(node)`       | instead of `decide(&value)`, with the entry that is there; as often as `decide`| look at words, as `decide` |
// | `wants_prefix()`        | before the node is made: its `prefix_kind`, or whether it has a prefix (engine/table/node_prefix.hpp) | look at words |
// | `prepared(node, is_present)` | before each attempt to assign, when the node is made; nothing is locked        | throw, write the prefix, use the map |
// | `before_insert()`       | before each attempt to insert, when key and value are made; nothing is locked  | throw, wait, use the map |
// | `admits(generation)`    | with the bucket locked, before anything is published; false: nothing is        | look at words |
// | `has_room_for(present)` | with the bucket locked, before a node replaces a present one; false: another attempt | look at words |
// | `erases_instead()`      | after `has_room_for` was true; true: the present node is erased, and the new one dropped | look at words |
// | `refused(node)`         | after `admits` was false: the operation owns the node that was made            | keep it       |
// | `publishes(node, word)` | with the bucket locked, before the entry is inserted, which nothing stops now  | write marks   |
// | `replaces(old, node)`   | the same, before the node takes the place of the one that is there             | write marks   |
// | `erases(place)`         | the same, before the entry leaves its slot                                      | write words   |
// | `entry_erased()`        | when the entry is erased and counted, before it is retired; nothing is locked   | write words   |
// | `keeps_removed(node, erased)` | when the node is out of its slot, after `entry_erased`; nothing is locked. True: the operation retires it | write words |
// | `attempt_failed()`      | when an attempt has come to nothing and another one follows; nothing is locked  | write words   |
// | `gives_way()`           | instead of waiting for a thread that computes the key: the write ends           | write words   |
//
// `makes_no_value`, a static constant, says that the node is to have no value; the mark has to provide for that
// (engine/table/marked_node.hpp).
// `caller_retires`, a static constant, says that the caller retires the node that the operation erases.
// `refused_beside_owner`, a static constant, says that the write is refused instead of waiting for a thread that computes the
// key, also if that is this thread.
// `generation`: of the map's contents, another after each `clear`. All but `decide_on`, `prepared` and
// `before_insert` are noexcept.
#pragma once

#include <cstdint>

#include <syncmap/operation/write_operation.hpp>

namespace syncmap {

/// What lies in front of a node: nothing; a prefix; a prefix, and its extension in front of that.
enum class prefix_kind : unsigned char { none = 0, plain = 1, extended = 2 };

/// An operation that obtains what an insert needs before it takes place, and is told what became of it.
template <class Op, class Node>
concept insert_hooks = requires(Op& op, Node& node) {
    op.before_insert();
    { op.publishes(node, std::uint64_t{}) } noexcept;
    { op.attempt_failed() } noexcept;
};

/// An operation that has the last word under the bucket's lock.
template <class Op>
concept admission_hook = requires(Op& op) {
    { op.admits(std::uint64_t{}) } noexcept -> std::same_as<bool>;
};

} // namespace syncmap
