// From an adapter (candidates/*.hpp) to a candidate: the measuring loops, compiled once for each map.
//
// An adapter `template <class Key, class T> class map` has
//     bool load(const Key&, T& out)         copies the value out, without allocating where the map can
//     void store(const Key&, const T&)
//     bool insert(const Key&, const T&)     of an absent key
//     bool erase(const Key&)
//     bool modify(const Key&)               payload<Key>::modify on the value
// and, where the map wants it,
//     std::uint64_t size()                  exact, beside other threads
//     std::uint64_t walk()                  the sum of the values' digests, all of one instant
//     std::uint64_t visit_all()             the same sum by the quickest way that the map has, while no thread writes
//     void clear()
//     class registration                    made by each thread before its first call, from the map. If it has a `load`,
//                                           the thread's operations are called on it, and the map needs none
//     void settle(std::uint64_t entries)    called once after filling
//     load_batch(const Key*, n, f)          calls f(value) for those of n keys that are there, and returns their number
//
// An adapter whose map is `integers_only`, `strings_only`, `is_bare`, or `can` less than everything (subject.hpp) says so.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>

#include <syncmap/detail/cache_line.hpp>
#include <syncmap/hash.hpp>

#include "stopwatch.hpp"
#include "subject.hpp"

namespace syncmap::bench {

/// The hash that all peers are given, so that tables are compared and not hash functions.
template <class Key>
struct common_hash {
    using is_avalanching = void; // what Boost asks, to skip its own mixing
    std::size_t operator()(const Key& key) const noexcept { return syncmap::hash<Key>{}(key); }
};

namespace detail {

struct no_registration {
    template <class Map>
    explicit no_registration(Map&) noexcept {}
};

template <class Map>
struct registration_of {
    using type = no_registration;
};
template <class Map>
    requires requires { typename Map::registration; }
struct registration_of<Map> {
    using type = typename Map::registration;
};

template <class Map, class Key>
concept acts_by_registration = requires(typename registration_of<Map>::type& registration, const Key& key, value_of<Key>& out) {
    { registration.load(key, out) } -> std::convertible_to<bool>;
};

template <class Map>
concept has_length = requires(Map& map) {
    { map.size() } -> std::convertible_to<std::uint64_t>;
};

template <class Map>
concept has_walk = requires(Map& map) {
    { map.walk() } -> std::convertible_to<std::uint64_t>;
};

template <class Map>
concept has_visit = requires(Map& map) {
    { map.visit_all() } -> std::convertible_to<std::uint64_t>;
};

template <class Map>
concept has_clear = requires(Map& map) { map.clear(); };

/// On lines of its own, as the map is: what a thread writes with each request must not lie beside what another reads.
template <class Map, class Key>
class alignas(syncmap::detail::cache_line_bytes) adapted_session final : public session<Key> {
public:
    explicit adapted_session(Map& map) : registration_(map), map_(map) {
        for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = payload<Key>::value(i);
    }

    net_count execute(const request_view<Key>& requests) override {
        net_count result{requests.size, 0, 0};
        if (requests.batch != 0) {
            each_batch(requests, [&](const Key* keys, std::size_t size) { load_batch(keys, size, result); });
            return result;
        }
        for (std::size_t i = 0; i < requests.size; ++i) {
            perform(requests.actions[i], requests.keys[i], values_[i % values_.size()], result);
        }
        return result;
    }

    net_count execute_timed(const request_view<Key>& requests, unsigned stride, histogram& latencies) override {
        net_count result{requests.size, 0, 0};
        if (requests.batch != 0) {
            each_batch(requests, [&](const Key* keys, std::size_t size) {
                const stopwatch watch;
                load_batch(keys, size, result);
                latencies.add(watch.elapsed() / size);
            });
            return result;
        }
        for (std::size_t i = 0; i < requests.size; ++i) {
            const value_of<Key>& value = values_[i % values_.size()];
            if (++since_sample_ < stride) {
                perform(requests.actions[i], requests.keys[i], value, result);
                continue;
            }
            since_sample_ = 0;
            const stopwatch watch;
            perform(requests.actions[i], requests.keys[i], value, result);
            latencies.add(watch.elapsed());
        }
        return result;
    }

private:
    /// What has the operations.
    auto& table() noexcept {
        if constexpr (acts_by_registration<Map, Key>) {
            return registration_;
        } else {
            return map_;
        }
    }

