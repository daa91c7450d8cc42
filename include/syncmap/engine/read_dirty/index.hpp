// A set of entries by hash. The snapshot has this form, and no thread changes it any more. The dirty map has it too, under the
// mutex. Promotion turns the dirty map into the snapshot without a copy.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <syncmap/engine/read_dirty/entry.hpp>

namespace syncmap::engine::read_dirty_parts {

/// Open addressing, linear steps, two thirds full at most. Entries are added and never removed. An index knows the hashes, not
/// the keys: comparing keys is user code, which the caller runs.
template <class Entry, class Sync>
class index : public retirable<Sync> {
public:
    struct slot {
        std::uint64_t hash;
        Entry* entry; ///< null: the slot is empty
    };

    /// `all`: `count` empty slots, a power of two; the memory stays the caller's.
    index(slot* all, std::size_t count) noexcept
        : retirable<Sync>(0, retirable<Sync>::kind::index), slots_(all), mask_(count - 1) {}

    static constexpr std::size_t most_entries = (std::numeric_limits<std::ptrdiff_t>::max)() / sizeof(slot) / 4;
    static std::size_t slots_for(std::size_t entries) noexcept { return std::bit_ceil(entries + entries / 2 + 2); }

    slot* slot_array() const noexcept { return slots_; }
    std::size_t slot_count() const noexcept { return mask_ + 1; }
    std::size_t size() const noexcept { return size_; }
    bool has_room_for(std::size_t entries) const noexcept { return entries <= slot_count() - slot_count() / 3 - 1; }

    void add(Entry* e) noexcept {
        std::size_t i = home(e->hash);
        while (slots_[i].entry != nullptr) i = (i + 1) & mask_;
        slots_[i] = {e->hash, e};
        ++size_;
    }

    /// Calls `f(entry)` for the entries of one hash until it returns true; returns whether it did.
    template <class F>
    bool any_of_hash(std::uint64_t h, F&& f) const {
        for (std::size_t i = home(h); slots_[i].entry != nullptr; i = (i + 1) & mask_) {
            if (slots_[i].hash == h && f(*slots_[i].entry)) return true;
        }
        return false;
    }

    /// Does the same for all entries.
    template <class F>
    bool any(F&& f) const {
        for (std::size_t i = 0; i <= mask_; ++i) {
            if (slots_[i].entry != nullptr && f(*slots_[i].entry)) return true;
        }
        return false;
    }

    template <class F>
    void each(F&& f) const {
        any([&](Entry& e) {
            f(e);
            return false;
        });
    }

private:
    std::size_t home(std::uint64_t h) const noexcept { return static_cast<std::size_t>(h) & mask_; }

    slot* const slots_;
    const std::size_t mask_;
    std::size_t size_ = 0;
};

} // namespace syncmap::engine::read_dirty_parts
