// Finding a key without a lock: the reader's protocol, docs/design.md [R1] to [R5]. No state of its own. Four files have all of
// a read:
//
//   reader.hpp   the steps: here
//   core.hpp     the root: the word that names the table, and whether it is still the same [R1] [R5]
//   header.hpp   the table: which line is a bucket's home, and which table comes next [R4]
//   layout.hpp   the line: what a slot word says, the search of a line, the next line [R2] [R3]
//
// The rest is by name: the hash of a key (hash.hpp), 16-byte loads and vector instructions (sync/). Nodes also have a hazard
// (reclaim/node.hpp).
//
//   inline keys   show_inline: inlined, in registers; mostly one line. Then find_inline_behind, find_inline_anywhere
//   node keys     visit_node: under a hazard, to compare the key and show the value; find_to_read, then find_node
//   writers       find_to_write: the same search, which goes by control words
#pragma once

#include <bit>
#include <memory>
#include <type_traits>

#include <syncmap/engine/table/core.hpp>
#include <syncmap/engine/table/locks.hpp>

namespace syncmap::engine {

template <class Types>
struct reader {
    using map_type = core<Types>;
    using locks = engine::locks<Types>;
    using Key = typename Types::key_type;
    using T = typename Types::mapped_type;
    using Sync = typename Types::sync;
    using Layout = typename Types::layout;
    using header = typename Types::header;
    using line_type = typename Types::line_type;
    using node = typename Types::node;
    using atomic_word = typename Layout::atomic_word;
    using control_word = typename Layout::control_word;
    using atomic_control = typename Layout::atomic_control;

    /// Returns `f(word)` for the value of an inline key, or a default-constructed result if the key is absent. The common case,
    /// which the home line decides, is inlined wherever keys are looked up. The rarer ones are calls. Everything stays in
    /// registers.
    template <class F>
    [[gnu::always_inline]] static auto show_inline(const map_type& map, const Key& key, F&& f)
        -> std::invoke_result_t<F&, word> {
        const word root = map.root_.load(std::memory_order_acquire); // [R1]
        const header* const t = map_type::table_of(root);
        if (t == nullptr) return {};
        return show_inline_in(map, root, *t, to_word(key), syncmap::detail::seeded_hash(map.hash_, key, t->seed), f);
    }
    /// Does the same for a key whose hash is known.
    template <class F>
    [[gnu::always_inline]] static auto show_inline(const map_type& map, word bits, std::uint64_t hash, F&& f)
        -> std::invoke_result_t<F&, word> {
        const word root = map.root_.load(std::memory_order_acquire); // [R1]
        const header* const t = map_type::table_of(root);
        if (t == nullptr) return {};
        return show_inline_in(map, root, *t, bits, hash, f);
    }
    static maybe_word find_inline(const map_type& map, const Key& key) noexcept {
        return show_inline(map, key, [](word value) { return maybe_word(value); });
    }

    template <class F>
    [[gnu::always_inline]] static auto show_inline_in(const map_type& map, word root, const header& t, word bits,
                                                      std::uint64_t hash, F& f) -> std::invoke_result_t<F&, word> {
        const line_type& home = t.home(t.bucket_of(hash));
        bool behind = false;
        if (line_type::finds_at_once() && !Layout::is_sentinel_key(bits)) [[likely]] {
            const word slot_word = Layout::inline_slot_word(bits);
            const word last = home.slot_word(Layout::last); // [R2]
            word value = 0;
            if (home.find_pair_at_once(slot_word, value)) {
                if (map.is_root(root)) [[likely]]
                    return f(value); // [R3] [R5]
            } else if (last == home.slot_word(Layout::last)) [[likely]] { // [R4]
                // If `last` is the key, the key was absent in between: it cannot leave the last slot and return otherwise.
                if (last < Layout::link && map.is_root(root)) [[likely]]
                    return {}; // [R5]
                behind = last == Layout::link;
            }
        }
        const maybe_word seen = behind ? find_inline_behind(map, home, root, bits) : find_inline_anywhere(map, bits);
        if (!seen) return {};
        return f(*seen);
    }

