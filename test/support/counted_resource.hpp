// Memory that counts what is allocated of it and not given back.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory_resource>

namespace test {

class counted_resource final : public std::pmr::memory_resource {
public:
    std::size_t bytes() const noexcept { return bytes_; }

private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        bytes_ += bytes;
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
        bytes_ -= bytes;
        std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
    }
    bool do_is_equal(const memory_resource& other) const noexcept override { return this == &other; }

    std::atomic<std::size_t> bytes_{0};
};

} // namespace test
