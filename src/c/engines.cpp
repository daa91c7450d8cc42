// The C functions on each of the maps.
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <syncmap/concepts.hpp>
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/snapshot_map.hpp>

#include "any_engine.hpp"

/// It shares its memory with the key that it is copied from.
template <>
inline constexpr bool syncmap::engine::copy_is_same_key<syncmap::dynamic::value> = true;

namespace syncmap::dynamic {

namespace {

/// `Map`, and with it what only a map of the family may call: operations of our own.
template <class Map>
class open_map : public Map {
public:
    using Map::Map;
    using Map::write;
};

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

template <class Map>
class engine_of final : public any_engine {
    static constexpr bool is_late = requires(Map & m) { m.flush(); };
    static constexpr bool has_steps = requires(const Map& m) {
        m.for_each_from({}, [](const value&, const value&) {});
    };
    static constexpr bool has_snapshots = requires(const Map& m) { m.snapshot(); };
    /// Callbacks of such a map run inside its lock. What is shown to C is therefore first retained, and shown outside.
    static constexpr bool has_lock = requires(Map & m) { m.lock(); };

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

    void write(const key_argument& key, put& op) override { map_.write(key, op); }
    void write(const key_argument& key, put_if_absent& op) override { map_.write(key, op); }
    void write(const key_argument& key, compare_put& op) override { map_.write(key, op); }
    void write(const syncmap_value& key, take& op) override { map_.write(key, op); }
    void write(const syncmap_value& key, compare_take& op) override { map_.write(key, op); }

    load_result<value> compute(const key_argument& key, function_ref<value()> f) override {
        return map_.load_or_compute(key, f);
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

    std::size_t size() override { return map_.size(); }
    void clear() override { map_.clear(); }
    void reserve(std::size_t entries) override { map_.reserve(entries); }
    void flush() noexcept override {
        if constexpr (is_late) map_.flush();
    }

    bool destroys_late() const noexcept override { return is_late; }
    bool walks_in_steps() const noexcept override { return has_steps; }

private:
    open_map<Map> map_;
};

template <template <class...> class Map>
std::unique_ptr<any_engine> make(const key_hash& hash) {
    return std::make_unique<engine_of<Map<value, value, key_hash, key_equal>>>(hash);
}

} // namespace

std::unique_ptr<any_engine> make_engine(std::uint32_t which, const key_hash& hash) {
    switch (which) {
    case SYNCMAP_ENGINE_MAP:
        return make<map>(hash);
    case SYNCMAP_ENGINE_MUTEX:
        return make<mutex_map>(hash);
    case SYNCMAP_ENGINE_SHARED_MUTEX:
        return make<shared_mutex_map>(hash);
    case SYNCMAP_ENGINE_SNAPSHOT:
        return make<snapshot_map>(hash);
    default:
        return nullptr;
    }
}

} // namespace syncmap::dynamic
