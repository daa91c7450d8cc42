// The nodes of a map: making one that will be published, destroying one that no thread can see, and what of it is kept for the
// next one of the same thread (node_cache.hpp).
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

#include <syncmap/detail/deferred.hpp>
#include <syncmap/detail/leak_checker.hpp>
#include <syncmap/engine/table/map_memory.hpp>

namespace syncmap::engine {

template <class Types>
class map_nodes : public map_memory<Types> {
    using base = map_memory<Types>;

public:
    using base::base;

    using base::allocator_;
    using base::shared_of_table;
    using typename base::allocator_type;
    using typename base::control;
    using typename base::Key;
    using typename base::Layout;
    using typename base::node;
    using typename base::node_base;
    using typename base::Sync;
    using typename base::T;
    using typename base::thread_record_type;

    using node_allocator = typename std::allocator_traits<allocator_type>::template rebind_alloc<typename node::granule>;

    /// A node that is not published yet. The thread that publishes it calls `release`.
    class fresh_node {
    public:
        /// `s`: the calling thread's.
        fresh_node(map_nodes& owner, thread_record_type& s) noexcept : owner_(owner), thread_record_(s) {}
        fresh_node(const fresh_node&) = delete;
        fresh_node& operator=(const fresh_node&) = delete;
        ~fresh_node() { reset(); }

        explicit operator bool() const noexcept { return node_ != nullptr; }
        node* get() const noexcept { return node_; }
        node* release() noexcept { return std::exchange(node_, nullptr); }
        void reset() noexcept {
            if (node* const n = std::exchange(node_, nullptr)) owner_.destroy_node(n);
        }

        /// Strong guarantee. Throws `barrier_refused` while retired nodes cannot be freed.
        template <class K, class Make>
        void emplace(std::uint64_t hash, K&& key, Make&& make, prefix_kind in_front = prefix_kind::none) {
            if constexpr (keeps_given_key) shows_entry_key_ = is_key_of_entry<std::remove_cvref_t<K>>;
            owner_.shared_of_table().home->threads.barriers().require_freeing();
            node_allocator a(owner_.allocator_);
            node_ = node::make(a, thread_record_, hash, std::forward<K>(key), make, in_front);
            detail::reachable_by_marked_pointer(node_);
        }

        /// Gives a node that is made already the key object of a present entry, or, of none, the key that the writer was
        /// given: that is `key`, unless the node has taken it over. For a writer that was slower than another one.
        template <class K>
        [[gnu::cold, gnu::noinline]] void use_key(const node* present, K&& key) {
            node_allocator a(owner_.allocator_);
            if constexpr (node::shares_key) {
                if (present != nullptr) {
                    node_->show_key_of(a, *present, node::giving_back(a));
                } else {
                    node_->show_own_key(a, std::forward<K>(key), node::giving_back(a));
                }
            } else if constexpr (syncmap::detail::is_text<Key>) {
                if (present != nullptr) {
                    make_again(key_of_entry<node>{*present});
                } else {
                    make_again(key);
                }
            } else if constexpr (keeps_given_key) {
                if (present != nullptr) {
                    Key before = node_->exchange_key(a, Key(present->key()));
                    if (!shows_entry_key_) given_key_.emplace(std::move(before));
                } else if (shows_entry_key_) {
                    if (given_key_.get() != nullptr) {
                        static_cast<void>(node_->exchange_key(a, std::move(*given_key_.get())));
                        given_key_.reset();
                    } else {
                        static_cast<void>(node_->exchange_key(a, Key(std::forward<K>(key))));
                    }
                }
                shows_entry_key_ = present != nullptr;
            }
        }

    private:
        static constexpr bool keeps_given_key = tells_equal_keys_apart<Key, typename Types::key_equal> && !Layout::pairs &&
                                                !syncmap::detail::is_no_value<T> && !node::shares_key &&
                                                !syncmap::detail::is_text<Key>;
        struct nothing {};

