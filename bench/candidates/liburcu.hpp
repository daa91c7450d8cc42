#pragma once

#define _LGPL_SOURCE // the reader side inlined, as a program that chose this library for speed has it
#include <urcu/urcu-memb.h>

#include <urcu/rculfhash.h>

#include <atomic>
#include <bit>
#include <concepts>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "../adapt.hpp"

namespace syncmap::bench::adapters {

struct liburcu {
    static constexpr std::string_view name = "liburcu";
    static constexpr std::string_view about = "cds_lfht, urcu-memb";
    static constexpr role part = role::peer;

    template <class Key, class T>
    class map {
        /// A word is overwritten in place; a longer value is replaced together with its node.
        static constexpr bool in_place = std::integral<T>;

        struct node {
            node(const Key& k, const T& v) : key(k), value(v) {}
            cds_lfht_node link{};
            rcu_head retired{};
            Key key;
            std::conditional_t<in_place, std::atomic<T>, T> value;
        };
        /// Between `rcu_read_lock` and `rcu_read_unlock`.
        struct read_section {
            read_section() { urcu_memb_read_lock(); }
            ~read_section() { urcu_memb_read_unlock(); }
            read_section(const read_section&) = delete;
            read_section& operator=(const read_section&) = delete;
        };

    public:
        class registration {
        public:
            explicit registration(map&) { urcu_memb_register_thread(); }
            ~registration() { urcu_memb_unregister_thread(); }
            registration(const registration&) = delete;
            registration& operator=(const registration&) = delete;
        };

        map() : table_(cds_lfht_new_flavor(1, 1, 0, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING, &urcu_memb_flavor, nullptr)) {
            if (table_ == nullptr) throw std::bad_alloc();
        }
        map(const map&) = delete;
        map& operator=(const map&) = delete;
        ~map() {
            urcu_memb_register_thread();
            {
                const read_section section;
                cds_lfht_iter at{};
                cds_lfht_first(table_, &at);
                while (cds_lfht_node* const link = cds_lfht_iter_get_node(&at)) {
                    cds_lfht_next(table_, &at);
                    if (cds_lfht_del(table_, link) == 0) retire(link);
                }
            }
            urcu_memb_unregister_thread();
            cds_lfht_destroy(table_, nullptr);
            urcu_memb_barrier();
        }

        bool load(const Key& key, T& out) {
            const read_section section;
            const node* const found = find(key);
            if (found == nullptr) return false;
            out = found->value;
            return true;
        }
        void store(const Key& key, const T& value) {
            const read_section section;
            if constexpr (in_place) {
                if (node* const found = find(key)) {
                    found->value.store(value, std::memory_order_release);
                    return;
                }
            }
            auto fresh = std::make_unique<node>(key, value);
            retire(cds_lfht_add_replace(table_, hash(key), same_key, &fresh->key, &fresh->link));
            fresh.release();
        }
        bool insert(const Key& key, const T& value) {
            const read_section section;
            auto fresh = std::make_unique<node>(key, value);
            if (cds_lfht_add_unique(table_, hash(key), same_key, &fresh->key, &fresh->link) != &fresh->link) return false;
            fresh.release();
            return true;
        }
        bool erase(const Key& key) {
            const read_section section;
            node* const found = find(key);
            if (found == nullptr || cds_lfht_del(table_, &found->link) != 0) return false;
            retire(&found->link);
            return true;
        }
        bool modify(const Key& key) {
            const read_section section;
            if constexpr (in_place) {
                node* const found = find(key);
                if (found != nullptr) found->value.fetch_add(1, std::memory_order_relaxed);
                return found != nullptr;
            } else {
                return replace_modified(key);
            }
        }
        std::uint64_t visit_all() {
            const read_section section;
            std::uint64_t sum = 0;
            cds_lfht_iter at{};
            for (cds_lfht_first(table_, &at); cds_lfht_node* const link = cds_lfht_iter_get_node(&at);
                 cds_lfht_next(table_, &at)) {
                const T value = node_of(link)->value;
                sum += payload<Key>::digest(value);
            }
            return sum;
        }
        /// The table grows on its own, but late: without this, lookups after a load are several times slower.
        void settle(std::uint64_t entries) { cds_lfht_resize(table_, std::bit_ceil(entries)); }

    private:
        static unsigned long hash(const Key& key) noexcept { return common_hash<Key>{}(key); }
        static node* node_of(cds_lfht_node* link) noexcept { return caa_container_of(link, node, link); }
        static int same_key(cds_lfht_node* link, const void* key) {
            return node_of(link)->key == *static_cast<const Key*>(key);
        }

        node* find(const Key& key) {
            cds_lfht_iter at{};
            return find(key, at);
        }
        node* find(const Key& key, cds_lfht_iter& at) {
            cds_lfht_lookup(table_, hash(key), same_key, &key, &at);
            cds_lfht_node* const link = cds_lfht_iter_get_node(&at);
            return link == nullptr ? nullptr : node_of(link);
        }
        bool replace_modified(const Key& key) {
            for (;;) {
                cds_lfht_iter at{};
                node* const found = find(key, at);
                if (found == nullptr) return false;
                auto fresh = std::make_unique<node>(key, found->value);
                payload<Key>::modify(fresh->value);
                if (cds_lfht_replace(table_, &at, hash(key), same_key, &fresh->key, &fresh->link) == 0) {
                    fresh.release();
                    retire(&found->link);
                    return true;
                }
            }
        }
        /// Frees the node after a grace period; null is allowed.
        static void retire(cds_lfht_node* link) {
            if (link == nullptr) return;
            urcu_memb_call_rcu(&node_of(link)->retired, [](rcu_head* head) { delete caa_container_of(head, node, retired); });
        }

        cds_lfht* table_;
    };
};

} // namespace syncmap::bench::adapters
