#include "requests.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace syncmap::bench {
namespace {

/// Requests per thread. Long enough that the map, not the stream's repetition, decides what the caches
/// hold; short enough that streams leave the caches to the map.
std::uint64_t stream_length(const cell& cell) {
    const std::uint64_t all_threads = cell.kind == key_kind::integer ? std::uint64_t{1} << 22 : std::uint64_t{1} << 19;
    if (cell.what->counts_entries()) return 4;
    const std::uint64_t share = std::max<std::uint64_t>(all_threads / cell.threads, std::uint64_t{1} << 12);
    const bool wide = cell.kind == key_kind::integer && (cell.keys > 100'000 || cell.what->pairs != 0);
    return std::min(share, std::uint64_t{1} << (wide ? 20U : 17U));
}

template <class Key>
class stream_builder {
public:
    void reserve(std::uint64_t n) {
        stream_.actions.reserve(n);
        stream_.keys.reserve(n);
    }
    void add(action what, std::uint64_t index) {
        stream_.actions.push_back(what);
        stream_.keys.push_back(payload<Key>::key(index));
    }
    std::uint64_t size() const noexcept { return stream_.size(); }
    request_stream<Key> take() { return std::move(stream_); }

private:
    request_stream<Key> stream_;
};

/// Draws the index of a key that the workload reads or overwrites.
class index_source {
public:
    index_source(const cell& cell, unsigned thread, std::uint64_t present, std::uint64_t seed)
        : chosen_(cell.chosen()), present_(present), absent_from_(cell.keys), thread_(thread), threads_(cell.threads),
          random_(seed), ranks_(present), scatter_(present) {}

    std::uint64_t operator()() {
        switch (chosen_) {
        case choice::zipf: return scatter_(ranks_(random_));
        case choice::own: return thread_ + threads_ * random_.below(present_ / threads_);
        case choice::single: return 0;
        case choice::absent: return absent_from_ + random_.below(present_);
        case choice::latest:
        case choice::uniform: break;
        }
        return random_.below(present_);
    }
    random_source& random() noexcept { return random_; }

private:
    choice chosen_;
    std::uint64_t present_;
    std::uint64_t absent_from_;
    std::uint64_t thread_;
    std::uint64_t threads_;
    random_source random_;
    zipf_ranks ranks_;
    permutation scatter_;
};

/// What the operation is that a die of 0 to 99 falls on; nothing: one of a pair of insert and erase.
std::optional<action> drawn(unsigned die, const workload& what) {
    if (die < what.loads) return action::load;
    die -= what.loads;
    if (die < what.stores) return action::store;
    die -= what.stores;
    if (die < what.modifies) return action::modify;
    die -= what.modifies;
    if (die < what.lengths) return action::length;
    die -= what.lengths;
    if (die < what.walks) return action::walk;
    die -= what.walks;
    if (die < what.visits) return action::visit;
    return std::nullopt;
}

/// One thread clears the map, however many there are.
template <class Key>
request_stream<Key> clearing(unsigned thread) {
    stream_builder<Key> stream;
    if (thread == 0) stream.add(action::clear, 0);
    return stream.take();
}

/// Inserts of the thread's share of all keys, in order.
template <class Key>
request_stream<Key> growing(const cell& cell, unsigned thread) {
    stream_builder<Key> stream;
    stream.reserve(cell.keys / cell.threads + 1);
    for (std::uint64_t index = thread; index < cell.keys; index += cell.threads) stream.add(action::insert, index);
    return stream.take();
}

/// Reads of the keys that the thread saw last, and inserts that continue its own sequence: index
/// thread + threads * position, so that every read finds its key.
template <class Key>
request_stream<Key> reading_latest(const cell& cell, unsigned thread, std::uint64_t seed) {
    const std::uint64_t length = stream_length(cell);
    std::uint64_t inserted = (cell.keys - thread + cell.threads - 1) / cell.threads;
    random_source random(seed);
    const zipf_ranks age(inserted);
    stream_builder<Key> stream;
    stream.reserve(length);
    while (stream.size() < length) {
        const bool insert = random.below(100) < cell.what->inserts;
        const std::uint64_t position = insert ? inserted++ : inserted - 1 - age(random);
        stream.add(insert ? action::insert : action::load, thread + cell.threads * position);
    }
    return stream.take();
}

/// Requests to keys that stay, between inserts and erases of the thread's own keys: first set B comes and
/// set A goes, then the reverse, so that the stream ends as it began and can be repeated.
template <class Key>
request_stream<Key> churning(const cell& cell, unsigned thread, std::uint64_t seed) {
    const std::uint64_t staying = cell.keys / 2;
    const std::uint64_t own = std::min((cell.keys - staying) / cell.threads, stream_length(cell) * cell.what->pairs / 400);
    const std::uint64_t present = staying + thread * own;
    const std::uint64_t absent = cell.keys + thread * own;
    index_source stays(cell, thread, staying, seed);
    stream_builder<Key> stream;
    stream.reserve(own * 4 * 110 / cell.what->pairs);
    for (std::uint64_t step = 0; step < 4 * own;) {
        if (const auto what = drawn(static_cast<unsigned>(stays.random().below(100)), *cell.what)) {
            stream.add(*what, stays());
            continue;
        }
        const std::uint64_t entry = step / 2 % own;
        const bool forth = step < 2 * own;
        const bool insert = step % 2 == 0;
        stream.add(insert ? action::insert : action::erase, (insert == forth ? absent : present) + entry);
        ++step;
    }
    return stream.take();
}

template <class Key>
request_stream<Key> steady(const cell& cell, unsigned thread, std::uint64_t seed) {
    const std::uint64_t length = stream_length(cell);
    index_source index(cell, thread, cell.keys, seed);
    stream_builder<Key> stream;
    stream.reserve(length);
    while (stream.size() < length) {
        const auto what = drawn(static_cast<unsigned>(index.random().below(100)), *cell.what);
        if (what) stream.add(*what, index());
    }
    request_stream<Key> requests = stream.take();
    requests.batch = cell.what->batch;
    return requests;
}

} // namespace

template <class Key>
request_stream<Key> make_requests(const cell& cell, unsigned thread, std::uint64_t seed) {
    const std::uint64_t own_seed = scramble(seed) + thread;
    if (cell.what->clears) return clearing<Key>(thread);
    if (cell.what->starts_empty()) return growing<Key>(cell, thread);
    if (cell.what->keys == choice::latest) return reading_latest<Key>(cell, thread, own_seed);
    if (cell.what->pairs != 0) return churning<Key>(cell, thread, own_seed);
    return steady<Key>(cell, thread, own_seed);
}

template request_stream<std::uint64_t> make_requests(const cell&, unsigned, std::uint64_t);
template request_stream<std::string> make_requests(const cell&, unsigned, std::uint64_t);

initial_share initial_keys(const cell& cell, unsigned thread) {
    return {thread, cell.what->starts_empty() ? 0 : cell.keys, cell.threads};
}

std::uint64_t request_bytes(const cell& cell) {
    const std::uint64_t per_request = cell.kind == key_kind::integer ? 9 : 90;
    const std::uint64_t per_thread = cell.what->starts_empty() ? cell.keys / cell.threads + 1 : stream_length(cell) * 11 / 10;
    return per_request * per_thread * cell.threads;
}

} // namespace syncmap::bench