    /// Goes on where the last slot of the home line was a LINK, and none of the others had the key.
    [[gnu::noinline]] static maybe_word find_inline_behind(const map_type& map, const line_type& home, word root,
                                                           word bits) noexcept {
        const word slot_word = Layout::inline_slot_word(bits);
        word value = 0;
        const bool hit = find_pair_behind(home, slot_word, value);
        if ((hit || home.slot_word(Layout::last) != Layout::moved) && map.is_root(root)) { // [R4] [R5]
            return hit ? maybe_word(value) : maybe_word();
        }
        return find_inline_anywhere(map, bits);
    }

    /// The rest of R2 where the home line's last slot was a LINK, and none of the others had the key. A key in the overflow
    /// lines may move to the home line meanwhile, so this looks there once more.
    static bool find_pair_behind(const line_type& home, word slot_word, word& value) noexcept {
        for (const line_type* l = home.next_line(); l != nullptr; l = l->next_line()) {
            if (l->find_pair(slot_word, value)) return true;
        }
        return home.find_pair(slot_word, value);
    }

    /// Returns whether the bucket has the key; writes its value to `value` [R2].
    static bool find_pair_in_bucket(const line_type& home, word slot_word, word& value) noexcept {
        word last = Layout::empty;
        for (int attempt = 0; attempt < 2; ++attempt) { // `last` was the key twice, and not seen: it was absent in between
            last = home.slot_word(Layout::last);
            if (home.find_pair(slot_word, value)) return true;
            if (last != slot_word) break;
        }
        return last == Layout::link && find_pair_behind(home, slot_word, value);
    }

    [[gnu::noinline]] static maybe_word find_inline_anywhere(const map_type& map, word bits) noexcept {
        const word slot_word = Layout::inline_slot_word(bits);
        word value = 0;
        for (;;) {
            const word root = map.root_.load(std::memory_order_acquire); // [R1]
            const header* t = map_type::table_of(root);
            if (t == nullptr) return {};
            const std::uint64_t hash = syncmap::detail::seeded_hash(map.hash_, from_word<Key>(bits), t->seed);
            do {
                const line_type& home = t->home(t->bucket_of(hash, bits));
                const bool hit = find_pair_in_bucket(home, slot_word, value); // [R3]
                if (hit || home.slot_word(Layout::last) != Layout::moved) { // [R4]
                    if (!map.is_root(root)) break; // [R5]
                    return hit ? maybe_word(value) : maybe_word();
                }
                t = t->successor();
            } while (t != nullptr);
        }
    }

    /// The place where a key was found, or found to be absent. The caller's hazard guard holds the node.
    struct found {
        word root;
        header* t;
        std::size_t bucket;
        control_word control; ///< as it was before the search
        atomic_word* slot; ///< null: absent
        word slot_word; ///< EMPTY: absent
        word value; ///< pairs
    };

    /// When a search goes on to the next table. A reader does so as soon as a slot says MOVED: its hits in old slots are right
    /// until those are wiped. A writer does so only when the control word says MOVED: it must not reach the new copy of a key
    /// while a reader can still find the old one.
    enum class following : unsigned char { slot_words, controls };

    /// Calls `f(place)` on the entry of a key that lies in a node, under a hazard. Returns whether the key is there.
    template <class K, class F>
    static bool visit_node(const map_type& map, const K& key, F f) {
        if (map_type::table_of(map.root_.load(std::memory_order_acquire)) == nullptr) return false;
        const auto& c = map.shared_of_table();
        const reclaim::thread_lease<Sync> me(c.home->threads);
        reclaim::hazard_guard<Sync> held(*me);
        const found place = find_to_read(map, key, syncmap::detail::seeded_hash(map.hash_, key, c.seed()), held);
        if (place.slot_word == Layout::empty) return false;
        f(place);
        return true;
    }

