// The public operations of every map of the family, each written once, on top of an engine. Here: what holds for all of them,
// reads, and writes of one key. The others: erasing.hpp, computations.hpp, number_values.hpp, batches.hpp, whole_map.hpp.
//
// An engine supplies few primitives (see `engine::map_engine` in concepts.hpp); what it cannot do
// (atomic iteration, exact size) is simply no member of the map made from it.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <syncmap/batches.hpp>
#include <syncmap/computations.hpp>
#include <syncmap/detail/absent.hpp>
#include <syncmap/detail/functional.hpp>
#include <syncmap/detail/listed_entry.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/detail/never_copied.hpp>
#include <syncmap/detail/other_calls.hpp>
#include <syncmap/detail/other_names.hpp>
#include <syncmap/erasing.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/number_values.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/results.hpp>
#include <syncmap/scalar_keys.hpp>
#include <syncmap/synchronized_values.hpp>
#include <syncmap/text.hpp>
#include <syncmap/whole_map.hpp>

namespace syncmap {

/// The public interface of the family. What holds for every operation is said here once; each operation adds
/// what is its own. `Engine` decides progress and consistency: they are told here as `syncmap::map` has them.
/// The maps behind one lock differ as locked_map.hpp says: every operation but the sizes waits for that lock and is
/// atomic as a whole, and callbacks may do less. How `snapshot_map` differs is said at its class.
///
/// Threads      Any number may call any operation at once and need not register. Only construction and
///              destruction belong to one thread.
/// Progress     *Read*: takes no lock, writes at most to its own thread's memory, waits for no thread; lock-free.
///              *Write*: locks one bucket for a few instructions; most overwrites of integer entries take no lock. It waits
///              for another writer of that bucket, and for a thread that computes the same key (`update`,
///              `load_or_compute`). Inserts and erases may also wait for `size()`, about 100 microseconds at a time, and
///              every write for a `snapshot()` that is being taken. No write stops a read.
/// Consistency  Linearizable, where an operation says nothing else: each takes place at one instant between its call and
///              its return, for all keys and all maps together.
/// Order        A write takes a `std::memory_order` as its last argument, as the operations of `std::atomic` do. Exceptions:
///              `clear`, `replace`, `swap`, `emplace` and `load_or_emplace`; `apply` takes it from `operation.order`.
///              `seq_cst`, the default: every thread sees the write when it returns.
///              Any other order: every thread sees the write soon after it returns, and the writer may read before that.
///              Two threads that each write a key, and then look for the other's, may then both miss it.
///              All orders acquire what the write reads and release what it writes. So a thread that sees the write sees
///              all that its writer did before. A write that changes nothing publishes nothing.
///              `clear`, `replace`, `emplace` and `load_or_emplace` are always `seq_cst`. In the maps behind one lock, every
///              write is `seq_cst` whatever its order.
/// Complexity   Constant on average; linear in the number of keys whose hashes collide. While the table changes
///              its size each write moves a few buckets, so that no write pays for all.
/// Throws       What hash, equality and the copies and moves of keys and values throw; `std::bad_alloc` where a
///              write needs memory, and where a thread uses the map for the first time; `recursive_update` for a
///              write from a callback to a key that its own thread computes. After a throw the map holds what it
///              held before; only an argument that was passed as an rvalue may have been moved from. Two exceptions: walks,
///              batches, `insert` of a list, `insert_range` and `merge` keep what they did before. `load_or_store` and
///              `load_or_compute` move the value into their result last; if that move throws, the entry stays.
/// Validity     Results are copies, and the caller's. What a callback is shown stays valid, and unchanged, until
///              the callback returns, whatever other threads do to the entry.
/// Callbacks    may call every operation of the same map, on the same key too, but for the write named above, moves and `swap`.
///              They may run long: that holds back the memory of what they are shown, and the other writers of a
///              key that is being computed. An exception passes through to the caller.
/// Moves        A move takes over the contents and leaves an empty, usable map. Its time does not depend on the entries.
///              - The map that was moved from keeps its hash, equality and allocator.
///              - A move throws only what copies of hash and equality throw. It waits for no destructor of a value.
///              - No operation of the map, of a snapshot of it or of a pinned entry of it may be under way. That includes an
///                operation whose callback makes the move.
///              - Snapshots and pinned entries stay valid, and belong to the contents. They must be dropped before the map that
///                has the contents then is destroyed.
///              - A map is not assigned to: that would be no atomic step. Use `replace`, or `swap` while no thread uses it.
/// Keys         of another type than `key_type` are looked up as they are when hash and equality are transparent
///              (the defaults are for strings), and converted to `key_type` otherwise.
///              An entry keeps the key object with which it was inserted. A write of a present key copies no key object and
///              moves none. (Strings, texts and trivially copyable keys are kept as bytes: there a new value may come with a
///              copy of the bytes of the first key. `update` and `load_or_compute` may copy a key while they own it.)
/// Values       are made in their place, by the map's allocator, from what the operation is given. A `store` of an rvalue moves
///              it once, and one of another type makes the value from that argument. `update` moves once what its function
///              returns. `load_or_store` and `load_or_compute` copy the value once for the caller, `exchange` the previous
///              one. Behind a lock an overwrite moves the value out of the table and the new one in.
/// Conversions  of keys and values are implicit ones that lose nothing. An integer becomes one that is at least as wide,
///              whatever their signs; a floating-point number never becomes an integer. All others do not compile. A
///              constant in braces is checked by the compiler: `m.store({1}, {2})` where key and value are `short`. The
///              entries of a list in braces, and of a range, are converted in the same way. A callback may return an `int` for
///              any integer. A null pointer is no valid text.
template <class Engine>
class basic_map : private a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident,
                  private a_map_is_not_assigned_to_since_that_is_no_atomic_step_use_replace_or_swap,
                  public batch_operations<Engine>,
                  public erasing_operations<Engine>,
                  public scalar_keys<Engine>,
                  public number_operations<Engine>,
                  public computing_operations<Engine>,
                  public whole_map_operations<Engine>,
                  public detail::other_names,
                  public detail::other_calls<Engine> {
    friend batch_operations<Engine>;
    friend erasing_operations<Engine>;
    friend scalar_keys<Engine>;
    friend number_operations<Engine>;
    friend computing_operations<Engine>;
    friend whole_map_operations<Engine>;

public:
    using key_type = typename Engine::key_type;
    using mapped_type = typename Engine::mapped_type;
    using value_type = std::pair<const detail::given_t<key_type>, detail::given_t<mapped_type>>;
    using size_type = std::size_t;
    using hasher = typename Engine::hasher;
    using key_equal = typename Engine::key_equal;
    using allocator_type = typename Engine::allocator_type;

private:
    using Key = key_type;
    using T = mapped_type;
    using copied = detail::copied_out_t<T>;
    using given = detail::given_t<T>;
    using shown = detail::shown_t<T>;
    using given_key = detail::given_t<Key>;
    template <class K>
    static constexpr bool is_lookup_key = detail::lookup_key<K, Key, hasher, key_equal>;
    static_assert(sizeof(detail::key_requirements<Key, hasher, key_equal>) != 0);

public:
    /// An empty map; owns no heap until the first write. As a global it can be `constinit`.
    constexpr basic_map() noexcept(noexcept(Engine())) = default;
    constexpr explicit basic_map(const allocator_type& alloc) : engine_(hasher(), key_equal(), alloc) {}
    constexpr explicit basic_map(const hasher& hash, const key_equal& equal = key_equal(),
                                 const allocator_type& alloc = allocator_type())
        : engine_(hash, equal, alloc) {}

    /// From a list, `{{key, value}, ...}`, or a list of pairs: of several entries with one key the last one stays, as with
    /// repeated `store`. Complexity: linear. Throws: as `store`; no map is made then.
    basic_map(std::initializer_list<detail::listed_entry<Key, T>> entries, const hasher& hash = hasher(),
              const key_equal& equal = key_equal(), const allocator_type& alloc = allocator_type())
        : basic_map(entries.begin(), entries.end(), hash, equal, alloc) {}
    template <class K, class U>
    basic_map(std::initializer_list<std::pair<K, U>> entries, const hasher& hash = hasher(),
              const key_equal& equal = key_equal(), const allocator_type& alloc = allocator_type())
        : basic_map(entries.begin(), entries.end(), hash, equal, alloc) {}
    template <class Nothing = void> // an error in words
    basic_map(std::initializer_list<detail::unfit_entry<Key, T>>) : basic_map() {}

    /// From a range of pairs, or of anything with `.first` and `.second`; otherwise as from a list. A range that
    /// knows its length has its room reserved at once, as by `reserve`.
    template <std::input_iterator Iterator, std::sentinel_for<Iterator> Sentinel>
    basic_map(Iterator first, Sentinel last, const hasher& hash = hasher(), const key_equal& equal = key_equal(),
              const allocator_type& alloc = allocator_type())
        : engine_(hash, equal, alloc) {
        if constexpr (std::sized_sentinel_for<Sentinel, Iterator>) {
            if (last - first > 0) engine_.reserve(static_cast<size_type>(last - first));
        }
        for (; first != last; ++first) {
            auto&& each = *first;
            store(std::forward<decltype(each)>(each).first, std::forward<decltype(each)>(each).second,
                  std::memory_order_release);
        }
    }

    // ---- reads ----

    /// A copy of the value of `key`, or nothing.
    ///
    /// Progress: a read, for hits and misses alike; wait-free between two resizes when keys and values lie in the
    /// table itself. Throws: nothing then; else what hash, equality and the copy throw. Go: `Load`.
    template <class K = given_key>
    [[nodiscard, gnu::always_inline]] std::optional<copied> load(const K& key) const {
        static_assert(is_lookup_key<K>, "syncmap: this type cannot be looked up: it neither converts to the key type nor "
                                        "do hash and equality accept it (both need is_transparent)");
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: load copies the value, and this value type cannot be copied: use visit(key, f)");
        if constexpr (requires { engine_.copy_of(lookup(key)); }) {
            return engine_.copy_of(lookup(key));
        } else {
            std::optional<copied> result;
            engine_.visit(lookup(key), [&](const T& value) { result.emplace(value); });
            return result;
        }
    }

    /// Whether `key` is there. As `load`, without the copy.
    template <class K = given_key>
    [[nodiscard, gnu::always_inline]] bool contains(const K& key) const {
        static_assert(is_lookup_key<K>, "syncmap: this type cannot be looked up in this map");
        return engine_.visit(lookup(key), [](const T&) {});
    }

    /// Calls `f(const T&)`, or `f(const Key&, const T&)`, on the entry of `key` and returns true, or returns false when the key
    /// is absent. The value is shown in place; only of a trivially copyable one of up to 8 bytes a copy. A value that
    /// synchronises itself is shown as `T&`, see synchronized_values.hpp.
    ///
    /// Progress: a read. Consistency: `f` sees the value of one instant before its call, however long it runs;
    /// other threads may meanwhile replace or erase the entry. Validity: the reference dies with the call of `f`.
    /// Throws: what hash, equality and `f` throw.
    template <class K = given_key, class F>
    [[gnu::always_inline]] bool visit(const K& key, F&& f) const {
        static_assert(is_lookup_key<K>, "syncmap: this type cannot be looked up in this map");
        static_assert(
            std::invocable<F&, shown> || std::invocable<F&, const Key&, shown>,
            "syncmap: visit(key, f) calls f(const T&): entries are read only while others may read them; change a value "
            "with update, or write using synchronizes_itself = void; in its type. f(const Key&, const T&) is called too");
        if constexpr (std::invocable<F&, shown>) {
            return engine_.visit(lookup(key), [&](const T& value) { detail::invoke(f, detail::shown(value)); });
        } else {
            return engine_.visit_entry(lookup(key),
                                       [&](const Key& own, const T& value) { detail::invoke(f, own, detail::shown(value)); });
        }
    }

    /// The entry of `key`, to be kept beyond the call: a handle `syncmap::pinned`, empty when the key is absent.
    /// (Include <syncmap/pinned.hpp>, as map.hpp does.)
    ///
    /// Progress: a read; afterwards nothing is held but the entry. Consistency: the entry of one instant of the call; it
    /// does not change. Validity: the handle may be used and dropped on any thread, and must be dropped before the map
    /// is destroyed. Throws: what hash and equality throw. Only of maps whose entries can be kept.
    template <class K = given_key>
    [[nodiscard]] auto pin(const K& key) const
        requires requires(const Engine& e, const Key& k) { e.pin(k); }
    {
        static_assert(is_lookup_key<K>, "syncmap: this type cannot be looked up in this map");
        return pinned<Engine>(engine_.pin(lookup(key)));
    }
    template <class K>
    detail::only_syncmap_map_keeps_entries_for_handles_use_load_or_visit pin(const K&) const = delete;

    // ---- writes ----

    // For keys that are numbers; each does what its namesake below does.
    using scalar_keys<Engine>::store;
    using scalar_keys<Engine>::insert;
    using scalar_keys<Engine>::load_or_store;
    using scalar_keys<Engine>::exchange;
    using scalar_keys<Engine>::compare_exchange;
    using scalar_keys<Engine>::emplace;
    using scalar_keys<Engine>::load_or_emplace;
    using scalar_keys<Engine>::insert_or_visit;
    using scalar_keys<Engine>::fetch_add;
    using scalar_keys<Engine>::fetch_max;
    using scalar_keys<Engine>::fetch_min;
    using scalar_keys<Engine>::fetch_or;
    using scalar_keys<Engine>::fetch_and;
    using scalar_keys<Engine>::apply;
    using scalar_keys<Engine>::load_or_compute;
    using scalar_keys<Engine>::update;

    // Described where they are declared.
    using number_operations<Engine>::fetch_add;
    using number_operations<Engine>::fetch_max;
    using number_operations<Engine>::fetch_min;
    using number_operations<Engine>::fetch_or;
    using number_operations<Engine>::fetch_and;
    using computing_operations<Engine>::load_or_compute;
    using computing_operations<Engine>::update;
    using whole_map_operations<Engine>::insert;
    using whole_map_operations<Engine>::erase_if;
    using erasing_operations<Engine>::erase_if;
    using erasing_operations<Engine>::compare_erase;

    // Errors in words.
    using detail::other_calls<Engine>::store;
    using detail::other_calls<Engine>::insert;
    using detail::other_calls<Engine>::load;
    using detail::other_calls<Engine>::compare_exchange;
    using detail::other_calls<Engine>::compare_erase;
    using detail::other_calls<Engine>::erase_if;

    /// Sets the value of `key`. Returns true when the key is new.
    ///
    /// Progress: a write. A trivially copyable value of up to 8 bytes is overwritten in place. Any other is replaced
    /// by one in new memory, and destroyed later, when no reader can look at it any more. Go: `Store`.
    template <detail::forwarded K = given_key, class U = given>
    bool store(K&& key, U&& value, std::memory_order order = std::memory_order_seq_cst) {
        detail::check_value<T, U&&>();
        detail::store_operation<T, U> op{std::forward<U>(value), order};
        write(std::forward<K>(key), op);
        return !op.existed;
    }

    /// Stores only if `key` is absent; returns whether it did. Needs no copy of the value, so it is
    /// `load_or_store` for types that cannot be copied.
    ///
    /// Progress: a write. When another thread inserts the key at the same time, arguments passed as rvalues may
    /// have been moved from although the result is false.
    template <detail::forwarded K = given_key, class U = given>
    bool insert(K&& key, U&& value, std::memory_order order = std::memory_order_seq_cst) {
        detail::check_value<T, U&&>();
        detail::insert_operation<T, U> op{std::forward<U>(value), order};
        write(std::forward<K>(key), op);
        return !op.existed;
    }

    /// Stores only if `key` is absent; otherwise calls `f(const T&)` on the value that is there. Returns whether it stored.
    ///
    /// Progress: a write; `f` runs once at most, with nothing locked. Consistency: one instant, at which the key was absent, or
    /// had the value that `f` is shown. Validity and Throws: as `visit` and `insert`.
    template <detail::forwarded K = given_key, class U = given, class F>
    bool insert_or_visit(K&& key, U&& value, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::invocable<F&, shown>, "syncmap: insert_or_visit(key, value, f) calls f(const T&)");
        detail::check_value<T, U&&>();
        detail::insert_or_visit_operation<T, U, std::remove_reference_t<F>> op{std::forward<U>(value), f, order};
        write(std::forward<K>(key), op);
        return !op.existed;
    }