        /// Another node with the same value, if that can be moved: the length of a text is part of its node.
        template <class K>
        void make_again(const K& key) {
            constexpr bool value_is_text = syncmap::detail::is_text<T>;
            if constexpr (value_is_text || std::is_move_constructible_v<T>) {
                fresh_node other(owner_, thread_record_);
                const auto its_value = [&]() -> decltype(auto) {
                    if constexpr (value_is_text) {
                        return std::as_const(*node_).value();
                    } else {
                        return std::move(node_->value());
                    }
                };
                if constexpr (may_lack_value<node>) {
                    if (!node_->has_value()) {
                        other.emplace(node_->hash(), key, nothing_made{}, prefix_of(*node_));
                        std::swap(node_, other.node_);
                        return;
                    }
                }
                other.emplace(node_->hash(), key, its_value, prefix_of(*node_));
                std::swap(node_, other.node_);
            }
        }

        map_nodes& owner_;
        thread_record_type& thread_record_;
        node* node_ = nullptr;
        [[no_unique_address]] std::conditional_t<keeps_given_key, syncmap::detail::deferred<Key>, nothing> given_key_{};
        bool shows_entry_key_ = false;
    };

    void destroy_node(node* n) noexcept {
        node_allocator a(allocator_);
        destroy_node(a, n);
    }
    /// Touches the map no more: the destructor of the node's content may destroy it.
    static void destroy_node(node_allocator& a, node* n) noexcept {
        const std::size_t granules = n->granules();
        if (n->destroy_content(a)) n->deallocate(a, granules);
    }
    static void give_back(node_allocator& a, node_base& cached_node) noexcept {
        static_cast<node&>(cached_node).give_back(a, cached_nodes<Sync>::granules_of(cached_node));
    }
    void give_back_cached_nodes(thread_record_type& s) noexcept {
        node_allocator a(allocator_);
        for (auto nodes = s.cached.take_all(); nodes.top() != nullptr;) give_back(a, *nodes.take_top());
    }
    /// Destroys the nodes. What others can use of them goes to the node cache. See reclaim/thread_garbage.hpp. What is needed
    /// after a destructor of the user's has run is copied before.
    static void destroy_ready(reclaim::thread_garbage<Sync>&, reclaim::garbage_slot<Sync>& of) noexcept {
        auto& c = static_cast<control&>(*of.source.load(std::memory_order_relaxed));
        auto& s = *static_cast<thread_record_type*>(of.home.place);
        node_allocator a(static_cast<core<Types>*>(of.home.map)->allocator_);
        of.has_read_home();
        auto nodes = s.cached.take_all();
        std::uint32_t freed = 0;
        while (auto* const n = static_cast<node*>(of.take_ready(c))) {
            const std::size_t granules = n->granules();
            if (nodes.count() < of.most_kept && n->may_be_cached(granules)) {
                n->make_cacheable(a, granules); // may run destructors of the user's
                nodes.add(*n, granules);
                if constexpr (node::frees_when_cached) ++freed;
            } else {
                if (n->destroy_content(a)) n->deallocate(a, granules);
                ++freed;
            }
        }
        if (!of.names(c)) { // one of them destroyed the map
            while (nodes.top() != nullptr) give_back(a, *nodes.take_top());
            return;
        }
        // What a destructor that used the map has laid down meanwhile. No code of the user's runs from here on.
        for (auto more = s.cached.take_all(); more.top() != nullptr;) {
            node_base& n = *more.take_top();
            nodes.add(n, nodes.granules_of(n));
        }
        for (; nodes.count() > of.most_kept; ++freed) give_back(a, *nodes.take_top());
        of.kept = static_cast<std::uint32_t>(nodes.count());
        s.cached.put(nodes);
        s.count_freed(freed);
        if constexpr (base::has_standard_allocator) s.join_now_and_then();
    }
    void destroy_nodes(node_base* list) noexcept {
        while (list != nullptr) destroy_node(static_cast<node*>(std::exchange(list, list->next_retired)));
    }
};

} // namespace syncmap::engine