    /// `find_node` for a reader. The common case is inlined: a hit in the home line of the root's table.
    template <class K>
    [[gnu::always_inline]] static found find_to_read(const map_type& map, const K& key, std::uint64_t hash,
                                                     reclaim::hazard_guard<Sync>& held) {
        found place = at_root(map, hash);
        if (place.t != nullptr && is_at_home(map, key, hash, held, place)) [[likely]]
            return place;
        return find_node(map, key, hash, held, following::slot_words);
    }
    /// Asks for the memory in which `find_to_write` will search first. Returns whether there is a table.
    [[gnu::always_inline]] static bool fetch_to_write(const map_type& map, std::uint64_t hash) noexcept {
        const found place = at_root(map, hash);
        if (place.t == nullptr) return false;
        place.t->fetch_to_write(place.bucket);
        return true;
    }
    /// The same for a writer; and an absence that the home line alone decides.
    template <class K>
    [[gnu::always_inline]] static found find_to_write(const map_type& map, const K& key, std::uint64_t hash,
                                                      reclaim::hazard_guard<Sync>& held) {
        found place = at_root(map, hash);
        if (place.t != nullptr) {
            place.control = place.t->controls[place.bucket].load(std::memory_order_acquire);
            if ((place.control & (Layout::moved_bit | Layout::lock_bit)) == 0 &&
                is_decided_at_home(map, key, hash, held, place)) [[likely]]
                return place;
        }
        return find_node(map, key, hash, held, following::controls);
    }

    template <class K>
    [[gnu::noinline]] static found find_node(const map_type& map, const K& key, std::uint64_t hash,
                                             reclaim::hazard_guard<Sync>& held, following how) {
        for (;;) {
            found place{map.root_.load(std::memory_order_acquire), nullptr, 0, 0, nullptr, Layout::empty, 0};
            place.t = map_type::table_of(place.root);
            if (place.t == nullptr) return place;
            while (place.t != nullptr) {
                place.bucket = place.t->bucket_of(hash);
                line_type& home = place.t->home(place.bucket);
                if (how == following::controls) {
                    const atomic_control& lock = place.t->controls[place.bucket];
                    place.control = lock.load(std::memory_order_acquire);
                    if ((place.control & Layout::moved_bit) != 0) {
                        place.t = place.t->successor();
                        continue;
                    }
                    if ((place.control & Layout::lock_bit) != 0) {
                        held.drop();
                        locks::wait_unlocked(map.shared_of_table(), lock);
                        continue;
                    }
                }
                if (!find_in_bucket(map, home, key, hash, held, place)) continue; // a slot changed: this bucket again
                if (place.slot_word == Layout::empty && home.slot_word(Layout::last) == Layout::moved) { // [R4]
                    if (how == following::slot_words) {
                        place.t = place.t->successor();
                        continue;
                    }
                    if (!map.is_root(place.root)) break;
                    continue; // finds LOCK or MOVED in the control word
                }
                if (map.is_root(place.root)) return place; // [R5]
                break;
            }
        }
    }

    /// The bucket of the root's table to which a hash belongs, not searched yet.
    [[gnu::always_inline]] static found at_root(const map_type& map, std::uint64_t hash) noexcept {
        found place{map.root_.load(std::memory_order_acquire), nullptr, 0, 0, nullptr, Layout::empty, 0}; // [R1]
        place.t = map_type::table_of(place.root);
        if (place.t != nullptr) place.bucket = place.t->bucket_of(hash);
        return place;
    }
    /// Returns whether the first slot of the home line that has the key's tag has the key. Says nothing of absent keys.
    template <class K>
    [[gnu::always_inline]] static bool is_at_home(const map_type& map, const K& key, std::uint64_t hash,
                                                  reclaim::hazard_guard<Sync>& held, found& place) {
        line_type& home = place.t->home(place.bucket);
        const unsigned candidates = home.match_hash(hash);
        return candidates != 0 &&
               look_at(map, home, static_cast<std::size_t>(std::countr_zero(candidates)), key, hash, held, place) ==
                   looked::found &&
               map.is_root(place.root); // [R5]
    }

