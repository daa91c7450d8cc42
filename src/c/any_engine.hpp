// The map inside, whichever it is.
#pragma once

#include <syncmap.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <syncmap/results.hpp>
#include <syncmap/stats.hpp>
#include <syncmap/walk_position.hpp>

#include "argument.hpp"
#include "function_ref.hpp"
#include "hash.hpp"
#include "operations.hpp"
#include "value.hpp"

namespace syncmap::dynamic {

using entry = std::pair<value, value>;

/// A snapshot of a map, whichever it is.
class any_instant {
public:
    any_instant() = default;
    any_instant(const any_instant&) = delete;
    any_instant& operator=(const any_instant&) = delete;
    virtual ~any_instant() = default;

    virtual walk_position for_each_from(walk_position at, function_ref<void(const value&, const value&)> f) const = 0;
};

/// Where a cursor stands: the entries that it has references to, and where it goes on when these have been shown.
struct walk {
    std::unique_ptr<const any_instant> instant{}; ///< what it walks over; else the map as it is at each step
    std::vector<entry> entries{};
    walk_position at{};
    bool is_complete = false; ///< `entries` are the last ones
};

/// What the C functions need of a map. Throws what the maps throw.
class any_engine {
public:
    any_engine() = default;
    any_engine(const any_engine&) = delete;
    any_engine& operator=(const any_engine&) = delete;
    virtual ~any_engine() = default;

    /// False: absent. `f` runs with no lock held.
    virtual bool visit(const syncmap_value& key, function_ref<void(const value&)> f) = 0;
    virtual bool load(const syncmap_value& key, value& result) = 0;
    virtual bool contains(const syncmap_value& key) = 0;

    virtual void write(const key_argument& key, put& op) = 0;
    virtual void write(const key_argument& key, put_if_absent& op) = 0;
    virtual void write(const key_argument& key, compare_put& op) = 0;
    virtual void write(const key_argument& key, add& op) = 0;
    virtual void write(const syncmap_value& key, take& op) = 0;
    virtual void write(const syncmap_value& key, compare_take& op) = 0;
    virtual load_result<value> compute(const key_argument& key, function_ref<value()> f) = 0;

    /// `f` is shown the present value, or null, and runs once. True: something has changed.
    virtual bool update(const key_argument& key, function_ref<update_action<value>(const value*)> f) = 0;
    /// The same for several keys, if `f` returns true. False: the map cannot do that.
    virtual bool update(std::span<const value> keys, function_ref<bool(std::span<update_slot<value>>)> f) = 0;

    /// Until `f` returns false, which runs with no lock held.
    virtual void for_each(function_ref<bool(const value&, const value&)> f) = 0;
    /// The next entries of a walk, which has none; or all there are, if the map has no walk in steps. Throws
    /// `bad_alloc`, and then the walk stands where it stood.
    virtual void advance(walk& w) = 0;
    /// Lets a walk that has not begun show the entries of one instant. False: the map cannot do that.
    virtual bool fix_instant(walk& w) = 0;

    /// Returns how many entries it has erased.
    virtual std::size_t erase_if(function_ref<bool(const value&, const value&)> condition) = 0;

    virtual std::size_t size() = 0;
    virtual map_stats stats() = 0;
    virtual void clear() = 0;
    virtual void reserve(std::size_t entries) = 0;
    /// False: the map cannot do that.
    virtual bool shrink() = 0;
    /// False: this map, or the other, cannot do that.
    virtual bool replace(any_engine& other) = 0;
    virtual void flush() noexcept = 0;

    /// What is erased lives on until no reader can look at it.
    virtual bool destroys_late() const noexcept = 0;
    /// Else one `advance` takes all entries, and has to come before others change them.
    virtual bool walks_in_steps() const noexcept = 0;
    virtual std::uint32_t number() const noexcept = 0; ///< SYNCMAP_ENGINE_...
};

/// Null for an unknown number.
std::unique_ptr<any_engine> make_engine(std::uint32_t which, const key_hash& hash);

} // namespace syncmap::dynamic