    /// Makes the value of `key` from `arguments`, in its place, if the key is absent; returns whether it was. For values that
    /// can be neither copied nor moved too. As `insert`, always with `seq_cst`.
    template <detail::forwarded K = given_key, class... Arguments>
    bool emplace(K&& key, Arguments&&... arguments) {
        check_arguments<Arguments&&...>();
        detail::emplace_operation<T, Arguments...> op{std::forward_as_tuple(std::forward<Arguments>(arguments)...)};
        write(std::forward<K>(key), op);
        return !op.existed;
    }

    /// The entry of `key`, held as by `pin`; when the key is absent, `arguments` make its value first. Never empty.
    ///
    ///     syncmap::map<std::string, std::atomic<int>> hits;
    ///     ++*hits.load_or_emplace("index.html", 0);
    ///
    /// Progress: a read where the key is there, else as `emplace`. Consistency: linearizable; the entry is the one that the
    /// map has at that instant. Validity and Throws: as `pin` and `emplace`. Only of maps whose entries can be kept.
    template <detail::forwarded K = given_key, class... Arguments>
    [[nodiscard]] auto load_or_emplace(K&& key, Arguments&&... arguments)
        requires requires(const Engine& e, const Key& k) { e.pin(k); }
    {
        static_assert(is_lookup_key<std::remove_cvref_t<K>>, "syncmap: this type cannot be a key of this map");
        check_arguments<Arguments&&...>();
        check_stored_key<K>();
        auto&& own = lookup(std::forward<K>(key));
        if (auto found = engine_.pin(std::as_const(own))) return pinned<Engine>(std::move(found));
        detail::emplace_operation<T, Arguments...> op{std::forward_as_tuple(std::forward<Arguments>(arguments)...)};
        return pinned<Engine>(engine_.pin_or_insert(std::forward<decltype(own)>(own), op));
    }
    template <class K, class... Arguments>
        requires(!requires(const Engine& e, const Key& k) { e.pin(k); })
    detail::only_syncmap_map_keeps_entries_for_handles_use_load_or_visit load_or_emplace(const K&, Arguments&&...) = delete;

