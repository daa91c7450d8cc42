// What the fragments of the pages may use, and what checks their claims.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <syncmap/any_map.hpp>
#include <syncmap/cache.hpp>
#include <syncmap/cache/warm_restart.hpp>
#include <syncmap/checked_map.hpp>
#include <syncmap/compact_cache.hpp>
#include <syncmap/locked_map.hpp>
#include <syncmap/map.hpp>
#include <syncmap/plain_caches.hpp>
#include <syncmap/snapshot_map.hpp>

inline int checks = 0;
inline int failures = 0;

inline void expect(bool holds, const char* place) {
    ++checks;
    if (holds) return;
    ++failures;
    std::cout << place << ": the page says what is not so\n";
}

template <class Error, class F>
void expect_throw(F f, const char* place) {
    bool thrown = false;
    try {
        f();
    } catch (const Error&) {
        thrown = true;
    }
    expect(thrown, place);
}