    /// Returns whether the home line tells that the key is there, or that it is absent: `place` then has which. The bucket was
    /// neither locked nor moved when `place.control` was read.
    template <class K>
    [[gnu::always_inline]] static bool is_decided_at_home(const map_type& map, const K& key, std::uint64_t hash,
                                                          reclaim::hazard_guard<Sync>& held, found& place) {
        line_type& home = place.t->home(place.bucket);
        if (const unsigned candidates = home.match_hash(hash); candidates != 0) {
            return look_at(map, home, static_cast<std::size_t>(std::countr_zero(candidates)), key, hash, held, place) ==
                       looked::found &&
                   map.is_root(place.root); // [R5]
        }
        // All slots of the bucket were seen, and no writer has had its lock meanwhile: what a writer stores under the lock is
        // seen after the lock.
        return !Layout::is_link(home.slot_word(Layout::last)) &&
               place.t->controls[place.bucket].load(std::memory_order_acquire) == place.control &&
               map.is_root(place.root); // [R5]
    }

    /// Searches a bucket. Returns false if a slot changed meanwhile.
    template <class K>
    static bool find_in_bucket(const map_type& map, line_type& home, const K& key, std::uint64_t hash,
                               reclaim::hazard_guard<Sync>& held, found& place) {
        place.slot = nullptr;
        place.slot_word = Layout::empty;
        const word last = home.slot_word(Layout::last); // [R2]
        looked seen = find_in_line(map, home, key, hash, held, place);
        if (Layout::is_link(last)) {
            for (line_type* l = home.next_line(); l != nullptr && seen == looked::absent; l = l->next_line()) {
                seen = find_in_line(map, *l, key, hash, held, place);
            }
            if (seen == looked::absent) seen = find_in_line(map, home, key, hash, held, place);
        } else if (seen == looked::absent && Layout::tag_matches(last, hash) && home.slot_word(Layout::last) != last) {
            return false;
        }
        return seen != looked::changed;
    }

    /// Stands for the key of an entry that was seen. The search compares the node's address: a key need not equal itself (NaN).
    struct seen_node {
        const node& entry;
    };
    /// Any entry with the hash that is looked for, in the place of a key: no key is compared.
    struct any_of_hash {
        std::uint64_t hash;
    };
    template <class K>
    static bool is_key_of(const map_type& map, const node& n, const K& key) {
        if constexpr (std::is_same_v<K, seen_node>) {
            return std::addressof(n) == std::addressof(key.entry);
        } else if constexpr (std::is_same_v<K, any_of_hash>) {
            return n.hash() == key.hash;
        } else {
            return static_cast<bool>(map.equal_(n.key(), key));
        }
    }

    enum class looked : unsigned char { found, absent, changed };

    template <class K>
    static looked find_in_line(const map_type& map, line_type& l, const K& key, std::uint64_t hash,
                               reclaim::hazard_guard<Sync>& held, found& place) {
        for (unsigned candidates = l.match_hash(hash); candidates != 0; candidates &= candidates - 1) {
            const auto i = static_cast<std::size_t>(std::countr_zero(candidates));
            const looked seen = look_at(map, l, i, key, hash, held, place);
            if (seen != looked::absent) return seen;
        }
        return looked::absent;
    }

    /// Looks whether a slot that had the key's tag has the key. The hazard guard then holds the node.
    template <class K>
    [[gnu::always_inline]] static looked look_at(const map_type& map, line_type& l, std::size_t i, const K& key,
                                                 std::uint64_t hash, reclaim::hazard_guard<Sync>& held, found& place) {
        const word slot_word = l.slot_word(i);
        if (!Layout::tag_matches(slot_word, hash)) return looked::changed;
        word value = 0;
        const bool linked = held.protect(map_type::node_at(slot_word), [&]() __attribute__((always_inline)) { // [R3]
            if constexpr (Layout::pairs) {
                const auto both = Sync::load_pair(l.slot(i));
                value = both.second;
                return both.first == slot_word;
            } else {
                return l.slot_word(i) == slot_word;
            }
        });
        if (!linked) return looked::changed;
        if (!is_key_of(map, *map_type::node_at(slot_word), key)) return looked::absent;
        place.slot = l.slot(i);
        place.slot_word = slot_word;
        place.value = value;
        return looked::found;
    }

    template <class F>
    static decltype(auto) show(const found& place, F&& f) {
        if constexpr (Layout::pairs) {
            const T copy = from_word<T>(place.value);
            return f(copy);
        } else {
            return f(static_cast<const T&>(map_type::node_at(place.slot_word)->value()));
        }
    }
};

} // namespace syncmap::engine
