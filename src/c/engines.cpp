// The C functions on each of the maps.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <syncmap/concepts.hpp>
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>

#include "any_engine.hpp"
#include "copied_key.hpp"

namespace syncmap::dynamic {

namespace {

template <class Snapshot>
class instant_of final : public any_instant {
public:
    explicit instant_of(Snapshot taken) noexcept : taken_(std::move(taken)) {}

    walk_position for_each_from(walk_position at, function_ref<void(const value&, const value&)> f) const override {
        return taken_.for_each_from(at, f);
    }

private:
    Snapshot taken_;
};

template <class Map, std::uint32_t Number>
class engine_of final : public any_engine {
    static constexpr bool is_late = requires(Map& m) { m.flush(); };
    static constexpr bool has_steps = requires(const Map& m) { m.for_each_from({}, [](const value&, const value&) {}); };
    static constexpr bool has_snapshots = requires(const Map& m) { m.snapshot(); };
    /// Callbacks of such a map run inside its lock. What is shown to C is therefore first retained, and shown outside.
    static constexpr bool has_lock = requires(Map& m) { m.lock(); };

public:
    explicit engine_of(const key_hash& hash) : map_(hash) {}

    bool visit(const syncmap_value& key, function_ref<void(const value&)> f) override {
        if constexpr (has_lock) {
            value retained;
            if (!load(key, retained)) return false;
            f(retained);
            return true;
        } else {
            return map_.visit(key, f);
        }
    }
    bool load(const syncmap_value& key, value& result) override {
        return map_.visit(key, [&](const value& present) { result = present; });
    }

    bool contains(const syncmap_value& key) override { return map_.contains(key); }

    void write(const key_argument& key, put& op) override { map_.apply(key, op); }
    void write(const key_argument& key, put_if_absent& op) override { map_.apply(key, op); }
    void write(const key_argument& key, compare_put& op) override { map_.apply(key, op); }
    void write(const key_argument& key, add& op) override { map_.apply(key, op); }
    void write(const syncmap_value& key, take& op) override { map_.apply(key, op); }
    void write(const syncmap_value& key, compare_take& op) override { map_.apply(key, op); }

    load_result<value> compute(const key_argument& key, function_ref<value()> f) override {
        return map_.load_or_compute(key, f);
    }

    bool update(const key_argument& key, function_ref<update_action<value>(const value*)> f) override {
        return map_.update(key, f) != update_result::kept;
    }
    bool update([[maybe_unused]] std::span<const value> keys,
                [[maybe_unused]] function_ref<bool(std::span<update_slot<value>>)> f) override {
        if constexpr (Number != SYNCMAP_ENGINE_SNAPSHOT) {
            map_.update(keys, f);
            return true;
        } else {
            return false;
        }
    }

    void for_each(function_ref<bool(const value&, const value&)> f) override {
        if constexpr (has_lock) {
            walk all;
            advance(all);
            for (const entry& each : all.entries) {
                if (!f(each.first, each.second)) return;
            }
        } else {
            map_.for_each(f);
        }
    }
    void advance(walk& w) override {
        const auto keep = [&](const value& k, const value& v) { w.entries.emplace_back(k, v); };
        try {
            if constexpr (has_steps) {
                w.at = w.instant != nullptr ? w.instant->for_each_from(w.at, keep) : map_.for_each_from(w.at, keep);
                w.is_complete = w.at.at_end();
            } else {
                w.entries.reserve(map_.approx_size());
                map_.for_each(keep);
                w.is_complete = true;
            }
        } catch (...) {
            w.entries.clear();
            throw;
        }
    }

    bool fix_instant([[maybe_unused]] walk& w) override {
        if constexpr (has_snapshots) {
            auto taken = map_.snapshot();
            w.instant = std::make_unique<instant_of<decltype(taken)>>(std::move(taken));
            return true;
        } else {
            return map_traits<Map>::atomic_iteration; // its only step is one instant
        }
    }

    std::size_t erase_if(function_ref<bool(const value&, const value&)> condition) override {
        // What the map would destroy inside its lock is retained, and released outside.
        std::vector<entry> taken_out;
        return map_.erase_if([&](const value& k, const value& v) {
            if (!condition(k, v)) return false;
            if constexpr (has_lock) {
                if (k.is_handle() || v.is_handle()) taken_out.emplace_back(k, v);
            }
            return true;
        });
    }

    std::size_t size() override { return map_.size(); }
    map_stats stats() override { return map_.stats(); }
    void clear() override { map_.clear(); }
    void reserve(std::size_t entries) override { map_.reserve(entries); }
    bool shrink() override {
        if constexpr (requires { map_.shrink_to_fit(); }) {
            map_.shrink_to_fit();
            return true;
        } else {
            return false;
        }
    }
    bool replace([[maybe_unused]] any_engine& other) override {
        if constexpr (requires { map_.replace(std::move(map_)); }) {
            if (other.number() != Number) return false;
            map_.replace(std::move(static_cast<engine_of&>(other).map_));
            return true;
        } else {
            return false;
        }
    }
    void flush() noexcept override {
        if constexpr (is_late) map_.flush();
    }

    bool destroys_late() const noexcept override { return is_late; }
    bool walks_in_steps() const noexcept override { return has_steps; }
    std::uint32_t number() const noexcept override { return Number; }

private:
    Map map_;
};

template <template <class...> class Map, std::uint32_t Number>
std::unique_ptr<any_engine> make(const key_hash& hash) {
    return std::make_unique<engine_of<Map<value, value, key_hash, key_equal>, Number>>(hash);
}

} // namespace

std::unique_ptr<any_engine> make_engine(std::uint32_t which, const key_hash& hash) {
    switch (which) {
    case SYNCMAP_ENGINE_MAP: return make<map, SYNCMAP_ENGINE_MAP>(hash);
    case SYNCMAP_ENGINE_MUTEX: return make<mutex_map, SYNCMAP_ENGINE_MUTEX>(hash);
    case SYNCMAP_ENGINE_SHARED_MUTEX: return make<shared_mutex_map, SYNCMAP_ENGINE_SHARED_MUTEX>(hash);
    case SYNCMAP_ENGINE_SNAPSHOT: return make<snapshot_map, SYNCMAP_ENGINE_SNAPSHOT>(hash);
    default: return nullptr;
    }
}

} // namespace syncmap::dynamic