    /// The value of `key`; when it is absent, `value` is stored first. `.loaded` tells which.
    ///
    /// Progress: a write, which may lock the bucket also when the key is there: where it mostly is, `load` first is
    /// cheaper. For a value that is costly to make, use `load_or_compute`. Go: `LoadOrStore`.
    template <detail::forwarded K = given_key, class U = given>
    [[nodiscard]] load_result<copied> load_or_store(K&& key, U&& value, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: load_or_store returns a copy of the value, and this value type cannot be copied: use insert");
        detail::check_value<T, U&&>();
        detail::load_or_store_operation<T, U> op{std::forward<U>(value), order};
        write(std::forward<K>(key), op);
        return op.take();
    }

    /// Sets the value of `key` and returns the previous one, or nothing when the key was absent.
    /// Progress: a write. Go: `Swap`.
    template <detail::forwarded K = given_key, class U = given>
    [[nodiscard]] std::optional<copied> exchange(K&& key, U&& value, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: exchange returns a copy of the old value (readers may still hold it), and this value "
                      "type cannot be copied: use store");
        detail::check_value<T, U&&>();
        std::optional<copied> previous;
        detail::exchange_operation<T, U> op{std::forward<U>(value), previous, order};
        write(std::forward<K>(key), op);
        return previous;
    }

    /// If `key` has a value equal to `expected`, sets it to `desired` and returns true. Otherwise returns
    /// false, and `expected` becomes the value seen; it is left alone when the key is absent.
    ///
    /// Progress: a write. The `==` of a class may run more than once, and never inside a lock. Throws: also what it
    /// throws. Go: `CompareAndSwap`, but with the value seen, so that a retry needs no load.
    template <detail::forwarded K = given_key, class U = given>
    [[nodiscard]] bool compare_exchange(K&& key, copied& expected, U&& desired,
                                        std::memory_order order = std::memory_order_seq_cst) {
        static_assert(detail::equality_comparable_value<T>,
                      "syncmap: compare_exchange compares values, and this value type has no operator==: use update");
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: compare_exchange returns the value that it saw, and this value "
                      "type cannot be copied: use update");
        detail::check_value<T, U&&>();
        detail::compare_operation<T, U, decision::assign> op{std::addressof(expected), std::forward<U>(desired), order};
        write(std::forward<K>(key), op);
        if (op.seen) expected = *std::move(op.seen);
        return op.equal;
    }

    /// The same where absence is a state like any other: an empty `expected` expects no entry and makes
    /// one; after a failure `expected` is what was seen, empty when the key is absent.
    template <detail::forwarded K = given_key, class U = given>
    [[nodiscard]] bool compare_exchange(K&& key, std::optional<copied>& expected, U&& desired,
                                        std::memory_order order = std::memory_order_seq_cst) {
        static_assert(detail::equality_comparable_value<T>,
                      "syncmap: compare_exchange compares values, and this value type has no operator==: use update");
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: compare_exchange returns the value that it saw, and this value "
                      "type cannot be copied: use update");
        detail::check_value<T, U&&>();
        detail::compare_operation<T, U, decision::assign> op{expected ? std::addressof(*expected) : nullptr,
                                                             std::forward<U>(desired), order};
        write(std::forward<K>(key), op);
        if (op.seen) {
            expected = *std::move(op.seen);
        } else if (!op.equal) {
            expected.reset();
        }
        return op.equal;
    }

    /// Does to `key` what an operation of your own decides: see `write_operation`, in operation/write_operation.hpp. What it
    /// remembers is there afterwards.
    ///
    /// Progress: a write. Consistency: linearizable. `operation.decide` runs with no lock held unless it says that it may.
    /// Throws: what the operation throws; the entry is then as before.
    template <detail::forwarded K = given_key, class Op>
    void apply(K&& key, Op&& operation) {
        using op_type = std::remove_reference_t<Op>;
        static_assert(write_operation<op_type, T>, "syncmap: apply(key, operation): see the concept syncmap::write_operation");
        static_assert(!op_type::depends_on_current || (std::is_move_assignable_v<T> && !detail::is_text<T>),
                      "syncmap: apply: an operation that depends_on_current needs a value type that can be assigned");
        detail::applied_operation<T, op_type> op{operation};
        write(std::forward<K>(key), op);
    }

    /// As the member `swap`.
    friend void swap(basic_map& a, basic_map& b) noexcept { a.swap(b); }

    /// Copies of what the map was made with.
    [[nodiscard]] hasher hash_function() const { return engine_.hash_function(); }
    [[nodiscard]] key_equal key_eq() const { return engine_.key_eq(); }
    [[nodiscard]] allocator_type get_allocator() const noexcept { return engine_.get_allocator(); }