    void perform(action what, const Key& key, const value_of<Key>& value, net_count& result) {
        switch (what) {
        case action::load:
            if (table().load(key, out_)) {
                result.digest += payload<Key>::digest(out_);
            } else {
                ++result.missed;
            }
            break;
        case action::store: table().store(key, value); break;
        case action::insert: result.missed += !table().insert(key, value); break;
        case action::erase: result.missed += !table().erase(key); break;
        case action::modify: result.missed += !table().modify(key); break;
        case action::length:
            if constexpr (has_length<Map>) result.digest += map_.size();
            break;
        case action::walk:
            if constexpr (has_walk<Map>) result.digest += map_.walk();
            break;
        case action::visit:
            if constexpr (has_visit<Map>) result.digest += map_.visit_all();
            break;
        case action::clear:
            if constexpr (has_clear<Map>) map_.clear();
            break;
        }
    }

    template <class F>
    static void each_batch(const request_view<Key>& requests, F f) {
        for (std::size_t i = 0; i < requests.size; i += requests.batch) {
            f(requests.keys + i, std::min<std::size_t>(requests.batch, requests.size - i));
        }
    }

    void load_batch(const Key* keys, std::size_t size, net_count& result) {
        const auto take = [&](const auto& value) {
            out_ = value;
            result.digest += payload<Key>::digest(out_);
        };
        if constexpr (requires { map_.load_batch(keys, size, take); }) {
            result.missed += size - map_.load_batch(keys, size, take);
        } else {
            for (std::size_t i = 0; i < size; ++i) perform(action::load, keys[i], out_, result);
        }
    }

    [[no_unique_address]] typename registration_of<Map>::type registration_;
    Map& map_;
    std::array<value_of<Key>, 16> values_{};
    value_of<Key> out_{};
    unsigned since_sample_ = 0;
};

template <class Map, class Key>
class alignas(syncmap::detail::cache_line_bytes) adapted_subject final : public subject<Key> {
public:
    std::unique_ptr<session<Key>> enter() override { return std::make_unique<adapted_session<Map, Key>>(map_); }
    void settle(std::uint64_t entries) override {
        if constexpr (requires { map_.settle(entries); }) map_.settle(entries);
    }

private:
    Map map_{};
};

template <class Adapter, class Key>
std::unique_ptr<subject<Key>> make_subject() {
    return std::make_unique<adapted_subject<typename Adapter::template map<Key, value_of<Key>>, Key>>();
}

} // namespace detail

/// The candidate of an adapter: `Adapter::name`, `about`, `part`, `caveat` where there is one, and `map<Key, T>`.
template <class Adapter>
candidate adapt() {
    std::string_view caveat;
    if constexpr (requires { Adapter::caveat; }) caveat = Adapter::caveat;
    constexpr bool has_integers = !requires { Adapter::strings_only; };
    using key = std::conditional_t<has_integers, std::uint64_t, std::string>;
    using map = typename Adapter::template map<key, value_of<key>>;
    candidate made{
        Adapter::name,          Adapter::about,         caveat,  Adapter::part, detail::has_length<map>, detail::has_walk<map>,
        detail::has_visit<map>, detail::has_clear<map>, nullptr, nullptr,       reach::everything,       false};
    if constexpr (has_integers) made.integers = detail::make_subject<Adapter, std::uint64_t>;
    if constexpr (!requires { Adapter::integers_only; }) made.strings = detail::make_subject<Adapter, std::string>;
    if constexpr (requires { Adapter::can; }) made.can = Adapter::can;
    if constexpr (requires { Adapter::is_bare; }) made.is_bare = true;
    return made;
}

} // namespace syncmap::bench
