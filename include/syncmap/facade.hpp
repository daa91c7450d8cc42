// The public operations of every map of the family, each written once, on top of an engine.
//
// An engine supplies few primitives (see `engine::map_engine` in concepts.hpp); what it cannot do
// (atomic iteration, exact size) is simply no member of the map made from it.
#pragma once

#include <syncmap/detail/language.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <syncmap/batches.hpp>
#include <syncmap/detail/lookup_key.hpp>
#include <syncmap/detail/other_names.hpp>
#include <syncmap/errors.hpp>
#include <syncmap/hash.hpp>
#include <syncmap/operation/built_in.hpp>
#include <syncmap/results.hpp>
#include <syncmap/scalar_keys.hpp>
#include <syncmap/synchronized_values.hpp>
#include <syncmap/text.hpp>
#include <syncmap/walk_position.hpp>

namespace syncmap {

template <class Engine>
class snapshot;
template <class Engine>
class pinned;

namespace engine {
template <class Source, class F>
std::size_t walk_in_parallel(std::size_t threads, const Source& source, F f); // engine/parallel_walk.hpp
}

/// Base of all maps; its name is the error message of a copy by accident.
struct a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident {
    constexpr a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident() = default;
    a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident(
        const a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&) = delete;
    a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident& operator=(
        const a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident&) = delete;
};

namespace detail {

template <class F, class... Args>
bool goes_on(F& f, Args&&... args) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, Args...>>) {
        std::invoke(f, std::forward<Args>(args)...);
        return true;
    } else {
        return static_cast<bool>(std::invoke(f, std::forward<Args>(args)...));
    }
}

/// A contiguous range of what converts to a view.
template <class Keys>
inline constexpr bool are_views = requires(const Keys& keys) {
    { *std::data(keys) } -> std::convertible_to<std::string_view>;
    std::size(keys);
};

template <class T>
concept is_number = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

template <class T>
concept equality_comparable_value = requires(const T& a) {
    { a == a } -> std::convertible_to<bool>;
};

} // namespace detail