protected:
    template <class K>
    static decltype(auto) lookup(K&& key) {
        return detail::as_key<Engine>(std::forward<K>(key));
    }

    template <class... Arguments>
    static constexpr void check_arguments() {
        static_assert(std::is_constructible_v<given, Arguments...>,
                      "syncmap: the value type cannot be made from these arguments");
        if constexpr (sizeof...(Arguments) == 1) (detail::check_lossless<given, Arguments>(), ...);
    }

    template <class K>
    static constexpr void check_stored_key() {
        detail::check_key<Key, K&&, detail::looked_up_as_it_is<std::remove_cvref_t<K>, Key, hasher, key_equal>>();
    }

    template <class K, class Op>
    void write(K&& key, Op& op) {
        static_assert(is_lookup_key<std::remove_cvref_t<K>>, "syncmap: this type cannot be a key of this map");
        if constexpr (Op::may_assign) check_stored_key<K>();
        engine_.write(lookup(std::forward<K>(key)), op);
    }

    template <class K, class Op>
    void exclusive(K&& key, Op& op) {
        static_assert(is_lookup_key<std::remove_cvref_t<K>>, "syncmap: this type cannot be a key of this map");
        if constexpr (Op::may_assign) check_stored_key<K>();
        engine_.exclusive(lookup(std::forward<K>(key)), op);
    }

    Engine engine_{};
};

} // namespace syncmap
