// Lists of key numbers for models of policies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace syncmap::bench {

/// A doubly linked list of key numbers, in order of arrival or use. A key is in it at most once.
class key_list {
public:
    static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

    explicit key_list(std::uint32_t keys) : links_(keys) {}

    std::size_t size() const { return size_; }
    std::uint32_t back() const { return back_; }
    std::uint32_t newer(std::uint32_t key) const { return links_[key].newer; }
    void push_front(std::uint32_t key) {
        links_[key] = {none, front_};
        (front_ == none ? back_ : links_[front_].newer) = key;
        front_ = key;
        ++size_;
    }
    void remove(std::uint32_t key) {
        const auto [newer, older] = links_[key];
        (newer == none ? front_ : links_[newer].older) = older;
        (older == none ? back_ : links_[older].newer) = newer;
        --size_;
    }
    void move_to_front(std::uint32_t key) {
        remove(key);
        push_front(key);
    }
    std::uint32_t pop_back() {
        const std::uint32_t key = back_;
        remove(key);
        return key;
    }

private:
    struct link {
        std::uint32_t newer = none;
        std::uint32_t older = none;
    };
    std::vector<link> links_;
    std::uint32_t front_ = none;
    std::uint32_t back_ = none;
    std::size_t size_ = 0;
};

} // namespace syncmap::bench
