// What an extension of the table may use beside operations on keys: single entries with their marks. An engine that offers it
// is `syncmap::marked_map_engine` (marked_map.hpp).
//
//   visitor                     the calling thread in the map, for several steps in a row
//   sighting                    an entry that it looks at; a node is held by a hazard
//   find(hash, sighting)        an entry by its hash: what an extension remembers of entries
//   look_at(key, slot, f)       an entry by its key, with its mark: one read
//   write_at(visitor, hash, key, operation)    one write; see write_hooks.hpp for what the operation may have
//   erase_if_still(visitor, sighting)          erases the entry if it is still this one; then `retire_entry`
//   sweep_bucket(visitor, hash, f, place)      the entries of one bucket from that place on; returns where the next one begins
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

namespace syncmap {

template <class E>
concept marked_entries =
    requires(E& engine, const E& shared, typename E::visitor& by, typename E::sighting& seen, typename E::entry_type& entry,
             std::uint64_t hash, bool (*show)(typename E::sighting&, std::size_t)) {
        { shared.find(hash, seen) } -> std::same_as<bool>;
        { shared.sweep_bucket(by, hash, show, std::size_t{}) } -> std::same_as<std::uint64_t>;
        { shared.bucket_count() } noexcept -> std::same_as<std::size_t>;
        engine.erase_if_still(by, seen);
        { engine.retire_entry(by, entry) } noexcept;
        engine.wait_for_writer(by, seen);
        entry.mark;
        { entry.hash() } -> std::same_as<std::uint64_t>;
    };

} // namespace syncmap