/// The public interface of the family. What holds for every operation is said here once; each operation adds
/// what is its own. `Engine` decides progress and consistency: they are told here as `syncmap::map` has them.
/// The maps behind one lock differ as locked_map.hpp says: every operation but the sizes waits for that lock and is
/// atomic as a whole, and callbacks may do less. How `snapshot_map` differs is said at its class.
///
/// Threads      Any number may call any operation at once and need not register. Only construction and
///              destruction belong to one thread.
/// Progress     *Read*: takes no lock, writes at most to its own thread's memory, waits for nobody; lock-free.
///              *Write*: locks one bucket for a few instructions, and waits for another writer of that bucket and
///              for a thread that computes the same key (`update`, `load_or_compute`). Inserts and erases may
///              also wait for `size()`, about 100 microseconds at a time, and every write for a `snapshot()` that is
///              just being taken. No write stops a read.
/// Consistency  Linearizable, where an operation says nothing else: each takes place at one instant between its call and
///              its return, for all keys and all maps together.
/// Order        Every write but `clear` and `replace` takes a `std::memory_order` as its last argument, as the operations of
///              `std::atomic` do.
///              `seq_cst`, the default: every thread sees the write when it returns.
///              Any other order: every thread sees the write soon after it returns, and the writer may read before that.
///              Two threads that each write a key, and then look for the other's, may then both miss it.
///              All orders acquire what the write reads and release what it writes. So a thread that sees the write sees
///              all that its writer did before. A write that changes nothing publishes nothing.
///              `clear` and `replace` are always `seq_cst`. In the maps behind one lock every order is.
/// Complexity   Constant on average; linear in the number of keys whose hashes collide. While the table changes
///              its size each write moves a few buckets, so that no write pays for all.
/// Throws       What hash, equality and the copies and moves of keys and values throw; `std::bad_alloc` where a
///              write needs memory, and where a thread uses the map for the first time; `recursive_update` for a
///              write from a callback to a key that its own thread computes. After a throw the map holds what it
///              held before; only an argument that was passed as an rvalue may have been moved from. (With one
///              exception: `load_or_store` and `load_or_compute` move the value into their result when all is done. If
///              that move throws, the caller does not get the result, and the entry stays.)
/// Validity     Results are copies, and the caller's. What a callback is shown stays valid, and unchanged, until
///              the callback returns, whatever others do to the entry.
/// Callbacks    may call every operation of the same map, on the same key too, but for the write named above.
///              They may run long: that holds back the memory of what they are shown, and the other writers of a
///              key that is being computed. An exception passes through to the caller.
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
///              constant in braces is checked by the compiler: `m.store({1}, {2})` where key and value are `short`. A
///              callback may return an `int` for any integer. Null is no text.
template <class Engine>
class basic_map : private a_concurrent_map_is_shared_by_reference_and_never_copied_by_accident,
                  public batch_operations<Engine>,
                  public scalar_keys<Engine>,
                  public detail::other_names {
    friend batch_operations<Engine>;
    friend scalar_keys<Engine>;

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
    template <class Keys>
    static constexpr bool are_keys = !is_lookup_key<Keys> && (std::is_convertible_v<const Keys&, std::span<const given_key>> ||
                                                              (detail::string_like<Key> && detail::are_views<Keys>));
    static_assert(sizeof(detail::key_requirements<Key, hasher, key_equal>) != 0);
    static_assert(!detail::hashes_addresses_of_text<Key, hasher>,
                  "syncmap: const char* keys would be compared by their addresses: use std::string or std::string_view as the key "
                  "type, and const void* if addresses are meant");
    template <class E>
    static constexpr bool has_multi_update =
        requires(E& e, bool (*f)(std::span<update_slot<T>>)) { e.update_all(std::span<const given_key>(), f, std::memory_order_seq_cst); };

public:
    /// An empty map; owns no heap until the first write. As a global it can be `constinit`.
    constexpr basic_map() noexcept(noexcept(Engine())) = default;
    constexpr explicit basic_map(const allocator_type& alloc) : engine_(hasher(), key_equal(), alloc) {}
    constexpr explicit basic_map(const hasher& hash, const key_equal& equal = key_equal(),
                                 const allocator_type& alloc = allocator_type())
        : engine_(hash, equal, alloc) {}

    /// From a list: of several entries with one key the last one stays, as with repeated `store`.
    /// Complexity: linear. Throws: as `store`; no map is made then.
    basic_map(std::initializer_list<value_type> entries, const hasher& hash = hasher(),
              const key_equal& equal = key_equal(), const allocator_type& alloc = allocator_type())
        : basic_map(entries.begin(), entries.end(), hash, equal, alloc) {}

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
            auto&& entry = *first;
            store(std::forward<decltype(entry)>(entry).first, std::forward<decltype(entry)>(entry).second,
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
    /// others may meanwhile replace or erase the entry. Validity: the reference dies with the call of `f`.
    /// Throws: what hash, equality and `f` throw.
    template <class K = given_key, class F>
    [[gnu::always_inline]] bool visit(const K& key, F&& f) const {
        static_assert(is_lookup_key<K>, "syncmap: this type cannot be looked up in this map");
        static_assert(std::invocable<F&, shown> || std::invocable<F&, const Key&, shown>,
                      "syncmap: visit(key, f) calls f(const T&) or f(const Key&, const T&): entries are read only while others "
                      "may read them; change a value with update, or declare that it synchronizes_itself");
        if constexpr (std::invocable<F&, shown>) {
            return engine_.visit(lookup(key), [&](const T& value) { std::invoke(f, detail::shown(value)); });
        } else {
            return engine_.visit_entry(lookup(key), [&](const Key& own, const T& value) { std::invoke(f, own, detail::shown(value)); });
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
    /// Progress: a write; `f` runs once at most, with nothing locked. Consistency: one instant, at which the key was absent, or had
    /// the value that `f` is shown. Validity and Throws: as `visit` and `insert`.
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

    /// Erases `key`; returns whether it was there. The entry is destroyed later, when no reader can look at it any
    /// more: with a batch of others, or with the map. A table that erasing leaves sparse is shrunk.
    ///
    /// Progress: a write. Throws: what hash, equality and a conversion of the key throw; `std::bad_alloc` only on a
    /// thread's first use of the map. Go: `Delete`.
    template <class K = given_key>
    bool erase(const K& key, std::memory_order order = std::memory_order_seq_cst) {
        detail::erase_operation<T> op{order};
        write(key, op);
        return op.existed;
    }

    /// Erases `key` if `f(const T&)` is true of its value; returns whether it did. As `erase`.
    ///
    /// `f` may run more than once, while other threads change the value, with nothing locked: the last run counts.
    template <class K = given_key, class F>
        requires std::predicate<F&, const T&>
    bool erase_if(const K& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        detail::erase_if_operation<T, std::remove_reference_t<F>> op{f, order};
        write(key, op);
        return op.erased;
    }

    /// Erases `key` and returns a copy of the value it had, or nothing when it was absent. As `erase`.
    /// Go: `LoadAndDelete`.
    template <class K = given_key>
    [[nodiscard]] std::optional<copied> load_and_erase(const K& key, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>,
                      "syncmap: load_and_erase returns a copy of the value (readers may still hold it), and this value "
                      "type cannot be copied: use visit and erase");
        std::optional<copied> previous;
        detail::load_and_erase_operation<T> op{previous, order};
        write(key, op);
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
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: compare_exchange returns the value that it saw, and this value "
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
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: compare_exchange returns the value that it saw, and this value "
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

    /// Erases `key` if its value equals `expected`, and returns true; otherwise returns false, and `expected`
    /// becomes the value seen, or is left alone when the key is absent.
    ///
    /// Progress and Throws: as `compare_exchange`. Go: `CompareAndDelete`.
    template <class K = given_key>
    [[nodiscard]] bool compare_erase(const K& key, copied& expected, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(detail::equality_comparable_value<T>,
                      "syncmap: compare_erase compares values, and this value type has no operator==: use update");
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: compare_erase returns the value that it saw, and this value "
                                                       "type cannot be copied: use update");
        detail::compare_operation<T, const copied&, decision::erase> op{std::addressof(expected), expected, order};
        write(key, op);
        if (op.seen) expected = *std::move(op.seen);
        return op.equal;
    }

    /// Adds `operand` to the value of `key`, an absent key counting as zero; returns the value before. Integers wrap around, as
    /// in `std::atomic`. Progress: a write.
    template <detail::forwarded K = given_key>
    T fetch_add(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::sum_of>(std::forward<K>(key), operand, order);
    }
    /// Sets the value of `key` to the larger, or the smaller, one of it and `operand`, which an absent key gets; returns the value
    /// before, zero if there was none. Progress: a write.
    template <detail::forwarded K = given_key>
    T fetch_max(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::larger_of>(std::forward<K>(key), operand, order);
    }
    template <detail::forwarded K = given_key>
    T fetch_min(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires detail::is_number<T>
    {
        return fetch<detail::smaller_of>(std::forward<K>(key), operand, order);
    }
    /// Combines the bits of the value of `key` with those of `operand`, an absent key counting as zero; returns the value before.
    /// Progress: a write.
    template <detail::forwarded K = given_key>
    T fetch_or(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires(detail::is_number<T> && std::integral<T>)
    {
        return fetch<detail::bits_of_either>(std::forward<K>(key), operand, order);
    }
    template <detail::forwarded K = given_key>
    T fetch_and(K&& key, T operand, std::memory_order order = std::memory_order_seq_cst)
        requires(detail::is_number<T> && std::integral<T>)
    {
        return fetch<detail::bits_of_both>(std::forward<K>(key), operand, order);
    }

    /// Does to `key` what an operation of your own decides: see `write_operation`, in operation/write_operation.hpp. What it
    /// remembers is there afterwards.
    ///
    /// Progress: a write. Consistency: linearizable. `operation.decide` runs with no lock held unless it says that it may. Throws:
    /// what the operation throws; the entry is then as before.
    template <detail::forwarded K = given_key, class Op>
    void apply(K&& key, Op&& operation) {
        using op_type = std::remove_reference_t<Op>;
        static_assert(write_operation<op_type, T>, "syncmap: apply(key, operation): see the concept syncmap::write_operation");
        static_assert(!op_type::depends_on_current || (std::is_move_assignable_v<T> && !detail::is_text<T>),
                      "syncmap: apply: an operation that depends_on_current needs a value type that can be assigned");
        detail::applied_operation<T, op_type> op{operation};
        write(std::forward<K>(key), op);
    }

    /// Returns the value of `key`; when the key is absent, `f()` makes the value, and it is stored. `.loaded` tells which.
    ///
    /// Single flight: of all threads that ask at once, one runs `f`. The others sleep until it is done, and share its outcome:
    /// they return its value, or throw the same exception object. Other keys do not wait, nor do readers. If `f` throws,
    /// nothing is stored, and the next call runs its own function. `syncmap::unshared` as the first argument keeps an
    /// exception to its caller: the next waiting thread then runs its own function.
    ///
    /// In the maps behind one lock each caller runs its own function, one after the other, until one succeeds.
    ///
    /// Progress: a hit is a read; a miss waits, asleep, for a thread that writes or computes this key. Consistency: a `clear`
    /// while `f` runs is ordered after: the value is returned and not stored. A waiting thread that finds the value cleared
    /// or erased again takes part in a new flight. Throws: what `f` throws, in the thread that runs it and in those that wait
    /// for it; `recursive_update` when `f` writes its own key, or when threads would wait for each other's computations in a
    /// cycle; it is never shared. The key type must be copyable.
    template <detail::forwarded K = given_key, class F>
    [[nodiscard]] load_result<copied> load_or_compute(K&& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: load_or_compute returns a copy of the value, and this "
                                                       "value type cannot be copied: use update");
        detail::check_computation<T, F&>();
        return compute<true>(std::forward<K>(key), f, order);
    }
    template <detail::forwarded K = given_key, class F>
    [[nodiscard]] load_result<copied> load_or_compute(unshared_t, K&& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<copied>, "syncmap: load_or_compute returns a copy of the value, and this "
                                                       "value type cannot be copied: use update");
        detail::check_computation<T, F&>();
        return compute<false>(std::forward<K>(key), f, order);
    }

    /// Atomic read-modify-write: `f(const T* current)` (null when absent) runs once, with nothing locked
    /// but this key for writers, and returns what is to be: a value, an empty optional (no entry), or
    /// `syncmap::keep`. Returns what was done.
    ///
    /// Progress: waits, asleep, for who writes or computes this key; other keys and readers do not wait.
    /// Consistency: readers see the old value until `f` has returned; a `clear` while `f` runs is ordered after: the
    /// result counts, and is not stored. Throws: as `load_or_compute`; the entry is then as before. The key type
    /// must be copyable, the value type need not be.
    template <detail::forwarded K = given_key, class F>
    update_result update(K&& key, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_invocable_v<F&, const T*>,
                      "syncmap: update(key, f) calls f(const T* current), null when the key is absent");
        static_assert(std::is_constructible_v<update_action<T>, std::invoke_result_t<F&, const T*>>,
                      "syncmap: update: f returns the new value, an optional of it (empty: erase), or syncmap::keep");
        detail::update_operation<T, std::remove_reference_t<F>> op{f, order};
        exclusive(std::forward<K>(key), op);
        return op.outcome;
    }

    /// Atomic read-modify-write of several keys: `f(std::span<update_slot<T>>)` runs once, on one slot for each key in
    /// the order given, with nothing locked but these keys for writers. A slot has `current()` (null when absent),
    /// `assign(value)`, `erase()` and `keep()`; all that `f` asks for becomes so in one step. `f` returns nothing, or
    /// whether that is wanted: after false nothing changes. Returns what `f` did (true for nothing).
    ///
    ///     accounts.update({from, to}, [&](auto slots) {
    ///         if (slots[0].current() == nullptr || *slots[0].current() < amount) return false;
    ///         slots[0].assign(*slots[0].current() - amount);
    ///         slots[1].assign((slots[1].current() == nullptr ? 0 : *slots[1].current()) + amount);
    ///         return true;
    ///     });
    ///
    /// Progress: waits, asleep, for who writes or computes one of the keys, and owns none of them meanwhile: in whatever
    /// orders keys are given, nobody waits for ever. Then locks the buckets that change, all of them for as long as it
    /// publishes; `size` and `snapshot` wait for that. Consistency: atomic for writers of these keys, for `size` and for
    /// snapshots. Not for reads of one key: beside the update a thread may read the new value of one and afterwards the
    /// old one of another; take a `snapshot` for both together. (So may a write that finds nothing to change.) A `clear`
    /// while `f` runs is ordered after: the result counts, and is not stored. Complexity: n log n in the keys. Throws: as
    /// `update` of one; `std::invalid_argument` when two keys are equal; nothing has changed then. The key type must be
    /// copyable, the value type need not be.
    template <class F>
    bool update(std::initializer_list<given_key> keys, F&& f, std::memory_order order = std::memory_order_seq_cst)
        requires has_multi_update<Engine>
    {
        return update_all(std::span<const given_key>(keys.begin(), keys.size()), f, order);
    }

    /// The same with keys from a vector, an array, or anything else that is a `std::span<const Key>`; of texts also with views.
    template <detail::forwarded Keys, class F>
        requires(has_multi_update<Engine> && are_keys<std::remove_cvref_t<Keys>>)
    bool update(Keys&& keys, F&& f, std::memory_order order = std::memory_order_seq_cst) {
        if constexpr (std::is_convertible_v<const std::remove_cvref_t<Keys>&, std::span<const given_key>>) {
            return update_all(std::span<const given_key>(std::as_const(keys)), f, order);
        } else {
            const std::vector<given_key> views(std::data(keys), std::data(keys) + std::size(keys));
            return update_all(std::span<const given_key>(views), f, order);
        }
    }

    // ---- the whole map ----

    /// Calls `f(const Key&, const T&)` for the entries; `f` may return false to stop. Returns the calls.
    ///
    /// Consistency: weak. A key that is there from beginning to end is shown exactly once, no key twice; of keys
    /// that come or go meanwhile some are shown. Each entry shown was there at some instant of the call.
    /// Progress: waits at most for a writer of the bucket it copies; holds nothing while `f` runs but the entries of
    /// one bucket. Complexity: linear in the size of the table. Throws: what `f` throws, and `std::bad_alloc` for
    /// the copy of a bucket. Go: `Range`.
    template <class F>
    size_type for_each(F&& f) const {
        static_assert(std::invocable<F&, const Key&, shown>,
                      "syncmap: for_each(f) calls f(const Key&, const T&): entries are read only; change them with update");
        return engine_.for_each([&](const Key& key, const T& value) { return detail::goes_on(f, key, detail::shown(value)); });
    }

    /// `for_each` in steps: shows the entries of the next bucket that has any, from `position` on, and returns where to
    /// go on. Between the steps nothing of the map is held, and all of its operations may be called.
    ///
    ///     for (syncmap::walk_position at; !at.at_end();) at = map.for_each_from(at, show);
    ///
    /// Consistency: all steps together are one `for_each`, however the table grows and shrinks between them; a map that
    /// is cleared, or is empty, ends the walk. Progress and Throws: as `for_each`; after a throw the step can be done
    /// again. Complexity: of a whole walk linear in the size of the table. Only of maps whose table is in hash order.
    template <class F>
    [[nodiscard]] walk_position for_each_from(walk_position position, F&& f) const
        requires requires(const Engine& e) { e.for_each_from(position, [](const Key&, const T&) {}); }
    {
        static_assert(std::invocable<F&, const Key&, shown>, "syncmap: for_each_from(position, f) calls f(const Key&, const T&)");
        return engine_.for_each_from(position, [&](const Key& key, const T& value) { std::invoke(f, key, detail::shown(value)); });
    }

    /// The same within a part of the walk; returns what is left of that part. For users with threads of their own: see
    /// `walk_range::part`. All parts together are one `for_each`: no key twice, none missed that is there throughout.
    template <class F>
    [[nodiscard]] walk_range for_each_from(walk_range range, F&& f) const
        requires requires(const Engine& e) { e.for_each_from(range, [](const Key&, const T&) {}); }
    {
        static_assert(std::invocable<F&, const Key&, shown>, "syncmap: for_each_from(range, f) calls f(const Key&, const T&)");
        return engine_.for_each_from(range, [&](const Key& key, const T& value) { std::invoke(f, key, detail::shown(value)); });
    }

    /// `for_each` by so many threads, at least one, of which the caller is one; the others are started for it. `f` is called
    /// by several of them at once; when it returns false, they stop soon. (Include <syncmap/map.hpp>.)
    ///
    /// Consistency, Progress and Complexity: as `for_each`. Throws: `std::invalid_argument` for no threads; what `f`
    /// throws: the first exception ends the walk and leaves it when all threads have ended; `std::bad_alloc`. Where the
    /// system refuses threads, fewer do the work.
    template <class F>
    size_type for_each_parallel(size_type threads, F&& f) const
        requires requires(const Engine& e) { e.for_each_from(walk_range::ended(), [](const Key&, const T&) {}); }
    {
        static_assert(std::invocable<F&, const Key&, shown>, "syncmap: for_each_parallel(n, f) calls f(const Key&, const T&)");
        return engine::walk_in_parallel(threads, engine_,
                                        [&](const Key& key, const T& value) { return detail::goes_on(f, key, detail::shown(value)); });
    }

    /// One instant of the whole map: to iterate over, look up in and count, for as long as wanted, while writers go on.
    /// (Include <syncmap/snapshot.hpp>, as map.hpp does.)
    ///
    /// Consistency: linearizable; what a thread did before it is in it, and nothing is in it without what was done
    /// before that. Progress: writers sleep while it waits for the writers that are on their way: mostly some
    /// microseconds, 50 ms at most. It waits also for a writer that was stopped there, and for others that take or end a
    /// snapshot. It needs no luck of the scheduler, however many threads write. Complexity:
    /// linear in the most threads that ever used maps at one time, not in the entries. Throws: `std::bad_alloc`;
    /// `std::length_error` after 16 million snapshots during the life of one of them; `barrier_refused` in a sandbox that
    /// refuses every barrier. Nothing like it in Go.
    [[nodiscard]] auto snapshot() const
        requires requires(const Engine& e) { e.snapshot(); }
    {
        return syncmap::snapshot<Engine>(engine_.snapshot());
    }

    /// Erases the entries for which `f(const Key&, const T&)` is true; returns how many.
    ///
    /// Consistency: walks as `for_each`; each erasure is an operation of its own. An entry that was changed after
    /// `f` saw it stays, and so does a key that this thread is computing. Progress and Complexity: as `for_each`,
    /// and as `erase` for each entry. Throws: what `f` throws, and `std::bad_alloc`; what was erased until then
    /// stays erased.
    template <class F>
    size_type erase_if(F&& f, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::predicate<F&, const Key&, const T&>, "syncmap: erase_if(f) calls f(const Key&, const T&)");
        return engine_.erase_if(f, order);
    }

    /// Inserts the entries of a list, or of a range of pairs or of anything with `.first` and `.second`, whose keys are absent, one
    /// by one as `insert` does; returns how many. Throws: as `insert`; what was inserted until then stays.
    size_type insert(std::initializer_list<value_type> entries, std::memory_order order = std::memory_order_seq_cst) {
        return insert_range(entries, order);
    }
    template <class Range>
        requires requires(Range& entries) { std::begin(entries) != std::end(entries); }
    size_type insert_range(Range&& entries, std::memory_order order = std::memory_order_seq_cst) {
        size_type inserted = 0;
        for (auto&& entry : entries) {
            if (insert(std::forward<decltype(entry)>(entry).first, std::forward<decltype(entry)>(entry).second, order)) ++inserted;
        }
        return inserted;
    }

    /// Moves the entries of `other` whose keys are absent here to this map, one by one; returns how many. Others stay. Each is
    /// inserted here first, as a copy, and then erased there, unless it was changed there meanwhile.
    ///
    /// Progress and Throws: as `erase_if` of `other` and `insert` here. Two maps behind locks must not be merged into each other at
    /// once. Complexity: linear in `other`.
    size_type merge(basic_map& other, std::memory_order order = std::memory_order_seq_cst) {
        static_assert(std::is_copy_constructible_v<given_key> && std::is_copy_constructible_v<copied>,
                      "syncmap: merge copies keys and values, which other threads may still read");
        if (this == std::addressof(other)) return 0;
        return other.erase_if([&](const Key& key, const T& value) { return insert(key, value, order); }, order);
    }

    /// How many entries there were at one instant of the call: exact, beside any number of writers.
    ///
    /// Progress: counts again while inserts and erases come in between, and after a few attempts lets new ones wait,
    /// for about 100 microseconds at a time; waits for a thread that is publishing an `update` of several keys.
    /// Complexity: linear in the most threads that ever used maps at one time, not in the entries. Throws:
    /// `std::bad_alloc`.
    [[nodiscard]] size_type size() const { return engine_.size(); }

    /// The same without waiting for a consistent view: right when nobody inserts or erases meanwhile, and off by
    /// some of those operations otherwise. Waits for nobody and makes nobody wait.
    [[nodiscard]] size_type approx_size() const noexcept { return engine_.approx_size(); }

    /// Whether `size()` is zero; costs what `size` costs.
    [[nodiscard]] bool empty() const { return engine_.size() == 0; }

    /// Erases everything in one atomic step.
    ///
    /// Progress: nobody waits for it. The caller, after that step, takes the old table apart, and waits there for
    /// writers that are still in it. Complexity: constant for others, linear in the table for the caller.
    /// Go: `Clear`.
    void clear() { engine_.clear(); }

    /// Replaces everything by the entries of `other`, in one atomic step: each operation sees the old entries or the new
    /// ones. Two operations of one thread may fall before and after it. `other` is empty afterwards. For a generation that was built beside:
    ///
    ///     syncmap::map<std::string, route> next;
    ///     load_routes(next);
    ///     routes.replace(std::move(next));
    ///
    /// No other thread may use `other` meanwhile, and no snapshot of it may be alive; entries of it that are pinned must be
    /// let go before either map is destroyed. Snapshots of this map stay as they
    /// are; a computation that is running is ordered before the step, as with `clear`.
    ///
    /// Progress: nobody waits for it. The caller prepares the new entries beside, takes the step, and then takes the old
    /// table apart, where it waits for writers that are still in it. Nodes go over as they are, without copies.
    /// Complexity: constant for others, linear in both maps for the caller. Throws: what hash throws, `std::bad_alloc`,
    /// `std::invalid_argument` if the allocators are unequal, `std::logic_error` if a snapshot of `other` is alive; both
    /// maps are as before then. Nothing like it in Go.
    void replace(basic_map&& other)
        requires requires(Engine& e) { e.replace(e); }
    {
        engine_.replace(other.engine_);
    }

    /// Makes room for so many entries, so that the table need not grow before. Never shrinks. The room stays: erasing leaves no
    /// smaller table, until `shrink_to_fit`, `clear` or `replace`. Room that no entry has touched takes no memory where
    /// tables are the system's pages (Linux, `std::allocator`, 256 KiB and more).
    ///
    /// Progress: moves what there is to the larger table, and waits for writers of single buckets; others go on.
    /// Complexity: linear in the entries. Walks take time in proportion to the room from then on.
    /// Throws: `std::length_error` for a number that no map can hold, `std::bad_alloc`; nothing has changed then.
    void reserve(size_type entries) { engine_.reserve(entries); }

    /// Gives memory back now: moves what there is to a table of the size that it needs, and `flush`. Without it that happens
    /// by and by, while entries are erased.
    ///
    /// Progress: waits for writers of single buckets; others go on. Complexity: linear in the table, and as `flush`.
    /// Throws: `std::bad_alloc` on the first use of the map by a thread; where memory for the smaller table is missing, the
    /// map stays as it is.
    void shrink_to_fit()
        requires requires(Engine& e) { e.shrink_to_fit(); }
    {
        engine_.shrink_to_fit();
    }

    /// Destroys what was erased or replaced before the call and no thread looks at, and gives back the memory that threads
    /// keep for their next entries of this map. Without it values are destroyed by and by: when the thread that took them
    /// out has taken 256 entries out of maps, or 256 KiB, or 16 entries of a type that does not tell what it owns
    /// (syncmap/owned_bytes.hpp). If that thread stops, another one destroys them later, at the latest the map's
    /// destructor. A value that another thread is just destroying may be gone only after the call.
    ///
    /// Progress: waits for a thread that is looking which memory can be freed; others go on. Complexity: linear in what
    /// is to be destroyed and in the number of threads. Only of maps that destroy late.
    void flush() noexcept
        requires requires(Engine& e) { e.flush(); }
    {
        engine_.flush();
    }

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
        static_assert(std::is_constructible_v<given, Arguments...>, "syncmap: the value type cannot be made from these arguments");
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

    template <class Combine, class K>
    T fetch(K&& key, T operand, std::memory_order order) {
        detail::fetch_operation<T, Combine> op{operand, order};
        write(std::forward<K>(key), op);
        return op.previous;
    }

    template <bool Shared, class K, class F>
    load_result<copied> compute(K&& key, F& f, std::memory_order order) {
        if (std::optional<copied> hit = load(key)) return {*std::move(hit), true};
        detail::compute_operation<T, F, Shared> op{f, order};
        exclusive(std::forward<K>(key), op);
        return {*std::move(op.result), op.loaded};
    }

    template <class F>
    bool update_all(std::span<const given_key> keys, F& f, std::memory_order order) {
        using all_slots = std::span<update_slot<T>>;
        static_assert(std::is_invocable_v<F&, all_slots>,
                      "syncmap: update of several keys calls f(std::span<syncmap::update_slot<T>>), one slot for each key");
        static_assert(std::is_copy_constructible_v<given_key>, "syncmap: update needs a key type that can be copied");
        return engine_.update_all(keys, [&](all_slots all) { return detail::goes_on(f, all); }, order);
    }

    Engine engine_{};
};

} // namespace syncmap
