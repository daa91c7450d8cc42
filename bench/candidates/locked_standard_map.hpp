// std::unordered_map behind a lock: what people write before they look for a concurrent map.
#pragma once

#include <mutex>
#include <unordered_map>

#include "../adapt.hpp"

namespace syncmap::bench {

/// Or another map of that interface. `ReadLock` is the lock that a reader takes; writers always take the mutex for themselves.
template <class Key, class T, class Mutex, template <class> class ReadLock, class Map = std::unordered_map<Key, T>>
class locked_standard_map {
public:
    bool load(const Key& key, T& out) {
        const ReadLock<Mutex> lock(mutex_);
        const auto found = map_.find(key);
        if (found == map_.end()) return false;
        out = found->second;
        return true;
    }
    void store(const Key& key, const T& value) {
        const std::lock_guard lock(mutex_);
        map_.insert_or_assign(key, value);
    }
    bool insert(const Key& key, const T& value) {
        const std::lock_guard lock(mutex_);
        return map_.try_emplace(key, value).second;
    }
    bool erase(const Key& key) {
        const std::lock_guard lock(mutex_);
        return map_.erase(key) != 0;
    }
    bool modify(const Key& key) {
        const std::lock_guard lock(mutex_);
        const auto found = map_.find(key);
        if (found == map_.end()) return false;
        payload<Key>::modify(found->second);
        return true;
    }
    std::uint64_t size() {
        const ReadLock<Mutex> lock(mutex_);
        return map_.size();
    }
    std::uint64_t walk() {
        const ReadLock<Mutex> lock(mutex_);
        std::uint64_t sum = 0;
        for (const auto& [key, value] : map_) sum += payload<Key>::digest(value);
        return sum;
    }
    std::uint64_t visit_all() { return walk(); }
    void clear() {
        const std::lock_guard lock(mutex_);
        map_.clear();
    }

private:
    Mutex mutex_;
    Map map_;
};

} // namespace syncmap::bench
