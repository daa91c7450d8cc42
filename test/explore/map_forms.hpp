// The forms that one write can take in the table, each beside every operation on the whole map.
//
// A pair of verbs says little about the steps of a write: an insert into a free slot and one that adds a line are the same
// verb. Here each form is a map that is prepared for it, and the one write that takes it. The thread beside it performs
// an operation on the whole map and then observes: what a count took for an entry must be there to be loaded.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <explore/map_program.hpp>
#include <explore/map_suite.hpp>

namespace explore {

/// A map, and the write whose form it decides.
template <class Layout>
class form : public prepared_contents {
public:
    static constexpr std::size_t slots = visible_engine<Layout>::slots;

    form(std::string name, step write) : prepared_contents(setting::plain), name_(std::move(name)), write_(write) {
        if (write.key >= used_) used_ = write.key + 1;
    }

    form& holds(std::uint64_t key) {
        add(key, key == keys::first ? 1 : 2 * key);
        return *this;
    }
    form& holds_fillers(std::size_t count) {
        for (std::size_t i = 0; i != count; ++i) holds(next_filler_++);
        return *this;
    }
    /// Erased again before the threads start.
    form& lost(std::uint64_t key) {
        take_out(key);
        return *this;
    }
    /// The table has eight buckets from the beginning.
    form& reserved() {
        reserved_ = true;
        return *this;
    }
    /// The table has one bucket at first.
    form& smallest() {
        where_ = setting::smallest;
        return *this;
    }
    /// The first bucket is full, and one entry more has begun to move the table.
    form& begins_to_grow() {
        moving_ = true;
        const auto in_first_bucket = [](const step& each) { return each.key != keys::apart && !is_sentinel_key(each.key); };
        std::size_t count = static_cast<std::size_t>(std::count_if(stores_.begin(), stores_.end(), in_first_bucket));
        while (count++ <= visible_engine<Layout>::bucket_capacity()) {
            holds(is_sentinel_key(keys::trigger) || count <= visible_engine<Layout>::bucket_capacity() ? next_filler_++
                                                                                                       : keys::trigger);
        }
        return *this;
    }

    const std::string& name() const noexcept { return name_; }
    const step& write() const noexcept { return write_; }

    void bring(visible_map<Layout>& map) const {
        if (where_ == setting::smallest) scheduler::instance().begin_with_one_bucket();
        if (reserved_) map.widen(visible_engine<Layout>::many_entries);
        store_all<Layout>(map);
        require(map.engine().is_moving() == moving_, "the map is moving where it should");
    }

private:
    static constexpr bool is_sentinel_key(std::uint64_t key) noexcept {
        if constexpr (requires { Layout::is_sentinel_key(key); }) return Layout::is_sentinel_key(key);
        return false;
    }

