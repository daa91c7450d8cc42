// syncmap's own maps: one adapter for all, as they share one interface.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <span>

#include "../adapt.hpp"

namespace syncmap::bench {

/// Its loop sees one instant: the map behind a lock; or there is something besides that does.
template <class Map>
inline constexpr bool walks_at_one_instant = requires(Map& map) { map.lock(); } || requires(Map& map) { map.snapshot(); };

template <class Map, bool HasWalk = walks_at_one_instant<Map>>
class family_map {
    using key = typename Map::key_type;
    using value = typename Map::mapped_type;

public:
    bool load(const key& k, value& out) const {
        return map_.visit(k, [&](const value& v) { out = v; });
    }
    void store(const key& k, const value& v) { map_.store(k, v); }
    bool insert(const key& k, const value& v) { return map_.insert(k, v); }
    bool erase(const key& k) { return map_.erase(k); }
    bool modify(const key& k) {
        if constexpr (std::integral<value>) {
            map_.fetch_add(k, value{1});
            return true;
        } else {
            return map_.update(k, [](const value* current) -> std::optional<value> {
                if (current == nullptr) return std::nullopt;
                value changed = *current;
                payload<key>::modify(changed);
                return changed;
            }) == update_result::assigned;
        }
    }
    template <class F>
    std::size_t load_batch(const key* keys, std::size_t size, F f) const {
        return map_.visit_many(std::span(keys, size), [&](std::size_t, const value& v) { f(v); });
    }
    std::uint64_t size() const { return map_.size(); }
    std::uint64_t walk() const
        requires HasWalk
    {
        std::uint64_t sum = 0;
        const auto add = [&](const key&, const value& v) { sum += payload<key>::digest(v); };
        if constexpr (requires { map_.snapshot(); }) {
            map_.snapshot().for_each(add);
        } else {
            map_.for_each(add);
        }
        return sum;
    }

    std::uint64_t visit_all() const {
        std::uint64_t sum = 0;
        map_.for_each([&](const key&, const value& v) { sum += payload<key>::digest(v); });
        return sum;
    }
    void clear() { map_.clear(); }

    /// For what is no request.
    Map& plain() noexcept { return map_; }

private:
    Map map_;
};

} // namespace syncmap::bench