    std::string name_;
    step write_;
    std::uint64_t next_filler_ = keys::fillers;
    bool reserved_ = false;
    bool moving_ = false;
};

/// The n-th key of one of the buckets 1 to 3 of eight.
constexpr std::uint64_t filler_in_bucket(std::uint64_t bucket, std::uint64_t n) noexcept {
    std::uint64_t number = keys::fillers;
    while (keys::octant(number) != bucket) ++number;
    return number + 3 * n;
}

namespace detail {

inline step insert_of(std::uint64_t key) { return {verb::store, key, key == keys::first ? 11U : 100U}; }
inline step erase_of(std::uint64_t key) { return {verb::erase, key}; }

/// The forms of inserts and erases in a table that stays what it is.
template <class Layout>
void add_forms_in_lines(std::vector<form<Layout>>& all) {
    using made = form<Layout>;
    constexpr std::size_t slots = made::slots;
    constexpr auto first = keys::first;
    const auto last_filler = [](std::size_t count) { return keys::fillers + count - 1; };

    all.push_back(made("insert that makes the first table", insert_of(first)));
    all.push_back(made("insert into the home line", insert_of(first)).holds_fillers(1));
    all.push_back(made("insert into a home line that was emptied", insert_of(first)).holds(first).lost(first));
    all.push_back(made("insert by LINK", insert_of(first)).holds_fillers(slots));
    all.push_back(made("insert by LINK of a line that was given back", insert_of(first))
                      .holds_fillers(slots)
                      .holds(first)
                      .lost(first)
                      .lost(last_filler(slots))
                      .holds(last_filler(slots)));
    all.push_back(made("insert into an overflow line", insert_of(first)).holds_fillers(slots + 1));
    all.push_back(made("insert by a second LINK", insert_of(first)).holds_fillers(2 * slots - 1));
    all.push_back(made("insert into a second overflow line", insert_of(first)).holds_fillers(2 * slots));

    all.push_back(made("erase of the last entry", erase_of(first)).holds(first));
    all.push_back(made("erase from the home line", erase_of(first)).holds(first).holds_fillers(slots - 1));
    all.push_back(made("erase from an overflow line", erase_of(first)).holds_fillers(slots).holds(first).holds(keys::second));
    all.push_back(made("erase of the last of an overflow line", erase_of(first)) // the one before it went there by LINK
                      .holds_fillers(slots)
                      .holds(first)
                      .lost(last_filler(slots)));
    all.push_back(made("erase that lets an entry come home", erase_of(first)).holds(first).holds_fillers(slots + 1));
    all.push_back(
        made("erase that gives a line back", erase_of(first)).holds(first).holds_fillers(slots).lost(last_filler(slots)));
    all.push_back(
        made("erase that lets an entry of a second line come home", erase_of(first)).holds(first).holds_fillers(2 * slots - 1));
    all.push_back(made("erase in the midst of a chain", erase_of(first))
                      .holds_fillers(slots)
                      .holds(first)
                      .holds(keys::second)
                      .holds(keys::trigger));
}

/// The forms with lines beside the table: two buckets have both lines of the table, and the third is full.
template <class Layout>
void add_forms_of_spare_lines(std::vector<form<Layout>>& all) {
    using made = form<Layout>;
    constexpr std::size_t slots = made::slots;
    const std::uint64_t wanted = filler_in_bucket(3, slots);
    const auto spilled = [&](std::string name, step write) {
        made f(std::move(name), write);
        f.reserved();
        for (const std::uint64_t bucket : {1U, 2U, 3U}) {
            for (std::uint64_t n = 0; n != slots; ++n) f.holds(filler_in_bucket(bucket, n));
        }
        for (const std::uint64_t bucket : {1U, 2U}) f.holds(filler_in_bucket(bucket, slots));
        return f;
    };
    all.push_back(spilled("insert that makes a spare line", insert_of(wanted)));
    all.push_back(spilled("insert that takes a spare line", insert_of(wanted))
                      .holds(wanted)
                      .lost(wanted)
                      .lost(filler_in_bucket(3, slots - 1))
                      .holds(filler_in_bucket(3, slots - 1)));
    all.push_back(
        spilled("erase that gives a spare line back", erase_of(wanted)).holds(wanted).lost(filler_in_bucket(3, slots - 1)));
}

/// The forms of writes that begin a resize, or help with one.
template <class Layout>
void add_forms_of_resizes(std::vector<form<Layout>>& all) {
    using made = form<Layout>;
    constexpr auto first = keys::first, apart = keys::apart;
    const std::size_t full = visible_engine<Layout>::bucket_capacity();

    all.push_back(made("insert that begins to grow", insert_of(first)).holds_fillers(full));
    all.push_back(made("insert that ends a growth", insert_of(apart)).begins_to_grow());
    all.push_back(made("insert into the next table", insert_of(first)).begins_to_grow());
    all.push_back(made("erase that moves a group", erase_of(apart)).holds(apart).begins_to_grow());
    all.push_back(made("erase from the next table", erase_of(first)).holds(first).begins_to_grow());
    all.push_back(made("overwrite that moves a group", insert_of(first)).holds(first).begins_to_grow());
    all.push_back(made("erase that begins to shrink", erase_of(first)).holds(first).holds_fillers(1).reserved());
    all.push_back(made("insert that makes the smallest table", insert_of(first)).smallest());
    all.push_back(made("insert into the smallest table", insert_of(first)).holds_fillers(1).smallest());
    all.push_back(made("insert that leaves the smallest table", insert_of(first)).holds_fillers(made::slots).smallest());
    all.push_back(
        made("erase from the smallest table", erase_of(first)).holds(first).holds_fillers(made::slots - 1).smallest());
    all.push_back(made("update of two that leaves the smallest table", {verb::add_to_two, first, 10, {}, keys::second})
                      .holds_fillers(made::slots - 1)
                      .smallest());
    all.push_back(made("insert into a table too large", insert_of(first)).holds_fillers(1).reserved());
}

/// What becomes of a present entry without its coming or going; and what is no change at all.
template <class Layout>
void add_forms_of_overwrites(std::vector<form<Layout>>& all) {
    using made = form<Layout>;
    constexpr std::size_t slots = made::slots;
    constexpr auto first = keys::first;
    std::vector<step> writes{
        {verb::store, first, 11},           {verb::exchange, first, 11},  {verb::compare_exchange, first, 11, 1},
        {verb::update, first, 11},          {verb::update_erase, first},  {verb::load_or_store, first, 11},
        {verb::compare_erase, first, 0, 1}, {verb::load_and_erase, first}};
    if (Layout::has_integral_value) writes.push_back({verb::fetch_add, first, 10});
    for (const step& each : writes) {
        all.push_back(made(std::string(name_of(each.what)) + " in an overflow line", each).holds_fillers(slots).holds(first));
    }
    for (const step& each :
         {step{verb::store, first, 11}, step{verb::update, first, 11}, step{verb::compare_exchange, first, 11, 1}}) {
        all.push_back(made(std::string(name_of(each.what)) + " in the home line", each).holds(first));
    }
    // Absent: inserts, by other ways than `store`, all by LINK.
    for (const step& each :
         {step{verb::exchange, first, 11}, step{verb::load_or_store, first, 11}, step{verb::update, first, 11},
          step{verb::load_or_compute, first, 11}, step{verb::compare_exchange, first, 11}}) {
        all.push_back(made(std::string(name_of(each.what)) + " that inserts by LINK", each).holds_fillers(slots));
    }
    // Several keys in one step: both by LINK, one of each, both gone.
    const step both{verb::add_to_two, first, 10, {}, keys::second};
    const step swapped{verb::swap_two, first, 0, {}, keys::second};
    all.push_back(made("update of two that inserts by LINK", both).holds_fillers(slots));
    all.push_back(made("update of two that inserts by a second LINK", both).holds_fillers(2 * slots - 1));
    all.push_back(made("update of two that overwrites", both).holds(first).holds(keys::second));
    all.push_back(made("swap that erases and inserts", swapped).holds(first).holds_fillers(slots));
    all.push_back(made("swap that lets an entry come home", swapped).holds(first).holds_fillers(slots + 1));
    all.push_back(made("update of two buckets that grow", {verb::add_to_two, first, 10, {}, keys::apart}).begins_to_grow());
}

} // namespace detail

/// All forms of a slot format.
template <class Layout>
std::vector<form<Layout>> all_forms() {
    std::vector<form<Layout>> all;
    detail::add_forms_in_lines(all);
    detail::add_forms_of_spare_lines(all);
    detail::add_forms_of_resizes(all);
    detail::add_forms_of_overwrites(all);
    return all;
}

/// The first three keys are those that lie in the bucket of the sentinel keys, whatever their hashes.
struct sentinel_key_layout : inline_layout {
    static constexpr const char* name = "sentinel key";
    static constexpr bool is_sentinel_key(std::uint64_t number) noexcept { return number < keys::apart; }
    static key_type key(std::uint64_t number) {
        static constexpr key_type sentinel_keys[] = {~key_type{0}, ~key_type{1}, 0};
        return is_sentinel_key(number) ? sentinel_keys[number] : inline_layout::key(number);
    }
    static std::uint64_t number_of(const key_type& key) {
        for (std::uint64_t number = 0; number != keys::apart; ++number) {
            if (sentinel_key_layout::key(number) == key) return number;
        }
        return inline_layout::number_of(key);
    }
};

/// The forms of writes in that bucket, of which no table has more than one line.
inline std::vector<form<sentinel_key_layout>> all_sentinel_key_forms() {
    using made = form<sentinel_key_layout>;
    constexpr auto first = keys::first, second = keys::second;
    std::vector<made> all;
    for (const bool moving : {false, true}) {
        const auto add = [&](made f) { all.push_back(moving ? f.begins_to_grow() : f); };
        const std::string where = moving ? ", moving" : "";
        add(made("insert" + where, detail::insert_of(first)).holds_fillers(1));
        add(made("insert beside one" + where, detail::insert_of(first)).holds(second));
        add(made("erase" + where, detail::erase_of(first)).holds(first));
        add(made("erase beside one" + where, detail::erase_of(first)).holds(first).holds(second));
        add(made("overwrite" + where, detail::insert_of(first)).holds(first));
        add(made("update of two" + where, {verb::add_to_two, first, 10, {}, second}).holds(first));
    }
    return all;
}

/// What the thread beside a write does, and what the writer itself asks afterwards.
struct company {
    std::vector<step> after; ///< by the writer
    std::vector<step> beside;
};

/// Every operation on the whole map, each with what shows that it was wrong.
template <class Layout>
std::vector<company> all_companies(std::uint64_t target) {
    const step size{verb::size, 0}, load{verb::load, target}, snapshot{verb::snapshot, 0}, walk{verb::for_each, 0};
    std::vector<company> all{{{}, {size, load}}, {{}, {load, size}}, {{}, {size, size}}, {{size}, {size}}, {{}, {load, load}}};
    if constexpr (visible_map<Layout>::has_snapshots) {
        all.insert(all.end(), {{{}, {snapshot, load, size}}, {{}, {load, snapshot}}, {{size}, {snapshot, snapshot}}});
    }
    all.insert(all.end(), {{{}, {walk, size}},
                           {{}, {{verb::erase_if, 0}, size}},
                           {{}, {{verb::clear, 0}, size, load}},
                           {{load, size}, {{verb::clear, 0}}}});
    if constexpr (visible_map<Layout>::has_replace) {
        const step replace{verb::replace, keys::first, 21, {}, keys::apart};
        all.insert(all.end(), {{{}, {replace, size, load}}, {{load, size}, {replace}}});
    }
    if constexpr (visible_map<Layout>::updates_several) {
        const step add{verb::add_to_two, keys::second, 30, {}, keys::first},
            swap{verb::swap_two, keys::first, 0, {}, keys::apart};
        all.insert(all.end(), {{{}, {add, size}}, {{size}, {swap}}});
    }
    for (const verb each : {verb::reserve, verb::shrink, verb::flush}) all.push_back({{load, size}, {{each, 0}, size}});
    return all;
}

namespace detail {

inline std::string joined(const std::string& name, const std::vector<std::vector<step>>& threads) {
    std::string all = name;
    for (const std::vector<step>& steps : threads) {
        const char* before = "|";
        for (const step& each : steps) all += std::exchange(before, ",") + to_text(each);
    }
    return all;
}

} // namespace detail

/// Calls `f(name, threads)` for a form beside every operation on the whole map.
template <class Layout, class F>
void each_program_of(const form<Layout>& one, F&& f) {
    for (const company& each : all_companies<Layout>(one.write().key)) {
        std::vector<step> writes{one.write()};
        writes.insert(writes.end(), each.after.begin(), each.after.end());
        const std::vector<std::vector<step>> threads{writes, each.beside};
        f(detail::joined(one.name(), threads), threads);
    }
}

/// Calls `f(form, name, threads)` for three threads at once that each ask writers for help, or give it. No answer shows that
/// a call for help was lost: what is left undone at the end does (require_progress).
template <class Layout, class F>
void each_program_of_help(F&& f) {
    using made = form<Layout>;
    constexpr std::size_t slots = made::slots;
    const std::uint64_t spare = filler_in_bucket(3, slots), other_spare = filler_in_bucket(2, slots + 1);
    std::vector<std::pair<made, std::vector<step>>> all; // and the writes that ask for more there than all others
    const auto add = [&](made one, std::vector<step> asks) { all.emplace_back(std::move(one), std::move(asks)); };
    const step write{verb::store, keys::first, 11};
    add(made("growing", write).begins_to_grow(), {{verb::store, keys::apart, 12}, {verb::erase, keys::trigger}});
    add(made("full", write).holds(keys::first).holds_fillers(visible_engine<Layout>::bucket_capacity() - 1),
        {{verb::store, keys::trigger, 12}, {verb::store, keys::second, 14}});
    add(made("too large", write).holds(keys::trigger).holds(keys::second).holds_fillers(1).reserved(),
        {{verb::erase, keys::trigger}, {verb::erase, keys::second}});
    made spilled("crowded", {verb::store, other_spare, 100});
    spilled.reserved();
    for (const std::uint64_t bucket : {1U, 2U, 3U}) {
        for (std::uint64_t n = 0; n != slots; ++n) spilled.holds(filler_in_bucket(bucket, n));
    }
    for (const std::uint64_t bucket : {1U, 2U}) spilled.holds(filler_in_bucket(bucket, slots));
    add(spilled, {{verb::store, spare, 100}, {verb::erase, filler_in_bucket(1, slots)}});

    for (const auto& [where, asks] : all) {
        std::vector<step> calls{
            {verb::store, keys::fillers, 13}, {verb::reserve, 0}, {verb::shrink, 0}, {verb::clear, 0}, {verb::flush, 0}};
        calls.insert(calls.begin(), asks.begin(), asks.end());
        for (std::size_t i = 0; i != calls.size(); ++i) {
            for (std::size_t j = i; j != calls.size(); ++j) {
                // `reserve` and `shrink` undo what the other has done, up to forty times: an execution too long to be explored.
                if (calls[i].what == verb::reserve && calls[j].what == verb::shrink) continue;
                for (const step& last : {calls[j], where.write()}) {
                    const std::vector<std::vector<step>> threads{{calls[i]}, {calls[j]}, {last}};
                    f(where, detail::joined(std::string("help, ") + where.name(), threads), threads);
                }
            }
        }
    }
}

} // namespace explore
